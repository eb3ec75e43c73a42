// SPDX-License-Identifier: Apache-2.0
#include "view_samples.h"

#include <algorithm>
#include <functional>

#include <ATen/ATen.h>
#include <nlohmann/json.hpp>

#include "freeatm/core/error.h"
#include "freeatm/core/json.h"
#include "freeatm/data/npy.h"
#include "freeatm/text/phrase.h"
#include "freeatm/vision/image.h"
#include "freeatm/vision/transforms.h"

namespace freeatm::commands {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kQuality = 85;  // of pictures that are made smaller

std::string picture_type(std::string_view bytes) {
  if (bytes.starts_with("\x89PNG")) return "image/png";
  return bytes.starts_with("RIFF") ? "image/webp" : "image/jpeg";
}

/// Reads one sample's members into an item, and notes what goes wrong instead of throwing.
class ItemReader {
 public:
  ItemReader(const data::ShardReader& shard, const data::IndexedSample& sample) : shard_(shard), sample_(sample) {
    item_.key = sample.key;
  }

  report::GalleryItem read(int64_t max_side) {
    for (const auto& place : sample_.members) {  // the picture first: the masks have its size
      if (vision::is_picture_extension(place.extension)) attempt(place, [&] { read_picture(place, max_side); });
    }
    for (const auto& place : sample_.members) {
      if (place.extension == "txt") attempt(place, [&] { item_.caption = bytes(place); });
      if (place.extension == "json") attempt(place, [&] { read_description(parsed(place), name(place)); });
    }
    for (const auto& place : sample_.members) {
      if (place.extension == "maps.npy") attempt(place, [&] { read_maps(place); });
    }
    if (!has_picture_) item_.problems.push_back("no picture");
    if (item_.caption.empty()) item_.problems.push_back("no caption");
    return std::move(item_);
  }

 private:
  std::string name(const data::MemberPlace& place) const { return sample_.key + "." + place.extension; }

  std::string bytes(const data::MemberPlace& place) const { return shard_.bytes(place); }

  Json parsed(const data::MemberPlace& place) const {
    const std::string text = bytes(place);
    require_shallow_json(text, name(place));
    return Json::parse(text);
  }

  void attempt(const data::MemberPlace& place, const std::function<void()>& read) {
    try {
      read();
    } catch (const UserError& error) {
      item_.problems.push_back(error.what());
    } catch (const nlohmann::json::exception& error) {
      item_.problems.push_back(UserError(name(place), "", "{}", error.what()).what());
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
    }
    item_.picture_type = picture_type(file);
    item_.picture = std::move(file);
  }

  void read_description(const Json& json, const std::string& where) {
    if (!json.is_object()) throw UserError(where, "", "is no object");
    if (json.contains("caption")) item_.caption = json["caption"].get<std::string>();
    for (const auto& token : json.value("tokens", Json::array()))
      item_.tokens.push_back({token.at("text"), token.at("span").at(0), token.at("span").at(1)});
    add_facts(json);
    for (const auto& phrase : json.value("phrases", Json::array())) read_phrase(phrase, where);
  }

  /// What the picture was made with: numbers and words, of the sample and one level below ("sampler": {"steps": 25}).
  void add_facts(const Json& json) {
    for (const auto& [name, value] : json.items()) {
      if (name != "caption") add_fact(name, value);
      if (!value.is_object()) continue;
      for (const auto& [inner_name, inner] : value.items()) add_fact(inner_name, inner);
    }
  }

  void add_fact(std::string name, const Json& value) {
    std::replace(name.begin(), name.end(), '_', ' ');
    if (value.is_string()) item_.facts.emplace_back(name, value.get<std::string>());
    if (value.is_number_float()) item_.facts.emplace_back(name, format("{}", value.get<double>()));
    if (value.is_number_integer() || value.is_boolean()) item_.facts.emplace_back(name, value.dump());
  }

  void read_phrase(const Json& json, const std::string& where) {
    report::GalleryPhrase phrase;
    phrase.text = json.at("text");
    phrase.role = text::role_name(text::role_from_name(json.at("role").get<std::string>()));
    phrase.begin = json.at("span").at(0), phrase.end = json.at("span").at(1);
    phrase.tokens = json.value("tokens", std::vector<int64_t>{});
    if (json.contains("score") && json["score"].is_number()) phrase.score = json["score"].get<double>();
    if (json.contains("segmentation") && height_ > 0) {
      const auto& size = json["segmentation"].at("size");
      const int64_t height = size.at(0), width = size.at(1);
      try {
        if (height != height_ || width != width_)
          throw UserError(where, phrase.text, "a mask of {}x{} for a picture of {}x{}", width, height, width_, height_);
        phrase.mask = vision::Rle::from_counts(json["segmentation"].at("counts").get<std::string>(), height_, width_,
                                               where + ": " + phrase.text);
      } catch (const UserError& error) {  // the phrase stays, without its mask
        item_.problems.push_back(error.what());
      }
    }
    item_.phrases.push_back(std::move(phrase));
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
    report::SoftMaps& soft = item_.maps;
    soft.height = maps.size(1), soft.width = maps.size(2);
    for (int64_t i = 0; i < maps.size(0); ++i) {
      soft.low.push_back(low[i].item<double>());
      soft.high.push_back(high[i].item<double>());
    }
    soft.bytes.assign(static_cast<const char*>(levels.const_data_ptr()), levels.nbytes());
  }

  const data::ShardReader& shard_;
  const data::IndexedSample& sample_;
  report::GalleryItem item_;
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

report::GalleryItem ShardView::item(int64_t index, int64_t max_side) const {
  const auto& [shard, sample] = places_[size_t(index)];
  return ItemReader(*shard, *sample).read(max_side);
}

}  // namespace freeatm::commands
