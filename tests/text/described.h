// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

#include "freeatm/text/caption.h"

namespace freeatm::testing {

/// A caption whose phrases are where these names first stand.
inline text::Caption described(const std::string& text, const std::vector<std::string>& things,
                               const std::vector<std::string>& stuff = {}) {
  text::Caption caption{text, {}, true};
  std::vector<text::Span> taken;
  const auto add = [&](const std::string& name, text::Role role) {
    const text::Span span = text::free_place_of(name, text, taken).value();
    taken.push_back(span);
    caption.phrases.push_back({name, role, span, {}});
  };
  for (const std::string& name : things) add(name, text::Role::kThing);
  for (const std::string& name : stuff) add(name, text::Role::kStuff);
  return caption;
}

}  // namespace freeatm::testing
