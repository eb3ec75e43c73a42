// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <functional>
#include <unordered_map>
#include <vector>

#include <ATen/core/Tensor.h>

#include "freeatm/runtime/ranks.h"
#include "freeatm/training/optimizer.h"

namespace freeatm::training {

/// What a parameter is known by: its handles are copied, it is not.
inline const void* address(const at::Tensor& parameter) { return parameter.unsafeGetTensorImpl(); }

/// Sums gradients over ranks while backward still runs: gradients that come at about the same time share a buffer,
/// whose sum begins when it is full (Li et al. 2020, section 3.2.3). Buffers go in the same order on all ranks. Does
/// nothing where one rank is alone.
class GradientBuckets {
 public:
  ///   groups: the optimiser's, which outlive it; owner: of a parameter, the only rank that gets its sum; none: all do
  GradientBuckets(runtime::Ranks& ranks, const std::vector<ParameterGroup>& groups,
                  const std::function<int64_t(const at::Tensor&)>& owner = {});
  ~GradientBuckets();
  GradientBuckets(const GradientBuckets&) = delete;
  GradientBuckets& operator=(const GradientBuckets&) = delete;

  /// Before the backward pass that completes a step's gradients.
  void begin();
  /// Behind it: waits, and the parameters' gradients are the sums. A parameter that had none on this rank adds 0.
  void finish();

 private:
  struct Bucket {
    std::vector<at::Tensor> parameters, views;  // in `values`, in the parameters' layout
    at::Tensor values;
    int64_t owner = -1;
    size_t missing = 0;
    std::function<void()> wait;
  };
  struct Place {
    size_t bucket, index;
    bool is_there = false;
  };
  void add(const at::Tensor& parameter, int64_t owner);
  void allocate();
  void take(Place& place);
  void send_full();

  runtime::Ranks& ranks_;
  std::vector<Bucket> buckets_;
  std::unordered_map<const void*, Place> places_;  // by the parameter's own address
  size_t next_ = 0;                                // the first bucket that is not under way
  bool collects_ = false;
};

}  // namespace freeatm::training
