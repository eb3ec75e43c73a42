// SPDX-License-Identifier: Apache-2.0
// Python's way to write what JSON holds.
#pragma once
#include <string>

#include <nlohmann/json.hpp>

#include "freeatm/core/files.h"

namespace freeatm::exports {

using Arguments = nlohmann::ordered_json;  // an object: keyword arguments in their order

/// {"a": true, "b": [1, 2]} -> f(a=True, b=[1, 2])
///   first: what stands before them, "body"
std::string python_call(const std::string& function, const Arguments& arguments, const std::string& first = "");

/// "a/b": a path, quoted.
std::string python_text(const fs::path& path);

}  // namespace freeatm::exports
