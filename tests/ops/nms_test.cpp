// SPDX-License-Identifier: Apache-2.0
// Values: scripts/baselines/detection_ops.py
#include "freeatm/ops/nms.h"

#include <cmath>
#include <limits>
#include <set>
#include <thread>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include "freeatm/core/error.h"
#include "freeatm/weights/safetensors.h"

#include "models/hash_weights.h"
#include "testing.h"

namespace freeatm::ops {
namespace {

using at::Tensor;

struct Boxes {
  Tensor boxes, scores, classes;

  /// About half of them overlap others.
  explicit Boxes(int64_t count, int64_t kinds = 1) {
    const Tensor corner = 300 * testing::hash_tensor("corner", {count, 2});
    boxes = at::cat({corner, corner + 30 * (1.1 + testing::hash_tensor("size", {count, 2}))}, 1);
    scores = (50 * testing::hash_tensor("score", {count})).round();  // with ties
    classes = (static_cast<double>(kinds) * testing::hash_tensor("class", {count})).to(at::kLong);
  }
};

TEST(Nms, EqualsTorchvisions) {
  const auto expected = weights::load_safetensors(testing::test_file("ops/data/nms.safetensors")).tensors;
  std::set<std::string> cases;
  for (const auto& [name, unused] : expected) cases.insert(name.substr(0, name.find('/')));
  EXPECT_EQ(cases.size(), 13u);
  for (const std::string& name : cases) {
    const auto value = [&](const std::string& key) {
      const auto found = expected.find(name + "/" + key);
      return found == expected.end() ? Tensor() : found->second;
    };
    const auto threshold = value("threshold").item<double>();
    const Tensor classes =
        value("classes").defined() ? value("classes") : at::zeros({value("boxes").size(0)}, at::kLong);
    EXPECT_TRUE(batched_nms(value("boxes"), value("scores"), classes, threshold).equal(value("kept"))) << name;
    EXPECT_TRUE(batched_nms_reference(value("boxes"), value("scores"), classes, threshold).equal(value("kept")))
        << name;
    if (value("classes").defined()) continue;
    EXPECT_TRUE(nms(value("boxes"), value("scores"), threshold).equal(value("kept"))) << name;
  }
}

TEST(Nms, EqualsTheReferenceForManyBoxes) {
  for (const auto& [count, kinds] : {std::pair<int64_t, int64_t>{1, 1}, {1000, 1}, {1000, 40}, {777, 3}}) {
    const Boxes all(count, kinds);
    const Tensor kept = batched_nms(all.boxes, all.scores, all.classes, 0.4);
    EXPECT_TRUE(kept.equal(batched_nms_reference(all.boxes, all.scores, all.classes, 0.4))) << count << ", " << kinds;
    EXPECT_TRUE(count == 1 || kept.size(0) < count);
  }
}

// With offsets between the classes these two boxes, far from 0, lose the digits that tell them apart.
TEST(Nms, ClassesFarApartKeepTheirDigits) {
  const Tensor box = at::tensor({0.0f, 0.0f, 1.0f, 1.0f, 0.0f, 0.0f, 0.501f, 1.0f}).view({2, 4});
  const Tensor boxes = at::cat({box, box + 1e4}), scores = at::tensor({4.0f, 3.0f, 2.0f, 1.0f});
  const Tensor classes = at::tensor({int64_t{7000000000}, int64_t{7000000000}, int64_t{-1}, int64_t{-1}});
  EXPECT_TRUE(batched_nms(boxes, scores, classes, 0.5).equal(at::tensor({0, 2}, at::kLong)));
  EXPECT_TRUE(batched_nms(boxes, scores, classes, 0.502).equal(at::arange(4)));
}

TEST(Nms, TakesOtherTypesAndLayouts) {
  const Boxes all(300, 3);
  const Tensor kept = batched_nms(all.boxes, all.scores, all.classes, 0.4);
  EXPECT_TRUE(batched_nms(all.boxes.t().contiguous().t(), all.scores, all.classes.to(at::kInt), 0.4).equal(kept));
  const Tensor halves = all.boxes.round().to(at::kHalf);
  EXPECT_TRUE(nms(halves, all.scores, 0.4).equal(nms(halves.to(at::kDouble), all.scores, 0.4)));
}

TEST(Nms, NumbersThatAreNotFiniteDoNoHarm) {
  const float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();
  Boxes all(200, 4);
  for (const float bad : {nan, inf, -inf}) {
    for (int64_t i = 0; i < 200; i += 7) all.boxes[i][i % 4] = bad;
    for (int64_t i = 0; i < 200; i += 11) all.scores[i] = bad;
    const Tensor kept = batched_nms(all.boxes, all.scores, all.classes, 0.4);
    EXPECT_GT(kept.size(0), 0);
    EXPECT_EQ(std::get<0>(at::_unique(kept)).size(0), kept.size(0));
    EXPECT_LE(nms(all.boxes, all.scores, nan).size(0), 200);
  }
  EXPECT_EQ(nms(at::full({50, 4}, nan), at::full({50}, nan), 0.5).size(0), 50);
}

TEST(Nms, DoesNotDependOnTheNumberOfThreadsAndLeavesItAlone) {
  const int threads = at::get_num_threads();
  const Boxes all(2000, 8);
  at::set_num_threads(1);
  const Tensor one = batched_nms(all.boxes, all.scores, all.classes, 0.4);
  at::set_num_threads(threads);
  std::thread([] { at::set_num_threads(1); }).join();  // as a loader's worker does
  EXPECT_TRUE(batched_nms(all.boxes, all.scores, all.classes, 0.4).equal(one));
  EXPECT_EQ(at::get_num_threads(), threads);
}

TEST(Nms, RefusesShapesThatDoNotFit) {
  const Tensor boxes = at::zeros({3, 4}), scores = at::zeros({3});
  EXPECT_THROW(nms(boxes, at::zeros({2}), 0.5), InternalError);
  EXPECT_THROW(nms(at::zeros({3, 5}), scores, 0.5), InternalError);
  EXPECT_THROW(batched_nms(boxes, scores, at::zeros({4}, at::kLong), 0.5), InternalError);
}

}  // namespace
}  // namespace freeatm::ops
