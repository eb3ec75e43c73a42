// SPDX-License-Identifier: Apache-2.0
// JSON that others wrote.
#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "freeatm/core/files.h"

namespace freeatm {

/// A file's JSON. Throws UserError(path, "", ...) where the file cannot be read, is not JSON, or is nested too deeply.
nlohmann::json read_json(const fs::path& path);

/// Throws UserError(where, key, ...) for JSON that is nested more than 100 deep. Parsers take any depth, but the copy
/// and the text of such a value recurse: it must not come as far as that.
void require_shallow_json(std::string_view text, std::string_view where, std::string_view key = "");

/// An integer, also one that is written 64.0. Throws nlohmann's type_error for anything else, where `get` would round.
int64_t whole_number(const nlohmann::json& value);
std::vector<int64_t> whole_numbers(const nlohmann::json& list);

}  // namespace freeatm
