// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

#include "freeatm/core/files.h"
#include "freeatm/core/state_bytes.h"

namespace freeatm::evaluation {

/// What one picture scored.
struct PictureScore {
  std::string key;
  double score = 0;
  /// For StateBytes.
  void bytes(StateBytes& b) { b(key), b(score); }
};

/// FOLDER/pictures.jsonl, a line {"key": "000000042", "score": 0.75} each: data.filter.scores.
void write_picture_scores(const fs::path& folder, const std::vector<PictureScore>& scores);

}  // namespace freeatm::evaluation
