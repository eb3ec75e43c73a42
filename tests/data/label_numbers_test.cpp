// SPDX-License-Identifier: Apache-2.0
#include "freeatm/data/label_numbers.h"

#include <gtest/gtest.h>

namespace freeatm::data {
namespace {

/// -1: unknown.
std::vector<int> places(const LabelNumbers& numbers, const std::vector<uint8_t>& of) {
  std::vector<int> out;
  for (const uint8_t number : of) {
    const auto place = numbers.places()[number];
    out.push_back(place ? int{*place} : -1);
  }
  return out;
}

TEST(LabelNumbers, OfCityscapesAreItsLabelIds) {  // cityscapesScripts' labels.py
  EXPECT_EQ(places(cityscapes_numbers(), {7, 11, 17, 23, 26, 29, 30, 31, 33, 0, 34, 255}),
            (std::vector<int>{0, 2, 5, 10, 13, 255, 255, 16, 18, 255, 255, 255}));
  EXPECT_EQ(cityscapes_numbers().names.at(13), "car");
}

TEST(LabelNumbers, OfAde20kBeginWithOne) {
  EXPECT_EQ(places(ade20k_numbers(), {0, 1, 150, 255, 151, 254}), (std::vector<int>{255, 0, 149, 255, -1, -1}));
}

TEST(LabelNumbers, AreTakenAllAtOnce) {  // not 6 to 9 to 7
  EXPECT_EQ(places({.names = {"a", "b"}, .ids = {1, 0}}, {0, 1, 2}), (std::vector<int>{1, 0, -1}));
  EXPECT_EQ(places({.names = {"a", "b"}, .ids = {0, 1}, .ignored = {0, 7}}, {0, 7, 8}), (std::vector<int>{0, 255, -1}));
}

}  // namespace
}  // namespace freeatm::data
