// SPDX-License-Identifier: Apache-2.0
#include "freeatm/ops/token_sums.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/softmax.h>

#include "freeatm/core/error.h"

#ifdef FREEATM_CUDA
#include <c10/core/impl/VirtualGuardImpl.h>

#include "token_sums_cuda.h"
#endif

namespace freeatm::ops {
namespace {

#ifdef FREEATM_CUDA
// False where the kernel does not fit: another type, too many keys, too wide heads.
bool add_on_gpu(const TokenSums& options, const at::Tensor& query, const at::Tensor& key, const at::Tensor& sums) {
  cuda::TokenSums a{.query = query.data_ptr(), .key = key.data_ptr(), .sums = sums.data_ptr<float>()};
  switch (query.scalar_type()) {
    case at::kFloat:
      a.type = cuda::Type::kFloat;
      break;
    case at::kHalf:
      a.type = cuda::Type::kHalf;
      break;
    case at::kBFloat16:
      a.type = cuda::Type::kBFloat16;
      break;
    default:
      return false;
  }
  if (key.scalar_type() != query.scalar_type() || query.stride(3) != 1 || key.stride(3) != 1) return false;
  a.rows = query.size(0), a.heads = query.size(1), a.queries = query.size(2), a.keys = key.size(2);
  a.head_dim = query.size(3);
  for (int i = 0; i < 3; ++i) a.query_strides[i] = query.stride(i), a.key_strides[i] = key.stride(i);
  a.first_token = options.first_token, a.tokens = sums.size(2);
  a.scale = static_cast<float>(options.scale), a.weight = static_cast<float>(options.weight);
  const c10::impl::VirtualGuardImpl device(c10::DeviceType::CUDA);
  return cuda::add_token_sums(a, query.get_device(), device.getStreamNativeHandle(device.getStream(query.device())));
}
#endif

// [..., N, keys]: softmax(scale * QK^T) in fp32
at::Tensor probabilities_of(const at::Tensor& query, const at::Tensor& key, double scale) {
  return at::softmax(at::matmul(query.to(at::kFloat) * scale, key.to(at::kFloat).transpose(-2, -1)), -1);
}

void check_sums(const TokenSums& options, const at::Tensor& query, const at::Tensor& key, const at::Tensor& sums) {
  const bool fits = query.dim() == 4 && key.dim() == 4 && sums.dim() == 3 && sums.size(0) == query.size(0) &&
                    sums.size(1) == query.size(2) && sums.is_contiguous() && sums.scalar_type() == at::kFloat &&
                    options.first_token + sums.size(2) <= key.size(2);
  FREEATM_CHECK(fits, "sums are {} for queries {} and keys {}", sums.sizes(), query.sizes(), key.sizes());
}

}  // namespace

void add_token_sums(const TokenSums& options, const at::Tensor& query, const at::Tensor& key, const at::Tensor& sums) {
  check_sums(options, query, key, sums);
#ifdef FREEATM_CUDA
  if (query.is_cuda() && add_on_gpu(options, query, key, sums)) return;
#endif
  const int64_t heads = query.size(1);
  for (int64_t head = 0; head < heads; ++head) {
    const at::Tensor all = probabilities_of(query.select(1, head), key.select(1, head), options.scale);
    sums.add_(all.narrow(-1, options.first_token, sums.size(2)), options.weight / static_cast<double>(heads));
  }
}

void add_token_sums_reference(const TokenSums& options, const at::Tensor& query, const at::Tensor& key,
                              const at::Tensor& sums) {
  check_sums(options, query, key, sums);
  const at::Tensor mean = probabilities_of(query, key, options.scale).mean(1);
  sums.add_(mean.narrow(-1, options.first_token, sums.size(2)), options.weight);
}

}  // namespace freeatm::ops
