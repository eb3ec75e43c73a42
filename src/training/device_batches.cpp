// SPDX-License-Identifier: Apache-2.0
#include "freeatm/training/device_batches.h"

#include <utility>

#include <ATen/core/Tensor.h>
#include <c10/core/Event.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>

namespace freeatm::training {

struct DeviceBatches::State {
  struct Ahead {
    std::optional<LoadedBatch> batch;
    c10::Event copied;
  };

  data::Loader& loader;
  at::Device device;
  std::optional<Ahead> ahead;
  std::optional<c10::Stream> copies;

  c10::Stream working_stream() const { return c10::impl::VirtualGuardImpl(device.type()).getStream(device); }
  void copy_next();
};

void DeviceBatches::State::copy_next() {
  const c10::impl::VirtualGuardImpl runtime(device.type());
  if (!copies) copies = runtime.getStreamFromGlobalPool(device, /*isHighPriority=*/false);
  ahead.emplace(Ahead{{}, c10::Event(device.type())});
  auto batch = loader.next();
  if (!batch) return;  // the epoch's end
  const c10::StreamGuard guard(*copies);
  data::Batch moved = batch->to(device);
  ahead->batch = {*std::move(batch), std::move(moved)};
  ahead->copied.record(*copies);
}

DeviceBatches::DeviceBatches(data::Loader& loader, at::Device device)
    : state_(std::make_unique<State>(State{loader, device, {}, {}})) {}

DeviceBatches::~DeviceBatches() = default;

void DeviceBatches::start(int64_t epoch, int64_t step) {
  state_->ahead.reset();
  state_->loader.start(epoch, step);
}

std::optional<LoadedBatch> DeviceBatches::next() {
  State& s = *state_;
  if (s.device.is_cpu()) {
    std::optional<data::Batch> batch = s.loader.next();
    if (!batch) return std::nullopt;
    data::Batch moved = batch->to(s.device);
    return LoadedBatch{*std::move(batch), std::move(moved)};
  }
  if (!s.ahead) s.copy_next();
  std::optional<LoadedBatch> batch = std::move(s.ahead->batch);
  if (batch) {
    const c10::Stream work = s.working_stream();
    s.ahead->copied.block(work);
    // Memory of the copying stream, used on this one: it is not given out again before this one has passed.
    batch->on_device.with_tensors([&](const at::Tensor& tensor) {
      tensor.record_stream(work);
      return tensor;
    });
  }
  s.ahead.reset();
  return batch;
}

void DeviceBatches::copy_ahead() {
  if (!state_->device.is_cpu() && !state_->ahead) state_->copy_next();
}

}  // namespace freeatm::training
