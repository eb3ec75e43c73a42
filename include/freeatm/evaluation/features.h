// SPDX-License-Identifier: Apache-2.0
// What a frozen backbone says of pictures, computed once: the input of every probe.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "freeatm/config/fields.h"
#include "freeatm/data/batch.h"
#include "freeatm/data/dataset.h"
#include "freeatm/data/spread.h"
#include "freeatm/evaluation/evaluator.h"
#include "freeatm/models/backbone.h"
#include "freeatm/models/image_normalize.h"

namespace freeatm::evaluation {

struct FeatureOptions {
  int64_t image_size = 64;
  int64_t batch_size = 128;
  void fields(config::Fields& f);
};

/// A backbone that is looked at and not trained: in evaluation mode as long as this lives, then in the mode of before.
class FrozenBackbone {
 public:
  ///   where: the file of its weights, for messages
  FrozenBackbone(models::Backbone& backbone, at::Device device, std::string where = "");
  ~FrozenBackbone();
  FrozenBackbone(const FrozenBackbone&) = delete;
  FrozenBackbone& operator=(const FrozenBackbone&) = delete;

  /// pictures: bytes [B, S, S, 3]. Returns [B, channels], or the grid [B, channels, h, w]; fp32, on the device.
  at::Tensor pooled(const at::Tensor& pictures);
  at::Tensor grid(const at::Tensor& pictures);

  /// A probe must not train: throws InternalError where a weight or statistic is no longer what it was at first.
  void require_unchanged() const;
  at::Device device() const { return device_; }
  const std::string& where() const { return where_; }

 private:
  models::Backbone& backbone_;
  models::ImageNormalize normalized_;
  at::Device device_;
  std::string where_;
  bool was_training_;
  std::vector<at::Tensor> before_;  // copies
};

/// The features of a dataset's pictures and what the pictures show, row by row.
struct LabelledFeatures {
  at::Tensor features;  // [N, channels], on the backbone's device
  at::Tensor labels;    // there too: [N] int64, or where pictures have several [N, classes] float, 0 or 1
  std::vector<std::string> class_names;

  bool is_multi_label() const { return labels.dim() == 2; }
  int64_t size() const { return features.size(0); }
  int64_t classes() const { return static_cast<int64_t>(class_names.size()); }
};

/// A picture as the probes see it, bytes [side, side, 3]: the square in its middle, or, where pictures have several
/// labels, the whole picture squeezed into a square, as finetuning judges it.
at::Tensor probe_picture(const vision::Image& image, int64_t side, bool is_multi_label);

/// Bytes [1, side, side, 3], to see what shape the answer has.
at::Tensor blank_picture(const FeatureOptions& options);

/// What a batch is made of, by the threads that decode.
using ReadView = std::function<data::View(data::Sample&&)>;

/// Calls `use` for batches of the dataset, in order, with progress. A picture that cannot be read ends it.
void for_each_batch(const data::Dataset& dataset, int64_t batch_size, const std::string& label, const ReadView& view,
                    const std::function<void(const data::Batch&)>& use);

/// What this rank computes of `size` things that runtime::ranks() judge together: whole batches, so that each is the
/// same one as where one process judges alone. With fewer batches than ranks some have nothing, and the first has.
struct Range {
  int64_t begin, end;
};
Range own_range(int64_t size, int64_t batch_size);
/// The same of a dataset.
data::Part own_part(const data::Dataset& dataset, int64_t batch_size);

/// Feeds the dataset, or `limit` pictures spread evenly over it, to the evaluator, with progress under `label`. Of
/// several runtime::ranks() each processes a part, and the first has the result; the others' is empty.
Metrics judge(Evaluator& evaluator, const data::Dataset& dataset, std::optional<int64_t> limit, int64_t batch_size,
              const std::string& label);

/// Throws UserError(where, "checkpoint", ...) that names the first picture for which a row of `values`, [B, ...], holds
/// NaN or Inf.
///   dataset: whose batch it is
void require_finite(const at::Tensor& values, const std::string& where, const char* what, const data::Batch& batch,
                    const data::Dataset& dataset);

/// Features of the dataset's pictures, or of `limit` of them; several runtime::ranks() compute a part each, and all
/// have the whole. Throws UserError where a picture has no label or no finite features.
///   mirrored: of the pictures' mirror images instead
LabelledFeatures extract_features(FrozenBackbone& backbone, const data::Dataset& dataset, const FeatureOptions& options,
                                  std::optional<int64_t> limit, const std::string& label, bool mirrored = false);

/// Mean and deviation of each channel, [channels]; a channel that never changes has deviation 1. features: [N,
/// channels, ...].
struct ChannelStatistics {
  at::Tensor mean, deviation;
};
ChannelStatistics channel_statistics(const at::Tensor& features);

}  // namespace freeatm::evaluation
