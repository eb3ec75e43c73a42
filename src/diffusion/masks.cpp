// SPDX-License-Identifier: Apache-2.0
#include "freeatm/diffusion/masks.h"

#include <algorithm>
#include <cmath>
#include <span>

#include <ATen/ATen.h>

#include "freeatm/core/error.h"
#include "freeatm/vision/refine.h"

namespace freeatm::diffusion {
namespace {

// [n, h, w] -> each map's smallest value becomes 0, its largest 1; a map without contrast becomes 0.
at::Tensor min_max(const at::Tensor& maps) {
  const at::Tensor low = maps.amin({1, 2}, /*keepdim=*/true), high = maps.amax({1, 2}, /*keepdim=*/true);
  return (maps - low).div_((high - low).clamp_min(1e-12));
}

at::Tensor resized(const at::Tensor& maps, int64_t height, int64_t width) {
  if (maps.size(1) == height && maps.size(2) == width) return maps;
  return at::upsample_bilinear2d(maps.unsqueeze(0), {height, width}, /*align_corners=*/false)[0];
}

at::Tensor mean_over_tokens(const at::Tensor& tokens, const std::vector<text::Phrase>& phrases) {
  at::Tensor maps = at::zeros({static_cast<int64_t>(phrases.size()), tokens.size(1), tokens.size(2)});
  for (int64_t i = 0; i < maps.size(0); ++i) {
    if (!phrases[i].tokens.empty()) maps[i] = tokens.index_select(0, at::tensor(phrases[i].tokens)).mean(0);
  }
  return maps;
}

at::Tensor propagated(const at::Tensor& maps, const SelfAttention& self, const MaskOptions& options) {
  FREEATM_CHECK(self.transition.defined(), "{} without self-attention", options.refine);
  const bool iterated = options.refine == "iterated";
  at::Tensor transition = self.transition;
  if (iterated) {
    transition = at::where(transition < 1.0 / static_cast<double>(transition.size(0)), 0.0, transition);
    transition = transition / transition.sum(1, /*keepdim=*/true);
  }
  at::Tensor grids = resized(min_max(maps), self.height, self.width);
  for (int64_t step = 0; step < options.refine_steps; ++step) {
    if (iterated && step > 0) grids = min_max(grids);
    grids = at::matmul(grids.flatten(1), transition.t()).view_as(grids);  // m_i <- sum_j A_ij m_j
  }
  return grids;
}

std::vector<float> values(const at::Tensor& map) {
  const at::Tensor flat = map.contiguous();
  return {flat.const_data_ptr<float>(), flat.const_data_ptr<float>() + flat.numel()};
}

at::Tensor filtered(at::Tensor maps, const vision::Image& picture, const MaskOptions& options) {
  for (int64_t i = 0; i < maps.size(0); ++i) {
    const auto smooth = vision::guided_filter(picture, values(maps[i]), static_cast<int>(options.guided_radius),
                                              options.guided_epsilon);
    maps[i].copy_(at::tensor(smooth).view_as(maps[i]));
  }
  return min_max(maps.clamp_(0, 1));
}

// The threshold that parts a map's 256 bins into two classes of the largest variance between them.
double otsu_threshold(const at::Tensor& map) {
  constexpr int64_t kBins = 256;
  const at::Tensor counts = at::histc(map, kBins, 0, 1).to(at::kDouble);
  const std::span<const double> bins(counts.const_data_ptr<double>(), kBins);
  double total = 0, total_sum = 0;
  for (int64_t i = 0; i < kBins; ++i) total += bins[i], total_sum += static_cast<double>(i) * bins[i];
  double below = 0, below_sum = 0, best = -1, threshold = 1;
  for (int64_t i = 0; i + 1 < kBins; ++i) {
    below += bins[i], below_sum += static_cast<double>(i) * bins[i];
    const double above = total - below;
    if (below == 0 || above == 0) continue;
    const double difference = below_sum / below - (total_sum - below_sum) / above;
    const double between = below * above * difference * difference;
    if (between > best) best = between, threshold = static_cast<double>(i + 1) / kBins;
  }
  return threshold;
}

// What a map must exceed to be in its mask: one number for each phrase.
std::vector<double> thresholds_of(const at::Tensor& maps, const MaskOptions& options) {
  if (options.decide != "otsu")
    return std::vector(maps.size(0), options.decide == "fixed" ? options.threshold : options.background);
  std::vector<double> thresholds;
  for (int64_t i = 0; i < maps.size(0); ++i) thresholds.push_back(otsu_threshold(maps[i]));
  return thresholds;
}

// [phrases, height, width] bool
at::Tensor decided(const at::Tensor& maps, const std::vector<double>& thresholds, const MaskOptions& options) {
  const at::Tensor least = at::tensor(thresholds, at::kFloat).view({-1, 1, 1});
  if (options.decide == "fixed") return maps > least;
  if (options.decide == "otsu") return (maps >= least) & (maps > 0);
  const auto [largest, which] = maps.max(0, /*keepdim=*/true);
  return which.eq(at::arange(maps.size(0)).view({-1, 1, 1})) & (largest > least);
}

MaskScores scores_of(const at::Tensor& grid, const at::Tensor& map, const at::Tensor& mask, double threshold) {
  const double pixels = mask.sum().item<double>(), rest = static_cast<double>(mask.numel()) - pixels;
  if (pixels == 0 || rest == 0) return {};
  const double inside = (map * mask).sum().item<double>(), all = map.sum().item<double>();
  const double peak = grid.max().item<double>();
  return {.contrast = inside / pixels - (all - inside) / rest,
          .certainty = (map - threshold).abs().mean().item<double>(),
          .peak = peak,
          .prominence = peak / std::max(grid.mean().item<double>(), 1e-12)};
}

}  // namespace

const std::vector<std::string>& MaskScores::names() {
  static const std::vector<std::string> all = {"contrast", "certainty", "peak", "prominence"};
  return all;
}

double MaskScores::operator[](const std::string& name) const {
  const double figures[] = {contrast, certainty, peak, prominence};
  const auto found = std::ranges::find(names(), name);
  FREEATM_CHECK(found != names().end(), "no score {}", name);
  return figures[found - names().begin()];
}

void MaskOptions::fields(config::Fields& f) {
  f("normalise", normalise, "min_max: each phrase's map to [0, 1]; per_pixel: first divided by the sum over all tokens",
    config::any_of({"min_max", "per_pixel"}));
  f("refine", refine, "what sharpens the maps (self_attention, iterated, guided_filter) or the masks (grabcut)",
    config::any_of({"none", "self_attention", "iterated", "guided_filter", "grabcut"}));
  f("refine_steps", refine_steps, "propagations by self-attention, or iterations of GrabCut", config::between(1, 100));
  f("guided_radius", guided_radius, "half a window of the guided filter, pixels", config::between(1, 1000));
  f("guided_epsilon", guided_epsilon, "variance of colours that counts as flat for the guided filter",
    config::more_than(0));
  f("decide", decide,
    "fixed: above threshold; otsu: a threshold for each phrase; argmax: the largest map, if above background",
    config::any_of({"fixed", "otsu", "argmax"}));
  f("threshold", threshold, "of the map between its smallest (0) and largest value (1): what lies above is mask",
    config::between(0, 1));
  f("background", background, "the least that a phrase's map must exceed where decide is argmax",
    config::between(0, 1));
  f("score", score, "which formula is written as a mask's score", config::any_of(MaskScores::names()));
}

PhraseMasks phrase_masks(const TokenMaps& maps, const std::vector<text::Phrase>& phrases, const vision::Image& picture,
                         const MaskOptions& options) {
  const int64_t height = picture.height, width = picture.width, count = std::ssize(phrases);
  PhraseMasks out{at::zeros({count, height, width}), vision::MaskSet(picture.height, picture.width), {}};
  if (count == 0) return out;
  const at::Tensor raw = mean_over_tokens(maps.tokens, phrases);  // [phrases, h, w]
  at::Tensor grids = raw;
  if (options.normalise == "per_pixel") grids = grids / maps.tokens.sum(0).clamp_min(1e-12);
  if (options.needs_self_attention()) grids = propagated(grids, maps.self, options);
  out.normalised = min_max(resized(grids, height, width));
  if (options.refine == "guided_filter") out.normalised = filtered(out.normalised, picture, options);

  const std::vector<double> thresholds = thresholds_of(out.normalised, options);
  const at::Tensor masks = decided(out.normalised, thresholds, options).to(at::kByte);  // [phrases, height, width]
  for (int64_t i = 0; i < count; ++i) {
    const uint8_t* bytes = masks.const_data_ptr<uint8_t>() + i * height * width;
    std::vector<uint8_t> mask(bytes, bytes + height * width);
    if (options.refine == "grabcut") {
      mask = vision::grab_cut(picture, values(out.normalised[i]), mask, thresholds[i],
                              static_cast<int>(options.refine_steps));
    }
    const at::Tensor inside = at::from_blob(mask.data(), {height, width}, at::kByte);
    out.scores.push_back(scores_of(raw[i], out.normalised[i], inside, thresholds[i]));
    out.masks.add(mask);
  }
  return out;
}

}  // namespace freeatm::diffusion
