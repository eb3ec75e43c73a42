// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "freeatm/core/error.h"
#include "freeatm/exports/exports.h"

#include "python_text.h"

namespace freeatm::exports {

/// "fc.weight" and "fc.bias", where there is a head.
void add_head(const Source& source, const std::string& name, weights::TensorMap& tensors);

/// A file of safetensors that says itself what it is of: who finds it can open it.
///   architecture, arguments: what makes the model; where one call does not, `build` says the rest
void describe(Exported& exported, const Source& source, const std::string& tool, const std::string& architecture,
              const Arguments& arguments);

template <class... Args>
[[noreturn]] void refuse(const Source& source, std::string_view pattern, const Args&... args) {
  throw UserError(source.where, "to", pattern, args...);
}

}  // namespace freeatm::exports
