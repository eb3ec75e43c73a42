// SPDX-License-Identifier: Apache-2.0
#include "freeatm/vision/image.h"

#include <algorithm>

#include "freeatm/core/error.h"
#include "freeatm/core/files.h"
#include "freeatm/core/utf8.h"

#include "codecs.h"

namespace freeatm::vision {
namespace {

enum class Format { kPng, kJpeg, kWebp, kUnknown };

Format format_of_extension(std::string_view extension) {
  if (extension.starts_with('.')) extension.remove_prefix(1);
  const std::string lower = lower_ascii(extension);
  if (lower == "png") return Format::kPng;
  if (lower == "jpg" || lower == "jpeg") return Format::kJpeg;
  if (lower == "webp") return Format::kWebp;
  return Format::kUnknown;
}

Format format_of_bytes(std::string_view bytes) {
  using namespace std::string_view_literals;
  if (bytes.starts_with("\x89PNG\r\n\x1a\n"sv)) return Format::kPng;
  if (bytes.starts_with("\xff\xd8\xff"sv)) return Format::kJpeg;
  if (bytes.starts_with("RIFF"sv) && bytes.substr(0, 12).ends_with("WEBP"sv)) return Format::kWebp;
  return Format::kUnknown;
}

}  // namespace

void check_size(int64_t width, int64_t height, const std::string& name) {
  constexpr int64_t kMostPixels = 178'956'970;  // PIL's: a quarter GiB of RGB, twice
  if (width < 1 || height < 1 || width > kMostPixels / height) {
    throw UserError(name, "", "a picture of {}x{} pixels; 1 to {} are allowed", width, height, kMostPixels);
  }
}

void check_longest(const Image& image, int longest, std::string_view format_name) {
  FREEATM_CHECK(!image.empty(), "a picture without pixels");
  if (std::max(image.height, image.width) <= longest) return;
  throw UserError("", "", "a picture of {}x{} pixels cannot be written as {}: a side may have {}", image.width,
                  image.height, format_name, longest);
}

Image decode_image(std::string_view bytes, const std::string& name, const DecodeOptions& options) {
  switch (format_of_bytes(bytes)) {
    case Format::kPng:
      return decode_png(bytes, name, options);
    case Format::kJpeg:
      return decode_jpeg(bytes, name, options);
    case Format::kWebp:
      return decode_webp(bytes, name, options);
    case Format::kUnknown:
      break;
  }
  throw UserError(name, "", "is no PNG, JPEG or WebP picture");
}

bool begins_as_picture(std::string_view bytes) { return format_of_bytes(bytes) != Format::kUnknown; }

Image read_image(const std::string& path, const DecodeOptions& options) {
  return decode_image(read_file(path), path, options);
}

bool is_picture_extension(std::string_view extension) { return format_of_extension(extension) != Format::kUnknown; }

std::string encode_image(const Image& image, const std::string& name, int quality) {
  switch (format_of_extension(fs::path(name).extension().string())) {
    case Format::kPng:
      return encode_png(image);
    case Format::kJpeg:
      return encode_jpeg(image, quality);
    case Format::kWebp:
      return encode_webp(image, quality);
    case Format::kUnknown:
      break;
  }
  throw UserError(name, "", "its ending says no picture format; allowed: .png, .jpg, .jpeg or .webp");
}

}  // namespace freeatm::vision
