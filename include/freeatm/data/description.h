// SPDX-License-Identifier: Apache-2.0
// A shard's KEY.json: what is said of a picture.
#pragma once
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "freeatm/text/phrase.h"
#include "freeatm/vision/rle.h"

namespace freeatm::data {

struct DescribedPhrase {
  text::Phrase phrase;
  std::optional<vision::Rle> mask, exact;
  std::optional<double> score;
};

struct DescribedToken {
  std::string text;
  text::Span span;
};

struct Description {
  std::optional<std::string> caption;
  bool has_phrases = false;  // the key is there, if with an empty list
  std::vector<DescribedPhrase> phrases;
  // for the eye alone
  std::vector<DescribedToken> tokens;                      // of the text encoder, one a map
  std::vector<std::pair<std::string, std::string>> facts;  // what the picture was made with: "seed": "17"
};

/// For training: every phrase has its mask.
///   name: of the file, for messages; height, width: of the picture, which the masks must have
/// Throws UserError(name, ...).
Description read_description(const std::string& bytes, const std::string& name, int height, int width);

/// For the eye: what is wrong is noted, and the rest read, phrases without masks among it; a picture that cannot be
/// read is 0 x 0 and has no masks.
Description read_description_noting(const std::string& bytes, const std::string& name, int height, int width,
                                    std::vector<std::string>& problems);

}  // namespace freeatm::data
