// SPDX-License-Identifier: Apache-2.0
// The small models that the reference values in data/ were made with.
#pragma once
#include <memory>

#include "freeatm/models/resnet.h"
#include "freeatm/objectives/classification/classification.h"

namespace freeatm::testing {

inline std::shared_ptr<models::ResNet> nano_backbone(uint64_t seed) {
  const models::ResNetOptions options{.depths = {1, 1, 1, 1}, .width = 16, .stem = "3x3", .output_stride = 8};
  auto model = std::make_shared<models::ResNet>(options);
  model->initialize(seed);
  return model;
}

/// Of seven classes.
inline std::shared_ptr<objectives::Classification> nano_classifier(const objectives::ClassificationOptions& options) {
  return std::make_shared<objectives::Classification>(nano_backbone(1), 7, options, 2);
}

}  // namespace freeatm::testing
