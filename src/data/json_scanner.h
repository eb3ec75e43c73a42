// SPDX-License-Identifier: Apache-2.0
// Walks over a JSON text of any size without making values of it: COCO's annotation files have hundreds of megabytes.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "freeatm/core/error.h"

namespace freeatm::data {

/// At one place of the text, which must stay where it is. What is taken must be there: everything throws UserError
/// with the file's name where the text is broken, or nested more than 100 deep. What is skipped is checked, too.
class JsonScanner {
 public:
  ///   where: the file's name; trouble: what it then "is", before what is wrong
  JsonScanner(std::string_view text, std::string where, std::string trouble)
      : text_(text), where_(std::move(where)), trouble_(std::move(trouble)) {}

  size_t position() const { return at_; }
  void go_to(size_t position) { at_ = position; }
  std::string_view since(size_t begin) const { return text_.substr(begin, at_ - begin); }

  /// The next character that is no blank; '\0' at the text's end.
  char peek() {
    while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool take_if(char c) {
    if (peek() != c) return false;
    ++at_;
    return true;
  }
  void take(char c) {
    if (!take_if(c)) fail(format("'{}' is wanted", c));
  }

  /// use(key) takes the member's value.
  template <class Use>
  void for_each_member(Use use) {
    take_all('{', '}', [&] {
      const std::string key = take_string();
      take(':');
      use(std::string_view(key));
    });
  }
  /// use() takes the element.
  template <class Use>
  void for_each_element(Use use) {
    take_all('[', ']', use);
  }

  std::string take_string();
  double take_number();
  /// An integer, also one that is written 64.0.
  int64_t take_whole_number();
  /// Any value; its text.
  std::string_view skip();
  /// A list of plain numbers: how many they are.
  int64_t skip_numbers();

  [[noreturn]] void fail(const std::string& what) const;

 private:
  static bool is_blank(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

  template <class Use>
  void take_all(char open, char close, Use use) {
    if (!take_if(open)) {
      skip();  // says what is broken in it, or that it is nested too deeply
      fail(format("'{}' is wanted", open));
    }
    deeper();
    if (!take_if(close)) {
      do {
        use();
      } while (take_if(','));
      take(close);
    }
    --depth_;
  }

  void deeper();
  std::string_view plain_token();
  std::string_view skip_text();
  void skip_number();
  void skip_container();

  std::string_view text_;
  std::string where_, trouble_;
  size_t at_ = 0;
  int64_t depth_ = 0;
};

}  // namespace freeatm::data
