// SPDX-License-Identifier: Apache-2.0
// The only user of spdlog. It never includes torch, whose wheel carries another fmt.
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include "freeatm/core/log_voice.h"

namespace freeatm::log {
namespace {

spdlog::level::level_enum spdlog_level(Level level) {
  switch (level) {
    case Level::kDebug:
      return spdlog::level::debug;
    case Level::kInfo:
      return spdlog::level::info;
    case Level::kWarning:
      return spdlog::level::warn;
    case Level::kError:
      break;
  }
  return spdlog::level::err;
}

spdlog::logger& logger() {
  static const auto instance = [] {
    auto made = spdlog::stderr_color_mt("freeatm");
    made->set_pattern("%^%L%$ %v");
    return made;
  }();
  return *instance;
}

}  // namespace

void write(Level level, const std::string& line) { logger().log(spdlog_level(level), "{}", line); }
void fall_silent() { logger().set_level(spdlog::level::off); }
void set_name(const std::string& name) { logger().set_pattern("%^%L%$ " + name + ": %v"); }
bool shows(Level level) { return logger().should_log(spdlog_level(level)); }
void set_level(Level lowest) { logger().set_level(spdlog_level(lowest)); }

}  // namespace freeatm::log
