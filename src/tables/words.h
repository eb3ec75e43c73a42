// SPDX-License-Identifier: Apache-2.0
// What a step's line is made of: "evaluate task=linear checkpoint=@pretrain data.root=@world/objects".
#pragma once
#include <functional>
#include <string>
#include <vector>

namespace freeatm::tables {

/// A line's words. Blanks in quotes and brackets divide none, and quotes stay: the grammar of overrides reads them.
/// Throws std::invalid_argument where a quote or bracket is not closed.
std::vector<std::string> words_of(const std::string& line);

/// What an override is of: "trainer.lr" of "++trainer.lr=1" and of "~trainer.lr".
std::string key_of(const std::string& override);

/// `overrides` with others behind them, which take the place of those of the same key.
std::vector<std::string> merged(std::vector<std::string> overrides, const std::vector<std::string>& others);

/// The names behind "@" where a value, or an element of a list or map, begins with it.
std::vector<std::string> references_in(const std::string& override);

/// The override with a place for each of them: "checkpoint=@pretrain/x" -> "checkpoint=runs/cells/pretrain_1/x".
std::string with_places(const std::string& override, const std::function<std::string(const std::string&)>& place_of);

}  // namespace freeatm::tables
