// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace freeatm::vision {

/// An 8-bit RGB picture, rows top to bottom, [height, width, 3] without gaps.
struct Image {
  int height = 0, width = 0;
  std::vector<uint8_t> pixels;

  Image() = default;
  Image(int height, int width) : height(height), width(width), pixels(size_t(height) * width * 3) {}
  bool empty() const { return pixels.empty(); }
  uint8_t* row(int y) { return pixels.data() + size_t(y) * width * 3; }
  const uint8_t* row(int y) const { return pixels.data() + size_t(y) * width * 3; }
  bool operator==(const Image&) const = default;
};

struct DecodeOptions {
  /// A JPEG may be decoded at 1/8, 1/4 or 1/2 of its size (each side rounded up), the smallest of these and the whole
  /// whose sides are both at least this: PIL's `Image.draft(None, (side, side))`. 0: whole, as other formats always
  /// are.
  int at_least = 0;
  /// Not null: gets EXIF's (or TIFF's own) orientation, 1 to 8, and the picture stays as it is stored.
  int* orientation = nullptr;
};

/// The picture turned and mirrored so that it is seen upright: PIL's `ImageOps.exif_transpose`.
Image upright(Image image, int orientation);

/// What decode_image reads, for messages.
inline constexpr std::string_view kPictureFormats = "PNG, JPEG, WebP, BMP, GIF, TIFF or PNM";

/// One of these formats by its first bytes, with the pixels of PIL's
/// `ImageOps.exif_transpose(Image.open(f)).convert("RGB")`, what torchvision, timm and detectron2 train on: grey
/// becomes RGB, alpha is dropped (not blended), of 16 bits the high 8 stay (16-bit grey too, which PIL clips), CMYK is
/// read as Adobe writes it, the picture is turned as its EXIF says. PNM (P1 to P6) is scaled by its own largest value;
/// of a TIFF the first picture is read. Throws UserError(name, "", ...) on anything broken, on animations, and on more
/// than 178,956,970 pixels (PIL's limit) before it allocates; also on BMPs that are compressed, and on TIFFs of
/// floating point, of signed values, of more than 16 bits, of Lab or YCbCr colours (but in a JPEG), and of rare
/// compressions.
Image decode_image(std::string_view bytes, const std::string& name, const DecodeOptions& options = {});
Image read_image(const std::string& path, const DecodeOptions& options = {});

/// Whether a file that begins with these bytes (12 at least) is a picture that decode_image knows, whatever its ending.
/// TIFF and PNM are not told like this: cameras' raw files begin as a TIFF does, and texts may begin as a PNM.
bool begins_as_picture(std::string_view bytes);

/// Whether files with this extension ("jpg", or ".JPG" as std::filesystem gives it) are read as pictures.
bool is_picture_extension(std::string_view extension);

/// The same picture gives the same bytes. level: zlib's, 1 (fast) to 9; quality: 1 to 100, as PIL's; colour at half
/// the resolution (4:2:0) in JPEG and lossy WebP, as PIL writes by default.
std::string encode_png(const Image& image, int level = 6);
std::string encode_jpeg(const Image& image, int quality = 90);
std::string encode_webp(const Image& image, int quality = 90);
std::string encode_webp_lossless(const Image& image);

/// In the format that the ending of `name` says (PNG, JPEG, lossy WebP); UserError where it says none that is known.
std::string encode_image(const Image& image, const std::string& name, int quality = 90);

}  // namespace freeatm::vision
