// SPDX-License-Identifier: Apache-2.0
// One decoder a file format; `name` is the file in error messages.
#pragma once
#include <string>
#include <string_view>

#include "freeatm/vision/image.h"

namespace freeatm::vision {

Image decode_png(std::string_view bytes, const std::string& name, const DecodeOptions& options);
Image decode_jpeg(std::string_view bytes, const std::string& name, const DecodeOptions& options);
Image decode_webp(std::string_view bytes, const std::string& name, const DecodeOptions& options);

/// Throws UserError unless 1 <= width * height <= 178,956,970: a few hostile bytes must not ask for all the memory.
void check_size(int64_t width, int64_t height, const std::string& name);

/// Throws UserError where a side is longer than the format can say.
void check_longest(const Image& image, int longest, std::string_view format_name);

}  // namespace freeatm::vision
