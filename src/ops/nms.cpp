// SPDX-License-Identifier: Apache-2.0
#include "freeatm/ops/nms.h"

#include <vector>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "freeatm/core/error.h"
#include "freeatm/ops/boxes.h"

#include "nms_cpu.h"

#ifdef FREEATM_CUDA
#include <c10/core/impl/VirtualGuardImpl.h>

#include "nms_cuda.h"
#endif

namespace freeatm::ops {
namespace {

using at::Tensor;

void check_boxes(const Tensor& boxes, const Tensor& scores, const Tensor& classes) {
  const int64_t count = boxes.size(0);
  FREEATM_CHECK(boxes.dim() == 2 && boxes.size(1) == 4 && scores.sizes() == at::IntArrayRef({count}) &&
                    (!classes.defined() || classes.sizes() == scores.sizes()),
                "boxes are {}, scores {}, want [N, 4] and [N]", boxes.sizes(), scores.sizes());
}

// [N], best first
Tensor order_of(const Tensor& scores) {
  return std::get<1>(scores.sort(/*stable=*/true, /*dim=*/0, /*descending=*/true));
}

#ifdef FREEATM_CUDA
// Undefined where the kernel does not fit: fp64, too many boxes.
Tensor suppressed_on_gpu(const Tensor& boxes, const Tensor& scores, const Tensor& classes, double iou_threshold) {
  const int64_t size = boxes.size(0);
  if (boxes.scalar_type() == at::kDouble || size == 0 || size > cuda::kMostBoxes) return {};
  const Tensor order = order_of(scores), sorted = boxes.to(at::kFloat).index_select(0, order).contiguous();
  const Tensor kinds = classes.defined() ? classes.to(at::kLong).index_select(0, order).contiguous()
                                         : at::zeros({size}, order.options());
  const Tensor overlaps = at::empty({size, (size + cuda::kNmsWord - 1) / cuda::kNmsWord}, order.options()),
               stays = at::empty({size}, order.options().dtype(at::kBool));
  const cuda::Nms a{.boxes = sorted.const_data_ptr<float>(),
                    .classes = kinds.const_data_ptr<int64_t>(),
                    .overlaps = overlaps.mutable_data_ptr<int64_t>(),
                    .stays = stays.mutable_data_ptr<bool>(),
                    .size = size,
                    .threshold = cpu::rounded_down<float>(iou_threshold)};
  const c10::impl::VirtualGuardImpl device(c10::DeviceType::CUDA);
  if (!cuda::nms(a, boxes.get_device(), device.getStreamNativeHandle(device.getStream(boxes.device())))) return {};
  return order.masked_select(stays);
}
#endif

// classes may be undefined: all are of one.
Tensor suppressed(const Tensor& boxes, const Tensor& scores, const Tensor& classes, double iou_threshold) {
  check_boxes(boxes, scores, classes);
  const at::NoGradGuard no_grad;
#ifdef FREEATM_CUDA
  if (boxes.is_cuda()) {
    const Tensor kept = suppressed_on_gpu(boxes, scores, classes, iou_threshold);
    if (kept.defined()) return kept;
  }
#endif
  const auto type = boxes.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  const Tensor places = boxes.to(at::kCPU, type).contiguous(), order = order_of(scores.to(at::kCPU));
  const Tensor kinds = classes.defined() ? classes.to(at::kCPU, at::kLong).contiguous() : Tensor();
  const auto kept = cpu::nms(places, order, kinds.defined() ? kinds.const_data_ptr<int64_t>() : nullptr, iou_threshold);
  return at::tensor(kept, at::kLong).to(boxes.device());
}

}  // namespace

Tensor nms(const Tensor& boxes, const Tensor& scores, double iou_threshold) {
  return suppressed(boxes, scores, {}, iou_threshold);
}

Tensor batched_nms(const Tensor& boxes, const Tensor& scores, const Tensor& classes, double iou_threshold) {
  FREEATM_CHECK(classes.defined(), "no classes");
  return suppressed(boxes, scores, classes, iou_threshold);
}

Tensor batched_nms_reference(const Tensor& boxes, const Tensor& scores, const Tensor& classes, double iou_threshold) {
  check_boxes(boxes, scores, classes);
  const at::NoGradGuard no_grad;
  const Tensor order = order_of(scores), sorted = boxes.index_select(0, order), kind = classes.index_select(0, order);
  const Tensor overlaps =  // [N, N]
      (box_iou(sorted, sorted).to(at::kDouble) > iou_threshold).logical_and_(kind.unsqueeze(0) == kind.unsqueeze(1));
  const Tensor stays = at::ones({order.size(0)}, overlaps.options());
  for (int64_t i = 0; i < order.size(0); ++i) {
    if (!stays[i].item<bool>()) continue;
    stays.slice(0, i + 1).logical_and_(overlaps[i].slice(0, i + 1).logical_not());
  }
  return order.masked_select(stays);
}

}  // namespace freeatm::ops
