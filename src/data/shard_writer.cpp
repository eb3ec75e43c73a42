// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include <archive.h>
#include <archive_entry.h>
#include <nlohmann/json.hpp>

#include "freeatm/core/error.h"
#include "freeatm/data/shards.h"

namespace freeatm::data {

struct ShardWriter::State {
  explicit State(const fs::path& path)
      : final_path(path), pending(path), tar(archive_write_new(), archive_write_free) {}
  fs::path final_path;
  PendingPath pending;
  std::unique_ptr<archive, int (*)(archive*)> tar;

  void check(int code) const {
    if (code < ARCHIVE_WARN)
      throw UserError(final_path.string(), "out", "cannot be written: {}", archive_error_string(tar.get()));
  }
};

ShardWriter::ShardWriter(const fs::path& path) : state_(std::make_unique<State>(path)) {
  state_->pending.remove_abandoned();
  state_->check(archive_write_set_format_ustar(state_->tar.get()));
  state_->check(archive_write_open_filename(state_->tar.get(), state_->pending.temporary().c_str()));
}

ShardWriter::~ShardWriter() = default;

void ShardWriter::add(const std::string& key, const std::vector<Member>& members) {
  archive* tar = state_->tar.get();
  for (const Member& member : members) {
    const std::unique_ptr<archive_entry, void (*)(archive_entry*)> entry(archive_entry_new(), archive_entry_free);
    archive_entry_set_pathname(entry.get(), (key + "." + member.extension).c_str());
    archive_entry_set_filetype(entry.get(), AE_IFREG);
    archive_entry_set_perm(entry.get(), 0644);
    archive_entry_set_mtime(entry.get(), 0, 0);
    archive_entry_set_size(entry.get(), static_cast<la_int64_t>(member.bytes.size()));
    state_->check(archive_write_header(tar, entry.get()));
    if (archive_write_data(tar, member.bytes.data(), member.bytes.size()) !=
        static_cast<la_ssize_t>(member.bytes.size())) {
      state_->check(ARCHIVE_FATAL);
    }
  }
}

void ShardWriter::commit() {
  state_->check(archive_write_close(state_->tar.get()));
  state_->pending.commit();
}

namespace {

using Json = nlohmann::ordered_json;

Json rle_json(const vision::Rle& rle) { return {{"size", {rle.height, rle.width}}, {"counts", rle.counts()}}; }

Json region_json(const Region& region, const text::Phrase& phrase) {
  const vision::Box box = region.mask.box();
  Json json{{"text", phrase.text},
            {"role", text::role_name(phrase.role)},
            {"span", {phrase.span.begin, phrase.span.end}},
            {"tokens", phrase.tokens}};
  if (region.score) json["score"] = *region.score;
  json["bbox"] = {box.x, box.y, box.width, box.height};
  json["area"] = region.mask.area();
  json["segmentation"] = rle_json(region.mask);
  if (region.exact && region.exact->area() > 0) json["exact"] = rle_json(*region.exact);
  return json;
}

/// The regions that the first caption speaks of.
Json phrases_json(const Sample& sample) {
  Json phrases = Json::array();
  for (const Region& region : sample.regions) {
    for (const PhraseIndex& index : region.phrases) {
      if (index.caption == 0) phrases.push_back(region_json(region, sample.captions[0].phrases[index.phrase]));
    }
  }
  return phrases;
}

}  // namespace

std::string sample_json(const Sample& sample, const Provenance& provenance) {
  Json json{{"caption", sample.caption()}, {"seed", provenance.seed}, {"model_digest", provenance.model_digest}};
  if (!provenance.source.empty()) json["source"] = provenance.source;
  for (const auto& [name, value] : provenance.sampler)
    std::visit([&](const auto& setting) { json["sampler"][name] = setting; }, value);
  json["tokens"] = Json::array();
  for (size_t i = 0; i < provenance.token_texts.size(); ++i) {
    json["tokens"].push_back({{"text", provenance.token_texts[i]},
                              {"span", {provenance.token_spans[i].begin, provenance.token_spans[i].end}}});
  }
  json["phrases"] = phrases_json(sample);
  // Keys of given pictures are names of files, which may be any bytes.
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string with_phrases(const std::string& json, const Sample& sample) {
  Json tree = Json::parse(json);
  tree["phrases"] = phrases_json(sample);
  return tree.dump();
}

}  // namespace freeatm::data
