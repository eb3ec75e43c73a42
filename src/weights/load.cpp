// SPDX-License-Identifier: Apache-2.0
#include "freeatm/weights/load.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/isfinite.h>

#include "freeatm/core/error.h"

namespace freeatm::weights {

TensorMap module_state(const torch::nn::Module& module) {
  TensorMap state;
  for (const auto& item : module.named_parameters()) state[item.key()] = item.value().detach();
  for (const auto& item : module.named_buffers()) state[item.key()] = item.value();
  return state;
}

LoadReport load_into(const TensorMap& destination, const TensorMap& source) {
  const at::NoGradGuard no_grad;
  LoadReport report;
  for (const auto& [name, target] : destination) {
    const auto found = source.find(name);
    if (found == source.end()) {
      report.missing.push_back(name);
    } else if (found->second.sizes() != target.sizes()) {
      report.misshaped.push_back(
          format("{}: {} in the file, {} in the model", name, found->second.sizes(), target.sizes()));
    } else {
      target.copy_(found->second);
      report.loaded.push_back(name);
    }
  }
  for (const auto& [name, tensor] : source) {
    if (!destination.contains(name)) report.unexpected.push_back(name);
  }
  return report;
}

std::string not_finite_in(const TensorMap& tensors) {
  for (const auto& [name, tensor] : tensors) {
    if (!tensor.is_floating_point()) continue;
    const int64_t finite = tensor.isfinite().sum().item<int64_t>();
    if (finite < tensor.numel()) return format("{} ({} of {} values)", name, tensor.numel() - finite, tensor.numel());
  }
  return "";
}

void require_finite(const TensorMap& tensors, const std::string& where, const std::string& key) {
  const std::string name = not_finite_in(tensors);
  if (name.empty()) return;
  throw UserError(where, key,
                  "{} is not finite: saved by a run that diverged, or in a half precision that it overflows; take "
                  "an earlier checkpoint, or weights in fp32",
                  name);
}

void require_numbers(const TensorMap& tensors, double least, const std::string& where) {
  constexpr double kSmall = 1 << 22;  // of what is small the missing names say more
  double there = 0;
  for (const auto& [name, tensor] : tensors) there += static_cast<double>(tensor.numel());
  if (least > kSmall && least > 2 * there)
    throw UserError(where, "", "holds {} numbers; the sizes in config.json make more than {}", there, least);
}

void require_complete(const LoadReport& report, const std::string& where) {
  const auto others = [](const std::vector<std::string>& names) {
    return names.size() > 1 ? format(" (and {} more)", names.size() - 1) : std::string();
  };
  const auto& [loaded, missing, unexpected, misshaped] = report;
  if (!missing.empty()) {
    const std::string instead =
        unexpected.empty() ? "" : format("; it has '{}'{}, which this model lacks", unexpected[0], others(unexpected));
    throw UserError(where, missing[0], "is missing in the file{}{}", others(missing), instead);
  }
  if (!misshaped.empty()) throw UserError(where, misshaped[0], "the shapes differ{}", others(misshaped));
  if (!unexpected.empty()) throw UserError(where, unexpected[0], "is not a tensor of this model{}", others(unexpected));
}

}  // namespace freeatm::weights
