// SPDX-License-Identifier: Apache-2.0
#include "freeatm/data/shards.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "freeatm/core/error.h"
#include "freeatm/core/python_json.h"
#include "freeatm/data/dataset.h"
#include "freeatm/data/description.h"

#include "plain_text.h"
#include "shard_index.h"

namespace freeatm::data {
namespace {

/// Whether a member holds a caption; what is broken does, so that its reading says what is wrong.
bool says_something(const std::string& bytes, const MemberPlace& place) {
  if (place.extension == "txt") return !trimmed_text(bytes).empty();
  const auto json = nlohmann::json::parse(without_infinities(bytes), nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return true;
  const auto caption = json.find("caption");
  return caption != json.end() && caption->is_string() && !trimmed_text(caption->get_ref<const std::string&>()).empty();
}

class ShardDataset final : public Dataset {
 public:
  explicit ShardDataset(const std::vector<fs::path>& paths) {
    for (const auto& path : paths) {
      shards_.push_back(std::make_unique<ShardReader>(path));
      for (const auto& sample : shards_.back()->samples()) samples_.push_back({shards_.back().get(), &sample});
    }
  }
  int64_t size() const override { return static_cast<int64_t>(samples_.size()); }
  Sample get(int64_t index, RandomStream&) const override {
    Sample sample = samples_[index].first->sample(*samples_[index].second);
    sample.id = index;
    return sample;
  }
  std::string key(int64_t index) const override { return samples_[index].second->key; }
  bool has_caption(int64_t index) const override {
    const auto& [shard, sample] = samples_[index];
    return std::ranges::any_of(sample->members, [&, reader = shard](const MemberPlace& place) {
      return (place.extension == "txt" || place.extension == "json") && says_something(reader->bytes(place), place);
    });
  }
  std::vector<int64_t> shard_sizes() const override {
    std::vector<int64_t> sizes;
    for (const auto& shard : shards_) sizes.push_back(std::ssize(shard->samples()));
    return sizes;
  }

 private:
  std::vector<std::unique_ptr<ShardReader>> shards_;
  std::vector<std::pair<const ShardReader*, const IndexedSample*>> samples_;
};

void add_description(Description&& description, Sample& sample) {
  text::Caption& caption = sample.captions.front();
  if (description.caption) caption.text = std::move(*description.caption);
  caption.is_annotated = description.has_phrases;
  for (DescribedPhrase& described : description.phrases) {
    sample.regions.push_back({.name = described.phrase.text,
                              .role = described.phrase.role,
                              .phrases = {{0, std::ssize(caption.phrases)}},
                              .mask = std::move(described.mask.value()),
                              .exact = std::move(described.exact),
                              .score = described.score});
    caption.phrases.push_back(std::move(described.phrase));
  }
}

std::string read_caption(const std::string& bytes, const std::string& name) {
  require_plain_text(bytes, name, "", "\t\r\n");
  return std::string(without_byte_order_mark(bytes));
}

Sample read_sample(const ShardFile& file, const IndexedSample& indexed) {
  Sample sample;
  sample.key = indexed.key;
  const auto name = [&](const MemberPlace& place) {
    return file.path().string() + "/" + indexed.key + "." + place.extension;
  };
  for (const MemberPlace& place : indexed.members) {  // the picture first: the masks have its size
    if (sample.image.empty() && vision::is_picture_extension(place.extension)) {
      sample.image = vision::decode_image(file.read(place.offset, place.size), name(place));
    }
  }
  if (sample.image.empty())
    throw UserError(file.path().string(), indexed.key, "has no picture ({})", vision::kPictureFormats);
  text::Caption& caption = sample.captions.emplace_back();
  for (const MemberPlace& place : indexed.members) {
    if (place.extension == "json")
      add_description(
          read_description(file.read(place.offset, place.size), name(place), sample.image.height, sample.image.width),
          sample);
    if (place.extension == "txt") caption.text = read_caption(file.read(place.offset, place.size), name(place));
  }
  for (const text::Phrase& phrase : caption.phrases)
    caption.require(phrase.span, phrase.text, file.path().string() + "/" + indexed.key);
  if (caption.text.empty() && caption.phrases.empty()) sample.captions.clear();
  return sample;
}

}  // namespace

struct ShardReader::State {
  explicit State(const fs::path& path) : file(path), samples(indexed_samples(file)) {}
  ShardFile file;
  std::vector<IndexedSample> samples;
};

ShardReader::ShardReader(const fs::path& path) : state_(std::make_unique<State>(path)) {}
ShardReader::~ShardReader() = default;

const std::vector<IndexedSample>& ShardReader::samples() const { return state_->samples; }
std::string ShardReader::bytes(const MemberPlace& place) const { return state_->file.read(place.offset, place.size); }
Sample ShardReader::sample(const IndexedSample& indexed) const { return read_sample(state_->file, indexed); }

std::string ShardReader::bytes(const IndexedSample& indexed, std::string_view extension) const {
  for (const MemberPlace& place : indexed.members) {
    if (place.extension == extension) return bytes(place);
  }
  throw UserError(state_->file.path().string(), "data.root", "{} has no .{}", indexed.key, extension);
}

std::vector<IndexedSample> index_shard(const fs::path& path) { return scan_tar(ShardFile(path)); }

std::vector<fs::path> shard_paths(const fs::path& root) {
  if (fs::is_regular_file(root)) return {root};
  require_folder(root, "data.root");
  std::vector<fs::path> paths;
  for (const auto& entry : fs::directory_iterator(root)) {
    if (entry.path().extension() == ".tar" && !entry.path().filename().string().starts_with("."))
      paths.push_back(entry.path());
  }
  if (paths.empty()) throw UserError(root.string(), "data.root", "holds no shards (*.tar)");
  std::sort(paths.begin(), paths.end());
  return paths;
}

std::unique_ptr<Dataset> open_shards(const std::string& root) {
  return std::make_unique<ShardDataset>(shard_paths(root));
}

}  // namespace freeatm::data
