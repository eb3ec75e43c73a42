// SPDX-License-Identifier: Apache-2.0
// One HTML file that needs no other: its style, script and pictures lie inside it.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace freeatm::report {

/// Text as HTML, for elements and for quoted attributes.
std::string escape(std::string_view text);

std::string base64(std::string_view bytes);

/// Bytes as "data:<type>;base64,...".
std::string data_uri(std::string_view type, std::string_view bytes);

/// A page of sections, in the order they are added. Everything named `html` is markup already; the rest is text.
class Page {
 public:
  ///   lead: one sentence under the title; note: a warning that must be seen, in a box; either may be ""
  Page(std::string title, std::string lead = "", std::string note = "");

  ///   id: the anchor that the navigation uses, letters and digits
  void add(std::string id, std::string heading, std::string html);

  /// Script elements that are data, not programs. They stand last, so that a page answers while they are still read.
  void add_data(std::string html);

  /// The whole document.
  std::string html() const;

 private:
  struct Section {
    std::string id, heading, html;
  };
  std::string title_, lead_, note_, data_;
  std::vector<Section> sections_;
};

}  // namespace freeatm::report
