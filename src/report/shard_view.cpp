// SPDX-License-Identifier: Apache-2.0
#include "freeatm/report/shard_view.h"

#include <algorithm>
#include <functional>

#include <ATen/ATen.h>

#include "freeatm/core/error.h"
#include "freeatm/data/description.h"
#include "freeatm/data/npy.h"
#include "freeatm/text/phrase.h"
#include "freeatm/vision/image.h"
#include "freeatm/vision/transforms.h"

namespace freeatm::report {
namespace {

constexpr int kQuality = 85;  // of pictures that are made smaller

/// "" for what not every browser shows.
std::string picture_type(std::string_view bytes) {
  if (bytes.starts_with("\x89PNG")) return "image/png";
  if (bytes.starts_with("RIFF")) return "image/webp";
  return bytes.starts_with("\xff\xd8") ? "image/jpeg" : "";
}

/// Reads one sample's members into an item, and notes what goes wrong instead of throwing.
class ItemReader {
 public:
  ItemReader(const data::ShardReader& shard, const data::IndexedSample& sample) : shard_(shard), sample_(sample) {
    item_.key = sample.key;
  }

  GalleryItem read(int64_t max_side) {
    for (const auto& place : sample_.members) {  // the picture first: the masks have its size
      if (!has_picture_ && vision::is_picture_extension(place.extension))
        attempt([&] { read_picture(place, max_side); });
    }
    for (const auto& place : sample_.members) {
      if (place.extension == "txt") attempt([&] { item_.caption = bytes(place); });
      if (place.extension == "json") attempt([&] { read_description(place); });
    }
    for (const auto& place : sample_.members) {
      if (place.extension == "maps.npy") attempt([&] { read_maps(place); });
    }
    if (!has_picture_) item_.problems.push_back("no picture");
    if (item_.caption.empty()) item_.problems.push_back("no caption");
    return std::move(item_);
  }

 private:
  std::string name(const data::MemberPlace& place) const { return sample_.key + "." + place.extension; }

  std::string bytes(const data::MemberPlace& place) const { return shard_.bytes(place); }

  void attempt(const std::function<void()>& read) {
    try {
      read();
    } catch (const UserError& error) {
      item_.problems.push_back(error.what());
    }
  }

  void read_picture(const data::MemberPlace& place, int64_t max_side) {
    has_picture_ = true;  // if a broken one: that is said in its own words
    std::string file = bytes(place);
    const vision::Image image = vision::decode_image(file, name(place));
    height_ = image.height, width_ = image.width;
    const double scale = double(max_side) / std::max(height_, width_);
    if (scale < 1) {
      const int height = std::max(1, int(height_ * scale)), width = std::max(1, int(width_ * scale));
      file = vision::encode_webp(vision::resize(image, height, width), kQuality);
    } else if (picture_type(file).empty()) {
      file = vision::encode_webp_lossless(image);
    }
    item_.picture_type = picture_type(file);
    item_.picture = std::move(file);
  }

  void read_description(const data::MemberPlace& place) {
    data::Description read = data::read_description_noting(bytes(place), name(place), height_, width_, item_.problems);
    if (read.caption) item_.caption = std::move(*read.caption);
    item_.facts = std::move(read.facts);
    for (data::DescribedToken& token : read.tokens)
      item_.tokens.push_back({std::move(token.text), token.span.begin, token.span.end});
    for (data::DescribedPhrase& described : read.phrases) {
      const text::Phrase& phrase = described.phrase;
      item_.phrases.push_back({phrase.text, std::string(text::role_name(phrase.role)), phrase.span.begin,
                               phrase.span.end, phrase.tokens, described.score, std::move(described.mask)});
    }
  }

  void read_maps(const data::MemberPlace& place) {
    at::Tensor maps = data::read_npy(bytes(place), name(place)).to(at::kFloat);
    if (maps.dim() != 3 || maps.size(0) != int64_t(item_.tokens.size()))
      throw UserError(name(place), "", "has shape {}, [{}, height, width] is wanted", maps.sizes().vec(),
                      item_.tokens.size());
    if (maps.numel() == 0) return;
    if (!maps.isfinite().all().item<bool>()) throw UserError(name(place), "", "holds values that are not finite");
    const at::Tensor flat = maps.flatten(1), low = flat.amin(1, true), high = flat.amax(1, true);
    const at::Tensor levels = ((flat - low) / (high - low).clamp_min(1e-12) * 255).round().to(at::kByte).contiguous();
    SoftMaps& soft = item_.maps;
    soft.height = maps.size(1), soft.width = maps.size(2);
    for (int64_t i = 0; i < maps.size(0); ++i) {
      soft.low.push_back(low[i].item<double>());
      soft.high.push_back(high[i].item<double>());
    }
    soft.bytes.assign(static_cast<const char*>(levels.const_data_ptr()), levels.nbytes());
  }

  const data::ShardReader& shard_;
  const data::IndexedSample& sample_;
  GalleryItem item_;
  bool has_picture_ = false;
  int height_ = 0, width_ = 0;  // of the picture in the shard; 0 where it cannot be read
};

}  // namespace

ShardView::ShardView(const fs::path& folder) {
  for (const fs::path& path : data::shard_paths(folder)) {
    shards_.push_back(std::make_unique<data::ShardReader>(path));
    for (const auto& sample : shards_.back()->samples()) places_.push_back({shards_.back().get(), &sample});
  }
}

GalleryItem ShardView::item(int64_t index, int64_t max_side) const {
  const auto& [shard, sample] = places_[size_t(index)];
  return ItemReader(*shard, *sample).read(max_side);
}

}  // namespace freeatm::report
