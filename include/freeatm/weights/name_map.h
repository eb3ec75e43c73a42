// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

#include "freeatm/weights/safetensors.h"

namespace freeatm::weights {

/// How a file's names become a model's.
struct NameMap {
  struct Rule {
    std::string pattern, replacement;  // as std::regex_replace takes them: "^text_model\\." -> ""
  };
  std::vector<Rule> rules;           // each is applied to what those before it made
  std::vector<std::string> ignored;  // patterns of the file's names that the model does not have and does not need

  /// The tensors under their new names. Throws UserError(where, name, ...) where two tensors get the same one.
  ///   where: the file
  TensorMap apply(const TensorMap& tensors, const std::string& where) const;
};

/// The tensors whose names begin with the prefix ("encoder_k", or with its dot), without it; names may begin with
/// "module." or "model." before it.
TensorMap names_behind(const std::string& prefix, const TensorMap& tensors);

}  // namespace freeatm::weights
