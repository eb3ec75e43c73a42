// SPDX-License-Identifier: Apache-2.0
#include "freeatm/core/file_walk.h"

#include <algorithm>
#include <string>
#include <system_error>

#include "freeatm/core/error.h"

namespace freeatm {
namespace {

bool is_hidden(const fs::path& path) {
  const std::string name = path.filename().string();
  return name.starts_with('.') || name == "__MACOSX";
}

/// One descent; `above`: the real paths of the folder and of those that it was reached through.
class Walk {
 public:
  Walk(FoundFiles& found, std::string_view key) : found_(found), key_(key) {}

  void enter(const fs::path& folder) {
    std::error_code error;
    const fs::path real = fs::canonical(folder, error);
    if (std::ranges::find(above_, real) != above_.end()) {
      found_.others.push_back(folder);
      return;
    }
    above_.push_back(real);
    auto entries = fs::directory_iterator(folder, error);
    for (; !error && entries != fs::directory_iterator(); entries.increment(error)) add(*entries);
    above_.pop_back();
    if (error && above_.empty()) throw UserError(folder.string(), key_, "cannot be read: {}", error.message());
    if (error) found_.others.push_back(folder);
  }

 private:
  void add(const fs::directory_entry& entry) {
    std::error_code error;
    if (is_hidden(entry.path())) return;
    if (entry.is_directory(error)) return enter(entry.path());
    (entry.is_regular_file(error) ? found_.files : found_.others).push_back(entry.path());
  }

  FoundFiles& found_;
  std::string_view key_;
  std::vector<fs::path> above_;
};

}  // namespace

FoundFiles files_below(const fs::path& folder, std::string_view key) {
  FoundFiles found;
  Walk(found, key).enter(folder);
  for (auto* paths : {&found.files, &found.others})
    std::ranges::sort(*paths, {}, [](const fs::path& path) -> const std::string& { return path.native(); });
  return found;
}

}  // namespace freeatm
