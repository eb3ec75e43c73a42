// SPDX-License-Identifier: Apache-2.0
#include "hydra/override_order.h"

#include <algorithm>
#include <cmath>

#include "python_values.h"

namespace freeatm::config {
namespace {

// A choice or a range.
const Sweep& listed(const Call& call, const Argument& argument) {
  const Sweep& sweep = std::get<Sweep>(argument);
  if (std::holds_alternative<Choice>(sweep.values) || std::holds_alternative<Range>(sweep.values)) return sweep;
  call.refuse("only choices, ranges and lists have an order");
}

Range sorted(const Range& range, bool reverse) {
  const bool wrong_way = reverse ? python_less(range.start, range.stop) : python_less(range.stop, range.start);
  if (!wrong_way) return range;
  const auto plus = [](const Node& a, const Node& b, int sign) {
    if (std::holds_alternative<double>(a.value()) || std::holds_alternative<double>(b.value())) {
      return Node(number(a) + sign * std::abs(number(b)));
    }
    return Node(static_cast<int64_t>(number(a) + sign * std::abs(number(b))));
  };
  const int sign = reverse ? -1 : 1;
  Range out{plus(range.stop, range.step, sign), plus(range.start, range.step, sign), range.step};
  if (const auto* step = std::get_if<double>(&range.step.value())) {
    out.step = Node(-*step);
  } else {
    out.step = Node(static_cast<int64_t>(-number(range.step)));
  }
  return out;
}

Node::List sorted(Node::List values, bool reverse) {
  std::stable_sort(values.begin(), values.end(),
                   [&](const Node& a, const Node& b) { return reverse ? python_less(b, a) : python_less(a, b); });
  return values;
}

// What is to be put in order where it is one thing: list=, sweep=, or the only argument.
std::optional<Argument> single_argument(const Call& call) {
  const std::optional<Argument> list = call.optional_argument("list");
  if (list && !call.single(*list).is_list()) call.refuse("list is {}", call.single(*list).describe());
  if (list) return list;
  const std::optional<Argument> sweep = call.optional_argument("sweep");
  if (sweep && !std::holds_alternative<Sweep>(*sweep)) call.refuse("sweep is {}", std::get<Node>(*sweep).describe());
  if (sweep) return sweep;
  if (call.positional.empty()) call.refuse("a value is missing");
  if (call.positional.size() > 1) return std::nullopt;
  const Node* node = std::get_if<Node>(&call.positional[0]);
  if (node && node->is_null()) call.refuse("null has no order");
  return call.positional[0];
}

bool is_reversed(const Call& call) {
  const std::optional<Argument> value = call.argument("reverse");
  if (!value) return false;
  const auto* flag = std::get_if<bool>(&call.single(*value).value());
  if (!flag) call.refuse("reverse is {}, not true or false", call.single(*value).describe());
  return *flag;
}

}  // namespace

Argument sort(const Call& call) {
  call.check_names({"sweep", "list", "reverse"}, false);
  const bool reverse = is_reversed(call);
  const std::optional<Argument> one = single_argument(call);
  const Node* node = one ? std::get_if<Node>(&*one) : nullptr;
  if (node) return node->is_list() ? Node(sorted(node->list(), reverse), node->where()) : *node;

  Sweep sweep = one ? listed(call, *one) : call.simple_choice();
  if (const auto* range = std::get_if<Range>(&sweep.values)) {
    sweep.values = sorted(*range, reverse);
    return sweep;
  }
  Node::List& values = std::get<Choice>(sweep.values).values;
  for (const Node& value : values) {
    if (!one && (!value.is_scalar() || value.is_null())) call.refuse("{} stands beside other values", value.describe());
  }
  values = sorted(std::move(values), reverse);
  return sweep;
}

Argument shuffle(const Call& call) {
  call.check_names({"sweep", "list"}, false);
  const std::optional<Argument> one = single_argument(call);
  const Node* node = one ? std::get_if<Node>(&*one) : nullptr;
  if (node) return Node(node->is_list() ? shuffled(node->list()) : Node::List{*node}, node->where());
  Sweep sweep = one ? listed(call, *one) : call.simple_choice();
  sweep.shuffled = true;
  return sweep;
}

}  // namespace freeatm::config
