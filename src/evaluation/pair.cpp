// SPDX-License-Identifier: Apache-2.0
#include "freeatm/evaluation/pair.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <utility>

#include <ATen/ATen.h>

#include "freeatm/core/error.h"
#include "freeatm/core/files.h"
#include "freeatm/core/progress.h"
#include "freeatm/core/signals.h"
#include "freeatm/data/pixels.h"
#include "freeatm/data/split_names.h"
#include "freeatm/evaluation/features.h"
#include "freeatm/runtime/ranks.h"

namespace freeatm::evaluation {
namespace {

using at::Tensor;

void require_finite(const Tensor& embeddings, const char* of, const std::string& name) {
  if (!at::isfinite(embeddings).all().item<bool>()) {
    throw UserError(name, "checkpoint",
                    "gives embeddings of {} that are not finite numbers: its weights are broken, or "
                    "overflow",
                    of);
  }
}

}  // namespace

void PairInputOptions::fields(config::Fields& f) {
  f("image_size", image_size, "side of the pictures that the model sees; null: the model's own",
    config::between(8, 4096));
  f("crop", crop,
    "whole: the picture squeezed into a square; centre: the square in its middle, as CLIP's; auto: the task's or "
    "model's",
    config::any_of({"auto", "whole", "centre"}));
  f("batch_size", batch_size, "pictures or texts at once", config::at_least(1));
}

FrozenPair::FrozenPair(models::VisionLanguageModel model, std::shared_ptr<const text::Tokenizer> tokenizer,
                       at::Device device, const PairInputOptions& input, std::string name)
    : model_(std::move(model)),
      tokenizer_(std::move(tokenizer)),
      device_(device),
      input_(input),
      name_(std::move(name)) {
  FREEATM_CHECK(input_.image_size && input_.crop != "auto", "how pictures are seen is not known");
  model_->to(device);
  model_->eval();
}

Tensor FrozenPair::picture(const vision::Image& image) const {
  const int to = static_cast<int>(side());
  if (sees_whole()) return data::pixels(vision::resize(image, to, to, vision::Filter::kBicubic));
  return data::pixels(vision::center_crop(vision::resize_shorter_side(image, to, vision::Filter::kBicubic), to));
}

models::VisionLanguageModelImpl::Images FrozenPair::images(const Tensor& pictures) {
  auto images = model_->encode_images(normalized_(pictures.to(device_)));
  require_finite(images.embedding, "pictures", name_);
  return images;
}

EncodedTexts FrozenPair::texts(const std::vector<std::string>& texts) {
  EncodedTexts out;
  int64_t longest = 0;
  for (const std::string& text : texts) {
    text::Encoding encoding = tokenizer_->encode(text);
    encoding.shorten(model_->options().text.max_length - 2);
    longest = std::max<int64_t>(longest, std::ssize(encoding.ids) + 2);
    out.encodings.push_back(std::move(encoding));
  }
  std::vector<Tensor> rows, masks;
  for (const text::Encoding& encoding : out.encodings) {
    rows.push_back(at::tensor(tokenizer_->padded_ids(encoding, longest), at::kLong));
    masks.push_back(at::arange(longest) < std::ssize(encoding.ids) + 2);
  }
  out.mask = at::stack(masks).to(device_);
  auto encoded = model_->encode_texts(at::stack(rows).to(device_), out.mask);
  out.tokens = encoded.tokens, out.embedding = encoded.embedding;
  require_finite(out.embedding, "texts", name_);
  return out;
}

TextBank FrozenPair::text_bank(const std::vector<std::string>& texts, bool keep_tokens, const std::string& label) {
  const at::NoGradGuard no_grad;
  TextBank bank;
  std::map<std::string, int64_t> number;
  for (const std::string& text : texts)
    bank.number_of_.push_back(number.try_emplace(text, std::ssize(number)).first->second);
  std::vector<std::string> different(number.size());
  for (const auto& [text, i] : number) different[i] = text;
  std::vector<int64_t> order(different.size());
  std::iota(order.begin(), order.end(), int64_t{0});
  std::ranges::stable_sort(order, {}, [&](int64_t i) { return different[i].size(); });  // so that little is padding

  const Range own = own_range(std::ssize(order), batch_size());
  std::vector<int64_t> lengths;
  std::vector<Tensor> embeddings{at::empty({0, model_->options().dimensions}, at::device(device_))},
      tokens{at::empty({0, model_->options().text.dim}, at::device(device_))};
  Progress progress(label, own.end - own.begin, "texts");
  for (int64_t first = own.begin; first < own.end; first += batch_size()) {
    stop_if_signalled();
    std::vector<std::string> batch;
    for (int64_t i = first; i < std::min(first + batch_size(), own.end); ++i) batch.push_back(different[order[i]]);
    const EncodedTexts encoded = this->texts(batch);
    embeddings.push_back(encoded.embedding.to(at::kFloat));
    std::vector<Tensor> of_batch;
    for (int64_t i = 0; keep_tokens && i < std::ssize(batch); ++i) {
      lengths.push_back(std::ssize(encoded.encodings[i].ids) + 2);
      of_batch.push_back(encoded.tokens[i].narrow(0, 0, lengths.back()));
    }
    if (keep_tokens) tokens.push_back(at::cat(of_batch));
    progress.advance(std::ssize(batch));
  }
  bank.keep(order, runtime::ranks().gather_rows(at::cat(embeddings)));
  if (keep_tokens) {
    bank.keep_tokens(order, runtime::ranks().gather_rows(at::tensor(lengths, at::kLong)),
                     runtime::ranks().gather_rows(at::cat(tokens)));
  }
  return bank;
}

void TextBank::keep(const std::vector<int64_t>& order, const Tensor& rows) {
  const auto on_device = [&](const std::vector<int64_t>& places) {
    return at::tensor(places, at::kLong).to(rows.device());
  };
  embeddings = at::empty_like(rows).index_copy_(0, on_device(order), rows).index_select(0, on_device(number_of_));
}

void TextBank::keep_tokens(const std::vector<int64_t>& order, const Tensor& lengths, const Tensor& rows) {
  tokens_.resize(order.size());
  int64_t begin = 0;
  for (size_t i = 0; i < order.size(); ++i) {
    const int64_t length = lengths[static_cast<int64_t>(i)].item<int64_t>();
    tokens_[order[i]] = rows.narrow(0, begin, length);
    begin += length;
  }
}

TextBank::Rows TextBank::rows(const std::vector<int64_t>& texts) const {
  int64_t longest = 0;
  for (const int64_t text : texts) longest = std::max(longest, tokens_[number_of_[text]].size(0));
  const Tensor& any = tokens_[number_of_[texts.front()]];
  Rows rows{at::zeros({std::ssize(texts), longest, any.size(1)}, any.options()),
            at::zeros({std::ssize(texts), longest}, any.options().dtype(at::kBool))};
  for (int64_t i = 0; i < std::ssize(texts); ++i) {
    const Tensor& tokens = tokens_[number_of_[texts[i]]];
    rows.tokens[i].narrow(0, 0, tokens.size(0)).copy_(tokens);
    rows.mask[i].narrow(0, 0, tokens.size(0)).fill_(true);
  }
  return rows;
}

Tensor FrozenPair::itm(const Tensor& text_tokens, const Tensor& mask, const models::FusionPictures& pictures) {
  const Tensor logits = model_->itm_logits(text_tokens, mask, pictures);
  return (logits.select(1, 1) - logits.select(1, 0)).to(at::kFloat);
}

void for_each_images(FrozenPair& pair, const data::Dataset& pictures, std::optional<int64_t> limit,
                     const std::string& label, const UseImages& use) {
  const auto view = [&](data::Sample&& sample) {
    data::View view{{"image", pair.picture(sample.image)}};
    sample.image.pixels = {};
    view.sample = std::move(sample);
    return view;
  };
  const data::Spread chosen(pictures, limit);
  const data::Part own = own_part(chosen, pair.batch_size());
  for_each_batch(own, pair.batch_size(), label, view, [&](const data::Batch& batch) {
    batch["index"].add_(own.begin());
    use(batch, pair.images(batch["image"]));
  });
}

void PairData::fields(config::Fields& f) {
  f("root", root, "the dataset's folder, or one .tar");
  f("layout", layout, "auto: told by what lies there");
  f("eval_splits", eval_splits, "judged: those of these that data.root has");
  f("limit", limit, "judge so many pictures of each split, spread evenly; null: all", config::at_least(1));
}

std::vector<Split> PairData::open() const {
  std::vector<Split> splits;
  const fs::path folder(root);
  const bool is_coco = fs::exists(folder / "annotations");
  for (const std::string& name : eval_splits) {
    const data::DatasetOptions split{root, layout, name};
    if (data::has_split(split)) splits.push_back({name, data::open_dataset(split)});
  }
  if (splits.empty() && (is_coco || eval_splits.empty()))
    throw UserError(root, "data.eval_splits", "has no split {}{}", one_of(eval_splits),
                    data::splits_there({root, layout}));
  if (splits.empty()) splits.push_back({"", data::open_dataset({root, layout, eval_splits.front()})});
  return splits;
}

}  // namespace freeatm::evaluation
