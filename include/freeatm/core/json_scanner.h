// SPDX-License-Identifier: Apache-2.0
// Walks over a JSON text of any size without making values of it: COCO's files have hundreds of megabytes.
#pragma once
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace freeatm {

/// What is wrong with a text, without its file, which the caller names.
class JsonFault : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// What a number may be.
enum class JsonNumbers {
  kJson,    // as JSON has them, and no larger than a double can say
  kPython,  // also NaN, Infinity and -Infinity, which Python writes; what is too large is infinite
};

/// At one place of the text, which must stay where it is. What is taken must be there: everything throws JsonFault
/// where another kind stands, where the text is broken, or nested more than 100 deep. What is skipped is checked, too.
class JsonScanner {
 public:
  ///   position: where a value begins; at the text's begin a byte order mark is passed over
  explicit JsonScanner(std::string_view text, JsonNumbers numbers = JsonNumbers::kJson, size_t position = 0);

  /// Of the next character that is no blank, after `peek`.
  size_t position() const { return at_; }
  void go_to(size_t position) { at_ = position; }
  std::string_view since(size_t begin) const { return text_.substr(begin, at_ - begin); }

  /// The next character that is no blank; '\0' at the text's end.
  char peek() {
    while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }

  /// use(key) takes the member's value.
  template <class Use>
  void for_each_member(Use use) {
    take_all('{', '}', "an object", [&] {
      const std::string key = take_string();
      take(':');
      use(std::string_view(key));
    });
  }
  /// use() takes the element.
  template <class Use>
  void for_each_element(Use use) {
    take_all('[', ']', "a list", use);
  }

  std::string take_string();
  double take_number();
  /// An integer, also one that is written 64.0.
  int64_t take_whole_number();
  bool take_bool();
  /// Any value; its text.
  std::string_view skip();
  /// A list of plain numbers: how many they are.
  int64_t skip_numbers();
  /// Nothing but blanks may follow.
  void take_end();

  /// Throws JsonFault: what, and where.
  [[noreturn]] void fail(const std::string& what) const;

 private:
  static bool is_blank(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

  template <class Use>
  void take_all(char open, char close, const char* wanted, Use use) {
    if (!take_if(open)) want(wanted);
    deeper();
    if (!take_if(close)) {
      do {
        use();
      } while (take_if(','));
      take(close);
    }
    --depth_;
  }
  bool take_if(char c) {
    if (peek() != c) return false;
    ++at_;
    return true;
  }
  void take(char c) {
    if (!take_if(c)) want(std::string("'") + c + "'");
  }

  void deeper();
  std::string_view number_token();
  bool take_word(std::string_view word);
  bool take_python_word(double& value);
  std::string_view skip_text();
  void skip_number();
  [[noreturn]] void want(const std::string& wanted) const;

  std::string_view text_;
  JsonNumbers numbers_;
  size_t at_ = 0;
  int64_t depth_ = 0;
};

}  // namespace freeatm
