// SPDX-License-Identifier: Apache-2.0
#include "freeatm/weights/load.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/isfinite.h>
#include <torch/library.h>

#include "freeatm/core/error.h"
#include "freeatm/core/mapped_file.h"

namespace freeatm::weights {
namespace {

// A dispatch key that is asked before all others and does nothing, but for the draws of LibTorch's constructors.
constexpr auto kFirst = c10::DispatchKey::TESTING_ONLY_GenericMode;

at::Tensor& draw_nothing(at::Tensor& self, double, double, std::optional<at::Generator>) { return self; }

TORCH_LIBRARY_IMPL(_, TESTING_ONLY_GenericMode, library) { library.fallback(torch::CppFunction::makeFallthrough()); }
TORCH_LIBRARY_IMPL(aten, TESTING_ONLY_GenericMode, library) {
  library.impl("uniform_", draw_nothing);
  library.impl("normal_", draw_nothing);
}

}  // namespace

WithoutFirstWeights::WithoutFirstWeights() : was_(c10::impl::tls_is_dispatch_key_included(kFirst)) {
  c10::impl::tls_set_dispatch_key_included(kFirst, true);
}

WithoutFirstWeights::~WithoutFirstWeights() { c10::impl::tls_set_dispatch_key_included(kFirst, was_); }

TensorMap module_state(const torch::nn::Module& module) {
  TensorMap state;
  for (const auto& item : module.named_parameters()) state[item.key()] = item.value().detach();
  for (const auto& item : module.named_buffers()) state[item.key()] = item.value();
  return state;
}

namespace {

/// What would be loaded, and what would not.
LoadReport compare(const TensorMap& destination, const TensorMap& source) {
  LoadReport report;
  for (const auto& [name, target] : destination) {
    const auto found = source.find(name);
    if (found == source.end()) {
      report.missing.push_back(name);
    } else if (found->second.sizes() != target.sizes()) {
      report.misshaped.push_back(
          format("{}: {} in the file, {} in the model", name, found->second.sizes(), target.sizes()));
    } else {
      report.loaded.push_back(name);
    }
  }
  for (const auto& [name, tensor] : source) {
    if (!destination.contains(name)) report.unexpected.push_back(name);
  }
  return report;
}

}  // namespace

LoadReport load_into(const TensorMap& destination, const TensorMap& source) {
  const at::NoGradGuard no_grad;
  LoadReport report = compare(destination, source);
  for (const std::string& name : report.loaded) destination.at(name).copy_(source.at(name));
  return report;
}

void adopt(torch::nn::Module& module, const TensorMap& source, const std::string& where) {
  const at::NoGradGuard no_grad;
  require_complete(compare(module_state(module), source), where);
  for (auto& item : module.named_parameters()) item.value().set_data(source.at(item.key()));
  for (auto& item : module.named_buffers()) item.value().set_data(source.at(item.key()));
}

void release_mapped_weights(const torch::nn::Module& module) {
  for (const auto& weight : module.parameters()) {
    if (weight.device().is_cpu()) release_mapped(weight.const_data_ptr(), weight.nbytes());
  }
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
