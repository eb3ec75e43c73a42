// SPDX-License-Identifier: Apache-2.0
// What masked modelling hides of some pictures and gives back of them, for the eye.
#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include <ATen/core/Tensor.h>

#include "freeatm/config/fields.h"
#include "freeatm/core/files.h"
#include "freeatm/data/dataset.h"
#include "freeatm/objectives/masked/masked.h"

namespace freeatm::objectives {

/// The same pictures each time, in the same crops, and hidden as the moment of the run hides them.
class Reconstructions {
 public:
  /// Both must outlive it.
  ///   count: pictures, spread evenly over the dataset; those that cannot be read are passed over
  Reconstructions(Masked& objective, const data::Dataset& dataset, int64_t count);

  /// Rows of four: the view, where things are, what is seen of it, what comes back where it was hidden. Bytes [4 *
  /// pictures, size, size, 3] on the CPU; [0] where no picture can be read. Draws no random numbers of the run.
  at::Tensor draw(double progress);
  /// FOLDER/step_N.png, and FOLDER/caption.txt, which says what stands where.
  void write(const fs::path& folder, int64_t step, double progress);

 private:
  Masked& objective_;
  const data::Dataset& dataset_;
  int64_t count_;
};

}  // namespace freeatm::objectives
