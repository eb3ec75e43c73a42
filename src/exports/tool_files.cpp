// SPDX-License-Identifier: Apache-2.0
#include "tool_files.h"

namespace freeatm::exports {

void add_head(const Source& source, const std::string& name, weights::TensorMap& tensors) {
  for (const auto& [part, tensor] : source.head) tensors[format("{}.{}", name, part)] = tensor;
}

void describe(Exported& exported, const Source& source, const std::string& tool, const std::string& architecture,
              const Arguments& arguments) {
  std::string python;
  for (const std::string& line : exported.build) python += (python.empty() ? "" : "\n") + line;
  const PictureFacts& pictures = source.pictures;
  exported.metadata = {{"format", "pt"},
                       {"tool", tool},
                       {"architecture", architecture},
                       {"model_args", arguments.dump()},
                       {"python", python},
                       {"image_mean", Arguments(pictures.mean).dump()},
                       {"image_std", Arguments(pictures.deviation).dump()},
                       {"image_size", std::to_string(pictures.size)}};
  if (!source.class_names.empty()) exported.metadata["class_names"] = Arguments(source.class_names).dump();
  exported.build.insert(exported.build.begin() + 1, "from safetensors.torch import load_file");
  exported.open = {format("model.load_state_dict(load_file({}))", python_text(source.out)), "model.eval()"};
}

}  // namespace freeatm::exports
