// SPDX-License-Identifier: Apache-2.0
#include "freeatm/tables/record.h"

#include <cerrno>
#include <cmath>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <fstream>
#include <sstream>
#include <sys/file.h>
#include <sys/utsname.h>
#include <thread>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "freeatm/core/error.h"
#include "freeatm/core/log.h"
#include "freeatm/core/random.h"

namespace freeatm::tables {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

std::string hash_of(const Values& values) {
  std::string text;
  for (const auto& [path, value] : values) text += path + "=" + value + "\n";
  return hash_text(stable_hash(text));
}

ordered_json json_of(const Result& result) {
  ordered_json line{{"job", result.job}, {"step", result.step}, {"kind", result.kind}, {"title", result.title}};
  if (result.seed) line["seed"] = *result.seed;
  line["metrics"] = result.metrics;
  line["minutes"] = std::round(result.minutes * 100) / 100;
  line["threads"] = result.threads;
  line["machine"] = result.machine;
  line["date"] = result.date;
  line["version"] = result.version;
  line["commit"] = result.commit;
  line["command"] = result.command;
  return line;
}

Result result_of(const json& line) {
  Result result{.job = line.at("job"), .step = line.at("step"), .kind = line.at("kind"), .title = line.at("title")};
  if (line.contains("seed")) result.seed = line.at("seed").get<int64_t>();
  result.metrics = line.at("metrics").get<std::map<std::string, double>>();
  result.minutes = line.at("minutes");
  result.threads = line.at("threads");
  result.machine = line.at("machine");
  result.date = line.at("date");
  result.version = line.at("version");
  result.commit = line.at("commit");
  result.command = line.at("command");
  return result;
}

/// A descriptor with a lock on the file, both for as long as this lives.
class LockedFile {
 public:
  explicit LockedFile(const fs::path& path) : path_(path) {
    file_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (file_ < 0) fail();
    ::flock(file_, LOCK_EX);  // where a file system knows none, lines are still written in one piece
  }
  ~LockedFile() { ::close(file_); }
  LockedFile(const LockedFile&) = delete;
  LockedFile& operator=(const LockedFile&) = delete;

  /// Whether the last line was never ended: a killed process's.
  bool is_torn() const {
    char last = '\n';
    const off_t size = ::lseek(file_, 0, SEEK_END);
    return size > 0 && ::pread(file_, &last, 1, size - 1) == 1 && last != '\n';
  }
  void write(const std::string& text) const {
    if (::write(file_, text.data(), text.size()) != static_cast<ssize_t>(text.size()) || ::fsync(file_) != 0) fail();
  }

 private:
  [[noreturn]] void fail() const {
    throw UserError(path_.string(), "table.record", "cannot be written: {}", std::strerror(errno));
  }
  fs::path path_;
  int file_ = -1;
};

}  // namespace

std::string line_of(const Result& result) { return json_of(result).dump(); }
Result result_of(const std::string& line) { return result_of(json::parse(line)); }

Record::Record(fs::path file) : file_(std::move(file)) { read(); }

void Record::read() {
  if (!fs::exists(file_)) return;
  std::istringstream lines(read_file(file_, "table.record"));
  std::string text;
  for (int64_t number = 1; std::getline(lines, text); ++number) {
    if (text.empty()) continue;
    try {
      const json line = json::parse(text);
      if (line.contains("job")) {
        entries_[line.at("job")] = {result_of(line), line.at("defaults")};
      } else {
        defaults_[line.at("defaults")] = line.at("values").get<Values>();
      }
    } catch (const json::exception&) {
      log::warning("{}:{}: is no line of a record; passed over", file_.string(), number);
    }
  }
}

const Result* Record::find(const Job& job) {
  const auto entry = entries_.find(job.name);
  if (entry == entries_.end()) return nullptr;
  const auto values = defaults_.find(entry->second.defaults);
  if (values == defaults_.end()) return &entry->second.result;
  for (const auto& [path, value] : values->second) {
    const auto now = job.defaults.find(path);
    if (now == job.defaults.end() || now->second == value) continue;  // a key that is new or gone changes nothing
    bool& is_told = told_[job.command + path];
    if (!is_told) {
      log::warning("{}: results of {} with {}={} do not count: it is {} now", file_.string(), job.command, path, value,
                   now->second);
    }
    is_told = true;
    return nullptr;
  }
  return &entry->second.result;
}

std::optional<double> Record::minutes_of(const std::string& kind) const {
  double sum = 0;
  int64_t count = 0;
  for (const auto& [name, entry] : entries_) {
    if (entry.result.kind == kind) sum += entry.result.minutes, ++count;
  }
  return count > 0 ? std::optional(sum / double(count)) : std::nullopt;
}

void Record::add(const Job& job, const Result& result) {
  const std::string defaults = hash_of(job.defaults);
  ordered_json line = json_of(result);
  line["defaults"] = defaults;
  std::string text;
  if (!defaults_.contains(defaults)) {
    text = ordered_json{{"defaults", defaults}, {"command", job.command}, {"values", job.defaults}}.dump() + "\n";
  }
  append(text + line.dump() + "\n");
  defaults_[defaults] = job.defaults;
  entries_[job.name] = {result, defaults};
}

void Record::append(const std::string& text) const {
  if (file_.has_parent_path()) prepare_folder(file_.parent_path(), "table.record");
  const LockedFile file(file_);
  file.write((file.is_torn() ? "\n" : "") + text);
}

std::string date_now() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text;
}

std::string machine_name() {
  utsname system{};
  ::uname(&system);
  std::string name = system.machine;
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with("model name")) continue;
    name = line.substr(std::min(line.find(": ") + 2, line.size()));
    break;
  }
  return format("{}, {} cores", name, std::max(1u, std::thread::hardware_concurrency()));
}

}  // namespace freeatm::tables
