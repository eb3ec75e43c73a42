// SPDX-License-Identifier: Apache-2.0
#include "freeatm/core/json.h"

#include <cmath>
#include <limits>

#include <nlohmann/json.hpp>

#include "freeatm/core/error.h"

namespace freeatm {

using nlohmann::json;

json read_json(const fs::path& path) {
  const std::string text = read_file(path);
  require_shallow_json(text, path.string());
  try {
    return json::parse(text);
  } catch (const json::exception& error) {
    throw UserError(path.string(), "", "is not JSON: {}", error.what());
  }
}

void require_shallow_json(std::string_view text, std::string_view where, std::string_view key) {
  constexpr int64_t kDeepest = 100;
  int64_t depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"') in_string = !in_string;
    if (in_string && c == '\\') ++i;
    if (in_string) continue;
    if (c == '[' || c == '{') ++depth;
    if (c == ']' || c == '}') --depth;
    if (depth > kDeepest) throw UserError(where, key, "is JSON that is nested more than {} deep", kDeepest);
  }
}

int64_t whole_number(const json& value) {
  constexpr auto kLargest = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  if (value.is_number_unsigned() && value.get<uint64_t>() <= kLargest)
    return static_cast<int64_t>(value.get<uint64_t>());
  if (value.is_number_integer() && !value.is_number_unsigned()) return value.get<int64_t>();
  if (value.is_number_float()) {
    const double number = value.get<double>();
    if (std::abs(number) < 0x1p53 && number == std::floor(number)) return static_cast<int64_t>(number);
  }
  throw json::type_error::create(302, "type must be integer, but is " + value.dump(), &value);
}

std::vector<int64_t> whole_numbers(const json& list) {
  if (!list.is_array())
    throw json::type_error::create(302, std::string("type must be array, but is ") + list.type_name(), &list);
  std::vector<int64_t> numbers;
  for (const json& number : list) numbers.push_back(whole_number(number));
  return numbers;
}

}  // namespace freeatm
