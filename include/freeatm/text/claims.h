// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstdint>
#include <string_view>

#include "freeatm/text/caption.h"

namespace freeatm::text {

/// Equal for equal texts and a positive number, but for the empty text, which is 0.
int64_t text_number(std::string_view text);

/// What a caption says of its picture, part by part, as numbers that are equal for equal words; 0: it says nothing.
///   [0]      its things, each with its name; of a caption without phrases the whole text
///   [1]      its places: what is stuff
///   [2]      how its things lie to each other: "a dog left of a cat" is "a cat right of a dog"
///   [3, 15)  of the first four things, in the order of their names, the words before them for size, colour and number
using Claims = std::array<int64_t, 15>;
Claims claims_of(const Caption& caption);

/// Whether one caption may be true where the other one is: the same things, and nowhere do both say something and not
/// the same. Then neither is wrong for the other's picture.
bool may_both_fit(const Claims& a, const Claims& b);

}  // namespace freeatm::text
