// SPDX-License-Identifier: Apache-2.0
// Views that the loader draws and the device makes: its threads decode, and no more. A view is the one that
// vision::augment makes, but for 1/255 where it is blurred.
#pragma once
#include <string>
#include <vector>

#include "freeatm/config/fields.h"
#include "freeatm/data/batch.h"
#include "freeatm/vision/augment.h"

namespace freeatm::data {

/// A view that a sample's View is to have as the tensor `name`, bytes [size, size, 3].
struct NamedView {
  std::string name;
  vision::DrawnView drawn;
  vision::AugmentOptions options;  // the same for each sample; `drawn` is drawn of them, or of a part of them
};

/// The key `augment_on`: "loader" or "device".
void augment_on_field(config::Fields& f, std::string& augment_on);

/// Views of a picture: made at once by the loader, or planned for `make_views` on the device.
void add_views(View& view, vision::Image picture, const std::vector<NamedView>& named, const std::string& augment_on);

/// What is planned becomes tensors [B, size, size, 3], where the pictures lie.
///   pixels_at_once: of pictures, as squares in fp32; about six times as much is in use
void make_views(Batch& batch, int64_t pixels_at_once = int64_t{1} << 26);

}  // namespace freeatm::data
