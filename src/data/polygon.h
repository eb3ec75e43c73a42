// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <vector>

namespace freeatm::data {

/// Sets to 1 the pixels of mask [height, width] whose centre lies inside the polygon (x0, y0, x1, y1, ...), by the
/// even-odd rule. pycocotools draws the outline too, from a grid five times as fine: the borders differ by about a
/// pixel (mean IoU .98 over 200 random polygons of radius 10 to 28).
void fill_polygon(const std::vector<double>& points, int height, int width, std::vector<uint8_t>& mask);

}  // namespace freeatm::data
