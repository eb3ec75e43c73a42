// SPDX-License-Identifier: Apache-2.0
#include "sprites.h"

#include <ft2build.h>
#include FT_FREETYPE_H
#include FT_TRUETYPE_TABLES_H

#include <algorithm>
#include <memory>
#include <string_view>

#include <opencv2/imgproc.hpp>

#include "freeatm/core/error.h"
#include "freeatm/core/files.h"
#include "freeatm/core/random.h"

#include "vocabulary.h"

namespace freeatm::world {
namespace {

/// One open font; `bytes` must outlive it.
class Font {
 public:
  Font(const std::string& bytes, const std::string& path) : path_(path) {
    FREEATM_CHECK(FT_Init_FreeType(&library_) == 0, "FreeType does not start");
    const auto* data = reinterpret_cast<const FT_Byte*>(bytes.data());
    const bool opened = FT_New_Memory_Face(library_, data, static_cast<FT_Long>(bytes.size()), 0, &face_) == 0;
    // A CBDT font has one strike of bitmaps: there is no size to ask for but that one.
    if (!opened || !FT_HAS_COLOR(face_) || face_->num_fixed_sizes < 1 || FT_Select_Size(face_, 0) != 0) {
      const bool vectors = opened && has_table("COLR");
      FT_Done_FreeType(library_);
      throw UserError(path, "font", "{}; Debian's fonts-noto-color-emoji has colour bitmaps (CBDT)",
                      !opened   ? "is no font"
                      : vectors ? "draws its emoji as vectors (COLR), without bitmaps"
                                : "has no colour bitmaps");
    }
  }
  ~Font() { FT_Done_FreeType(library_); }  // the face with it
  Font(const Font&) = delete;
  Font& operator=(const Font&) = delete;

  /// The emoji's bitmap, premultiplied BGRA; valid until the next call.
  cv::Mat4b bitmap(char32_t emoji, std::string_view name) {
    const FT_UInt glyph = FT_Get_Char_Index(face_, emoji);
    if (glyph == 0 || FT_Load_Glyph(face_, glyph, FT_LOAD_COLOR) != 0 ||
        face_->glyph->bitmap.pixel_mode != FT_PIXEL_MODE_BGRA) {
      throw UserError(path_, "font", "has no colour picture of '{}'; Debian's fonts-noto-color-emoji has all", name);
    }
    const FT_Bitmap& bitmap = face_->glyph->bitmap;
    return {static_cast<int>(bitmap.rows), static_cast<int>(bitmap.width), reinterpret_cast<cv::Vec4b*>(bitmap.buffer),
            static_cast<size_t>(bitmap.pitch)};
  }

 private:
  bool has_table(const char (&tag)[5]) {
    FT_ULong length = 0;
    return FT_Load_Sfnt_Table(face_, FT_MAKE_TAG(tag[0], tag[1], tag[2], tag[3]), 0, nullptr, &length) == 0;
  }

  const std::string& path_;
  FT_Library library_ = nullptr;
  FT_Face face_ = nullptr;
};

/// The visible part in the middle of a square, premultiplied RGBA in [0, 1].
cv::Mat4f square_sprite(const cv::Mat4b& bgra) {
  constexpr int kVisible = 10;
  cv::Mat alpha;
  cv::extractChannel(bgra, alpha, 3);
  const cv::Rect visible = cv::boundingRect(alpha > kVisible);
  const int side = std::max(visible.width, visible.height);
  const int left = (side - visible.width) / 2, top = (side - visible.height) / 2;
  cv::Mat rgba;
  cv::cvtColor(bgra(visible), rgba, cv::COLOR_BGRA2RGBA);
  cv::copyMakeBorder(rgba, rgba, top, side - visible.height - top, left, side - visible.width - left,
                     cv::BORDER_CONSTANT);
  rgba.convertTo(rgba, CV_32F, 1 / 255.0);
  return rgba;
}

}  // namespace

Sprites::Sprites(const std::string& font_path) {
  if (!fs::exists(font_path))
    throw UserError(font_path, "font", "no such file; Debian's package fonts-noto-color-emoji has it");
  const std::string bytes = read_file(font_path, "font");
  font_digest_ = hash_text(stable_hash(bytes));

  Font font(bytes, font_path);
  for (const ClassInfo& info : classes()) {
    auto& drawings = sprites_.emplace_back();
    const cv::Mat4f own = square_sprite(font.bitmap(info.emoji, info.name));
    drawings.push_back(in_all_sizes(own));
    for (char32_t other : info.other_drawings) {
      if (other != 0) drawings.push_back(in_all_sizes(square_sprite(font.bitmap(other, info.name))));
    }
    redrawn_.push_back({in_all_sizes(redraw(own, Style::kOutline)), in_all_sizes(redraw(own, Style::kFlat))});
  }
}

Sprites::Sizes Sprites::in_all_sizes(const cv::Mat4f& sprite) {
  Sizes sizes;
  for (size_t i = 0; i < kSides.size(); ++i) cv::resize(sprite, sizes[i], {kSides[i], kSides[i]}, 0, 0, cv::INTER_AREA);
  return sizes;
}

const cv::Mat4f& Sprites::at(int class_index, int drawing, Style style, double size) const {
  size_t level = 0;
  while (level + 1 < kSides.size() && kSides[level] < size) ++level;
  if (style != Style::kOwn) return redrawn_[class_index][static_cast<size_t>(style) - 1][level];
  return sprites_[class_index][drawing][level];
}

}  // namespace freeatm::world
