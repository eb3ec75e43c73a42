// SPDX-License-Identifier: Apache-2.0
#include "freeatm/evaluation/knn.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "freeatm/core/files.h"

#include "models/hash_weights.h"
#include "testing.h"

namespace freeatm::evaluation {
namespace {

// As scripts/baselines/knn.py makes them.
std::pair<at::Tensor, at::Tensor> features(const char* name, int64_t count) {
  const at::Tensor labels = (at::arange(count) * 5).remainder(7);
  const at::Tensor centres = testing::hash_tensor("centres", {7, 12});
  return {(testing::hash_tensor(name, {count, 12}) + 0.3 * centres.index({labels})).to(at::kDouble), labels};
}

TEST(KnnPredict, EqualsNumPy) {
  const auto expected = nlohmann::json::parse(read_file(testing::test_file("evaluation/data/knn.json")));
  const auto [bank, labels] = features("bank", 250);
  const at::Tensor queries = features("queries", 60).first;
  for (const int64_t k : {10, 20, 100, 200}) {
    const at::Tensor predicted = knn_predict(queries, bank, labels, 7, k, 0.07);
    EXPECT_TRUE(predicted.equal(at::tensor(expected.at(std::to_string(k)).get<std::vector<int64_t>>()))) << "k " << k;
  }
}

// Colours are the classes: red, green, blue; a picture's shade differs.
class Colours final : public data::Dataset {
 public:
  Colours(int64_t size, bool labelled = true) : size_(size), labelled_(labelled) {}
  int64_t size() const override { return size_; }
  data::Sample get(int64_t index, RandomStream&) const override {
    data::Sample sample;
    sample.image = vision::Image(10, 12);
    for (size_t i = 0; i < sample.image.pixels.size(); ++i) {
      sample.image.pixels[i] = static_cast<uint8_t>(static_cast<int64_t>(i % 3) == index % 3 ? 120 + index % 100 : 20);
    }
    sample.label = index % 3;
    return sample;
  }
  std::vector<std::string> class_names() const override {
    return labelled_ ? std::vector<std::string>{"red", "green", "blue"} : std::vector<std::string>{};
  }

 private:
  int64_t size_;
  bool labelled_;
};

// The mean colour. `drift` makes it a model that changes while it is used.
class MeanColour final : public models::Backbone {
 public:
  explicit MeanColour(bool drift = false) : drift_(drift) { scale_ = register_parameter("scale", at::ones({1})); }
  at::Tensor forward_features(const at::Tensor& images) override { return images * scale_; }
  at::Tensor forward(const at::Tensor& images) override {
    if (drift_) scale_.mul_(1.5);
    return forward_features(images).mean({2, 3});
  }
  int64_t channels() const override { return 3; }

 private:
  bool drift_;
  at::Tensor scale_;
};

std::vector<data::Sample> samples_of(const data::Dataset& dataset) {
  RandomStream random(0, "test");
  std::vector<data::Sample> samples;
  for (int64_t i = 0; i < dataset.size(); ++i) samples.push_back(dataset.get(i, random));
  return samples;
}

TEST(Knn, ReadsTheColours) {
  MeanColour backbone;
  Knn knn(backbone, at::kCPU, Colours(90), {.neighbours = {5, 10, 200}, .image_size = 8, .batch_size = 32});
  knn.process(samples_of(Colours(30)));
  const auto metrics = knn.result();
  ASSERT_EQ(metrics.size(), 3u);  // k 200 is more than the bank holds
  EXPECT_EQ(metrics[0].name, "knn_accuracy");
  EXPECT_EQ(metrics[2].name, "knn_accuracy_k10");
  for (const auto& metric : metrics) EXPECT_EQ(metric.value, 1.0);
  EXPECT_FALSE(backbone.is_training());

  auto wrong = samples_of(Colours(30));
  for (auto& sample : wrong) sample.label = (sample.label + 1) % 3;
  knn.process(wrong);
  EXPECT_EQ(knn.result()[0].value, 0.5);
  knn.reset();
  knn.process(wrong);
  EXPECT_EQ(knn.result()[0].value, 0.0);
}

TEST(Knn, NoticesABackboneThatChanges) {
  MeanColour backbone(true);
  Knn knn(backbone, at::kCPU, Colours(30), {.neighbours = {5}, .image_size = 8});
  knn.process(samples_of(Colours(6)));
  EXPECT_THROW(knn.result(), InternalError);
}

TEST(Knn, RefusesWhatItCannotJudge) {
  MeanColour backbone;
  EXPECT_USER_ERROR(Knn(backbone, at::kCPU, Colours(9, false), {}), "data.root: has no labels");
  EXPECT_USER_ERROR(Knn(backbone, at::kCPU, Colours(9), {.image_size = 8}), "20 is more than the 9 training pictures");
}

}  // namespace
}  // namespace freeatm::evaluation
