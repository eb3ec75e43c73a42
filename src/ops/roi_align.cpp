// SPDX-License-Identifier: Apache-2.0
#include "freeatm/ops/roi_align.h"

#include <algorithm>
#include <limits>

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include "freeatm/core/error.h"

#include "roi_align_cpu.h"

#ifdef FREEATM_CUDA
#include <c10/core/impl/VirtualGuardImpl.h>

#include "roi_align_cuda.h"
#endif

namespace freeatm::ops {
namespace {

using at::Tensor;

void check_rois(const RoiAlign& options, const Tensor& features, const Tensor& rois) {
  FREEATM_CHECK(features.dim() == 4 && rois.dim() == 2 && rois.size(1) == 5 && rois.device() == features.device(),
                "features are {}, rois {}, want [B, C, H, W] and [K, 5]", features.sizes(), rois.sizes());
  FREEATM_CHECK(options.height > 0 && options.width > 0, "{} x {} bins", options.height, options.width);
  if (rois.size(0) == 0) return;
  const Tensor image = rois.detach().select(1, 0);
  const bool all_there = (image >= 0).logical_and(image < features.size(0)).all().item<bool>();
  FREEATM_CHECK(all_there && features.numel() > 0, "a region of a picture that is not there, features are {}",
                features.sizes());
}

#ifdef FREEATM_CUDA
/// `features` may be a gradient that is to be written, `result` likewise.
using RoiKernel = bool (*)(const cuda::RoiAlign&, int, void*);

void run_on_gpu(RoiKernel kernel, const RoiAlign& options, const Tensor& features, const Tensor& rois,
                const Tensor& result, const Tensor& from, const Tensor& to) {
  cuda::RoiAlign a{.from = from.const_data_ptr<float>(),
                   .rois = rois.const_data_ptr<float>(),
                   .to = to.mutable_data_ptr<float>(),
                   .images = features.size(0),
                   .channels = features.size(1),
                   .height = features.size(2),
                   .width = features.size(3),
                   .regions = rois.size(0),
                   .bins_high = options.height,
                   .bins_wide = options.width,
                   .spatial_scale = static_cast<float>(options.spatial_scale),
                   .sampling_ratio = options.sampling_ratio,
                   .aligned = options.aligned,
                   .channels_last = to.suggest_memory_format() == at::MemoryFormat::ChannelsLast};
  for (int i = 0; i < 4; ++i) a.feature_strides[i] = features.stride(i), a.result_strides[i] = result.stride(i);
  const c10::impl::VirtualGuardImpl device(c10::DeviceType::CUDA);
  const bool queued =
      kernel(a, features.get_device(), device.getStreamNativeHandle(device.getStream(features.device())));
  FREEATM_CHECK(queued, "the kernel of ROIAlign did not start");
}
#endif

// Both take what roi_align checked: fp32 or, on the CPU, fp64.
Tensor pooled_from(const RoiAlign& options, const Tensor& features, const Tensor& rois) {
#ifdef FREEATM_CUDA
  if (features.is_cuda()) {
    Tensor out = at::empty({rois.size(0), features.size(1), options.height, options.width}, features.options(),
                           features.suggest_memory_format());
    run_on_gpu(cuda::roi_align, options, features, rois, out, features, out);
    return out;
  }
#endif
  return cpu::roi_align(options, features, rois);
}

Tensor gradient_from(const RoiAlign& options, const Tensor& gradient, const Tensor& rois, at::IntArrayRef sizes,
                     at::MemoryFormat layout) {
#ifdef FREEATM_CUDA
  if (gradient.is_cuda()) {
    Tensor out = at::empty(sizes, gradient.options(), layout);
    run_on_gpu(cuda::roi_align_backward, options, out, rois, gradient, gradient, out);
    return out;
  }
#endif
  return cpu::roi_align_backward(options, gradient, rois, sizes).contiguous(layout);
}

class RoiAlignFunction : public torch::autograd::Function<RoiAlignFunction> {
 public:
  static Tensor forward(torch::autograd::AutogradContext* context, const Tensor& features, const Tensor& rois,
                        const RoiAlign& options) {
    context->save_for_backward({rois});
    context->saved_data["sizes"] = features.sizes();
    context->saved_data["layout"] = static_cast<int64_t>(features.suggest_memory_format());
    context->saved_data["height"] = options.height;
    context->saved_data["width"] = options.width;
    context->saved_data["spatial_scale"] = options.spatial_scale;
    context->saved_data["sampling_ratio"] = options.sampling_ratio;
    context->saved_data["aligned"] = options.aligned;
    return pooled_from(options, features, rois);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const auto saved = [&](const char* name) { return context->saved_data[name]; };
    const RoiAlign options{.height = saved("height").toInt(),
                           .width = saved("width").toInt(),
                           .spatial_scale = saved("spatial_scale").toDouble(),
                           .sampling_ratio = saved("sampling_ratio").toInt(),
                           .aligned = saved("aligned").toBool()};
    const auto layout = static_cast<at::MemoryFormat>(saved("layout").toInt());
    const Tensor rois = context->get_saved_variables()[0];
    return {gradient_from(options, gradients[0], rois, saved("sizes").toIntVector(), layout), Tensor(), Tensor()};
  }
};

struct Points {
  Tensor place;  // [K, bins, points], inside the features
  Tensor share;  // of a bin's mean; 0 for points that are not there or outside
};

/// The points along one side.
///   low, high: [K], the regions' ends in the features' pixels; size: the features'
Points points_of(const RoiAlign& options, const Tensor& low, const Tensor& high, int64_t bins, int64_t size) {
  constexpr double kMost = 1024;  // a bin: what lies in memory stays bounded
  const Tensor length = options.aligned ? high - low : (high - low).clamp_min(1);
  const Tensor bin = (length / bins).reshape({-1, 1, 1});
  const Tensor count =
      options.sampling_ratio > 0 ? at::full_like(bin, options.sampling_ratio) : bin.ceil().clamp(0, kMost);
  const Tensor index = at::arange(count.numel() > 0 ? count.max().item<double>() : 0, low.options()),
               number = at::arange(bins, low.options()).unsqueeze(1);
  const Tensor place = low.reshape({-1, 1, 1}) + number * bin + (index + 0.5) * bin / count;
  const Tensor counts = (index < count).logical_and(place >= -1).logical_and(place <= size);
  return {place.nan_to_num(0).clamp(0, size - 1), counts / count.clamp_min(1)};
}

}  // namespace

Tensor roi_align_reference(const RoiAlign& options, const Tensor& features, const Tensor& rois) {
  check_rois(options, features, rois);
  const Tensor scaled = rois.detach().slice(1, 1).to(features.scalar_type()) * options.spatial_scale;
  const Tensor is_finite = scaled.isfinite().all(1);
  const Tensor ends = (scaled - (options.aligned ? 0.5 : 0)).masked_fill(is_finite.logical_not().unsqueeze(1), 0);
  const Points y = points_of(options, ends.select(1, 1), ends.select(1, 3), options.height, features.size(2)),
               x = points_of(options, ends.select(1, 0), ends.select(1, 2), options.width, features.size(3));
  // From 0 ... size - 1 to grid_sampler's -1 ... 1.
  const auto normalised = [](const Tensor& place, int64_t size) {
    return (place.flatten(1) * 2 / static_cast<double>(std::max<int64_t>(size - 1, 1)) - 1);
  };
  const Tensor rows = normalised(y.place, features.size(2)).unsqueeze(2),
               columns = normalised(x.place, features.size(3)).unsqueeze(1);
  const Tensor grid = at::stack({columns.expand({-1, rows.size(1), -1}), rows.expand({-1, -1, columns.size(2)})}, 3);
  const Tensor share = y.share.reshape({-1, 1, options.height, y.share.size(2), 1, 1}) *
                       x.share.reshape({-1, 1, 1, 1, options.width, x.share.size(2)});
  Tensor out = at::zeros({rois.size(0), features.size(1), options.height, options.width}, features.options());
  for (int64_t image = 0; image < features.size(0); ++image) {
    const Tensor mine = (rois.detach().select(1, 0).to(at::kLong) == image).nonzero().squeeze(1);
    if (mine.numel() == 0 || grid.numel() == 0) continue;
    const Tensor sampled =
        at::grid_sampler(features.narrow(0, image, 1), grid.index_select(0, mine).flatten(0, 1).unsqueeze(0), 0, 1,
                         true);  // [1, C, mine * rows, columns]
    const Tensor points =
        sampled.squeeze(0)
            .reshape({features.size(1), mine.size(0), options.height, y.share.size(2), options.width, x.share.size(2)})
            .transpose(0, 1);
    out = out.index_add(0, mine, (points * share.index_select(0, mine)).sum({3, 5}));
  }
  out = out.masked_fill(is_finite.logical_not().reshape({-1, 1, 1, 1}), std::numeric_limits<double>::quiet_NaN());
  return out.contiguous(features.suggest_memory_format());
}

Tensor roi_align(const RoiAlign& options, const Tensor& features, const Tensor& rois) {
  const at::ScalarType type = features.scalar_type();
  if (type != at::kFloat && type != at::kDouble) return roi_align(options, features.to(at::kFloat), rois).to(type);
#ifdef FREEATM_CUDA
  const bool has_kernel = features.is_cpu() || (features.is_cuda() && type == at::kFloat);
#else
  const bool has_kernel = features.is_cpu();
#endif
  if (!has_kernel) return roi_align_reference(options, features, rois);
  check_rois(options, features, rois);
  return RoiAlignFunction::apply(features, rois.detach().to(type).contiguous(), options);
}

}  // namespace freeatm::ops
