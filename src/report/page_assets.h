// SPDX-License-Identifier: Apache-2.0
#pragma once
namespace freeatm::report {
extern const char* const kPageCss;  // page.css
extern const char* const kPageJs;   // page.js
}  // namespace freeatm::report
