// SPDX-License-Identifier: Apache-2.0
// Files of others, damaged at random.
#pragma once
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <sys/resource.h>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "freeatm/core/error.h"
#include "freeatm/core/random.h"

namespace freeatm::testing {

/// A new file: thousands of them need no fsync, and the kernel syncs one that is written over.
inline void write_unsynced(const std::string& path, const std::string& bytes) {
  std::filesystem::remove(path);
  std::ofstream(path, std::ios::binary) << bytes;
}

/// One to four edits: a byte or a word changed, a piece removed or repeated, the end cut off.
inline std::string damaged(const std::string& whole, RandomStream& random) {
  std::string bytes = whole;
  const auto place = [&] { return static_cast<size_t>(random.integer(static_cast<int64_t>(bytes.size()))); };
  for (int64_t edits = random.integer(1, 5); edits > 0 && !bytes.empty(); --edits) {
    const size_t at = place();
    const auto length = static_cast<size_t>(random.integer(1, 40));
    switch (random.integer(6)) {
      case 0:
        bytes[at] = static_cast<char>(random.integer(256));
        break;
      case 1:
        bytes[at] = static_cast<char>(bytes[at] ^ 1 << random.integer(8));
        break;
      case 2:
        bytes.replace(at, 4, 4, random.bernoulli(0.5) ? '\xff' : '\0');
        break;
      case 3:
        bytes.erase(at, length);
        break;
      case 4:
        bytes.insert(place(), bytes.substr(at, length));
        break;
      default:
        bytes.resize(at);
    }
  }
  return bytes;
}

/// Still JSON, but one to three of its values are others: of another kind, out of any range, another key's, or gone.
inline std::string with_wrong_values(const std::string& text, RandomStream& random) {
  using nlohmann::json;
  static const std::vector<json> kWrong = {
      0,  -1,  1,       3,    1000003, 9000000000000000000, 18446744073709551615u, 0.5,           1e300,
      "", "x", nullptr, true, false,   json::array(),       json::array({1, 2}),   json::object()};
  json root = json::parse(text);
  for (int64_t edits = random.integer(1, 4); edits > 0; --edits) {
    std::vector<json*> nodes{&root};  // all of them, the root first
    for (size_t i = 0; i < nodes.size(); ++i) {
      if (!nodes[i]->is_structured()) continue;
      for (json& child : *nodes[i]) nodes.push_back(&child);
    }
    if (nodes.size() == 1) break;
    json& node = *nodes[static_cast<size_t>(random.integer(1, std::ssize(nodes)))];
    if (random.bernoulli(0.2)) {
      const json other = *nodes[static_cast<size_t>(random.integer(1, std::ssize(nodes)))];
      node = other;
    } else if (node.is_structured() && !node.empty() && random.bernoulli(0.5)) {
      node.erase(std::next(node.begin(), random.integer(std::ssize(node))));
    } else {
      node = kWrong[static_cast<size_t>(random.integer(std::ssize(kWrong)))];
    }
  }
  return root.dump();
}

inline int64_t peak_kilobytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

struct Verdicts {
  int64_t read = 0, refused = 0;
};

/// Gives `use` so many damaged copies of a file's bytes, the same for the same name. `change` makes them. Each is read,
/// or refused by a UserError of one line, and none takes much memory; the asan preset sees reads that go astray.
template <class Use>
Verdicts try_damaged(const std::string& whole, std::string_view name, uint64_t count, Use use,
                     std::string (*change)(const std::string&, RandomStream&) = damaged) {
  [[maybe_unused]] const int64_t before = peak_kilobytes();
  Verdicts verdicts;
  for (uint64_t i = 0; i < count; ++i) {
    RandomStream random(0, name, 0, i);
    try {
      use(change(whole, random));
      ++verdicts.read;
    } catch (const UserError& error) {
      ++verdicts.refused;
      const std::string_view line = error.what();
      EXPECT_TRUE(line.find('\n') == std::string_view::npos && line.size() < 5000) << name << ": " << line;
    } catch (const std::exception& error) {
      ADD_FAILURE() << name << ", copy " << i << ": " << error.what();
    }
  }
#ifndef __SANITIZE_ADDRESS__  // it keeps what was freed
  EXPECT_LT(peak_kilobytes() - before, 100'000) << name;
#endif
  return verdicts;
}

}  // namespace freeatm::testing
