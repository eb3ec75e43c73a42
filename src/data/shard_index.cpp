// SPDX-License-Identifier: Apache-2.0
// SHARD.tar.index: magic and version, a hash of all that follows, the tar's size and time of change, and the samples:
// their number, then of each its key, the number of its members, and of each of those its extension, offset and size.
// Numbers have 64 bits; texts are their length and their bytes.
#include "shard_index.h"

#include <chrono>
#include <cstring>
#include <fstream>
#include <optional>
#include <string_view>

#include "freeatm/core/error.h"
#include "freeatm/core/random.h"

namespace freeatm::data {
namespace {

constexpr int64_t kMagic = 0x0231646e69617466;  // "ftaind1", 2: the version. Another byte order is another number.

fs::path index_path(const ShardFile& file) { return file.path().string() + ".index"; }

/// A tar that was written a moment ago may be written again with the same time of change: clocks of file systems go by
/// steps of up to two seconds.
bool is_settled(const ShardFile& file) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::nanoseconds(now).count() - file.modified() > 2'000'000'000;
}

class IndexWriter {
 public:
  void number(int64_t value) { bytes_.append(reinterpret_cast<const char*>(&value), sizeof value); }
  void text(std::string_view value) {
    number(std::ssize(value));
    bytes_ += value;
  }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

/// Throws UserError where the bytes end too early.
class IndexReader {
 public:
  explicit IndexReader(std::string_view bytes) : bytes_(bytes) {}
  int64_t number() {
    int64_t value = 0;
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }
  std::string text() { return std::string(take(static_cast<uint64_t>(number()))); }
  std::string_view rest() const { return bytes_; }

 private:
  std::string_view take(uint64_t size) {
    if (size > bytes_.size()) throw UserError("", "", "is damaged");
    const std::string_view taken = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return taken;
  }
  std::string_view bytes_;
};

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
    const std::string bytes = read_file(index_path(file));
    IndexReader in(bytes);
    if (in.number() != kMagic) return std::nullopt;
    const auto hash = static_cast<uint64_t>(in.number());
    if (hash != stable_hash(in.rest()) || in.number() != file.size() || in.number() != file.modified())
      return std::nullopt;
    std::vector<IndexedSample> samples;
    for (int64_t left = in.number(); left > 0; --left) {
      samples.push_back({in.text(), {}});
      IndexedSample& sample = samples.back();
      for (int64_t members = in.number(); members > 0; --members) sample.members.push_back(read_member(in, file));
    }
    return samples;
  } catch (const UserError&) {  // also where there is none
    return std::nullopt;
  }
}

std::string index_bytes(const ShardFile& file, const std::vector<IndexedSample>& samples) {
  IndexWriter body;
  body.number(file.size());
  body.number(file.modified());
  body.number(std::ssize(samples));
  for (const IndexedSample& sample : samples) {
    body.text(sample.key);
    body.number(std::ssize(sample.members));
    for (const MemberPlace& place : sample.members) {
      body.text(place.extension);
      body.number(place.offset);
      body.number(place.size);
    }
  }
  IndexWriter out;
  out.number(kMagic);
  out.number(static_cast<int64_t>(stable_hash(body.bytes())));
  return out.bytes() + body.bytes();
}

// A folder that is read only, a full disk: the next reader reads the tar as well.
void write_index(const ShardFile& file, const std::vector<IndexedSample>& samples) try {
  const fs::path path = index_path(file);
  if (fs::is_directory(path)) return;  // somebody's: it would be replaced
  PendingPath pending(path);
  std::ofstream out(pending.temporary(), std::ios::binary);
  out << index_bytes(file, samples);
  out.close();
  if (out) pending.commit_unsynced();
} catch (const UserError&) {
} catch (const fs::filesystem_error&) {
}

}  // namespace

std::vector<IndexedSample> indexed_samples(const ShardFile& file) {
  if (auto known = read_index(file)) return std::move(*known);
  std::vector<IndexedSample> samples = scan_tar(file);
  if (is_settled(file)) write_index(file, samples);
  return samples;
}

}  // namespace freeatm::data
