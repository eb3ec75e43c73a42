// SPDX-License-Identifier: Apache-2.0
#include "gradient_buckets.h"

#include <algorithm>
#include <memory>
#include <ranges>
#include <utility>

#include <ATen/ATen.h>
#include <torch/csrc/autograd/function_hook.h>
#include <torch/csrc/autograd/variable.h>

#include "freeatm/core/error.h"

namespace freeatm::training {
namespace {

using at::Tensor;

// As DDP has them. The first is small: it begins before much of the backward pass is done.
constexpr size_t kFirstBytes = 1 << 20, kBytes = 25 << 20;

class WhenComplete final : public torch::autograd::PostAccumulateGradHook {
 public:
  explicit WhenComplete(std::function<void()> act) : act_(std::move(act)) {}
  void operator()(const Tensor&) override { act_(); }

 private:
  std::function<void()> act_;
};

}  // namespace

GradientBuckets::GradientBuckets(runtime::Ranks& ranks, const std::vector<ParameterGroup>& groups,
                                 const std::function<int64_t(const Tensor&)>& owner)
    : ranks_(ranks) {
  if (ranks_.is_alone()) return;
  // The last layers' gradients come first.
  std::vector<Tensor> parameters;
  for (const ParameterGroup& group : groups) {
    for (const auto& [name, parameter] : group.parameters) parameters.push_back(parameter);
  }
  for (const Tensor& parameter : std::views::reverse(parameters)) add(parameter, owner ? owner(parameter) : -1);
  allocate();
}

GradientBuckets::~GradientBuckets() {
  for (const Bucket& bucket : buckets_) {
    for (const Tensor& parameter : bucket.parameters)
      torch::autograd::impl::set_post_acc_grad_hooks(parameter, nullptr);
  }
}

void GradientBuckets::add(const Tensor& parameter, int64_t owner) {
  const auto fits = [&](const Bucket& bucket) {
    const size_t limit = buckets_.size() == 1 ? kFirstBytes : kBytes;
    size_t bytes = parameter.nbytes();
    for (const Tensor& other : bucket.parameters) bytes += other.nbytes();
    const Tensor& first = bucket.parameters.front();
    return bytes <= limit && bucket.owner == owner && first.scalar_type() == parameter.scalar_type() &&
           first.device() == parameter.device();
  };
  if (buckets_.empty() || !fits(buckets_.back())) buckets_.push_back({.owner = owner});
  buckets_.back().parameters.push_back(parameter);
}

void GradientBuckets::allocate() {
  for (size_t b = 0; b < buckets_.size(); ++b) {
    Bucket& bucket = buckets_[b];
    int64_t size = 0;
    for (const Tensor& parameter : bucket.parameters) size += parameter.numel();
    bucket.values = at::zeros({size}, bucket.parameters.front().options().requires_grad(false));
    int64_t begin = 0;
    for (size_t i = 0; i < bucket.parameters.size(); ++i) {
      const Tensor& parameter = bucket.parameters[i];
      FREEATM_CHECK(parameter.is_non_overlapping_and_dense(), "a parameter with gaps in memory");
      bucket.views.push_back(at::as_strided(bucket.values, parameter.sizes(), parameter.strides(), begin));
      begin += parameter.numel();
      Place& place = places_.emplace(address(parameter), Place{b, i}).first->second;
      torch::autograd::impl::set_post_acc_grad_hooks(parameter, std::make_unique<WhenComplete>([this, &place] {
                                                       if (collects_) take(place);
                                                     }));
    }
  }
}

void GradientBuckets::begin() {
  if (ranks_.is_alone()) return;
  collects_ = true;
  next_ = 0;
  for (Bucket& bucket : buckets_) bucket.missing = bucket.parameters.size();
  for (auto& [parameter, place] : places_) place.is_there = false;
}

// Backward may run in a thread of the device's; it is one, and `finish` comes behind it.
void GradientBuckets::take(Place& place) {
  Bucket& bucket = buckets_[place.bucket];
  const at::NoGradGuard no_grad;
  bucket.views[place.index].copy_(bucket.parameters[place.index].grad());
  if (!std::exchange(place.is_there, true)) --bucket.missing;
  send_full();
}

void GradientBuckets::send_full() {
  for (; next_ < buckets_.size() && buckets_[next_].missing == 0; ++next_) {
    Bucket& bucket = buckets_[next_];
    bucket.wait = bucket.owner < 0 ? ranks_.begin_sum(bucket.values) : ranks_.begin_sum_at(bucket.values, bucket.owner);
  }
}

void GradientBuckets::finish() {
  if (ranks_.is_alone()) return;
  const at::NoGradGuard no_grad;
  collects_ = false;
  for (auto& [parameter, place] : places_) {
    if (!place.is_there) buckets_[place.bucket].views[place.index].zero_();
  }
  for (Bucket& bucket : buckets_) bucket.missing = 0;
  send_full();
  for (Bucket& bucket : buckets_) {
    bucket.wait();
    for (size_t i = 0; i < bucket.parameters.size(); ++i) {
      Tensor& gradient = bucket.parameters[i].mutable_grad();
      if (bucket.owner < 0 || bucket.owner == ranks_.rank().index) {
        gradient = bucket.views[i];
      } else {
        gradient.reset();
      }
    }
  }
}

}  // namespace freeatm::training
