// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

#include <torch/nn/module.h>

#include "freeatm/weights/safetensors.h"

namespace freeatm::weights {

/// What became of each name when a module's state met a file's.
struct LoadReport {
  std::vector<std::string> loaded, missing, unexpected;
  std::vector<std::string> misshaped;  // "name: [3, 4] in the file, [3, 5] in the model"
  bool complete() const { return missing.empty() && misshaped.empty() && unexpected.empty(); }
};

/// A module's parameters and buffers by name: the tensors themselves, to save or to load into.
TensorMap module_state(const torch::nn::Module& module);

/// Copies each of the source's tensors into the destination's of the same name (converted to its dtype and device).
LoadReport load_into(const TensorMap& destination, const TensorMap& source);

/// While it lives, this thread's new modules hold whatever their memory held: what LibTorch's constructors draw is left
/// out. For models of which a file has every number, as `adopt` then proves.
class WithoutFirstWeights {
 public:
  WithoutFirstWeights();
  ~WithoutFirstWeights();
  WithoutFirstWeights(const WithoutFirstWeights&) = delete;
  WithoutFirstWeights& operator=(const WithoutFirstWeights&) = delete;

 private:
  bool was_;
};

/// The source's tensors become the module's own, as they are and where they lie: nothing is copied. Throws
/// UserError(where, name, ...) unless names and shapes are the same.
void adopt(torch::nn::Module& module, const TensorMap& source, const std::string& where);

/// make()'s model (a pointer or holder) of which a file has every number: nothing is drawn, the tensors are adopted,
/// and it is in evaluation mode.
template <class Make>
auto adopted(const TensorMap& source, const std::string& where, Make make) {
  auto model = [&] {
    const WithoutFirstWeights all_in_the_file;
    return make();
  }();
  adopt(*model, source, where);
  model->eval();
  return model;
}

/// Weights that lie in a mapped file need not stay in memory: they are read again when they are used again.
void release_mapped_weights(const torch::nn::Module& module);

/// The first tensor that holds NaN or Inf, and how many: "norm.weight (1 of 48 values)"; "" where all are finite.
std::string not_finite_in(const TensorMap& tensors);

/// Throws UserError(where, key, ...) with the tensor where one holds NaN or Inf. To be asked of a model's tensors after
/// loading: what was finite in the file may not be in the model's type.
void require_finite(const TensorMap& tensors, const std::string& where, const std::string& key);

/// Throws UserError(where, "", ...) where a model of at least `least` numbers cannot be in these tensors. To be asked
/// before it is made: sizes of a broken config may need any amount of memory.
void require_numbers(const TensorMap& tensors, double least, const std::string& where);

/// Throws UserError(where, first name, ...) unless the report is complete.
void require_complete(const LoadReport& report, const std::string& where);

}  // namespace freeatm::weights
