// SPDX-License-Identifier: Apache-2.0
#include "freeatm/runs/jobs.h"

#include <algorithm>

#include "freeatm/core/error.h"
#include "freeatm/core/files.h"
#include "freeatm/core/log.h"
#include "freeatm/core/signals.h"
#include "freeatm/runs/child_process.h"
#include "freeatm/runs/exit_code.h"
#include "freeatm/runs/folder_lock.h"

namespace freeatm::runs {
namespace {

using config::ComposeOptions;
using config::Node;

bool sets_out(const std::string& override) {
  const std::string key = override.substr(0, override.find('='));
  return key == "out" || key == "+out" || key == "++out";
}

std::string joined(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) out += (out.empty() ? "" : " ") + text;
  return out.empty() ? "no overrides" : out;
}

// `out` as the first job composes it; the folders below it are numbered here, so that it must be one for all jobs.
fs::path sweep_out(const ComposeOptions& options, const std::vector<std::vector<std::string>>& jobs) {
  for (const std::vector<std::string>& job : jobs) {
    for (size_t i = 0; i < job.size(); ++i) {
      if (!sets_out(job[i]) || job[i] == jobs.front()[i]) continue;
      throw UserError(job[i], "out", "one folder is wanted; -m numbers the jobs' own folders in it");
    }
  }
  const Node tree = config::compose({options.config_dir, options.config_name, jobs.front()});
  const Node* out = tree.find("out");
  const auto* text = out ? std::get_if<std::string>(&out->value()) : nullptr;
  if (!text || text->empty() || out->is_missing()) throw UserError("", "out", "required: the folder of the sweep");
  return *text;
}

// What the folder holds, for readers and for going on.
Node record(const Multirun& multirun) {
  Node::List jobs;
  for (const Job& job : multirun.jobs) {
    Node::List overrides;
    for (const std::string& text : job.options.overrides) overrides.emplace_back(text);
    jobs.emplace_back(std::move(overrides));
  }
  const ComposeOptions& options = multirun.jobs.front().options;
  return Node(Node::Map{{"command", Node(multirun.command)},
                        {"config_dir", Node(options.config_dir)},
                        {"config_name", Node(options.config_name)},
                        {"jobs", Node(std::move(jobs))}});
}

fs::path record_file(const Multirun& multirun) { return fs::path(multirun.folder) / "multirun.yaml"; }

void prepare(const Multirun& multirun) {
  const fs::path folder = multirun.folder;
  if (!fs::exists(record_file(multirun)) && fs::is_directory(folder) && !holds_nothing(folder))
    throw UserError(multirun.folder, "out", "is neither empty nor the folder of a sweep; give another one");
  prepare_folder(folder);
}

// A sweep goes on where the folder's jobs are the first of this one's: values may be added to the slowest sweep.
void write_record(const Multirun& multirun) {
  const fs::path file = record_file(multirun);
  const std::string now = config::to_yaml(record(multirun));
  if (fs::exists(file) && !now.starts_with(config::to_yaml(config::load_yaml(file.string()))))
    throw UserError(file.string(), "out", "holds other jobs; give another folder, or the same sweep to go on");
  write_file(file, now);
}

std::vector<std::string> arguments(const std::string& command, const ComposeOptions& options) {
  std::vector<std::string> words = {"freeatm",          command,         "--config-dir",
                                    options.config_dir, "--config-name", options.config_name};
  words.insert(words.end(), options.overrides.begin(), options.overrides.end());
  return words;
}

}  // namespace

Multirun plan_multirun(const std::string& command, const ComposeOptions& options,
                       const std::function<void(const Node&)>& check) {
  const std::vector<std::vector<std::string>> swept = config::sweep_jobs(options);
  const fs::path out = sweep_out(options, swept);
  const std::string extension = out.extension() == ".html" ? ".html" : "";
  Multirun multirun{command, out.string().substr(0, out.string().size() - extension.size()), {}};
  for (const std::vector<std::string>& overrides : swept) {
    Job job{{options.config_dir, options.config_name, overrides}, ""};
    std::erase_if(job.options.overrides, sets_out);
    job.title = joined(job.options.overrides);
    const fs::path own = fs::path(multirun.folder) / (std::to_string(multirun.jobs.size()) + extension);
    job.options.overrides.push_back("++out=" + config::override_text(Node(own.string())));
    check(config::compose(job.options));
    multirun.jobs.push_back(std::move(job));
  }
  return multirun;
}

int run_jobs(const Multirun& multirun) {
  prepare(multirun);
  const FolderLock lock(multirun.folder);
  write_record(multirun);
  const size_t count = multirun.jobs.size();
  std::vector<std::string> failures;
  bool all_refused = true;
  for (size_t i = 0; i < count; ++i) {
    const Job& job = multirun.jobs[i];
    stop_if_signalled();
    log::info("job {}/{}: {}", i + 1, count, job.title);
    const int code = run_child(arguments(multirun.command, job.options));
    stop_if_signalled();
    all_refused = all_refused && code == kRefused;
    if (code != kDone)
      failures.push_back(format("job {}/{} failed with exit code {}: {}", i + 1, count, code, job.title));
  }
  for (const std::string& failure : failures) log::error("{}", failure);
  if (failures.empty()) log::info("{}: all jobs are done", multirun.folder);
  return failures.empty() ? kDone : all_refused ? kRefused : kFailed;
}

}  // namespace freeatm::runs
