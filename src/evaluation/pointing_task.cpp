// SPDX-License-Identifier: Apache-2.0
// task=pointing: where a phrase is in the picture.
#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <utility>

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

#include "freeatm/core/error.h"
#include "freeatm/evaluation/pair.h"
#include "freeatm/evaluation/pointing.h"
#include "freeatm/runtime/ranks.h"
#include "freeatm/vision/mask_set.h"

namespace freeatm::evaluation {
namespace {

using at::Tensor;

constexpr int64_t kShown = 12;  // phrases among the examples
using Images = models::VisionLanguageModelImpl::Images;

struct PointingOptions {
  std::optional<int64_t> layer;
  void fields(config::Fields& f) {
    f("layer", layer, "gradcam: which fusion layer's cross-attention, from 0; null: the middle one (ALBEF's)",
      config::at_least(0));
  }
};

/// A phrase of a picture of the batch, and its exact mask.
struct Asked {
  int64_t picture = 0;  // of the batch
  int64_t caption = 0;  // of the batch's captions
  text::Phrase phrase;
  std::vector<int64_t> tokens;  // of the caption, behind the start token
  Tensor mask;                  // [side, side] bool
};

/// The region's exact mask in the model's picture.
Tensor exact_mask(const data::Region& region, const std::string& key, int64_t side) {
  if (!region.exact && region.score) {
    throw UserError(key, "data.root",
                    "has no exact masks, which pointing is judged by: scenes of a COCO layout have "
                    "them, and harvest source=images keeps those of its pictures");
  }
  const vision::Rle& mask = region.exact ? *region.exact : region.mask;
  const vision::Box whole{0, 0, static_cast<double>(mask.width), static_cast<double>(mask.height)};
  const std::vector<uint8_t> pixels =
      vision::resized_crop(mask, whole, static_cast<int>(side), static_cast<int>(side)).decode();
  return at::tensor(pixels, at::kByte).view({side, side}).to(at::kBool);
}

/// A batch's captions, and their phrases that have masks.
struct AskedOfBatch {
  std::vector<std::string> captions;
  std::vector<int64_t> picture_of;  // [captions]
  std::vector<Asked> asked;
};

AskedOfBatch questions_of(const std::vector<data::Sample>& samples, int64_t side) {
  AskedOfBatch out;
  for (int64_t i = 0; i < std::ssize(samples); ++i) {
    std::map<int64_t, int64_t> numbers;  // of the sample's captions -> of the batch's
    for (const data::Region& region : samples[i].regions) {
      for (const data::PhraseIndex& index : region.phrases) {
        Tensor mask = exact_mask(region, samples[i].key, side);
        if (!mask.any().item<bool>()) continue;
        const text::Caption& caption = samples[i].captions[index.caption];
        const auto [number, is_new] = numbers.try_emplace(index.caption, std::ssize(out.captions));
        if (is_new) {
          out.captions.push_back(caption.text);
          out.picture_of.push_back(i);
        }
        out.asked.push_back({i, number->second, caption.phrases[index.phrase], {}, std::move(mask)});
      }
    }
  }
  return out;
}

/// Phrases that were cut with their caption have none.
void find_tokens(const EncodedTexts& captions, std::vector<Asked>& asked) {
  for (Asked& one : asked) {
    one.tokens = text::tokens_in(one.phrase.span, captions.encodings[one.caption].spans);
    for (int64_t& token : one.tokens) ++token;
  }
}

Tensor mean_of(const Tensor& rows, const std::vector<int64_t>& chosen) {
  return rows.index_select(0, at::tensor(chosen, at::kLong).to(rows.device())).mean(0);
}

/// Grad-CAM of "they match" (Selvaraju et al. 2017, as ALBEF has it): what raises the logit, of a layer's
/// cross-attention, the mean over heads: [captions, N, cells].
Tensor grad_cam(FrozenPair& pair, const EncodedTexts& captions, const Tensor& image_tokens, int64_t layer) {
  const at::AutoGradMode with_grad(true);
  models::FusionMap map{.layer = layer};
  const Tensor tokens = captions.tokens.detach().requires_grad_();
  const Tensor fused = pair.model().fuse(tokens, captions.mask, {image_tokens.detach()}, &map);
  const Tensor match = pair.model().itm_logits(fused).select(1, 1).sum();  // rows do not see each other
  const Tensor gradient = torch::autograd::grad({match}, {map.probabilities})[0];
  return (map.probabilities.detach() * gradient.clamp_min(0)).mean(1).slice(2, 1);  // without the pooled token
}

/// "in_caption" -> "in caption"
std::string spaced(std::string name) {
  std::ranges::replace(name, '_', ' ');
  return name;
}

double hundredths(double value) { return std::round(100 * value) / 100; }

/// What was found so far: a row a phrase, hit and IoU of each kind of map, then whether the picture's centre hits, and
/// the mask's share of the picture.
class Tallies {
 public:
  ///   kinds: "alone", ..., as a map has them in order
  explicit Tallies(const std::vector<std::string>& kinds) {
    for (const std::string& kind : kinds) names_.insert(names_.end(), {"pointing_" + kind, "mask_iou_" + kind});
    names_.insert(names_.end(), {"pointing_centre", "chance"});
  }

  ///   each: of the kinds
  void add(const std::vector<Pointed>& each, const Tensor& mask) {
    for (const Pointed& pointed : each) rows_.insert(rows_.end(), {pointed.hit ? 1. : 0., pointed.iou});
    rows_.push_back(mask[mask.size(0) / 2][mask.size(1) / 2].item<bool>());
    rows_.push_back(mask.to(at::kFloat).mean().item<double>());
  }

  /// Means over the phrases of all ranks.
  Metrics metrics() const {
    const Tensor own = at::tensor(rows_, at::kDouble).view({-1, std::ssize(names_)});
    const Tensor all = runtime::ranks().gather_rows(own);
    if (all.size(0) == 0) throw UserError("", "data.root", "no phrase of a caption has a mask");
    const Tensor means = all.mean(0);
    Metrics metrics;
    for (size_t i = 0; i < names_.size(); ++i)
      metrics.push_back({names_[i], means[static_cast<int64_t>(i)].item<double>()});
    metrics.push_back({"phrases", static_cast<double>(all.size(0))});
    return metrics;
  }

 private:
  std::vector<std::string> names_;
  std::vector<double> rows_;  // [phrases, names]
};

/// Judges the phrases of batches.
class PhraseJudge {
 public:
  PhraseJudge(FrozenPair& pair, int64_t layer, Examples* examples)
      : pair_(pair),
        layer_(layer),
        examples_(examples),
        tallies_(pair.fuses() ? std::vector<std::string>{"alone", "gradcam", "in_caption"}
                              : std::vector<std::string>{"alone", "in_caption"}) {}

  void judge(const data::Batch& batch, const Images& images) {
    AskedOfBatch questions = questions_of(batch.samples, pair_.side());
    if (questions.captions.empty()) return;
    const EncodedTexts captions = pair_.texts(questions.captions);
    find_tokens(captions, questions.asked);
    Tensor cams;
    if (pair_.fuses()) {
      const Tensor own = at::tensor(questions.picture_of, at::kLong).to(pair_.device());
      cams = grad_cam(pair_, captions, images.tokens.index_select(0, own), layer_);
    }
    for (const Asked& one : questions.asked) {
      if (one.tokens.empty()) continue;
      const Tensor cells = pair_.model().image_embedding(images.grid[one.picture].flatten(1).t());  // [h w, D]
      const Tensor words = mean_of(captions.tokens[one.caption], one.tokens);
      std::map<std::string, Tensor> maps{{"in_caption", cells.mv(pair_.model().text_embedding(words))},
                                         {"alone", cells.mv(alone(one.phrase.text))}};
      if (pair_.fuses()) maps["gradcam"] = mean_of(cams[one.caption], one.tokens);
      compare(one, maps, batch["image"][one.picture], images.grid.size(2), questions.captions[one.caption]);
    }
  }

  Metrics metrics() const { return tallies_.metrics(); }

 private:
  /// The phrase without its caption; of equal ones the text is encoded once.
  const Tensor& alone(const std::string& phrase) {
    auto found = alone_.find(phrase);
    if (found == alone_.end()) found = alone_.emplace(phrase, pair_.texts({phrase}).embedding[0]).first;
    return found->second;
  }

  void compare(const Asked& one, const std::map<std::string, Tensor>& maps, const Tensor& picture, int64_t rows,
               const std::string& caption) {
    std::vector<Examples::Cell> cells{{picture, one.phrase.text, {}}};
    std::vector<Pointed> each;
    for (const auto& [kind, flat] : maps) {
      const Tensor map = flat.view({rows, -1}).to(at::kFloat).cpu();
      const Pointed pointed = each.emplace_back(judge_map(map, one.mask));
      if (shown_ < kShown)
        cells.push_back(
            {heat_map(picture, map), format("{}, IoU {}", spaced(kind), hundredths(pointed.iou)), pointed.hit});
    }
    tallies_.add(each, one.mask);
    if (examples_ != nullptr && shown_++ < kShown) examples_->add(caption, std::move(cells));
  }

  FrozenPair& pair_;
  int64_t layer_;
  Examples* examples_;
  Tallies tallies_;
  std::map<std::string, Tensor> alone_;
  int64_t shown_ = 0;
};

class PointingTask final : public PairTask {
 public:
  void fields(config::Fields& f) override { f.group("pointing", options_); }
  std::string crop() const override { return "whole"; }

  Metrics measure(FrozenPair& pair, const data::Dataset& pictures, std::optional<int64_t> limit,
                  const std::string& label, Examples* examples) const override {
    const at::NoGradGuard no_grad;
    if (!pair.sees_whole()) throw UserError("", "features.crop", "centre cuts what the masks are of: whole");
    const int64_t fusion_layers = pair.model().options().text.fusion_layers;
    const int64_t layer = options_.layer.value_or((fusion_layers - 1) / 2);
    if (pair.fuses() && layer >= fusion_layers)
      throw UserError("", "pointing.layer", "{} of {} fusion layers, which count from 0", layer, fusion_layers);
    PhraseJudge judge(pair, layer, examples);
    for_each_images(pair, pictures, limit, label,
                    [&](const data::Batch& batch, const Images& images) { judge.judge(batch, images); });
    return judge.metrics();
  }

 private:
  PointingOptions options_;
};

}  // namespace

Pointed judge_map(const Tensor& map, const Tensor& mask) {
  const Tensor full = at::upsample_bilinear2d(map.unsqueeze(0).unsqueeze(0), {mask.size(0), mask.size(1)},
                                              /*align_corners=*/false)
                          .view({mask.size(0), mask.size(1)});
  const double low = full.min().item<double>(), high = full.max().item<double>();
  if (!(high > low)) return {};
  const Tensor chosen = full > (low + high) / 2;
  const double both = (chosen & mask).sum().item<double>(), either = (chosen | mask).sum().item<double>();
  return {mask.flatten()[full.flatten().argmax()].item<bool>(), both / either};
}

std::unique_ptr<PairTask> pointing_task() { return std::make_unique<PointingTask>(); }

}  // namespace freeatm::evaluation
