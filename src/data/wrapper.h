// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "freeatm/data/dataset.h"

namespace freeatm::data {

/// A dataset that changes, or keeps, another's samples.
class Wrapper : public Dataset {
 public:
  explicit Wrapper(std::unique_ptr<Dataset> inner) : inner_(std::move(inner)) {}
  int64_t size() const override { return inner_->size(); }
  std::string key(int64_t index) const override { return inner_->key(index); }
  std::vector<std::string> class_names() const override { return inner_->class_names(); }
  std::vector<int64_t> class_ids() const override { return inner_->class_ids(); }
  std::optional<PictureSize> picture_size(int64_t index) const override { return inner_->picture_size(index); }
  bool has_caption(int64_t index) const override { return inner_->has_caption(index); }
  bool is_multi_label() const override { return inner_->is_multi_label(); }
  std::vector<int64_t> shard_sizes() const override { return inner_->shard_sizes(); }

 protected:
  const Dataset& inner() const { return *inner_; }

 private:
  std::unique_ptr<Dataset> inner_;
};

}  // namespace freeatm::data
