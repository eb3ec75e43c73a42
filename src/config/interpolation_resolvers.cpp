// SPDX-License-Identifier: Apache-2.0
// OmegaConf's resolvers, and Hydra's `now`.
#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <iomanip>
#include <iterator>
#include <sstream>

#include "freeatm/core/log.h"

#include "interpolation_evaluator.h"

namespace freeatm::config {

using Value = InterpolationEvaluator::Value;

const InterpolationEvaluator::Resolver InterpolationEvaluator::kResolvers[] = {
    {"oc.env", 1, 2, &InterpolationEvaluator::environment},
    {"oc.select", 1, 2, &InterpolationEvaluator::select},
    {"oc.decode", 1, 1, &InterpolationEvaluator::decode},
    {"oc.create", 1, 1, &InterpolationEvaluator::create},
    {"oc.dict.keys", 1, 1, &InterpolationEvaluator::dict_keys},
    {"oc.dict.values", 1, 1, &InterpolationEvaluator::dict_values},
    {"oc.deprecated", 1, 2, &InterpolationEvaluator::deprecated},
    {"now", 1, 1, &InterpolationEvaluator::now},
};

Value InterpolationEvaluator::call(const std::string& name, const Arguments& arguments, const Place& place) {
  for (const Resolver& resolver : kResolvers) {
    if (resolver.name != name) continue;
    if (arguments.size() < resolver.least || arguments.size() > resolver.most) {
      const std::string wanted =
          resolver.least == resolver.most ? "one" : format("{} or {}", resolver.least, resolver.most);
      refuse(place, format("{} arguments for {}, which takes {}", arguments.size(), name, wanted));
    }
    return (this->*resolver.call)(arguments, place);
  }
  if (name == "hydra")
    refuse(place, "'hydra:' is not known while a configuration is composed; give the value as a key,");
  std::vector<std::string> names;
  for (const Resolver& resolver : kResolvers) names.emplace_back(resolver.name);
  refuse(place, format("the resolver '{}' is not known{} ({} are)", name, did_you_mean(name, names), one_of(names)));
}

const std::string& InterpolationEvaluator::text_argument(const Value& argument, const char* what,
                                                         const Place& place) const {
  const auto* text = std::get_if<std::string>(&argument.node->value());
  if (!text) refuse(place, format("{} is not {}", argument.node->describe(), what));
  return *text;
}

// ${oc.env:NAME}, ${oc.env:NAME,default}: always a string, or the default null.
Value InterpolationEvaluator::environment(const Arguments& arguments, const Place& place) {
  const std::string& variable = text_argument(arguments[0], "the name of an environment variable", place);
  if (const char* found = std::getenv(variable.c_str())) return made(std::string(found), place, Origin::kPlain);
  if (arguments.size() == 1) {
    refuse(place, format("the environment variable '{}' is not set and there is no default", variable));
  }
  const Node& fallback = *arguments[1].node;
  if (fallback.is_null()) return made(nullptr, place, Origin::kPlain);
  return made(python_str(fallback), place, Origin::kPlain);
}

// ${now:%Y-%m-%d}: the local time, the same all through the program.
Value InterpolationEvaluator::now(const Arguments& arguments, const Place& place) {
  static const std::time_t kStart = std::time(nullptr);
  std::tm local{};
  localtime_r(&kStart, &local);
  std::ostringstream out;
  out << std::put_time(&local, text_argument(arguments[0], "a pattern such as %Y-%m-%d", place).c_str());
  return made(out.str(), place, Origin::kPlain);
}

// ${oc.select:key,default}: the default, or null, for a key that is absent or `???`.
Value InterpolationEvaluator::select(const Arguments& arguments, const Place& place) {
  std::string why;
  if (const auto found = find(text_argument(arguments[0], "a key", place), place, why)) return *found;
  return arguments.size() > 1 ? arguments[1] : made(nullptr, place, Origin::kPlain);
}

// ${oc.decode:text}: the value that the text spells, `${...}` in it resolved.
Value InterpolationEvaluator::decode(const Arguments& arguments, const Place& place) {
  if (arguments[0].node->is_null()) return arguments[0];
  const std::string& text = text_argument(arguments[0], "a text to decode", place);
  return evaluate_element(parse(parse_element, text, place), place);
}

// ${oc.create:{a:1}}: a list or a map whose values may be selected and interpolated; a text is read as YAML.
Value InterpolationEvaluator::create(const Arguments& arguments, const Place& place) {
  const Node& given = *arguments[0].node;
  if (given.is_null() || !given.is_scalar()) return made(given.value(), place, Origin::kMade);
  Node read = parse_yaml(text_argument(arguments[0], "a list, a map or their YAML", place), place.text.where());
  if (read.is_null()) read = Node(Node::Map());
  if (const auto* key = std::get_if<std::string>(&read.value())) read = Node(Node::Map{{*key, Node()}});
  if (read.is_scalar()) refuse(place, format("{} is not a list, a map or their YAML", read.describe()));
  return made(read.value(), place, Origin::kMade);
}

Value InterpolationEvaluator::find_map(const Arguments& arguments, const Place& place) {
  std::string why;
  const auto found = find(text_argument(arguments[0], "a key", place), place, why);
  if (!found) refuse(place, why);
  if (!found->node->is_map() || found->origin == Origin::kPlain) {
    refuse(place, format("{} is not a group of keys", found->node->describe()));
  }
  return *found;
}

Value InterpolationEvaluator::dict_keys(const Arguments& arguments, const Place& place) {
  Node::List keys;
  for (const auto& [key, value] : find_map(arguments, place).node->map()) keys.emplace_back(key);
  return made(std::move(keys), place, Origin::kMade);
}

// A list of interpolations, one level below the text that asked: a relative key needs one more dot.
Value InterpolationEvaluator::dict_values(const Arguments& arguments, const Place& place) {
  const Value map = find_map(arguments, place);
  std::string path = std::get<std::string>(arguments[0].node->value());
  if (path.starts_with('.')) path.insert(0, 1, '.');
  Node::List values;
  for (const auto& [key, value] : map.node->map()) {
    values.emplace_back("${" + path + "." + key + "}", place.text.where());
  }
  return made(std::move(values), place, Origin::kMade);
}

// ${oc.deprecated:new,message}: the value of the new key, and a warning.
Value InterpolationEvaluator::deprecated(const Arguments& arguments, const Place& place) {
  const std::string& key = text_argument(arguments[0], "a key", place);
  std::string message = "'$OLD_KEY' is deprecated. Change your code and config to use '$NEW_KEY'";
  if (arguments.size() > 1) message = text_argument(arguments[1], "a message", place);
  std::string why;
  const auto found = find(key, place, why);
  if (!found) refuse(place, why);
  for (const auto& [name, replacement] : {std::pair(std::string("$OLD_KEY"), full_key(place)), {"$NEW_KEY", key}}) {
    for (size_t at = 0; (at = message.find(name, at)) != std::string::npos; at += replacement.size()) {
      message.replace(at, name.size(), replacement);
    }
  }
  log::warning("{}: {}", place.text.where(), message);
  return *found;
}

}  // namespace freeatm::config
