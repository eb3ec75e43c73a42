// SPDX-License-Identifier: Apache-2.0
// Values: scripts/baselines/detection_ops.py
#include "freeatm/ops/boxes.h"

#include <cmath>
#include <limits>

#include <ATen/ATen.h>

#include "freeatm/core/error.h"
#include "freeatm/weights/safetensors.h"

#include "tensors.h"
#include "testing.h"

namespace freeatm::ops {
namespace {

using at::Tensor;
using testing::difference;

const weights::TensorMap& boxes_expected() {
  static const auto tensors = weights::load_safetensors(testing::test_file("ops/data/boxes.safetensors")).tensors;
  return tensors;
}

TEST(Boxes, IouEqualsTorchvisions) {
  const auto& expected = boxes_expected();
  const Tensor iou = box_iou(expected.at("boxes"), expected.at("others").narrow(0, 0, 5));
  EXPECT_EQ(iou.sizes(), at::IntArrayRef({6, 5}));
  EXPECT_LE(difference(iou, expected.at("iou")), 1e-6);
  EXPECT_GT(iou.max().item<double>(), 0.5);
}

TEST(Boxes, IouTakesNoBoxesAndBoxesWithoutArea) {
  const Tensor box = at::tensor({1.0f, 1.0f, 3.0f, 3.0f}).view({1, 4}), point = at::ones({2, 4});
  EXPECT_EQ(box_iou(box.narrow(0, 0, 0), point).sizes(), at::IntArrayRef({0, 2}));
  EXPECT_EQ(box_iou(box, point.narrow(0, 0, 0)).sizes(), at::IntArrayRef({1, 0}));
  EXPECT_TRUE(box_iou(point, point).equal(at::zeros({2, 2})));
  EXPECT_TRUE(box_iou(box, box.to(at::kHalf)).equal(at::ones({1, 1})));
  EXPECT_FALSE(box_iou(box.clone().requires_grad_(), box).requires_grad());
}

TEST(Boxes, DeltasEqualTorchvisionsBothWays) {
  const auto& expected = boxes_expected();
  const Tensor &boxes = expected.at("boxes"), &others = expected.at("others"), &deltas = expected.at("deltas");
  for (const auto& [name, weights] : {std::pair("ones", std::array{1.0, 1.0, 1.0, 1.0}), {"tens", {10, 10, 5, 5}}}) {
    const BoxCoder coder{weights};
    const auto close = [&](const Tensor& seen, const std::string& what) {
      const Tensor& exact = expected.at(std::string(name) + "/" + what);
      ASSERT_EQ(seen.sizes(), exact.sizes());
      EXPECT_LE(testing::relative_difference(seen, exact), 1e-6) << name << ", " << what;
    };
    close(coder.encode(others, boxes), "encoded");
    close(coder.decode(deltas, boxes), "decoded");
    EXPECT_LE(difference(coder.decode(coder.encode(others, boxes), boxes).squeeze(1), others), 1e-4);
  }
}

TEST(Boxes, DecodedSizesStayBelowTheirLimit) {
  const Tensor huge = at::full({1, 4}, std::numeric_limits<float>::max()).mul_(at::tensor({0.0f, 0.0f, 1.0f, 1.0f}));
  const Tensor box = BoxCoder{}.decode(huge, at::tensor({0.0f, 0.0f, 16.0f, 32.0f}).view({1, 4}))[0][0];
  EXPECT_NEAR((box[2] - box[0]).item<double>(), 1000, 1e-3);
  EXPECT_NEAR((box[3] - box[1]).item<double>(), 2000, 1e-3);
  EXPECT_TRUE(BoxCoder{}.decode(at::full({1, 4}, NAN), box.view({1, 4})).isnan().all().item<bool>());
}

TEST(Boxes, DecodingDifferentiatesByFiniteDifferences) {
  const auto& expected = boxes_expected();
  const BoxCoder coder{{10, 10, 5, 5}};
  const Tensor boxes = expected.at("boxes").to(at::kDouble),
               direction = (expected.at("deltas").to(at::kDouble) * 12).cos();
  Tensor deltas = expected.at("deltas").to(at::kDouble).clamp(-2, 2).requires_grad_();
  const auto loss = [&](const Tensor& x) { return coder.decode(x, boxes).sin().sum(); };
  loss(deltas).backward();
  const double step = 1e-6, along = (deltas.grad() * direction).sum().item<double>();
  const at::NoGradGuard no_grad;
  const double measured =
      (loss(deltas + step * direction) - loss(deltas - step * direction)).item<double>() / (2 * step);
  EXPECT_NEAR(along, measured, 1e-6 * std::abs(measured));
}

TEST(Boxes, AreClippedAtThePicturesBorders) {
  const auto& expected = boxes_expected();
  EXPECT_TRUE(clip_boxes(expected.at("others"), 40, 50).equal(expected.at("clipped")));
  EXPECT_EQ(clip_boxes(at::zeros({2, 0, 4}), 40, 50).sizes(), at::IntArrayRef({2, 0, 4}));
}

TEST(Boxes, RefuseOtherShapes) {
  EXPECT_THROW(box_iou(at::zeros({3, 5}), at::zeros({1, 4})), InternalError);
  EXPECT_THROW(BoxCoder{}.decode(at::zeros({3, 8}), at::zeros({2, 4})), InternalError);
  EXPECT_THROW(clip_boxes(at::zeros({4, 3}), 1, 1), InternalError);
}

}  // namespace
}  // namespace freeatm::ops
