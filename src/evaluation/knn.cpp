// SPDX-License-Identifier: Apache-2.0
#include "freeatm/evaluation/knn.h"

#include <algorithm>

#include <ATen/ATen.h>

#include "freeatm/core/error.h"
#include "freeatm/core/signals.h"
#include "freeatm/data/pixels.h"
#include "freeatm/vision/transforms.h"

namespace freeatm::evaluation {
namespace {

at::Tensor labels_of(std::span<const data::Sample> samples) {
  std::vector<int64_t> labels;
  for (const auto& sample : samples) {
    if (sample.label < 0) throw UserError("", "data.root", "picture {} has no label", sample.key);
    labels.push_back(sample.label);
  }
  return at::tensor(labels);
}

std::vector<at::Tensor> copies_of_weights(const models::Backbone& backbone) {
  std::vector<at::Tensor> copies;
  for (const auto& tensor : backbone.parameters()) copies.push_back(tensor.detach().clone());
  for (const auto& tensor : backbone.buffers()) copies.push_back(tensor.clone());
  return copies;
}

}  // namespace

void KnnOptions::fields(config::Fields& f) {
  f("neighbours", neighbours, "k; the first gives knn_accuracy, the others stand beside it", config::at_least(1));
  f("temperature", temperature, "votes are exp(cosine / temperature)", config::more_than(0));
  f("image_size", image_size, "side of the pictures that the backbone sees", config::between(8, 4096));
  f("batch_size", batch_size, "pictures at once", config::at_least(1));
  if (f.reading() && neighbours.empty()) f.refuse("neighbours", "is empty");
}

at::Tensor knn_predict(const at::Tensor& queries, const at::Tensor& bank, const at::Tensor& bank_labels,
                       int64_t classes, int64_t k, double temperature) {
  const auto unit = [](const at::Tensor& x) { return x / x.norm(2, {1}, /*keepdim=*/true).clamp_min(1e-12); };
  const auto [similarity, nearest] = unit(queries).mm(unit(bank).t()).topk(k, 1);  // [Q, k]
  const at::Tensor weights = at::softmax(similarity / temperature, 1);
  const at::Tensor labels = bank_labels.index({nearest});
  return at::zeros({queries.size(0), classes}, weights.options()).scatter_add_(1, labels, weights).argmax(1);
}

Knn::Knn(models::Backbone& backbone, at::Device device, const data::Dataset& train, const KnnOptions& options)
    : backbone_(backbone),
      device_(device),
      options_(options),
      classes_(static_cast<int64_t>(train.class_names().size())) {
  if (classes_ == 0)
    throw UserError("", "data.root", "has no labels: kNN needs an image folder, <split>/<class>/*.png");
  backbone_.eval();
  weights_before_ = copies_of_weights(backbone_);
  std::vector<at::Tensor> bank, labels;
  RandomStream random(0, "knn");  // plain datasets draw nothing
  for (int64_t begin = 0; begin < train.size(); begin += options_.batch_size) {
    stop_if_signalled();
    std::vector<data::Sample> samples;
    for (int64_t i = begin; i < std::min(begin + options_.batch_size, train.size()); ++i)
      samples.push_back(train.get(i, random));
    bank.push_back(features(samples));
    labels.push_back(labels_of(samples));
  }
  bank_ = at::cat(bank);
  bank_labels_ = at::cat(labels).to(device_);
  const auto is_too_many = [&](int64_t k) { return k > train.size(); };
  if (is_too_many(options_.neighbours.front())) {
    throw UserError("", "knn.neighbours", "{} is more than the {} training pictures", options_.neighbours.front(),
                    train.size());
  }
  std::erase_if(options_.neighbours, is_too_many);
  reset();
}

void Knn::reset() {
  correct_.assign(options_.neighbours.size(), 0);
  count_ = 0;
}

at::Tensor Knn::features(std::span<const data::Sample> samples) {
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> pictures;
  for (const auto& sample : samples)
    pictures.push_back(data::pixels(vision::center_square(sample.image, static_cast<int>(options_.image_size))));
  return backbone_.forward(models::normalized(at::stack(pictures).to(device_)));
}

void Knn::process(std::span<const data::Sample> samples) {
  const at::Tensor queries = features(samples), labels = labels_of(samples).to(device_);
  for (size_t i = 0; i < options_.neighbours.size(); ++i) {
    const at::Tensor predicted =
        knn_predict(queries, bank_, bank_labels_, classes_, options_.neighbours[i], options_.temperature);
    correct_[i] += predicted.eq(labels).sum().item<int64_t>();
  }
  count_ += static_cast<int64_t>(samples.size());
}

std::vector<Metric> Knn::result() {
  FREEATM_CHECK(count_ > 0, "result() before process()");
  const auto weights_after = copies_of_weights(backbone_);
  for (size_t i = 0; i < weights_after.size(); ++i) {
    FREEATM_CHECK(weights_after[i].equal(weights_before_[i]), "tensor {} of the backbone changed while it was judged",
                  i);
  }
  std::vector<Metric> metrics{{"knn_accuracy", 0}};
  for (size_t i = 0; i < options_.neighbours.size(); ++i) {
    metrics.push_back({format("knn_accuracy_k{}", options_.neighbours[i]),
                       static_cast<double>(correct_[i]) / static_cast<double>(count_)});
  }
  metrics.front().value = metrics[1].value;
  return metrics;
}

}  // namespace freeatm::evaluation
