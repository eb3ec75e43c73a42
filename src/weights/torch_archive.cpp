// SPDX-License-Identifier: Apache-2.0
#include "torch_archive.h"

#include <memory>

#include <archive.h>
#include <archive_entry.h>

#include "freeatm/core/error.h"

namespace freeatm::weights {
namespace {

using Archive = std::unique_ptr<archive, decltype(&archive_read_free)>;

// libarchive reads from memory without copying: a stored member's one block lies in the mapped file.
std::string_view stored_bytes(const std::string& path, const std::string& name, archive* zip, archive_entry* entry,
                              const MappedFile& file) {
  if (archive_entry_size_is_set(entry) == 0) throw UserError(path, name, "the zip file does not tell its size");
  const auto size = static_cast<size_t>(archive_entry_size(entry));
  if (size == 0) return {};
  const void* block = nullptr;
  size_t block_size = 0;
  la_int64_t offset = 0;
  const int status = archive_read_data_block(zip, &block, &block_size, &offset);
  if (status != ARCHIVE_OK && status != ARCHIVE_WARN) {
    const char* error = archive_error_string(zip);
    throw UserError(path, name, "cannot be read: {}", error == nullptr ? "it is cut short" : error);
  }
  const auto* bytes = static_cast<const char*>(block);
  const bool inside = bytes >= file.data() && bytes + block_size <= file.data() + file.size();
  if (!inside || offset != 0) throw UserError(path, name, "is compressed; torch.save stores");
  if (block_size != size) throw UserError(path, name, "is cut short: {} of {} bytes", block_size, size);
  return {bytes, size};
}

}  // namespace

std::map<std::string, std::string_view> torch_archive_members(const std::string& path, const MappedFile& file) {
  const Archive zip(archive_read_new(), archive_read_free);
  archive_read_support_format_zip_seekable(zip.get());
  // As torch: a checksum would read the whole file before its first use.
  archive_read_set_format_option(zip.get(), "zip", "ignorecrc32", "1");
  if (archive_read_open_memory(zip.get(), file.data(), file.size()) != ARCHIVE_OK) {
    throw UserError(path, "", "is not a zip file: {}", archive_error_string(zip.get()));
  }
  std::map<std::string, std::string_view> members;
  archive_entry* entry = nullptr;
  int status = ARCHIVE_OK;
  while ((status = archive_read_next_header(zip.get(), &entry)) == ARCHIVE_OK) {
    const char* text = archive_entry_pathname(entry);
    std::string name = text == nullptr ? "" : text;
    name.erase(0, name.find('/') + 1);
    if (name.starts_with("code/")) throw UserError(path, "", "is a TorchScript program, not a state dict");
    const std::string_view bytes = stored_bytes(path, name, zip.get(), entry, file);
    if (!members.emplace(name, bytes).second) throw UserError(path, name, "is in the zip file twice");
  }
  if (status != ARCHIVE_EOF) throw UserError(path, "", "is a damaged zip file: {}", archive_error_string(zip.get()));
  return members;
}

}  // namespace freeatm::weights
