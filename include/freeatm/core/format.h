// SPDX-License-Identifier: Apache-2.0
// `{}` formatting for messages: g++ 12 has no <format>, and LibTorch's fmt is not the system's.
#pragma once
#include <cstdint>
#include <filesystem>
#include <sstream>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace freeatm {

namespace detail {
std::string to_text(double value);  // the shortest text that reads back as the same number
inline std::string to_text(bool value) { return value ? "true" : "false"; }
inline std::string to_text(const std::filesystem::path& value) { return value.string(); }

template <class T>
std::string to_text(const T& value) {
  if constexpr (std::is_floating_point_v<T>) {
    return to_text(static_cast<double>(value));
  } else {
    std::ostringstream out;
    out << value;
    return out.str();
  }
}

template <class T>
std::string to_text(const std::vector<T>& values) {
  std::string out = "[";
  for (size_t i = 0; i < values.size(); ++i) out += (i ? ", " : "") + to_text(T(values[i]));
  return out + "]";
}

std::string fill_in(std::string_view pattern, const std::vector<std::string>& arguments);
}  // namespace detail

/// `pattern` with each `{}` replaced by the next argument; there is nothing between the braces.
template <class... Args>
std::string format(std::string_view pattern, const Args&... args) {
  return detail::fill_in(pattern, {detail::to_text(args)...});
}

/// A sample's key by its index, nine digits: "000000042".
std::string sample_key(int64_t index);

}  // namespace freeatm
