// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>

namespace freeatm::report {

/// The borders of a mask, holes included, as an SVG path in pixels: filled by the even-odd rule it is the mask exactly.
///   mask: [height, width], 0 or not
/// "" where the mask is empty.
std::string outline(const uint8_t* mask, int height, int width);

}  // namespace freeatm::report
