// SPDX-License-Identifier: Apache-2.0
#include "freeatm/weights/safetensors.h"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <memory>
#include <string_view>
#include <unistd.h>
#include <utility>
#include <vector>

#include <c10/util/strides.h>

#include "freeatm/core/error.h"
#include "freeatm/core/file_digest.h"
#include "freeatm/core/files.h"
#include "freeatm/core/mapped_file.h"

#include "safetensors_header.h"
#include "view.h"

namespace freeatm::weights {
namespace {

static_assert(std::endian::native == std::endian::little, "the format is little-endian, and tensors are views into it");

constexpr size_t kLengthBytes = 8;
constexpr uint64_t kLongestHeader = 100'000'000;  // the reference implementation's bound

std::string_view header_text(const std::string& path, const MappedFile& file) {
  if (file.size() < kLengthBytes) throw UserError(path, "", "is too short for a safetensors file");
  uint64_t length = 0;
  std::memcpy(&length, file.data(), kLengthBytes);
  if (length > kLongestHeader) {
    throw UserError(path, "", "is not a safetensors file: a header of {} bytes; at most {} are allowed", length,
                    kLongestHeader);
  }
  if (length > file.size() - kLengthBytes) {
    throw UserError(path, "", "the header of {} bytes is cut short: the file has {}", length, file.size());
  }
  return {file.data() + kLengthBytes, static_cast<size_t>(length)};
}

at::Tensor tensor_at(char* bytes, const HeaderEntry& entry, const std::shared_ptr<MappedFile>& file) {
  return view_of(file, bytes, entry.dtype, entry.shape, c10::contiguous_strides(entry.shape));
}

/// A file's bytes on their way to the disk, which begins at once.
class Output {
 public:
  Output(const fs::path& path, std::string shown, ByteDigest* digest)
      : shown_(std::move(shown)),
        digest_(digest),
        descriptor_(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)) {
    if (descriptor_ < 0) refuse();
  }
  ~Output() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  void add(std::string_view bytes) {
    if (digest_ != nullptr) digest_->add(bytes);
    constexpr size_t kPiece = 16 << 20;
    while (!bytes.empty()) {
      const ssize_t written = ::write(descriptor_, bytes.data(), std::min(bytes.size(), kPiece));
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) refuse();
      bytes.remove_prefix(static_cast<size_t>(written));
      waiting_ += written;
      if (waiting_ >= static_cast<int64_t>(kPiece)) begin_writeback();
    }
  }

  /// Throws where a file system says only now that it is full.
  void close() {
    if (::close(std::exchange(descriptor_, -1)) != 0) refuse();
  }

 private:
  /// Waits for nothing: else the disk is idle until the file is synced.
  void begin_writeback() {
    ::sync_file_range(descriptor_, begun_, waiting_, SYNC_FILE_RANGE_WRITE);
    begun_ += std::exchange(waiting_, 0);
  }
  [[noreturn]] void refuse() const { throw UserError(shown_, "", "cannot be written: {}", std::strerror(errno)); }

  std::string shown_;
  ByteDigest* digest_;
  int descriptor_;
  int64_t begun_ = 0, waiting_ = 0;  // bytes that the disk has been given, and those behind them
};

}  // namespace

Safetensors load_safetensors(const std::string& path) {
  const auto file = std::make_shared<MappedFile>(path);
  const std::string_view text = header_text(path, *file);
  const size_t data_begin = kLengthBytes + text.size();
  Header header = parse_header(path, text, file->size() - data_begin);

  Safetensors out;
  out.metadata = std::move(header.metadata);
  for (const HeaderEntry& entry : header.entries) {
    out.tensors.emplace(entry.name, tensor_at(file->data() + data_begin + entry.begin, entry, file));
  }
  return out;
}

void save_safetensors(const std::string& path, const TensorMap& tensors,
                      const std::map<std::string, std::string>& metadata, ByteDigest* digest) {
  std::vector<std::pair<std::string, at::Tensor>> ordered(tensors.begin(), tensors.end());
  for (const auto& [name, tensor] : ordered) {
    FREEATM_CHECK(tensor.defined() && dtype_rank(tensor.scalar_type()) >= 0, "'{}' cannot be written as safetensors",
                  name);
  }
  std::stable_sort(ordered.begin(), ordered.end(), [](const auto& a, const auto& b) {
    return dtype_rank(a.second.scalar_type()) > dtype_rank(b.second.scalar_type());
  });

  Header header;
  header.metadata = metadata;
  uint64_t end = 0;
  for (const auto& [name, tensor] : ordered) {
    const uint64_t begin = end;
    end += tensor.nbytes();
    header.entries.push_back({name, tensor.scalar_type(), tensor.sizes().vec(), begin, end});
  }
  std::string text = write_header(header);
  text.resize((text.size() + 7) / 8 * 8, ' ');
  const uint64_t length = text.size();

  PendingPath pending(path);
  Output out(pending.temporary(), path, digest);
  out.add({reinterpret_cast<const char*>(&length), kLengthBytes});
  out.add(text);
  for (const auto& [name, tensor] : ordered) {
    const at::Tensor bytes = tensor.detach().cpu().contiguous();
    out.add({static_cast<const char*>(bytes.const_data_ptr()), bytes.nbytes()});
  }
  out.close();
  pending.commit();
}

}  // namespace freeatm::weights
