// SPDX-License-Identifier: Apache-2.0
#include "hydra/override_functions.h"

#include "freeatm/core/error.h"

#include "hydra/override_casts.h"
#include "hydra/override_order.h"
#include "python_values.h"

namespace freeatm::config {
namespace {

Argument cast_call(const Call& call) {
  call.check_names({"value"}, false);
  const std::optional<Argument> named = call.optional_argument("value");
  const std::vector<Argument>& values = call.positional;
  if (named && !values.empty()) call.refuse("takes either value= or values without a name");
  if (!named && values.empty()) call.refuse("a value is missing");
  if (named) return cast(call, *named);
  return cast(call, values.size() == 1 ? values[0] : call.simple_choice());
}

Argument choice(const Call& call) {
  call.check_names({}, false);
  if (call.positional.empty()) call.refuse("a value is missing");
  if (const auto* sweep = std::get_if<Sweep>(&call.positional[0]); sweep && call.positional.size() == 1) {
    const auto* simple = std::get_if<Choice>(&sweep->values);
    if (!simple || !simple->simple) call.refuse("another sweep cannot stand in it");
    Sweep out = *sweep;
    std::get<Choice>(out.values).simple = false;
    return out;
  }
  Sweep out = call.simple_choice();
  auto& values = std::get<Choice>(out.values);
  values.simple = false;
  for (const Node& value : values.values) {
    if (value.is_null()) call.refuse("null cannot stand in it; 'null,1' without choice() can");
  }
  return out;
}

Argument range(const Call& call) {
  call.check_names({"start", "stop", "step"}, true);
  std::optional<Node> start = call.number("start", call.argument("start", 0));
  std::optional<Node> stop = call.number("stop", call.optional_argument("stop", 1));
  const std::optional<Node> step = call.number("step", call.argument("step", 2));
  if (!start) call.refuse("start is missing");
  if (!stop) {
    stop = start;
    start = Node(int64_t{0});
  }
  return Sweep{Range{*start, *stop, step.value_or(Node(int64_t{1}))}};
}

Argument interval(const Call& call) {
  call.check_names({"start", "end"}, true);
  const std::optional<Node> start = call.number("start", call.argument("start", 0));
  const std::optional<Node> end = call.number("end", call.argument("end", 1));
  if (!start || !end) call.refuse("takes two numbers, start and end");
  return Sweep{Interval{Node(number(*start)), Node(number(*end))}};
}

std::vector<std::string> patterns(const Call& call, const std::string& name, size_t place) {
  const std::optional<Argument> value = call.optional_argument(name, place);
  if (!value) return {};
  const Node& node = call.single(*value);
  const Node::List items = node.is_list() ? node.list() : Node::List{node};
  std::vector<std::string> out;
  for (const Node& item : items) {
    const auto* text = std::get_if<std::string>(&item.value());
    if (!text) call.refuse("{}: {} is not a pattern", name, item.describe());
    out.push_back(*text);
  }
  return out;
}

Argument glob(const Call& call) {
  call.check_names({"include", "exclude"}, true);
  if (!call.optional_argument("include", 0)) call.refuse("a pattern is missing");
  return Sweep{Glob{patterns(call, "include", 0), patterns(call, "exclude", 1)}};
}

// Tags are for other sweepers than ours.
Argument tag(const Call& call) {
  call.check_names({"sweep"}, false);
  std::vector<Argument> values = call.positional;
  if (values.empty()) call.refuse("tags and a sweep are missing");
  if (const std::optional<Argument> named = call.optional_argument("sweep")) values.push_back(*named);
  const Argument sweep = std::move(values.back());
  values.pop_back();
  for (const Argument& value : values) {
    if (!std::holds_alternative<std::string>(call.single(value).value())) call.refuse("a tag must be a text");
  }
  const auto* last = std::get_if<Sweep>(&sweep);
  if (!last || std::holds_alternative<Glob>(last->values)) {
    call.refuse("the last argument must be a choice(), range() or interval()");
  }
  return sweep;
}

}  // namespace

Argument evaluate(const Call& call) {
  static const std::vector<std::pair<std::string, Argument (*)(const Call&)>> functions = {
      {"int", cast_call}, {"float", cast_call}, {"str", cast_call},     {"bool", cast_call},
      {"choice", choice}, {"range", range},     {"interval", interval}, {"glob", glob},
      {"tag", tag},       {"sort", sort},       {"shuffle", shuffle}};
  std::vector<std::string> names;
  for (const auto& [name, function] : functions) {
    if (name == call.name) return function(call);
    names.push_back(name);
  }
  throw UserError(call.where, "", "there is no function {}(){}; a text with brackets needs quotes", call.name,
                  did_you_mean(call.name, names));
}

}  // namespace freeatm::config
