// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

#include "freeatm/core/files.h"
#include "freeatm/core/state_bytes.h"
#include "freeatm/evaluation/evaluator.h"

namespace freeatm::evaluation {

/// What one picture scored.
struct PictureScore {
  std::string key;
  double score = 0;
  /// For StateBytes.
  void bytes(StateBytes& b) { b(key), b(score); }
};

/// An evaluator that scores each picture, too.
class Referee : public Evaluator {
 public:
  /// In the pictures' order; of those that have a score.
  const std::vector<PictureScore>& picture_scores() const { return scores_; }

 protected:
  std::vector<PictureScore> scores_;
};

/// FOLDER/pictures.jsonl, a line {"key": "000000042", "score": 0.75} each: data.filter.scores.
void write_picture_scores(const fs::path& folder, const std::vector<PictureScore>& scores);

}  // namespace freeatm::evaluation
