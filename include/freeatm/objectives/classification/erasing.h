// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "freeatm/config/fields.h"
#include "freeatm/core/random.h"
#include "freeatm/vision/box.h"
#include "freeatm/vision/image.h"

namespace freeatm::objectives {

struct EraseOptions {
  double probability = 0;
  std::string fill = "pixel";  // "pixel": noise; "mean": ImageNet's mean colour (timm's "const")
  void fields(config::Fields& f);
};

/// Random erasing (Zhong et al. 2020) as timm's `RandomErasing` draws it: a box of .02 to 1/3 of the area, its ratio
/// of height to width between .3 and 1/.3, uniform in its logarithm. "pixel" fills it with N(0, 1) per value of the
/// normalised picture; as pictures are still bytes here, what is darker than black or brighter than white (4% of the
/// values) becomes that.
void maybe_erase(vision::Image& image, const EraseOptions& options, RandomStream& random);

/// Whole pixels inside the picture; empty where ten draws do not fit.
vision::Box draw_erased_box(int height, int width, RandomStream& random);

}  // namespace freeatm::objectives
