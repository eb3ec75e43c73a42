// SPDX-License-Identifier: Apache-2.0
// Large JSON files of others, read once from left to right: what is passed over costs neither memory nor much time.
#pragma once
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace freeatm::evaluation {

/// What is wrong, without the file, which the caller names.
class JsonFault : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Stands before a value of a JSON text, or at its end; each call takes one value. Throws JsonFault where another kind
/// stands, or no JSON.
class JsonCursor {
 public:
  ///   place: where a value begins, as `place()` said
  explicit JsonCursor(std::string_view text, size_t place = 0);

  /// '{', '[', '"', 't', 'f', 'n', or 0 for a number.
  char kind();
  /// Where the value begins.
  size_t place();

  /// use(key) takes the value.
  template <class Use>
  void object(Use use) {
    enter('{', "an object");
    for (bool first = true; is_more('}', first); first = false) {
      std::string unescaped;
      const std::string_view key = string(unescaped);
      expect(':');
      use(key);
    }
    --depth_;
  }
  /// use() takes the value.
  template <class Use>
  void array(Use use) {
    enter('[', "a list");
    for (bool first = true; is_more(']', first); first = false) use();
    --depth_;
  }

  /// Also NaN, Infinity and -Infinity, which are no JSON but what Python writes.
  double number();
  /// Also one that is written 64.0.
  int64_t whole_number();
  bool boolean();
  void null();
  /// Of the text, or of `unescaped` where there are escapes.
  std::string_view string(std::string& unescaped);
  /// Any value.
  void skip();
  /// Nothing but blanks may follow.
  void end();

 private:
  char peek();
  void enter(char bracket, const char* wanted);
  bool is_more(char closing, bool first);
  void expect(char c);
  void word(std::string_view word);
  std::string_view number_token();
  std::string_view raw_string();
  [[noreturn]] void fail(const std::string& wanted) const;

  std::string_view text_;
  size_t at_;
  int depth_ = 0;
};

}  // namespace freeatm::evaluation
