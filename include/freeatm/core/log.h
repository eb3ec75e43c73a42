// SPDX-License-Identifier: Apache-2.0
// Lines for the person at the terminal, on stderr. Results that a script reads go to files.
#pragma once
#include <string>
#include <string_view>

#include "freeatm/core/format.h"

namespace freeatm::log {

enum class Level { kDebug, kInfo, kWarning, kError };
void write(Level level, const std::string& line);
void set_level(Level lowest);

template <class... Args>
void debug(std::string_view pattern, const Args&... args) {
  write(Level::kDebug, format(pattern, args...));
}
template <class... Args>
void info(std::string_view pattern, const Args&... args) {
  write(Level::kInfo, format(pattern, args...));
}
template <class... Args>
void warning(std::string_view pattern, const Args&... args) {
  write(Level::kWarning, format(pattern, args...));
}
template <class... Args>
void error(std::string_view pattern, const Args&... args) {
  write(Level::kError, format(pattern, args...));
}

}  // namespace freeatm::log
