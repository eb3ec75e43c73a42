// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "freeatm/models/vit.h"

#include "python_text.h"

namespace freeatm::exports {

/// What `timm.create_model` wants beside num_classes: a name, and the arguments in which the model differs from it.
struct TimmModel {
  std::string name;
  Arguments arguments;
};

TimmModel timm_vit_model(const models::ViTOptions& options);

/// timm.create_model("name", ...)
std::string timm_call(const std::string& name, const Arguments& arguments);

}  // namespace freeatm::exports
