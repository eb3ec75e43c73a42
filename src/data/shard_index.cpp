// SPDX-License-Identifier: Apache-2.0
// SHARD.tar.index: the tar's size and time of change, and the samples: their number, then of each its key, the number
// of its members, and of each of those its extension, offset and size.
#include "shard_index.h"

#include <optional>

#include "freeatm/core/error.h"

#include "index_file.h"

namespace freeatm::data {
namespace {

constexpr int64_t kShardIndex = 0x0231646e69617466;  // "ftaind1", 2: the version

MemberPlace read_member(IndexReader& in, const ShardFile& file) {
  MemberPlace place{.extension = in.text()};
  place.offset = in.number();
  place.size = in.number();
  const bool is_inside =
      place.offset >= 0 && place.size >= 0 && place.offset <= file.size() && place.size <= file.size() - place.offset;
  if (!is_inside) throw UserError("", "", "is damaged");
  return place;
}

/// Nothing where there is none, it is damaged, or the tar has changed.
std::optional<std::vector<IndexedSample>> read_index(const ShardFile& file) {
  try {
    auto in = read_index_file(file.path(), kShardIndex);
    if (!in || in->number() != file.size() || in->number() != file.modified()) return std::nullopt;
    std::vector<IndexedSample> samples;
    for (int64_t left = in->number(); left > 0; --left) {
      samples.push_back({in->text(), {}});
      IndexedSample& sample = samples.back();
      for (int64_t members = in->number(); members > 0; --members) sample.members.push_back(read_member(*in, file));
    }
    return samples;
  } catch (const UserError&) {
    return std::nullopt;
  }
}

void write_index(const ShardFile& file, const std::vector<IndexedSample>& samples) {
  IndexWriter out;
  out.number(file.size());
  out.number(file.modified());
  out.number(std::ssize(samples));
  for (const IndexedSample& sample : samples) {
    out.text(sample.key);
    out.number(std::ssize(sample.members));
    for (const MemberPlace& place : sample.members) {
      out.text(place.extension);
      out.number(place.offset);
      out.number(place.size);
    }
  }
  write_index_file(file.path(), kShardIndex, out.bytes());
}

}  // namespace

std::vector<IndexedSample> indexed_samples(const ShardFile& file) {
  if (auto known = read_index(file)) return std::move(*known);
  std::vector<IndexedSample> samples = scan_tar(file);
  if (is_settled(file.modified())) write_index(file, samples);
  return samples;
}

}  // namespace freeatm::data
