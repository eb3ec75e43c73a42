// SPDX-License-Identifier: Apache-2.0
#include "freeatm/core/format.h"

#include <charconv>
#include <cstdio>

namespace freeatm {
namespace detail {

std::string to_text(double value) {
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  return {buffer, end};
}

std::string fill_in(std::string_view pattern, const std::vector<std::string>& arguments) {
  std::string out;
  size_t next = 0;
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '{' && i + 1 < pattern.size() && pattern[i + 1] == '}' && next < arguments.size()) {
      out += arguments[next++];
      ++i;
    } else {
      out += pattern[i];
    }
  }
  return out;
}

}  // namespace detail

std::string sample_key(int64_t index) {
  char text[24];
  std::snprintf(text, sizeof text, "%09lld", static_cast<long long>(index));
  return text;
}

}  // namespace freeatm
