// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <memory>

#include "freeatm/data/dataset.h"

namespace freeatm::data {

/// Keeps decoded samples, the first that are read, until they take so many bytes (pictures and masks); for datasets
/// that do not draw.
std::unique_ptr<Dataset> with_cache(std::unique_ptr<Dataset> dataset, int64_t bytes);

}  // namespace freeatm::data
