# SPDX-License-Identifier: Apache-2.0
# cmake -D IN=nouns.txt -D OUT=noun_text.cpp -P embed.cmake: the file as a string literal.
file(READ ${IN} text)
file(WRITE ${OUT} "// Made by embed.cmake.
#include \"nouns.h\"
namespace freeatm::text {
const std::string_view kNounText = R\"nouns(${text})nouns\";
}  // namespace freeatm::text
")
