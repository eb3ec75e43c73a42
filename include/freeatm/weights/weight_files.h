// SPDX-License-Identifier: Apache-2.0
// A model's weights in a folder: one file or several, safetensors or of torch.save, in full or half precision.
#pragma once
#include <string>
#include <vector>

#include "freeatm/core/files.h"
#include "freeatm/weights/safetensors.h"

namespace freeatm::weights {

/// How a library calls its files.
struct WeightNames {
  const char* safetensors;
  const char* torch;
  bool index_first;  // where an index of shards and a whole file both lie there
};

inline constexpr WeightNames kDiffusersWeights{"diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.bin",
                                               true};
inline constexpr WeightNames kTransformersWeights{"model.safetensors", "pytorch_model.bin", false};

struct WeightFiles {
  std::string path;                // the whole file, or the index of its shards: what messages name
  std::vector<std::string> files;  // the whole file, or the shards
};

/// Looks in the libraries' order: safetensors before torch.save's files; the plain names, then those of the variant
/// "fp16" (NAME.fp16.safetensors, NAME.safetensors.index.fp16.json), since half-precision weights alone are weights
/// too; then the only other variant that lies there (bf16, non_ema), which is said. With a `variant` only that one's
/// names. Throws UserError(folder, "", ...) where there are none, or where an index is wrong.
WeightFiles find_weights(const fs::path& folder, const WeightNames& names, const std::string& variant = "");

/// All tensors of the files together. Throws UserError where two of them hold the same name, or where the index names a
/// tensor that its file does not hold.
TensorMap load_weights(const WeightFiles& weights);

/// One file: safetensors, or of torch.save (see load_torch_file) where it looks like one or is not called .safetensors.
///   entry: as load_torch_file's key; of a safetensors file what the names begin with; "": all
TensorMap load_weight_file(const std::string& path, const std::string& entry = "");

}  // namespace freeatm::weights
