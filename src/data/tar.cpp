// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <numeric>
#include <string_view>

#include "freeatm/core/error.h"

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

int64_t octal(std::string_view digits, const fs::path& path) {
  int64_t value = 0;
  for (char c : digits) {
    if (c == '\0' || c == ' ') break;
    if (c < '0' || c > '7') throw UserError(path.string(), "data.root", "is not a tar file");
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
  if (octal(checksum, path) != sum_of(block) - sum_of(checksum) + 8 * int64_t{' '})
    throw UserError(path.string(), "data.root", "is not a tar file, or is damaged");
  const std::string name(until_zero(block.substr(0, 100))), prefix(until_zero(block.substr(345, 155)));
  const bool is_ustar = block.substr(257, 5) == "ustar";
  return {is_ustar && !prefix.empty() ? prefix + "/" + name : name, octal(block.substr(124, 12), path), block[156]};
}

void add_member(std::vector<IndexedSample>& samples, const TarHeader& header, int64_t offset) {
  // WebDataset's rule: the key ends at the first dot of the file's name.
  const size_t slash = header.name.rfind('/'), dot = header.name.find('.', slash == std::string::npos ? 0 : slash + 1);
  const std::string key = header.name.substr(0, dot);
  if (samples.empty() || samples.back().key != key) samples.push_back({key, {}});
  samples.back().members.push_back({dot == std::string::npos ? "" : header.name.substr(dot + 1), offset, header.size});
}

}  // namespace

std::vector<IndexedSample> scan_tar(const ShardFile& file) {
  const fs::path& path = file.path();
  TarHeaders headers(file);
  std::vector<IndexedSample> samples;
  for (int64_t offset = 0;;) {
    if (offset + kBlock > file.size()) throw UserError(path.string(), "data.root", "is truncated: the tar has no end");
    const std::string_view block = headers.block(offset);
    if (block.find_first_not_of('\0') == std::string_view::npos) return samples;
    const TarHeader header = parse_header(block, path);
    offset += kBlock;
    if (header.size > file.size() - offset)
      throw UserError(path.string(), header.name, "is truncated: {} bytes wanted, {} there", header.size,
                      file.size() - offset);
    if (header.type == '0' || header.type == '\0') add_member(samples, header, offset);
    offset += (header.size + kBlock - 1) / kBlock * kBlock;
  }
}

}  // namespace freeatm::data
