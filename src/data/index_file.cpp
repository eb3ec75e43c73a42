// SPDX-License-Identifier: Apache-2.0
#include "index_file.h"

#include <chrono>
#include <cstring>
#include <fstream>
#include <utility>

#include "freeatm/core/error.h"
#include "freeatm/core/random.h"

namespace freeatm::data {
namespace {

fs::path index_of(const fs::path& path) { return path.string() + ".index"; }

}  // namespace

void IndexWriter::text(std::string_view value) {
  number(std::ssize(value));
  bytes_ += value;
}

int64_t IndexReader::number() {
  int64_t value = 0;
  std::memcpy(&value, take(sizeof value).data(), sizeof value);
  return value;
}

std::string_view IndexReader::take(uint64_t size) {
  if (size > bytes_.size() - at_) throw UserError("", "", "is damaged");
  return std::string_view(bytes_).substr(std::exchange(at_, at_ + size), size);
}

bool is_settled(int64_t modified_nanoseconds) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::nanoseconds(now).count() - modified_nanoseconds > 2'000'000'000;
}

std::optional<IndexReader> read_index_file(const fs::path& path, int64_t magic) {
  try {
    std::string bytes = read_file(index_of(path));
    constexpr size_t kHead = 2 * sizeof(int64_t);
    IndexReader head(bytes.substr(0, kHead));
    if (head.number() != magic) return std::nullopt;
    const auto hash = static_cast<uint64_t>(head.number());
    bytes.erase(0, kHead);
    if (hash != stable_hash(bytes)) return std::nullopt;
    return IndexReader(std::move(bytes));
  } catch (const UserError&) {  // also where there is none
    return std::nullopt;
  }
}

void write_index_file(const fs::path& path, int64_t magic, const std::string& content) try {
  if (fs::is_directory(index_of(path))) return;  // somebody's: it would be replaced
  IndexWriter head;
  head.number(magic);
  head.number(static_cast<int64_t>(stable_hash(content)));
  PendingPath pending(index_of(path));
  std::ofstream out(pending.temporary(), std::ios::binary);
  out << head.bytes() << content;
  out.close();
  if (out) pending.commit_unsynced();
} catch (const UserError&) {
} catch (const fs::filesystem_error&) {
}

}  // namespace freeatm::data
