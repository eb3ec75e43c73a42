// SPDX-License-Identifier: Apache-2.0
#include "freeatm/tables/job_graph.h"

#include <algorithm>
#include <string_view>

#include "freeatm/core/error.h"
#include "freeatm/core/random.h"
#include "freeatm/core/shipped.h"
#include "freeatm/core/version.h"
#include "freeatm/runs/identity.h"

#include "words.h"

namespace freeatm::tables {
namespace {

using config::FieldValue;

std::string joined_words(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : " ") + word;
  return out;
}

class GraphMaker {
 public:
  GraphMaker(const TableFile& table, const Program& program, const fs::path& folder)
      : table_(table), program_(program), folder_(folder.lexically_normal()) {
    if (!folder_.has_filename()) folder_ = folder_.parent_path();  // "runs/cells/"
  }

  JobGraph make() {
    for (size_t seed = 0; seed < table_.seeds.size(); ++seed) {
      for (size_t row = 0; row < table_.rows.size(); ++row) add_row(row, seed);
    }
    return std::move(graph_);
  }

 private:
  void add_row(size_t row_index, size_t seed) {
    const Row& row = table_.rows[row_index];
    for (size_t i = 0; i < table_.columns.size(); ++i) {
      const Column& column = table_.columns[i];
      if (std::ranges::find(row.columns, column.name) == row.columns.end()) continue;
      const std::string suffix = row.weights.empty() ? "" : "_" + row.weights;
      graph_.cells.push_back(
          {row_index, i, seed, job_of(row, column.step, table_.seeds[seed]), column.metric + suffix});
    }
  }

  /// The index of a step's job, which is added where it is new.
  size_t job_of(const Row& row, const std::string& name, int64_t seed) {
    const Step& step = *row.step(name);
    const std::string key = "rows." + row.name + "." + name;
    if (std::ranges::find(open_, name) != open_.end())
      throw UserError(step.where, key, "@{} is made from itself", name);
    open_.push_back(name);
    Job job{.step = name, .kind = step.kind, .title = name + ", " + row.title, .command = step.command};
    for (const std::string& override : step.overrides) {
      job.overrides.push_back(
          with_places(override, [&](const std::string& input) { return place_of(job, row, step, input, seed); }));
    }
    if (step.has_seed) {
      job.seed = seed;
      job.title += format(", seed {}", seed);
      if (std::ranges::none_of(job.overrides, [](const std::string& one) { return key_of(one) == "seed"; }))
        job.overrides.push_back(format("seed={}", seed));
    }
    open_.pop_back();
    const auto [known, is_new] =
        by_line_.try_emplace(format("{} {} {}", job.command, step.revision, joined_words(job.overrides)), 0);
    if (is_new) known->second = add(std::move(job), step, key);
    return known->second;
  }

  std::string place_of(Job& job, const Row& row, const Step& step, const std::string& input, int64_t seed) {
    if (!step.has_seed && row.step(input)->has_seed)
      throw UserError(step.where, step.name, "is made once for all seeds, but @{} for each", input);
    const size_t index = job_of(row, input, seed);
    job.inputs.push_back(index);
    return (folder_ / graph_.jobs[index].name).string();
  }

  size_t add(Job job, const Step& step, const std::string& key) {
    std::vector<FieldValue> values;
    try {
      std::vector<std::string> overrides = job.overrides;
      overrides.push_back("++out=" + config::override_text(config::Node(folder_.string())));
      values = program_.values(job.command, config::compose({program_.config_dir, job.command, std::move(overrides)}));
    } catch (const UserError& error) {
      throw UserError(step.where, key, "{}", error.what());
    }
    std::string identity = format("{}\n{} {}\n", version(), job.command, step.revision);
    for (const FieldValue& field : values) {
      if (field.is_free || field.path == "out") continue;
      const std::string value = told_by_what_it_is(field.value);
      job.config[field.path] = field.value;
      if (field.value != field.otherwise || value != field.value) {
        identity += field.path + "=" + value + "\n";
      } else {
        job.defaults[field.path] = value;
      }
    }
    job.name = job.command + "_" + hash_text(stable_hash(identity));
    // Two lines may say the same: "a=1 b=2" and "b=2 a=1".
    const auto same = std::ranges::find(graph_.jobs, job.name, &Job::name);
    if (same != graph_.jobs.end()) return static_cast<size_t>(same - graph_.jobs.begin());
    graph_.jobs.push_back(std::move(job));
    return graph_.jobs.size() - 1;
  }

  /// A job's place without the folder of them all; another file or folder by what lies there.
  std::string told_by_what_it_is(const std::string& value) {
    const std::string prefix = folder_.string() + "/";
    if (value.find(prefix) != std::string::npos) {
      std::string out = value;
      for (size_t at; (at = out.find(prefix)) != std::string::npos;) out.replace(at, prefix.size(), "@");
      return out;
    }
    if (value.find_first_of("/.") == std::string::npos || value.size() > 1000) return value;
    std::error_code unreadable;
    const fs::path path = find_shipped(value);
    if (!fs::exists(path, unreadable)) return value;
    std::string& identity = identities_[path.string()];
    if (identity.empty()) identity = runs::identity_of(path);
    return "contents " + identity;
  }

  const TableFile& table_;
  const Program& program_;
  fs::path folder_;
  JobGraph graph_;
  std::vector<std::string> open_;          // the steps whose inputs are being looked for
  std::map<std::string, size_t> by_line_;  // jobs by what they were asked for
  std::map<std::string, std::string> identities_;
};

}  // namespace

JobGraph make_jobs(const TableFile& table, const Program& program, const fs::path& folder) {
  return GraphMaker(table, program, folder).make();
}

}  // namespace freeatm::tables
