// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include <nlohmann/json.hpp>

#include "freeatm/core/error.h"
#include "freeatm/core/json.h"

namespace freeatm::data {

/// Throws UserError(name, key, ...) unless run lengths, {"size": [height, width], ...}, have this size.
template <class Json>
void require_size(const Json& segmentation, int height, int width, const std::string& name, const std::string& key) {
  const int64_t own_height = whole_number(segmentation.at("size").at(0)),
                own_width = whole_number(segmentation.at("size").at(1));
  if (own_height == height && own_width == width) return;
  throw UserError(name, key, "a mask of {}x{} for a picture of {}x{}", own_width, own_height, width, height);
}

}  // namespace freeatm::data
