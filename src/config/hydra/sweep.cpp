// SPDX-License-Identifier: Apache-2.0
#include "hydra/sweep.h"

#include <algorithm>
#include <cmath>
#include <fnmatch.h>

#include "freeatm/core/error.h"
#include "freeatm/core/random.h"

#include "decimal.h"
#include "python_values.h"

namespace freeatm::config {
namespace {

[[noreturn]] void refuse_size(const std::string& where) { throw UserError(where, "", "more than {} values", kMaxJobs); }

std::vector<Node> integers(int64_t start, int64_t stop, int64_t step, const std::string& where) {
  std::vector<Node> out;
  for (int64_t value = start; step > 0 ? value < stop : value > stop;) {
    if (out.size() == kMaxJobs) refuse_size(where);
    out.push_back(Node(Node::Value(std::in_place_type<int64_t>, value), where));
    if (__builtin_add_overflow(value, step, &value)) break;
  }
  return out;
}

// Hydra adds decimals, so that range(0,1,0.1) has 0.3 and not 0.30000000000000004.
std::vector<Node> decimals(double start, double stop, double step, const std::string& where) {
  std::vector<Node> out;
  const Decimal last(stop), width(step);
  for (Decimal value(start); step > 0 ? value < last : last < value; value = value + width) {
    if (out.size() == kMaxJobs) refuse_size(where);
    out.push_back(Node(value.value(), where));
  }
  return out;
}

std::vector<Node> values_of(const Range& range, const std::string& where) {
  const double start = number(range.start), stop = number(range.stop), step = number(range.step);
  if (!std::isfinite(start) || !std::isfinite(stop) || !std::isfinite(step) || step == 0) {
    throw UserError(where, "", "range() needs finite numbers and a step other than 0");
  }
  const auto integer = [](const Node& node) { return !std::holds_alternative<double>(node.value()); };
  if (!integer(range.start) || !integer(range.stop) || !integer(range.step)) {
    return decimals(start, stop, step, where);
  }
  const auto exact = [](const Node& node) {
    const auto* whole = std::get_if<int64_t>(&node.value());
    return whole ? *whole : static_cast<int64_t>(number(node));
  };
  return integers(exact(range.start), exact(range.stop), exact(range.step), where);
}

bool matches(const std::string& name, const std::vector<std::string>& patterns) {
  return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) {
    return fnmatch(pattern.c_str(), name.c_str(), FNM_NOESCAPE) == 0;
  });
}

std::vector<Node> values_of(const Glob& glob, const std::vector<std::string>& options, const std::string& where) {
  if (options.empty()) throw UserError(where, "", "glob() chooses from a group's options, and this is no group");
  std::vector<Node> out;
  for (const std::string& name : options) {
    if (matches(name, glob.include) && !matches(name, glob.exclude)) out.push_back(Node(name, where));
  }
  if (out.empty()) throw UserError(where, "", "no option matches; there are {}", one_of(options));
  return out;
}

}  // namespace

Node::List shuffled(const Node::List& values) {
  const Permutation order(static_cast<int64_t>(values.size()), 0, 0);
  Node::List out;
  for (size_t i = 0; i < values.size(); ++i) out.push_back(values[order[static_cast<int64_t>(i)]]);
  return out;
}

Node::List sweep_values(const Sweep& sweep, const std::vector<std::string>& options, const std::string& where) {
  Node::List values;
  if (std::holds_alternative<Interval>(sweep.values)) {
    throw UserError(where, "", "an interval() has no list of values; range(0,1,0.1) has one");
  }
  if (const auto* choice = std::get_if<Choice>(&sweep.values)) values = choice->values;
  if (const auto* range = std::get_if<Range>(&sweep.values)) values = values_of(*range, where);
  if (const auto* glob = std::get_if<Glob>(&sweep.values)) values = values_of(*glob, options, where);
  if (values.empty()) throw UserError(where, "", "the sweep has no value");
  return sweep.shuffled ? shuffled(values) : values;
}

}  // namespace freeatm::config
