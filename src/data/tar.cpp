// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>
#include <numeric>
#include <optional>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "freeatm/core/error.h"

#include "plain_text.h"
#include "shard_file.h"

namespace freeatm::data {
namespace {

constexpr int64_t kBlock = 512;  // tar's unit

/// A tar's headers. Where members are small many of them come with one read; of large members nothing else is read.
class TarHeaders {
 public:
  explicit TarHeaders(const ShardFile& file) : file_(file) {}

  /// The block at `offset`, until the next call.
  std::string_view block(int64_t offset) {
    const int64_t end = begin_ + std::ssize(window_);
    if (offset + kBlock > end) {
      const int64_t wanted = offset - end < kNear ? kNear : kBlock;
      window_ = file_.read(offset, std::min(wanted, file_.size() - offset));
      begin_ = offset;
    }
    return std::string_view(window_).substr(static_cast<size_t>(offset - begin_), kBlock);
  }

 private:
  static constexpr int64_t kNear = 64 << 10;
  const ShardFile& file_;
  std::string window_;
  int64_t begin_ = 0;
};

struct TarHeader {
  std::string name;
  int64_t size;
  char type;
};

/// What records in front of a member say of it, in place of its header.
struct Extended {
  std::optional<std::string> name;
  std::optional<int64_t> size;
};

[[noreturn]] void refuse_no_tar(const fs::path& path, std::string_view bytes = "") {
  const bool is_gzip = bytes.starts_with("\x1f\x8b");
  throw UserError(path.string(), "data.root",
                  is_gzip ? "is compressed (gzip): unpack it, members are read where they lie"
                          : "is not a tar file, or is damaged");
}

/// Octal digits, or, where the first bit is set, a number of base 256 (GNU: more than 8 GB).
int64_t number_in(std::string_view field, const fs::path& path) {
  constexpr unsigned char kBinary = 0x80;
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(field[i]); };
  int64_t value = 0;
  if (byte(0) & kBinary) {
    if (byte(0) != kBinary) refuse_no_tar(path);  // negative, or more than 2^88
    for (size_t i = 1; i < field.size(); ++i) {
      if (value >> 55) refuse_no_tar(path);
      value = value << 8 | byte(i);
    }
    return value;
  }
  for (const char c : field) {
    if (c == '\0' || c == ' ') break;
    if (c < '0' || c > '7') refuse_no_tar(path, field);
    value = value * 8 + (c - '0');
  }
  return value;
}

int64_t sum_of(std::string_view bytes) {
  return std::accumulate(bytes.begin(), bytes.end(), uint32_t{0},
                         [](uint32_t sum, char c) { return sum + static_cast<unsigned char>(c); });
}

std::string_view until_zero(std::string_view text) { return text.substr(0, text.find('\0')); }

/// POSIX ustar: name at 0, size at 124, checksum at 148, type at 156, "ustar" at 257, prefix at 345.
TarHeader parse_header(std::string_view block, const fs::path& path) {
  const std::string_view checksum = block.substr(148, 8);  // counts as spaces
  if (block.starts_with("\x1f\x8b")) refuse_no_tar(path, block);
  if (number_in(checksum, path) != sum_of(block) - sum_of(checksum) + 8 * int64_t{' '}) refuse_no_tar(path);
  const std::string name(until_zero(block.substr(0, 100))), prefix(until_zero(block.substr(345, 155)));
  const bool is_ustar =
      block.substr(257, 6) == std::string_view("ustar\0", 6);  // GNU keeps times in the place of the prefix
  return {is_ustar && !prefix.empty() ? prefix + "/" + name : name, number_in(block.substr(124, 12), path), block[156]};
}

/// POSIX: "LENGTH KEY=VALUE\n", one after the other; LENGTH counts the whole record.
void read_pax(std::string_view records, Extended& extended, const std::string& where) {
  while (!until_zero(records).empty()) {
    size_t length = 0;
    const auto [rest, error] = std::from_chars(records.data(), records.data() + records.size(), length);
    const auto digits = static_cast<size_t>(rest - records.data());
    if (error != std::errc() || length <= digits + 1 || length > records.size())
      throw UserError(where, "data.root", "has a damaged PAX record");
    const std::string_view record = records.substr(digits + 1, length - digits - 2);
    records.remove_prefix(length);
    const size_t equals = record.find('=');
    const std::string_view key = record.substr(0, equals),
                           value = record.substr(std::min(equals, record.size() - 1) + 1);
    if (key == "path") extended.name = value;
    if (key.starts_with("GNU.sparse."))
      throw UserError(where, "data.root", "holds a sparse member, whose bytes do not lie in one piece");
    int64_t size = 0;
    if (key != "size") continue;
    if (std::from_chars(value.data(), value.data() + value.size(), size).ec != std::errc() || size < 0)
      throw UserError(where, "data.root", "has a damaged PAX record: size {}", value);
    extended.size = size;
  }
}

/// The samples of a tar, member by member.
class Samples {
 public:
  explicit Samples(const fs::path& path) : path_(path) {}

  /// WebDataset's rules: the key ends at the first dot of the file's name, what stands behind it is of either case;
  /// names without a dot or with one in front ("README", ".DS_Store", "._a.png") are no member's.
  void add(const std::string& name, int64_t offset, int64_t size) {
    const size_t slash = name.rfind('/'), begin = slash == std::string::npos ? 0 : slash + 1,
                 dot = name.find('.', begin);
    if (dot == std::string::npos || dot == begin) return;
    const std::string key = name.substr(0, dot), extension = lower_ascii(name.substr(dot + 1));
    if (samples_.empty() || samples_.back().key != key) {
      if (!keys_.insert(key).second) throw UserError(path_.string(), key, "stands twice, other samples between");
      samples_.push_back({key, {}});
    }
    auto& members = samples_.back().members;
    if (std::ranges::find(members, extension, &MemberPlace::extension) != members.end())
      throw UserError(path_.string(), key, "has two members .{}", extension);
    members.push_back({extension, offset, size});
  }

  std::vector<IndexedSample> take() { return std::move(samples_); }

 private:
  const fs::path& path_;
  std::vector<IndexedSample> samples_;
  std::unordered_set<std::string> keys_;
};

}  // namespace

std::vector<IndexedSample> scan_tar(const ShardFile& file) {
  const fs::path& path = file.path();
  TarHeaders headers(file);
  Samples samples(path);
  Extended extended;  // of the next member
  for (int64_t offset = 0;;) {
    if (offset + kBlock > file.size()) {
      if (offset == 0) refuse_no_tar(path, headers.block(0));
      throw UserError(path.string(), "data.root", "is truncated: the tar has no end");
    }
    const std::string_view block = headers.block(offset);
    if (block.find_first_not_of('\0') == std::string_view::npos) return samples.take();
    const TarHeader header = parse_header(block, path);
    const bool is_record = header.type == 'x' || header.type == 'g' || header.type == 'L' || header.type == 'K';
    const std::string name = is_record ? header.name : extended.name.value_or(header.name);
    const int64_t size = is_record ? header.size : extended.size.value_or(header.size);
    offset += kBlock;
    if (size > file.size() - offset)
      throw UserError(path.string(), name, "is truncated: {} bytes wanted, {} there", size, file.size() - offset);
    if (header.type == 'x') read_pax(file.read(offset, size), extended, path.string() + ": " + name);
    if (header.type == 'L') extended.name = until_zero(file.read(offset, size));  // GNU's @LongLink
    if (header.type == 'S') throw UserError(path.string(), name, "is sparse: its bytes do not lie in one piece");
    if (header.type == '0' || header.type == '\0' || header.type == '7') samples.add(name, offset, size);
    if (!is_record) extended = {};
    offset += (size + kBlock - 1) / kBlock * kBlock;
  }
}

}  // namespace freeatm::data
