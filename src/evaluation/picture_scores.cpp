// SPDX-License-Identifier: Apache-2.0
#include "freeatm/evaluation/picture_scores.h"

#include <nlohmann/json.hpp>

namespace freeatm::evaluation {

void write_picture_scores(const fs::path& folder, const std::vector<PictureScore>& scores) {
  std::string lines;
  for (const PictureScore& one : scores)
    lines += nlohmann::ordered_json{{"key", one.key}, {"score", one.score}}.dump() + "\n";
  write_file(folder / "pictures.jsonl", lines);
}

}  // namespace freeatm::evaluation
