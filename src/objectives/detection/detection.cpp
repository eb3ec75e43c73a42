// SPDX-License-Identifier: Apache-2.0
#include "freeatm/objectives/detection/detection.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include <ATen/ATen.h>
#include <c10/util/Exception.h>

#include "freeatm/core/error.h"
#include "freeatm/core/random.h"
#include "freeatm/data/detection.h"
#include "freeatm/data/pixels.h"
#include "freeatm/models/detection/images.h"
#include "freeatm/objectives/decayed_groups.h"
#include "freeatm/objectives/drop_path.h"
#include "freeatm/ops/paste_masks.h"
#include "freeatm/vision/transforms.h"

#include "drawn_keys.h"

namespace freeatm::objectives {
namespace {

using at::Tensor;
using Size = std::array<int64_t, 2>;

constexpr double kMaskThreshold = 0.5;

/// The stage that a backbone's parameter belongs to, counted as `frozen_stages` does: 1 the stem, 2 the first stage or
/// block; nothing for what stands behind the last.
std::optional<int64_t> stage_of(const std::string& name) {
  for (const std::string_view blocks : {"layer", "blocks."}) {
    if (!name.starts_with(blocks)) continue;
    const auto number = std::stoll(name.substr(blocks.size()));
    return number + (blocks == "layer" ? 1 : 2);  // layer1, but blocks.0
  }
  if (name.starts_with("norm.") || name.starts_with("fc_norm.")) return std::nullopt;
  return 1;
}

/// The objects' masks in the box one behind the other, bytes [n * box.height * box.width].
Tensor masks_of(const std::vector<data::Object>& objects, const data::Sample& sample, const vision::Box& box) {
  const auto top = static_cast<int64_t>(box.y), left = static_cast<int64_t>(box.x),
             height = static_cast<int64_t>(box.height), width = static_cast<int64_t>(box.width);
  Tensor masks = at::empty({std::ssize(objects) * height * width}, at::kByte);
  auto* to = masks.mutable_data_ptr<uint8_t>();
  for (const data::Object& object : objects) {
    if (!object.mask)
      throw UserError(sample.key, "objective.heads.masks", "annotation {} has no mask; without masks false fits",
                      object.id);
    const std::vector<uint8_t> mask = object.mask->decode();
    for (int64_t y = top; y < top + height; ++y)
      to = std::copy_n(mask.data() + y * sample.image.width + left, width, to);
  }
  return masks;
}

/// The objects as they are in a part of the picture; those outside of it are left out.
void move_into(const vision::Box& part, std::vector<data::Object>& objects) {
  for (data::Object& object : objects) {
    object.box = vision::intersection(object.box, part);
    object.box.x -= part.x, object.box.y -= part.y;
  }
  std::erase_if(objects, [](const data::Object& object) { return object.box.empty(); });
}

/// [n, 4]: x1, y1, x2, y2
Tensor boxes_of(const std::vector<data::Object>& objects) {
  std::vector<float> sides;
  for (const data::Object& object : objects) {
    const vision::Box& box = object.box;
    for (const double side : {box.x, box.y, box.x + box.width, box.y + box.height})
      sides.push_back(static_cast<float>(side));
  }
  return at::tensor(sides, at::kFloat).view({-1, 4});
}

/// What `run` gives. Where memory does not suffice, the pictures' size is said.
template <class Run>
auto within_memory(const std::vector<Size>& sizes, Run run) {
  try {
    return run();
  } catch (const c10::Error& error) {
    const std::string text = error.what_without_backtrace();
    const bool is_full = text.find("memory") != std::string::npos && text.find("alloc") != std::string::npos;
    if (!is_full) throw;
    const Size& largest = *std::ranges::max_element(sizes, {}, [](const Size& size) { return size[0] * size[1]; });
    throw UserError("", "objective.short_sides",
                    "memory does not suffice for {} pictures of up to {}x{} pixels at once: smaller sides or a smaller "
                    "batch need less",
                    sizes.size(), largest[1], largest[0]);
  }
}

/// The rows of each sample of the batch.
std::vector<Tensor> rows_of_samples(const data::Ragged& ragged, const Tensor& counts) {
  return ragged.values.split_with_sizes(
      at::IntArrayRef(counts.const_data_ptr<int64_t>(), static_cast<size_t>(counts.size(0))));
}

}  // namespace

void DetectionOptions::fields(config::Fields& f) {
  f("short_sides", short_sides, "pixels of a picture's shorter side in training, one of which is drawn for each",
    config::between(16, 8192));
  f("test_short_side", test_short_side, "pixels, when it is judged; null: the last of short_sides",
    config::between(16, 8192));
  f("long_side", long_side, "pixels that the longer side may have; the shorter one gives way",
    config::between(16, 16384));
  f("scale_jitter", scale_jitter,
    "[0.1, 2.0]: training draws from these how large a picture is, 1 fitting in long_side x long_side, and crops what "
    "is larger; []: it draws from short_sides",
    config::between(0.01, 16));
  f("square", is_square, "pictures are padded to long_side x long_side: a ViT's positions are for one grid");
  f("flip_probability", flip_probability, "of the mirror image", config::between(0, 1));
  f("frozen_stages", frozen_stages, "of the backbone, that learn nothing: 1 is the stem, 2 the first stage too",
    config::between(0, 64));
  layer_fields(f, layer_decay, drop_path);
  f("window_size", window_size, "of a vit: patches along a side of ViTDet's windows; 0: as the model has it",
    config::between(0, 4096));
  f("relative_positions", relative_positions, "of a vit: ViTDet's, too; false: as the model has it");
  rcnn.fields(f);
  if (!f.reading()) return;
  if (short_sides.empty()) f.refuse("short_sides", "is empty");
  if (!scale_jitter.empty() && (scale_jitter.size() != 2 || scale_jitter[0] > scale_jitter[1]))
    f.refuse("scale_jitter", format("{} is not the least and the largest factor", scale_jitter));
}

void DetectionOptions::fit(models::ModelOptions& model) const {
  if (is_square)
    model.fit_to_pictures(long_side, "objective.long_side");
  else
    model.fit_to_pictures(std::ranges::max(short_sides), "objective.short_sides");
  model.prepare_finetuning({});
  model.prepare_detection(window_size, relative_positions);
}

void DetectionOptions::require_fit(const data::Dataset& dataset, const std::string& root) const {
  constexpr int64_t kLooked = 1000;  // pictures, for one with an object
  RandomStream random(0, "look");
  for (int64_t i = 0; i < std::min(dataset.size(), kLooked); ++i) {
    const auto objects = data::training_objects(dataset.get(i, random));
    if (objects.empty()) continue;
    if (rcnn.heads.masks && !objects.front().mask)
      throw UserError(root, "objective.heads.masks", "its objects have boxes alone; false trains a Faster R-CNN");
    return;
  }
  throw UserError(root, "data.root",
                  "has no objects to learn in its first {} pictures: COCO's instances_<split>.json or "
                  "VOC's Annotations are wanted",
                  std::min(dataset.size(), kLooked));
}

Detection::Detection(std::shared_ptr<models::Backbone> backbone, int64_t classes, const DetectionOptions& options,
                     uint64_t seed)
    : options_(options) {
  path_rates_ = drop_path_rates(*backbone, options.drop_path);
  for (Tensor& parameter : backbone->parameters()) parameter.requires_grad_(true);
  rcnn_ = std::make_shared<models::Rcnn>(std::move(backbone), classes, options.rcnn, seed);
  for (const auto& child : rcnn_->named_children()) register_module(child.key(), child.value());
  freeze_stages();
}

void Detection::freeze_stages() {
  for (const auto& item : rcnn_->backbone().named_parameters()) {
    const auto stage = stage_of(item.key());
    if (stage && *stage <= options_.frozen_stages) at::Tensor(item.value()).requires_grad_(false);
  }
}

JitteredCrop Detection::draw_view(int64_t height, int64_t width, RandomStream& random) const {
  if (const auto& range = options_.scale_jitter; !range.empty())
    return draw_scale_jitter(height, width, options_.long_side, range[0], range[1], random);
  const int64_t side = options_.short_sides[random.integer(std::ssize(options_.short_sides))];
  return {{0, 0, static_cast<double>(width), static_cast<double>(height)},
          models::detector_size(height, width, side, options_.long_side)};
}

data::View Detection::prepare(data::Sample&& sample, RandomStream& random, double /*progress*/) const {
  RandomStream for_flip = random.fork("flip"), for_size = random.fork("short_side");
  std::vector<data::Object> objects = data::training_objects(sample);
  const JitteredCrop view = draw_view(sample.image.height, sample.image.width, for_size);
  if (!options_.scale_jitter.empty()) move_into(view.crop, objects);
  Tensor boxes = boxes_of(objects), masks;
  if (has_masks()) masks = masks_of(objects, sample, view.crop);
  if (!options_.scale_jitter.empty()) sample.image = vision::crop(sample.image, view.crop);
  const int64_t height = sample.image.height, width = sample.image.width;
  if (for_flip.bernoulli(options_.flip_probability)) {
    vision::horizontal_flip(sample.image);
    const auto mirrored = [&](int64_t column) { return static_cast<double>(width) - boxes.select(1, column); };
    boxes = at::stack({mirrored(2), boxes.select(1, 1), mirrored(0), boxes.select(1, 3)}, 1);
    if (has_masks()) masks = masks.view({-1, height, width}).flip(2).reshape(-1);
  }
  std::vector<int64_t> labels;
  for (const data::Object& object : objects) labels.push_back(object.category + 1);
  data::View out{{"size", at::tensor({height, width}, at::kLong)}, {"seen", at::tensor(view.seen, at::kLong)}};
  out.ragged["pixels"] = data::pixels(std::move(sample.image)).view({-1, 3});
  out.ragged["boxes"] = boxes;
  out.ragged["labels"] = at::tensor(labels, at::kLong);
  if (has_masks()) out.ragged["masks"] = masks;
  out["draw"] = at::scalar_tensor(static_cast<int64_t>(random.fork("draw").next_u64() >> 1), at::kLong);
  if (!path_rates_.empty()) out["paths"] = models::draw_path_scales(path_rates_, random.fork("paths"));
  return out;
}

Tensor Detection::normalized_picture(const Tensor& pixels) {
  return normalized_(pixels.unsqueeze(0), rcnn_->parameters().back().scalar_type()).squeeze(0);
}

models::PaddedImages Detection::padded(const std::vector<Tensor>& images) const {
  return models::padded_images(images, options_.is_square ? options_.long_side : 0);
}

training::Losses Detection::losses(const data::Batch& batch) {
  // The pictures' sizes decide shapes: the one thing that the host waits for.
  const Tensor sizes = batch["size"].cpu(), seen = batch["seen"].cpu();
  const Tensor areas = sizes.select(1, 0) * sizes.select(1, 1), counts = batch.ragged.at("boxes").rows().cpu();
  const auto pixels = rows_of_samples(batch.ragged.at("pixels"), areas);
  const auto boxes = rows_of_samples(batch.ragged.at("boxes"), counts);
  const auto labels = rows_of_samples(batch.ragged.at("labels"), counts);
  std::vector<Tensor> masks;
  if (has_masks()) masks = rows_of_samples(batch.ragged.at("masks"), counts * areas);

  std::vector<Size> own, wanted;  // of each picture, and as it is seen
  for (int64_t i = 0; i < batch.size; ++i) {
    own.push_back({sizes[i][0].item<int64_t>(), sizes[i][1].item<int64_t>()});
    wanted.push_back({seen[i][0].item<int64_t>(), seen[i][1].item<int64_t>()});
  }
  return within_memory(wanted, [&] {
    std::vector<Tensor> images;
    std::vector<models::DetectionTargets> targets;
    for (size_t i = 0; i < own.size(); ++i) {
      const auto [height, width] = own[i];
      images.push_back(models::resized_image(normalized_picture(pixels[i].view({height, width, 3})), wanted[i]));
      models::DetectionTargets target{boxes[i], labels[i], {}};
      if (has_masks()) target.masks = masks[i].view({-1, height, width});
      targets.push_back(models::resized_targets(target, own[i], wanted[i]));
    }
    // Asked for each picture in turn, by the proposals and then by the heads.
    rcnn_->draw_keys = [draw = batch["draw"], asked = int64_t{0}](int64_t count) mutable {
      const int64_t picture = asked % draw.size(0), purpose = asked / draw.size(0);
      ++asked;
      return drawn_keys(draw[picture], purpose, count);
    };
    training::Losses out;
    for (auto& [name, loss] : rcnn_->losses(padded(images), targets, batch.find("paths")))
      out.terms.push_back({name, std::move(loss)});
    return out;
  });
}

std::vector<training::ParameterGroup> Detection::parameter_groups() {
  return decayed_groups(*this, rcnn_->backbone(), options_.layer_decay);
}

std::vector<std::vector<evaluation::Detection>> Detection::detect(std::span<const data::Sample> samples) {
  const at::NoGradGuard no_grad;
  const at::Device device = rcnn_->parameters().front().device();
  const int64_t side = options_.test_short_side.value_or(options_.short_sides.back());
  std::vector<Size> sizes;
  for (const data::Sample& sample : samples)
    sizes.push_back(models::detector_size(sample.image.height, sample.image.width, side, options_.long_side));
  const auto found = within_memory(sizes, [&] {
    std::vector<Tensor> images;
    for (size_t i = 0; i < samples.size(); ++i) {
      const Tensor picture = normalized_picture(data::pixels(samples[i].image).to(device));
      images.push_back(models::resized_image(picture, sizes[i]));
    }
    return rcnn_->detect(padded(images));
  });
  std::vector<std::vector<evaluation::Detection>> out(samples.size());
  for (size_t i = 0; i < samples.size(); ++i) {
    const int height = samples[i].image.height, width = samples[i].image.width;
    const Tensor boxes = models::scaled_boxes(found[i].boxes, sizes[i], {height, width}).cpu().to(at::kDouble);
    const Tensor labels = found[i].labels.cpu(), scores = found[i].scores.cpu().to(at::kDouble);
    const Tensor masks = found[i].masks.defined() ? found[i].masks.cpu() : Tensor();
    for (int64_t n = 0; n < labels.size(0); ++n) {
      const auto* box = boxes.const_data_ptr<double>() + 4 * n;
      evaluation::Detection& one = out[i].emplace_back();
      one.category = labels[n].item<int64_t>() - 1;
      one.box = {box[0], box[1], box[2] - box[0], box[3] - box[1]};
      one.score = scores[n].item<double>();
      if (!masks.defined()) continue;
      const Tensor pasted = ops::paste_mask(masks[n], {box[0], box[1], box[2], box[3]}, height, width, kMaskThreshold);
      one.mask = vision::Rle::encode(pasted.const_data_ptr<uint8_t>(), height, width);
    }
  }
  return out;
}

}  // namespace freeatm::objectives
