# SPDX-License-Identifier: Apache-2.0
# cmake -D CSS=page.css -D JS=page.js -D OUT=page_assets.cpp -P embed.cmake: both files as string literals.
file(READ ${CSS} css)
file(READ ${JS} js)
file(WRITE ${OUT} "// Made by embed.cmake.
#include \"page_assets.h\"
namespace freeatm::report {
const char* const kPageCss = R\"page(${css})page\";
const char* const kPageJs = R\"page(${js})page\";
}  // namespace freeatm::report
")
