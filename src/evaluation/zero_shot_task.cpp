// SPDX-License-Identifier: Apache-2.0
// task=zeroshot: pictures by the names of their classes (Radford et al. 2021, section 3.1).
#include <algorithm>

#include <ATen/ATen.h>

#include "freeatm/core/error.h"
#include "freeatm/evaluation/classification.h"
#include "freeatm/evaluation/features.h"
#include "freeatm/evaluation/pair.h"
#include "freeatm/models/unit.h"

namespace freeatm::evaluation {
namespace {

using at::Tensor;

struct ZeroShotOptions {
  std::vector<std::string> templates = {"a photo of a {}", "a picture of a {}", "an image of a {}", "a {}"};
  void fields(config::Fields& f) {
    f("templates", templates, "sentences with {} for the class; their embeddings are averaged");
    if (!f.reading()) return;
    if (templates.empty()) f.refuse("templates", "are none");
    for (const std::string& one : templates) {
      if (one.find("{}") == std::string::npos) f.refuse("templates", "'" + one + "' has no {} for the class");
    }
  }
};

class ZeroShotTask final : public PairTask {
 public:
  void fields(config::Fields& f) override { f.group("zeroshot", options_); }
  std::string crop() const override { return "centre"; }

  Metrics measure(FrozenPair& pair, const data::Dataset& pictures, std::optional<int64_t> limit,
                  const std::string& label, Examples* /*examples*/) const override {
    const at::NoGradGuard no_grad;
    const std::vector<std::string> names = pictures.class_names();
    if (names.empty()) throw UserError("", "data.root", "has no classes: an image folder or COCO's instances do");
    const Tensor classes = class_embeddings(pair, names, label);
    const Classify classify = [&](std::span<const data::Sample> samples) {
      std::vector<Tensor> views;
      for (const data::Sample& sample : samples) views.push_back(pair.picture(sample.image));
      const Tensor images = pair.images(at::stack(views)).embedding.to(at::kFloat);
      return pair.model().scale() * images.mm(classes.t());
    };
    const auto quality = quality_of(classify, pictures);
    Metrics metrics = judge(*quality, pictures, limit, pair.batch_size(), label);
    metrics.push_back({"chance", 1.0 / static_cast<double>(names.size())});
    return metrics;
  }

 private:
  /// [classes, dimensions], of length 1.
  Tensor class_embeddings(FrozenPair& pair, const std::vector<std::string>& names, const std::string& label) const {
    std::vector<std::string> sentences;
    for (std::string name : names) {
      std::ranges::replace(name, '_', ' ');
      for (const std::string& one : options_.templates) {
        std::string sentence = one;
        sentence.replace(one.find("{}"), 2, name);
        sentences.push_back(std::move(sentence));
      }
    }
    const Tensor each = pair.text_bank(sentences, /*keep_tokens=*/false, label + ", classes").embeddings;
    return models::unit(each.view({std::ssize(names), std::ssize(options_.templates), -1}).mean(1));
  }

  ZeroShotOptions options_;
};

}  // namespace

std::unique_ptr<PairTask> zero_shot_task() { return std::make_unique<ZeroShotTask>(); }

}  // namespace freeatm::evaluation
