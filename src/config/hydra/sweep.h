// SPDX-License-Identifier: Apache-2.0
// The values that an override takes one after another under -m: "1,2", choice(1,2), range(1,9,2), glob(*).
#pragma once
#include <string>
#include <variant>
#include <vector>

#include "freeatm/config/node.h"

namespace freeatm::config {

struct Choice {
  Node::List values;
  bool simple = false;  // "a,b" rather than choice(a,b)
};

/// From start to stop, without stop; numbers, and integers only where all three are.
struct Range {
  Node start, stop, step;
};

/// All numbers in between: for sweepers that draw. Ours cannot list them.
struct Interval {
  Node start, end;
};

/// The options of a group whose names match a pattern of `include` and none of `exclude`.
struct Glob {
  std::vector<std::string> include, exclude;
};

struct Sweep {
  std::variant<Choice, Range, Interval, Glob> values;
  bool shuffled = false;
};

/// More values or jobs than this are a slip of the pen.
inline constexpr size_t kMaxJobs = 10000;

/// All values in order, at least one.
///   options: what glob() chooses from; where: the override's text
/// Throws UserError(where, ...) for an interval, a range without end and a glob that matches nothing.
Node::List sweep_values(const Sweep& sweep, const std::vector<std::string>& options, const std::string& where);

/// In another order, the same one every time, so that a sweep can be resumed.
Node::List shuffled(const Node::List& values);

}  // namespace freeatm::config
