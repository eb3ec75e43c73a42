// SPDX-License-Identifier: Apache-2.0
#include "freeatm/report/html.h"

#include <cstdint>

#include "page_assets.h"

namespace freeatm::report {

std::string base64(std::string_view bytes) {
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const auto byte = [&](size_t k) { return i + k < bytes.size() ? static_cast<uint8_t>(bytes[i + k]) : 0u; };
    const uint32_t group = byte(0) << 16 | byte(1) << 8 | byte(2);
    for (size_t k = 0; k < 4; ++k) {
      out += i + k <= bytes.size() ? kDigits[group >> (18 - 6 * k) & 63] : '=';
    }
  }
  return out;
}

std::string escape(std::string_view text) {
  std::string out;
  for (char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string data_uri(std::string_view type, std::string_view bytes) {
  return "data:" + std::string(type) + ";base64," + base64(bytes);
}

Page::Page(std::string title, std::string lead, std::string note)
    : title_(std::move(title)), lead_(std::move(lead)), note_(std::move(note)) {}

void Page::add(std::string id, std::string heading, std::string html) {
  sections_.push_back({std::move(id), std::move(heading), std::move(html)});
}

void Page::add_data(std::string html) { data_ += html; }

std::string Page::html() const {
  std::string links, body;
  for (const Section& section : sections_) {
    links += "<a href=\"#" + escape(section.id) + "\">" + escape(section.heading) + "</a>\n";
    const bool is_alone = sections_.size() == 1;  // then the title is heading enough
    body += "<section id=\"" + escape(section.id) + "\" aria-label=\"" + escape(section.heading) + "\">\n" +
            (is_alone ? "" : "<h2>" + escape(section.heading) + "</h2>\n") + section.html + "</section>\n";
  }
  std::string head = "<button type=\"button\" class=\"quiet theme\">auto</button>\n<h1>" + escape(title_) + "</h1>\n";
  if (!lead_.empty()) head += "<p class=\"lead\">" + escape(lead_) + "</p>\n";
  if (!note_.empty()) head += "<p class=\"note\">" + escape(note_) + "</p>\n";
  if (sections_.size() > 1) head += "<nav>\n" + links + "</nav>\n";
  return "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
         "<meta name=\"color-scheme\" content=\"light dark\">\n<title>" +
         escape(title_) + "</title>\n<style>\n" + kPageCss + "</style>\n</head>\n<body>\n<header>\n" + head +
         "</header>\n<main>\n" + body + "</main>\n<script>\n" + kPageJs + "</script>\n" + data_ + "</body>\n</html>\n";
}

}  // namespace freeatm::report
