// SPDX-License-Identifier: Apache-2.0
#include "freeatm/core/error.h"

#include <algorithm>
#include <numeric>

namespace freeatm {
namespace {

// Levenshtein's distance, one row at a time.
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i + 1;
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t substituted = diagonal + (a[i] != b[j]);
      diagonal = row[j + 1];
      row[j + 1] = std::min({row[j] + 1, row[j + 1] + 1, substituted});
    }
  }
  return row.back();
}

// "[json.exception.parse_error.101] parse error at line 3": what a library calls its exceptions tells nobody anything.
std::string without_exception_names(std::string text) {
  constexpr std::string_view kName = "[json.exception.";
  for (size_t at; (at = text.find(kName)) != std::string::npos;) {
    const size_t end = text.find("] ", at);
    text.erase(at, end == std::string::npos ? kName.size() : end + 2 - at);
  }
  return text;
}

}  // namespace

std::string UserError::compose(std::string_view where, std::string_view key, const std::string& message) {
  std::string line;
  for (std::string_view part : {where, key}) {
    if (!part.empty()) line.append(part).append(": ");
  }
  line += without_exception_names(message);
  // One line that a terminal shows as it is, whatever the value holds. What is wrong stands behind a long value.
  constexpr size_t kHead = 3000, kTail = 1000;
  if (line.size() > kHead + kTail) line = line.substr(0, kHead) + " ... " + line.substr(line.size() - kTail);
  std::replace_if(
      line.begin(), line.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
  return line;
}

std::string did_you_mean(std::string_view name, const std::vector<std::string>& known) {
  const auto nearest = std::min_element(known.begin(), known.end(), [&](const auto& a, const auto& b) {
    return edit_distance(name, a) < edit_distance(name, b);
  });
  if (nearest == known.end() || edit_distance(name, *nearest) > std::max<size_t>(2, name.size() / 2)) return "";
  return format("; did you mean '{}'?", *nearest);
}

std::string one_of(const std::vector<std::string>& names) {
  std::string out;
  for (size_t i = 0; i < names.size(); ++i) {
    if (i) out += i + 1 == names.size() ? " or " : ", ";
    out += names[i];
  }
  return out;
}

void detail::check_failed(const char* file, int line, const char* condition, const std::string& message) {
  throw InternalError(format("{}:{}: {} ({})", file, line, message, condition));
}

}  // namespace freeatm
