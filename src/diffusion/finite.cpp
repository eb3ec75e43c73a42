// SPDX-License-Identifier: Apache-2.0
#include "finite.h"

#include <ATen/ops/isfinite.h>

#include "freeatm/core/error.h"

namespace freeatm::diffusion {

at::Tensor rows_not_finite(const at::Tensor& values) {
  return values.isfinite().flatten(1).all(1).logical_not().nonzero().flatten();
}

void require_finite(const at::Tensor& values, const char* what, const std::vector<std::string>& names,
                    const Pipeline& pipeline, const std::string& component) {
  const at::Tensor bad = rows_not_finite(values);
  if (bad.numel() == 0) return;
  const std::string& name = names.at(static_cast<size_t>(bad[0].item<int64_t>()));
  const std::string tensor = pipeline.not_finite_in(component);
  const char* help = "another scheduler, a smaller guidance_scale or other weights";
  if (!tensor.empty()) help = "other weights";
  if (pipeline.dtype != at::kFloat) help = "dtype=fp32";
  throw UserError(pipeline.folder + "/" + component, "", "the {} of {} are not finite{}; try {}", what, name,
                  tensor.empty() ? "" : ", and so is " + tensor, help);
}

}  // namespace freeatm::diffusion
