// SPDX-License-Identifier: Apache-2.0
#include "freeatm/vision/image.h"

#include <algorithm>

#include "freeatm/core/error.h"
#include "freeatm/core/files.h"
#include "freeatm/core/utf8.h"

#include "codecs.h"

namespace freeatm::vision {
namespace {

enum class Format { kPng, kJpeg, kWebp, kBmp, kGif, kTiff, kPnm, kUnknown };

Format format_of_extension(std::string_view extension) {
  if (extension.starts_with('.')) extension.remove_prefix(1);
  const std::string lower = lower_ascii(extension);
  if (lower == "png") return Format::kPng;
  if (lower == "jpg" || lower == "jpeg") return Format::kJpeg;
  if (lower == "webp") return Format::kWebp;
  if (lower == "bmp") return Format::kBmp;
  if (lower == "gif") return Format::kGif;
  if (lower == "tif" || lower == "tiff") return Format::kTiff;
  if (lower == "pbm" || lower == "pgm" || lower == "ppm" || lower == "pnm") return Format::kPnm;
  return Format::kUnknown;
}

Format format_of_bytes(std::string_view bytes) {
  using namespace std::string_view_literals;
  if (bytes.starts_with("\x89PNG\r\n\x1a\n"sv)) return Format::kPng;
  if (bytes.starts_with("\xff\xd8\xff"sv)) return Format::kJpeg;
  if (bytes.starts_with("RIFF"sv) && bytes.substr(0, 12).ends_with("WEBP"sv)) return Format::kWebp;
  if (bytes.starts_with("BM"sv)) return Format::kBmp;
  if (bytes.starts_with("GIF87a"sv) || bytes.starts_with("GIF89a"sv)) return Format::kGif;
  for (const std::string_view start : {"II*\0"sv, "MM\0*"sv, "II+\0"sv, "MM\0+"sv})  // + is BigTIFF
    if (bytes.starts_with(start)) return Format::kTiff;
  if (bytes.size() > 2 && bytes[0] == 'P' && bytes[1] >= '1' && bytes[1] <= '6' &&
      " \t\n\v\f\r"sv.find(bytes[2]) != std::string_view::npos)
    return Format::kPnm;
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
    case Format::kBmp:
      return decode_bmp(bytes, name, options);
    case Format::kGif:
      return decode_gif(bytes, name, options);
    case Format::kTiff:
      return decode_tiff(bytes, name, options);
    case Format::kPnm:
      return decode_pnm(bytes, name, options);
    case Format::kUnknown:
      break;
  }
  throw UserError(name, "", "is no {} picture", kPictureFormats);
}

bool begins_as_picture(std::string_view bytes) {
  using namespace std::string_view_literals;
  switch (format_of_bytes(bytes)) {
    case Format::kBmp:  // bytes 6 to 9 are kept free
      return bytes.size() >= 12 && bytes.substr(6, 4) == "\0\0\0\0"sv;
    case Format::kTiff:
    case Format::kPnm:
    case Format::kUnknown:
      return false;
    default:
      return true;
  }
}

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
    default:
      break;
  }
  throw UserError(name, "", "its ending says no format that is written; allowed: .png, .jpg, .jpeg or .webp");
}

}  // namespace freeatm::vision
