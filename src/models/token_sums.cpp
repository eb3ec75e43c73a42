// SPDX-License-Identifier: Apache-2.0
#include "freeatm/models/token_sums.h"

#include <ATen/ops/matmul.h>
#include <ATen/ops/softmax.h>

#include "freeatm/core/error.h"

#ifdef FREEATM_CUDA
#include <c10/core/impl/VirtualGuardImpl.h>

#include "cuda/token_sums.h"
#endif

namespace freeatm::models {
namespace {

#ifdef FREEATM_CUDA
// False where the kernel does not fit: another type, too many keys, too wide heads.
bool add_on_gpu(const at::Tensor& query, const at::Tensor& key, double scale, int64_t first_token, double weight,
                const at::Tensor& sums) {
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
  a.first_token = first_token, a.tokens = sums.size(2);
  a.scale = static_cast<float>(scale), a.weight = static_cast<float>(weight);
  const c10::impl::VirtualGuardImpl device(c10::DeviceType::CUDA);
  return cuda::add_token_sums(a, query.get_device(), device.getStreamNativeHandle(device.getStream(query.device())));
}
#endif

}  // namespace

void add_token_probabilities(const AttentionCall& call, int64_t first_token, double weight, const at::Tensor& sums) {
  const at::Tensor query = call.query.narrow(0, call.first_row, call.rows);  // [rows, heads, N, d]
  const at::Tensor key = call.key.narrow(0, call.first_row, call.rows);
  const int64_t heads = query.size(1), tokens = sums.size(2);
  FREEATM_CHECK(sums.size(0) == call.rows && sums.size(1) == query.size(2) && sums.is_contiguous() &&
                    first_token + tokens <= key.size(2),
                "sums are {} for queries {} and keys {}", sums.sizes(), query.sizes(), key.sizes());
#ifdef FREEATM_CUDA
  if (query.is_cuda() && add_on_gpu(query, key, call.scale, first_token, weight, sums)) return;
#endif
  for (int64_t head = 0; head < heads; ++head) {
    const at::Tensor scaled = query.select(1, head).to(at::kFloat) * call.scale;
    const at::Tensor scores = at::matmul(scaled, key.select(1, head).to(at::kFloat).transpose(1, 2));
    sums.add_(at::softmax(scores, -1).narrow(-1, first_token, tokens), weight / static_cast<double>(heads));
  }
}

}  // namespace freeatm::models
