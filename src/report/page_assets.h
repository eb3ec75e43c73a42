// SPDX-License-Identifier: Apache-2.0
#pragma once
namespace freeatm::report {
extern const char* const kPageCss;  // *.css, as CMakeLists.txt lists them
extern const char* const kPageJs;   // *.js
}  // namespace freeatm::report
