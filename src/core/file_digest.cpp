// SPDX-License-Identifier: Apache-2.0
#include "freeatm/core/file_digest.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <exception>
#include <fcntl.h>
#include <future>
#include <memory>
#include <thread>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "freeatm/core/error.h"
#include "freeatm/core/files.h"

namespace freeatm {

struct ByteDigest::State {
  XXH3_state_t xxh3;
};

ByteDigest::ByteDigest() : state_(std::make_unique<State>()) { XXH3_64bits_reset(&state_->xxh3); }
ByteDigest::~ByteDigest() = default;

void ByteDigest::add(std::string_view bytes) { XXH3_64bits_update(&state_->xxh3, bytes.data(), bytes.size()); }

uint64_t ByteDigest::value() const { return XXH3_64bits_digest(&state_->xxh3); }

namespace {

constexpr uint64_t kPieceBytes = 64 << 20;  // a part of the digest: another size is another digest

struct Piece {
  const std::string* path;
  uint64_t begin, end;
};

std::vector<Piece> pieces_of(const std::vector<std::string>& paths) {
  std::vector<Piece> pieces;
  for (const std::string& path : paths) {
    require_file(path, "");
    const uint64_t size = fs::file_size(path);
    for (uint64_t begin = 0; begin < size; begin += kPieceBytes)
      pieces.push_back({&path, begin, std::min(begin + kPieceBytes, size)});
  }
  return pieces;
}

/// Read, not mapped: what is mapped would count as this process's memory.
uint64_t hash_of(const Piece& piece, std::vector<char>& buffer) {
  const int descriptor = ::open(piece.path->c_str(), O_RDONLY | O_CLOEXEC);
  const auto refuse = [&](const char* why) { throw UserError(*piece.path, "", "cannot be read: {}", why); };
  if (descriptor < 0) refuse(std::strerror(errno));
  const std::unique_ptr<const int, void (*)(const int*)> closing(&descriptor, [](const int* d) { ::close(*d); });
  ByteDigest digest;
  for (uint64_t at = piece.begin; at < piece.end;) {
    const size_t wanted = std::min<uint64_t>(buffer.size(), piece.end - at);
    const ssize_t count = ::pread(descriptor, buffer.data(), wanted, static_cast<off_t>(at));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) refuse(std::strerror(errno));
    if (count == 0) refuse("it became shorter meanwhile");
    digest.add({buffer.data(), static_cast<size_t>(count)});
    at += static_cast<uint64_t>(count);
  }
  return digest.value();
}

}  // namespace

uint64_t file_digest(const std::vector<std::string>& paths) {
  const std::vector<Piece> pieces = pieces_of(paths);
  std::vector<uint64_t> hashes(pieces.size());
  std::atomic<size_t> next{0};
  const auto work = [&] {
    std::vector<char> buffer(1 << 20);
    for (size_t i = next++; i < pieces.size(); i = next++) hashes[i] = hash_of(pieces[i], buffer);
  };
  std::vector<std::future<void>> others;
  const size_t threads = std::min<size_t>(std::max(1u, std::thread::hardware_concurrency()), pieces.size());
  for (size_t i = 1; i < threads; ++i) others.push_back(std::async(std::launch::async, work));
  work();
  for (auto& other : others) other.get();
  return XXH3_64bits(hashes.data(), hashes.size() * sizeof(uint64_t));
}

}  // namespace freeatm
