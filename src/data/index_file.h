// SPDX-License-Identifier: Apache-2.0
// NAME.index: what is known of a large file, kept beside it. A magic number, which says also its version and the order
// of bytes, a hash of all that follows, and the content. Numbers have 64 bits; texts are their length and their bytes.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "freeatm/core/files.h"

namespace freeatm::data {

class IndexWriter {
 public:
  void number(int64_t value) { bytes_.append(reinterpret_cast<const char*>(&value), sizeof value); }
  void text(std::string_view value);
  /// Values without gaps between their parts.
  template <class Value>
  void values(const std::vector<Value>& all) {
    text({reinterpret_cast<const char*>(all.data()), all.size() * sizeof(Value)});
  }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

/// Throws UserError where the bytes end too early.
class IndexReader {
 public:
  explicit IndexReader(std::string bytes) : bytes_(std::move(bytes)) {}
  int64_t number();
  std::string text() { return std::string(view()); }
  template <class Value>
  std::vector<Value> values() {
    const std::string_view all = view();
    std::vector<Value> values(all.size() / sizeof(Value));
    all.copy(reinterpret_cast<char*>(values.data()), values.size() * sizeof(Value));
    return values;
  }

 private:
  std::string_view view() { return take(static_cast<uint64_t>(number())); }
  std::string_view take(uint64_t size);
  std::string bytes_;
  size_t at_ = 0;
};

/// Whether a file's time of change tells it from a later version. One that was written a moment ago may be written
/// again with the same time: clocks of file systems go by steps of up to two seconds.
bool is_settled(int64_t modified_nanoseconds);

/// The content of `path`.index; nothing where there is none, or it is another's or damaged.
std::optional<IndexReader> read_index_file(const fs::path& path, int64_t magic);
/// Where it cannot be written (a folder that is read only, a full disk) the next reader does without.
void write_index_file(const fs::path& path, int64_t magic, const std::string& content);

}  // namespace freeatm::data
