// SPDX-License-Identifier: Apache-2.0
#include "pictures_below.h"

#include <algorithm>
#include <array>
#include <fstream>

#include "freeatm/core/file_walk.h"
#include "freeatm/core/log.h"
#include "freeatm/core/utf8.h"
#include "freeatm/vision/image.h"

namespace freeatm::data {
namespace {

/// Downloads are often called by a number or a query.
bool begins_as_picture(const fs::path& path) {
  std::array<char, 12> head{};
  std::ifstream(path, std::ios::binary).read(head.data(), head.size());
  return vision::begins_as_picture({head.data(), head.size()});
}

}  // namespace

PicturesBelow pictures_below(const fs::path& folder) {
  PicturesBelow below;
  const FoundFiles found = files_below(folder, "data.root");
  for (const fs::path& path : found.files) {
    const std::string ending = lower_ascii(path.extension().string());
    const bool is_picture = vision::is_picture_extension(ending) || (ending != ".txt" && begins_as_picture(path));
    (is_picture ? below.pictures : ending == ".txt" ? below.texts : below.passed_over).push_back(path);
  }
  below.passed_over.insert(below.passed_over.end(), found.others.begin(), found.others.end());
  return below;
}

void warn_of_passed_over(const fs::path& root, const std::vector<fs::path>& passed_over) {
  constexpr size_t kNamed = 3;
  if (passed_over.empty()) return;
  std::string names;
  for (size_t i = 0; i < std::min(kNamed, passed_over.size()); ++i)
    names += (i == 0 ? "" : ", ") + passed_over[i].lexically_relative(root).string();
  if (passed_over.size() > kNamed) names += format(" and {} more", passed_over.size() - kNamed);
  log::warning("{}: {} files are passed over, for they are no {}: {}", root.string(), passed_over.size(),
               vision::kPictureFormats, names);
}

}  // namespace freeatm::data
