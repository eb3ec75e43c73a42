# SPDX-License-Identifier: Apache-2.0
# cmake -D CSS=a.css;b.css -D JS=a.js;b.js -D FOLDER=... -D OUT=page_assets.cpp -P embed.cmake: the files as two string literals.
foreach(kind CSS JS)
  set(${kind}_text "")
  foreach(name ${${kind}})
    file(READ ${FOLDER}/${name} text)
    string(APPEND ${kind}_text "${text}")
  endforeach()
endforeach()
file(WRITE ${OUT} "// Made by embed.cmake.
#include \"page_assets.h\"
namespace freeatm::report {
const char* const kPageCss = R\"page(${CSS_text})page\";
const char* const kPageJs = R\"page(${JS_text})page\";
}  // namespace freeatm::report
")
