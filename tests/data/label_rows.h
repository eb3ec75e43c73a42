// SPDX-License-Identifier: Apache-2.0
// What tests of label maps share.
#pragma once
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "freeatm/data/dataset.h"

#include "testing.h"

namespace freeatm::data {

inline const std::string kSets = testing::test_file("data/segmentation/");

using Rows = std::vector<std::vector<int>>;

inline Rows rows_of(const vision::LabelMap& map) {
  Rows rows;
  for (int y = 0; y < map.height; ++y) rows.emplace_back(map.row(y), map.row(y) + map.width);
  return rows;
}

/// All but the ignored, rising.
inline std::vector<int64_t> classes_of(const Rows& rows) {
  std::set<int64_t> classes;
  for (const auto& row : rows) classes.insert(row.begin(), row.end());
  classes.erase(255);
  return {classes.begin(), classes.end()};
}

inline std::vector<Sample> label_samples(const Dataset& dataset) {
  RandomStream none(0, "none");
  std::vector<Sample> samples;
  for (int64_t i = 0; i < dataset.size(); ++i) samples.push_back(dataset.get(i, none));
  return samples;
}

inline std::string said_by(const std::function<void()>& use) {
  ::testing::internal::CaptureStderr();
  use();
  return ::testing::internal::GetCapturedStderr();
}

}  // namespace freeatm::data
