// SPDX-License-Identifier: Apache-2.0
#include "freeatm/report/previews.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>

#include "freeatm/core/format.h"
#include "freeatm/report/html.h"

namespace freeatm::report {
namespace {

constexpr int64_t kMost = 12;  // figures

/// By their steps, the newest first. Files under other names are not ours.
std::map<int64_t, fs::path, std::greater<>> previews_in(const fs::path& folder) {
  std::map<int64_t, fs::path, std::greater<>> previews;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().stem().string(), digits = name.substr(std::min<size_t>(name.size(), 5));
    const bool is_step = name.starts_with("step_") && !digits.empty() && digits.size() < 19 &&
                         std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; });
    if (is_step && entry.path().extension() == ".png") previews.emplace(std::stoll(digits), entry.path());
  }
  return previews;
}

}  // namespace

std::string previews_html(const fs::path& folder) {
  if (!fs::is_directory(folder)) return "";
  const auto previews = previews_in(folder);
  const auto count = std::ssize(previews);
  const fs::path caption = folder / "caption.txt";
  std::string html = fs::exists(caption) ? "<p>" + escape(read_file(caption)) + "</p>\n" : "";
  int64_t index = 0, shown = 0;
  for (const auto& [step, file] : previews) {
    const int64_t wanted = count <= kMost ? index : shown * (count - 1) / (kMost - 1);
    if (index++ != wanted) continue;
    ++shown;
    html += format("<figure><img alt=\"\" src=\"{}\"><figcaption>step {}</figcaption></figure>\n",
                   data_uri("image/png", read_file(file)), step);
  }
  return previews.empty() ? "" : html;
}

}  // namespace freeatm::report
