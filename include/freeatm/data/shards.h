// SPDX-License-Identifier: Apache-2.0
// WebDataset shards: tar files whose members of one sample stand together, KEY.png, KEY.json, KEY.maps.npy.
#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "freeatm/core/files.h"
#include "freeatm/data/sample.h"

namespace freeatm::data {

/// One file inside a shard: "png" and its bytes.
struct Member {
  std::string extension;
  std::string bytes;
};

/// Writes one shard (ustar, mtime and uid 0: the same samples give the same bytes). It appears, whole, with `commit`.
class ShardWriter {
 public:
  explicit ShardWriter(const fs::path& path);
  ~ShardWriter();
  void add(const std::string& key, const std::vector<Member>& members);
  void commit();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Where a member's bytes lie.
struct MemberPlace {
  std::string extension;
  int64_t offset = 0, size = 0;
};

struct IndexedSample {
  std::string key;
  std::vector<MemberPlace> members;
};

/// The samples of a tar, in its order, from its 512-byte headers alone, whatever its index says. Throws
/// UserError(path, ...) on a truncated or foreign file.
std::vector<IndexedSample> index_shard(const fs::path& path);

/// A shard held open; its members are read by position, from any thread. Where they lie is kept in SHARD.tar.index: the
/// first reader writes it where it can, and whoever finds that it is not of the tar as it is now.
class ShardReader {
 public:
  /// Throws as index_shard does.
  explicit ShardReader(const fs::path& path);
  ~ShardReader();

  const std::vector<IndexedSample>& samples() const;
  std::string bytes(const MemberPlace& place) const;
  /// Throws UserError where the sample has no such member.
  std::string bytes(const IndexedSample& indexed, std::string_view extension) const;
  Sample sample(const IndexedSample& indexed) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The shards at `root`, a folder or one .tar, in order of their names. Throws UserError where there is none.
std::vector<fs::path> shard_paths(const fs::path& root);

/// What a shard's KEY.json says of a picture beyond Sample; its masks become boxes, areas and RLE.
struct Provenance {
  int64_t seed = 0;
  std::string model_digest;
  std::vector<std::pair<std::string, std::variant<int64_t, double, std::string>>> sampler;  // "steps": 25
  std::vector<std::string> token_texts;
  std::vector<text::Span> token_spans;
  std::string source;  // key of the given picture; empty for one that was drawn
};
std::string sample_json(const Sample& sample, const Provenance& provenance);

/// Such a description with the sample's phrases instead of its own; the rest stays as it is.
std::string with_phrases(const std::string& json, const Sample& sample);

}  // namespace freeatm::data
