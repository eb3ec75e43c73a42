// SPDX-License-Identifier: Apache-2.0
// Captions of changed pictures, and captions that are wrong on purpose.
#pragma once
#include <optional>
#include <string_view>

#include "freeatm/text/caption.h"

namespace freeatm::text {

/// Whether the text says left or right, also as "leftmost" or "right-hand": such words are wrong of a mirrored picture.
bool names_a_side(std::string_view text);
/// Makes it the caption of the mirrored picture: left and right change places, capitals stay.
void mirror(Caption& caption);

/// Whether the text has the word of a colour: such a picture's colours should stay as they are.
bool names_a_colour(std::string_view text);

/// Another relation between the same things, the first word for one turned round: left and right, above and below, over
/// and under, "in front of" and behind. Words behind the last thing are of a place and stay. Nothing where there is no
/// such word between two things.
std::optional<Caption> with_relation_turned(const Caption& caption);

/// Other attributes of the same things: the first two things that have different words for the same kind of attribute
/// (size, colour) exchange them; where there are no such two, the first word for a size becomes its opposite. "a" and
/// "an" go with the new word. Nothing where neither can be done.
std::optional<Caption> with_attributes_swapped(const Caption& caption);

}  // namespace freeatm::text
