// SPDX-License-Identifier: Apache-2.0
// The two kinds of error: the user's (one line, exit code 2) and ours (a bug, exit code 1).
#pragma once
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "freeatm/core/format.h"

namespace freeatm {

/// Something that the user gave is wrong. `what()` is one line: "where: key: message", the empty parts left out.
///   where: "configs/x.yaml:12", a file, or an override's text; key: "sampler.steps"; message: the value and what is
///   allowed
class UserError : public std::runtime_error {
 public:
  template <class... Args>
  UserError(std::string_view where, std::string_view key, std::string_view pattern, const Args&... args)
      : std::runtime_error(compose(where, key, format(pattern, args...))) {}

 private:
  static std::string compose(std::string_view where, std::string_view key, const std::string& message);
};

/// A broken promise of our own code: a bug.
class InternalError : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

/// The known name that is nearest to `name` by edit distance, as "; did you mean 'x'?", or "" where none is near.
std::string did_you_mean(std::string_view name, const std::vector<std::string>& known);

/// "a, b or c", for messages about what is allowed.
std::string one_of(const std::vector<std::string>& names);

namespace detail {
[[noreturn]] void check_failed(const char* file, int line, const char* condition, const std::string& message);
}

#define FREEATM_CHECK(condition, ...)                                                                                  \
  do {                                                                                                                 \
    if (!(condition)) ::freeatm::detail::check_failed(__FILE__, __LINE__, #condition, ::freeatm::format(__VA_ARGS__)); \
  } while (false)

}  // namespace freeatm
