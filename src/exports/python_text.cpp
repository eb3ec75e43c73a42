// SPDX-License-Identifier: Apache-2.0
#include "python_text.h"

namespace freeatm::exports {
namespace {

std::string python_value(const Arguments& value) {
  if (value.is_boolean()) return value.get<bool>() ? "True" : "False";
  if (!value.is_array()) return value.dump();
  std::string text;
  for (const auto& element : value) text += (text.empty() ? "" : ", ") + python_value(element);
  return "[" + text + "]";
}

}  // namespace

std::string python_call(const std::string& function, const Arguments& arguments, const std::string& first) {
  std::string text = first;
  for (const auto& [name, value] : arguments.items())
    text += (text.empty() ? "" : ", ") + name + "=" + python_value(value);
  return function + "(" + text + ")";
}

std::string python_text(const fs::path& path) { return Arguments(path.string()).dump(); }

}  // namespace freeatm::exports
