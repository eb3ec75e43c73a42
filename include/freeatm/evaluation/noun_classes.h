// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace freeatm::evaluation {

/// The class that a noun phrase names: "dogs", "two small dogs" and "Dog" are "dog", "big fire truck" is "fire truck"
/// where there is such a class, not "truck". Of several names in a phrase the last one counts (the head of an English
/// noun phrase), then the longest. Nothing where no class is named.
std::optional<int64_t> class_of_noun(std::string_view noun, const std::vector<std::string>& class_names);

/// What class_of_noun says, looked up once for each noun.
class NounClasses {
 public:
  explicit NounClasses(std::vector<std::string> names) : names_(std::move(names)) {}
  const std::vector<std::string>& names() const { return names_; }
  std::optional<int64_t> find(const std::string& noun);

 private:
  std::vector<std::string> names_;
  std::unordered_map<std::string, std::optional<int64_t>> known_;
};

}  // namespace freeatm::evaluation
