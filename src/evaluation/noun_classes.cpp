// SPDX-License-Identifier: Apache-2.0
#include "freeatm/evaluation/noun_classes.h"

#include "freeatm/text/phrase.h"

namespace freeatm::evaluation {

std::optional<int64_t> class_of_noun(std::string_view noun, const std::vector<std::string>& class_names) {
  std::optional<int64_t> best;
  std::pair<int64_t, int64_t> best_place{0, 0};  // end of the name in the noun, its length
  for (size_t k = 0; k < class_names.size(); ++k) {
    for (const text::Phrase& found : text::find_phrases(noun, {.things = {class_names[k]}, .stuff = {}}, {})) {
      const std::pair<int64_t, int64_t> place{found.span.end, found.span.end - found.span.begin};
      if (place <= best_place) continue;
      best = static_cast<int64_t>(k);
      best_place = place;
    }
  }
  return best;
}

std::optional<int64_t> NounClasses::find(const std::string& noun) {
  const auto [place, is_new] = known_.try_emplace(noun);
  if (is_new) place->second = class_of_noun(noun, names_);
  return place->second;
}

}  // namespace freeatm::evaluation
