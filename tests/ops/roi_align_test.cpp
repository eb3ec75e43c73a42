// SPDX-License-Identifier: Apache-2.0
// Values: scripts/baselines/detection_ops.py, and ROIAlign's two kinds by hand
#include "freeatm/ops/roi_align.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <thread>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include "freeatm/core/error.h"
#include "freeatm/weights/safetensors.h"

#include "models/hash_weights.h"
#include "tensors.h"
#include "testing.h"

namespace freeatm::ops {
namespace {

using at::Tensor;
using testing::difference;

using RoiOperator = Tensor (*)(const RoiAlign&, const Tensor&, const Tensor&);

struct RoiCase {
  std::string name;
  RoiAlign options;
  Tensor rois, out, gradient;  // fp64, torchvision's

  /// The largest differences of the operator's result and gradient, the latter as a share of its largest value.
  std::pair<double, double> differences(RoiOperator pool, at::ScalarType type, at::MemoryFormat layout) const {
    const Tensor features =
        testing::hash_tensor("features", gradient.sizes()).to(type, false, false, layout).requires_grad_();
    const Tensor seen = pool(options, features, rois.to(type));
    (seen * testing::hash_tensor("loss", out.sizes()).to(type)).sum().backward();
    EXPECT_TRUE(seen.is_contiguous(layout)) << name;
    EXPECT_EQ(seen.scalar_type(), type);
    const double most = std::max(1.0, gradient.abs().max().item<double>());  // sums of up to hundreds of bins
    return {difference(seen.detach().to(at::kDouble), out),
            difference(features.grad().to(at::kDouble), gradient) / most};
  }
};

const std::vector<RoiCase>& roi_cases() {
  static const std::vector<RoiCase> cases = [] {
    const auto tensors = weights::load_safetensors(testing::test_file("ops/data/roi_align.safetensors")).tensors;
    std::vector<RoiCase> out;
    for (const auto& [key, options] : tensors) {
      if (!key.ends_with("/options")) continue;
      const std::string name = key.substr(0, key.find('/'));
      const auto option = [&](int64_t i) { return options[i].item<double>(); };
      out.push_back({name,
                     {.height = std::lround(option(0)),
                      .width = std::lround(option(1)),
                      .spatial_scale = option(2),
                      .sampling_ratio = std::lround(option(3)),
                      .aligned = option(4) != 0},
                     tensors.at(name + "/rois"),
                     tensors.at(name + "/out"),
                     tensors.at(name + "/gradient")});
    }
    return out;
  }();
  return cases;
}

constexpr at::MemoryFormat kRoiLayouts[] = {at::MemoryFormat::Contiguous, at::MemoryFormat::ChannelsLast};

TEST(RoiAlign, EqualsTorchvisionsForwardAndBackward) {
  EXPECT_EQ(roi_cases().size(), 8u);
  for (const RoiCase& one : roi_cases()) {
    for (const auto layout : kRoiLayouts) {
      for (const RoiOperator pool : {roi_align, roi_align_reference}) {
        const auto [out, gradient] = one.differences(pool, at::kDouble, layout);
        EXPECT_LE(out, 1e-12) << one.name << ", " << layout;
        EXPECT_LE(gradient, 1e-12) << one.name << ", " << layout;
      }
      const auto [out, gradient] = one.differences(roi_align, at::kFloat, layout);
      EXPECT_LE(out, 1e-5) << one.name << ", " << layout;
      EXPECT_LE(gradient, 1e-5) << one.name << ", " << layout;
    }
  }
}

TEST(RoiAlign, TheTwoKinds) {  // odd-cases: a plane 0 ... 24
  const Tensor plane = at::arange(25, at::kFloat).view({1, 1, 5, 5});
  const auto pooled = [&](const RoiAlign& options, std::array<float, 4> box) {
    return roi_align(options, plane, at::tensor({0.0f, box[0], box[1], box[2], box[3]}).view({1, 5})).flatten();
  };
  const auto close = [](const Tensor& seen, std::vector<float> exact) {
    return at::allclose(seen, at::tensor(exact), 0, 1e-5);
  };
  const RoiAlign legacy{.height = 2, .width = 2, .sampling_ratio = 2}, aligned{2, 2, 1, 2, true};
  EXPECT_TRUE(close(pooled(legacy, {0, 0, 2, 2}), {3, 4, 8, 9}));
  EXPECT_TRUE(close(pooled(aligned, {0, 0, 2, 2}), {.75f, 1.625f, 5.125f, 6}));
  EXPECT_TRUE(close(pooled({1, 1, 1, 2, false}, {1, 1, 1, 1}), {9}));  // never under 1 x 1
  EXPECT_TRUE(close(pooled({1, 1, 1, 2, true}, {1, 1, 1, 1}), {3}));
  EXPECT_TRUE(close(pooled(legacy, {-4, -4, -2, -2}), {0, 0, 0, 0}));
  EXPECT_TRUE(close(pooled({2, 2, 1, 0, false}, {0, 0, 5, 5}), {7.5f, 9.805555f, 19.027778f, 21.333334f}));
}

/// Regions all over two pictures, of every size.
Tensor many_rois(int64_t count) {
  const Tensor corner = 60 + 70 * testing::hash_tensor("roi", {count, 2});
  const Tensor size = (60 * testing::hash_tensor("size", {count, 2})).abs();
  return at::cat({(at::arange(count) % 2).unsqueeze(1).to(at::kFloat), corner, corner + size}, 1);
}

TEST(RoiAlign, EqualsTheReferenceForManyRegions) {
  for (const int64_t ratio : {0, 2}) {
    for (const bool aligned : {false, true}) {
      const RoiAlign options{
          .height = 5, .width = 3, .spatial_scale = 0.25, .sampling_ratio = ratio, .aligned = aligned};
      const Tensor features = testing::hash_tensor("features", {2, 37, 33, 29}).to(at::kDouble),
                   rois = many_rois(300).to(at::kDouble);
      EXPECT_LE(difference(roi_align(options, features, rois), roi_align_reference(options, features, rois)), 1e-12);
    }
  }
}

TEST(RoiAlign, IsLinearInFeatures) {  // <pool(x), g> = <x, its gradient>, over many channels and regions
  for (const auto layout : kRoiLayouts) {
    const Tensor features =
        testing::hash_tensor("features", {2, 100, 33, 29}).to(at::kDouble).contiguous(layout).requires_grad_();
    const Tensor pooled = roi_align({.spatial_scale = 0.25}, features, many_rois(200));
    const Tensor direction = testing::hash_tensor("loss", pooled.sizes()).to(at::kDouble);
    const Tensor along = (pooled * direction).sum();
    along.backward();
    EXPECT_NEAR(along.item<double>(), (features.detach() * features.grad()).sum().item<double>(), 1e-9);
    EXPECT_GT(std::abs(along.item<double>()), 1);
  }
}

TEST(RoiAlign, NoRegionsAndImagesWithoutAny) {
  for (const auto layout : kRoiLayouts) {
    const Tensor features = testing::hash_tensor("features", {3, 6, 9, 8}).contiguous(layout).requires_grad_();
    const Tensor none = roi_align({.height = 7, .width = 5}, features, at::zeros({0, 5}));
    EXPECT_EQ(none.sizes(), at::IntArrayRef({0, 6, 7, 5}));
    none.sum().backward();
    EXPECT_EQ(features.grad().abs().max().item<double>(), 0);
    roi_align({}, features, at::tensor({1.0f, 0.0f, 0.0f, 8.0f, 8.0f}).view({1, 5})).sum().backward();
    EXPECT_GT(features.grad()[1].abs().min().item<double>(), 0);
    EXPECT_EQ(features.grad()[0].abs().max().item<double>() + features.grad()[2].abs().max().item<double>(), 0);
  }
}

TEST(RoiAlign, HalfPrecisionIsComputedInFull) {
  const Tensor rois = many_rois(20),
               features = testing::hash_tensor("features", {2, 20, 33, 29}).to(at::kBFloat16).requires_grad_();
  const RoiAlign options{.spatial_scale = 0.25, .sampling_ratio = 2};
  const Tensor pooled = roi_align(options, features, rois);
  EXPECT_TRUE(pooled.equal(roi_align(options, features.to(at::kFloat), rois).to(at::kBFloat16)));
  pooled.sum().backward();
  EXPECT_EQ(features.grad().scalar_type(), at::kBFloat16);
}

TEST(RoiAlign, RegionsThatAreNotFiniteGiveNanAndTakeNoGradient) {
  const float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity(),
              most = std::numeric_limits<float>::max();
  for (const int64_t ratio : {0, 2}) {
    for (const RoiOperator pool : {roi_align, roi_align_reference}) {
      const Tensor features = testing::hash_tensor("features", {1, 3, 8, 8}).requires_grad_();
      const Tensor rois =
          at::tensor({0.0f, 1.0f, nan, 5.0f, 5.0f, 0.0f, -inf, 0.0f, inf, 5.0f, 0.0f, 0.0f, 0.0f, inf, inf})
              .view({3, 5});
      const Tensor pooled = pool({.height = 2, .width = 2, .sampling_ratio = ratio}, features, rois);
      EXPECT_TRUE(pooled.isnan().all().item<bool>());
      pooled.sum().backward();
      EXPECT_EQ(features.grad().abs().max().item<double>(), 0);
    }
    // Finite, but far larger than the features, or far away.
    const Tensor rois = at::tensor({0.0f, -1e30f, -1e30f, 1e30f, 1e30f, 0.0f, 1e30f, 1e30f, 2e30f, 2e30f,
                                    0.0f, -1e6f,  -1e6f,  1e6f,  1e6f,  0.0f, 0.0f,  0.0f,  most,  most})
                            .view({4, 5});
    EXPECT_TRUE(roi_align({.sampling_ratio = ratio}, at::ones({1, 3, 8, 8}), rois).isfinite().all().item<bool>());
  }
}

TEST(RoiAlign, DoesNotDependOnTheNumberOfThreadsAndLeavesItAlone) {
  const int threads = at::get_num_threads();
  std::vector<Tensor> pooled, gradients;
  for (const int count : {1, 2}) {
    at::set_num_threads(count);
    const Tensor features =
        testing::hash_tensor("features", {2, 70, 33, 29}).contiguous(at::MemoryFormat::ChannelsLast).requires_grad_();
    pooled.push_back(roi_align({.spatial_scale = 0.25}, features, many_rois(100)));
    pooled.back().square().sum().backward();
    gradients.push_back(features.grad());
  }
  EXPECT_TRUE(pooled[0].equal(pooled[1]));
  EXPECT_TRUE(gradients[0].equal(gradients[1]));
  std::thread([] { at::set_num_threads(1); }).join();  // as a loader's worker does
  roi_align({.spatial_scale = 0.25}, at::ones({2, 3, 33, 29}), many_rois(100));
  EXPECT_EQ(at::get_num_threads(), 2);
  at::set_num_threads(threads);
}

TEST(RoiAlign, RefusesWhatDoesNotFit) {
  const Tensor features = at::ones({2, 3, 8, 8});
  EXPECT_THROW(roi_align({}, features, at::zeros({3, 4})), InternalError);
  EXPECT_THROW(roi_align({}, features[0], at::zeros({3, 5})), InternalError);
  for (const float image : {2.0f, -1.0f, std::numeric_limits<float>::quiet_NaN()})
    EXPECT_THROW(roi_align({}, features, at::full({1, 5}, image)), InternalError);
}

}  // namespace
}  // namespace freeatm::ops
