// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "freeatm/core/files.h"
#include "freeatm/data/shards.h"

namespace freeatm::data {

/// A shard held open; reads are positioned, so threads share it.
class ShardFile {
 public:
  explicit ShardFile(const fs::path& path);
  ~ShardFile();
  ShardFile(const ShardFile&) = delete;
  ShardFile& operator=(const ShardFile&) = delete;

  /// Throws UserError where the file ends before.
  std::string read(int64_t offset, int64_t size) const;
  const fs::path& path() const { return path_; }
  // as it was opened
  int64_t size() const { return size_; }
  int64_t modified() const { return modified_; }  // nanoseconds since 1970

 private:
  fs::path path_;
  int descriptor_ = -1;
  int64_t size_ = 0, modified_ = 0;
};

/// The samples of a tar from its headers alone. Throws as index_shard does.
std::vector<IndexedSample> scan_tar(const ShardFile& file);

}  // namespace freeatm::data
