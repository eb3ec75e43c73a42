// SPDX-License-Identifier: Apache-2.0
// Batches whose sums are known, and what work on a device makes of them.
#pragma once
#include <vector>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "freeatm/training/device_batches.h"

namespace freeatm::training {

class Squares final : public data::Dataset {
 public:
  int64_t size() const override { return 40; }
  data::Sample get(int64_t index, RandomStream&) const override {
    data::Sample sample;
    sample.labels = {index};
    return sample;
  }
};

inline data::View rows_of(data::Sample&& sample, RandomStream&, const data::BatchPlace&) {
  data::View view{{"square", at::full({64, 64}, sample.label() * sample.label(), at::kLong)}};
  view.ragged["rows"] = at::full({sample.label() % 3, 8}, sample.label(), at::kLong);
  return view;
}

/// Two epochs, with work between the batches; the second begins in its middle.
inline std::vector<int64_t> sums_on(at::Device device) {
  const Squares dataset;
  data::Loader loader(dataset, rows_of, {.batch_size = 8, .workers = 2, .pin_memory = !device.is_cpu()}, 1);
  DeviceBatches batches(loader, device);
  std::vector<int64_t> sums;
  for (const int64_t epoch : {0, 1}) {
    batches.start(epoch, epoch * 2);
    at::Tensor total = at::zeros({}, at::TensorOptions(device).dtype(at::kLong));
    while (const auto loaded = batches.next()) {
      const data::Batch* batch = &loaded->on_device;
      EXPECT_EQ(loaded->host["square"].device().type(), at::kCPU);
      EXPECT_EQ((*batch)["square"].device().type(), device.type());
      EXPECT_EQ(batch->size, 8);
      const data::Ragged& rows = batch->ragged.at("rows");
      for (int round = 0; round < 20; ++round) total = total * 3 % 1000003 + (*batch)["square"].sum();
      total += rows.values.sum() + rows.offsets.sum() + rows.owner().sum();
      batches.copy_ahead();
    }
    sums.push_back(total.item<int64_t>());
  }
  return sums;
}

}  // namespace freeatm::training
