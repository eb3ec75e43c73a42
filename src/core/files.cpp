// SPDX-License-Identifier: Apache-2.0
#include "freeatm/core/files.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <unistd.h>
#include <vector>

#include "freeatm/core/content.h"
#include "freeatm/core/error.h"

namespace freeatm {
namespace {

std::string system_message() { return std::strerror(errno); }

}  // namespace

void require_file(const fs::path& path, std::string_view key) {
  std::error_code error;
  if (!fs::exists(path, error)) throw UserError(path.string(), key, "no such file");
  if (fs::is_directory(path, error)) throw UserError(path.string(), key, "is a folder; a file is wanted");
  if (fs::is_character_file(path, error) || fs::is_block_file(path, error))  // /dev/zero has no end
    throw UserError(path.string(), key, "is not a regular file");
  if (::access(path.c_str(), R_OK) != 0) throw UserError(path.string(), key, "cannot be read: {}", system_message());
}

void require_content(std::string_view head, const fs::path& path, std::string_view key) {
  if (head.starts_with("version https://git-lfs.github.com/spec/"))
    throw UserError(path.string(), key, "is a git-lfs pointer, not the file itself: 'git lfs pull' fetches it");
}

void require_folder(const fs::path& path, std::string_view key) {
  std::error_code error;
  if (!fs::exists(path, error)) throw UserError(path.string(), key, "no such folder");
  if (!fs::is_directory(path, error)) throw UserError(path.string(), key, "is a file; a folder is wanted");
}

std::string read_file(const fs::path& path, std::string_view key) {
  require_file(path, key);
  std::ifstream in(path, std::ios::binary);
  std::string bytes;
  std::vector<char> block(64 << 10);
  do {
    in.read(block.data(), std::ssize(block));
    bytes.append(block.data(), static_cast<size_t>(in.gcount()));
  } while (in);
  if (!in.eof()) throw UserError(path.string(), key, "cannot be read");
  require_content(bytes, path, key);
  return bytes;
}

void prepare_folder(const fs::path& path, std::string_view key) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) throw UserError(path.string(), key, "cannot be made: {}", error.message());
  if (!fs::is_directory(path)) throw UserError(path.string(), key, "is a file; a folder is wanted");
  if (::access(path.c_str(), W_OK) != 0) throw UserError(path.string(), key, "cannot be written: {}", system_message());
}

void write_file(const fs::path& path, std::string_view bytes) {
  PendingPath pending(path);
  {
    std::ofstream out(pending.temporary(), std::ios::binary);
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    out.flush();
    if (!out) throw UserError(path.string(), "", "cannot be written: {}", system_message());
  }
  pending.commit();
}

}  // namespace freeatm
