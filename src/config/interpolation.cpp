// SPDX-License-Identifier: Apache-2.0
#include "interpolation.h"

#include <algorithm>
#include <charconv>

#include "interpolation_evaluator.h"
#include "merge.h"
#include "tree_limits.h"

namespace freeatm::config {
namespace {

constexpr size_t kMaxEvaluations = 200000;           // texts that double each other would take forever without growing
constexpr size_t kMaxDepthExpanded = 5 * kMaxDepth;  // levels of copies within copies
constexpr size_t kMaxTextBytes = 1 << 20;

// "a.b[0][c]" -> a, b, 0, c
std::vector<std::string> split_path(std::string_view path) {
  std::vector<std::string> parts(1);
  for (size_t i = 0; i < path.size(); ++i) {
    const char c = path[i];
    if (c == '.' || c == '[') {
      if (i > 0) parts.emplace_back();
    } else if (c != ']') {
      parts.back() += c;
    }
  }
  return parts;
}

// An index as Python's int() reads it; nothing for any other text.
std::optional<int64_t> list_index(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  int64_t index = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), index);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(index) : std::nullopt;
}

}  // namespace

Node InterpolationEvaluator::resolve_all() {
  Ancestors ancestors;
  return resolved(root_, ancestors);
}

Node InterpolationEvaluator::resolved(const Node& node, Ancestors& ancestors) {
  const Place place{node, ancestors};
  if (depth_ > kMaxDepthExpanded) refuse(place, "interpolations nest too deep");
  ++depth_;
  count_bytes(sizeof(Node) + node.where().size() + (node.is_scalar() ? node.text().size() : 0), place);
  Node out(nullptr, node.where());
  if (node.is_map() || node.is_list()) {
    ancestors.push_back(&node);
    if (node.is_map()) {
      out.value() = Node::Map();
      for (const auto& [key, value] : node.map()) out.map().emplace_back(key, resolved(value, ancestors));
    } else {
      out.value() = Node::List();
      for (const Node& item : node.list()) out.list().push_back(resolved(item, ancestors));
    }
    ancestors.pop_back();
  } else if (has_interpolation(node)) {
    Value value = evaluate(node, ancestors);
    if (value.origin == Origin::kPlain || value.node->is_scalar()) {
      out.value() = value.node->value();
    } else {
      if (!expanding_.insert(&node).second) refuse(place, "an interpolation of itself");
      out.value() = resolved(*value.node, value.ancestors).value();
      expanding_.erase(&node);
    }
  } else {
    out.value() = node.value();
  }
  --depth_;
  return out;
}

InterpolationEvaluator::Value InterpolationEvaluator::evaluate(const Node& text, const Ancestors& ancestors) {
  const Place place{text, ancestors};
  if (!active_.insert(&text).second) refuse(place, "an interpolation of itself");
  if (active_.size() > kMaxDepth) refuse(place, "interpolations nest too deep");
  if (++evaluations_ > kMaxEvaluations) refuse(place, "too many interpolations");
  const InterpolatedText parsed = parse(parse_interpolated, std::get<std::string>(text.value()), place);
  Value out = parsed.is_one_interpolation() ? evaluate_part(*parsed.parts[0].interpolation, place)
                                            : made(evaluate_text(parsed, place), place, Origin::kPlain);
  active_.erase(&text);
  return out;
}

std::string InterpolationEvaluator::evaluate_text(const InterpolatedText& text, const Place& place) {
  std::string out;
  for (const auto& part : text.parts) {
    out += part.interpolation ? python_str(*evaluate_part(*part.interpolation, place).node) : part.literal;
    if (out.size() > kMaxTextBytes) refuse(place, "too long a text");
  }
  return out;
}

InterpolationEvaluator::Value InterpolationEvaluator::evaluate_part(const Interpolation& part, const Place& place) {
  std::string name;
  for (const auto& piece : part.name.parts) {
    if (!piece.interpolation) {
      name += piece.literal;
      continue;
    }
    const Value value = evaluate_part(*piece.interpolation, place);
    const auto* key = std::get_if<std::string>(&value.node->value());
    if (!key) refuse(place, format("{} is not a key", value.node->describe()));
    name += *key;
  }
  if (part.is_call) {
    Arguments arguments;
    for (const Element& element : part.arguments) arguments.push_back(evaluate_element(element, place));
    return call(name, arguments, place);
  }
  std::string why;
  const std::optional<Value> found = find(name, place, why);
  if (!found) refuse(place, why);
  if (std::find(place.ancestors.begin(), place.ancestors.end(), found->node) != place.ancestors.end()) {
    refuse(place, "an interpolation of what it is part of");
  }
  return *found;
}

InterpolationEvaluator::Value InterpolationEvaluator::evaluate_element(const Element& element, const Place& place) {
  using Kind = Element::Kind;
  if (element.kind == Kind::kWord) return made(element.word.value(), place, Origin::kPlain);
  if (element.kind == Kind::kText && element.text.is_one_interpolation()) {
    return evaluate_part(*element.text.parts[0].interpolation, place);
  }
  if (element.kind == Kind::kText || element.kind == Kind::kQuoted) {
    return made(evaluate_text(element.text, place), place, Origin::kPlain);
  }
  Node list{Node::List()}, map{Node::Map()};
  Origin origin = Origin::kPlain;
  for (size_t i = 0; i < element.items.size(); ++i) {
    const Value item = evaluate_element(element.items[i], place);
    if (item.origin != Origin::kPlain && !item.node->is_scalar()) origin = Origin::kMade;  // its parts need resolving
    if (element.kind == Kind::kMap) {
      map.set(element.keys[i], *item.node);
    } else {
      list.list().push_back(*item.node);
    }
  }
  return made((element.kind == Kind::kMap ? map : list).value(), place, origin);
}

std::optional<InterpolationEvaluator::Value> InterpolationEvaluator::find(std::string path, const Place& place,
                                                                          std::string& why) {
  Value at{&root_, {}, Origin::kTree};
  if (path.starts_with('.')) {
    const size_t dots = std::min(path.find_first_not_of('.'), path.size());
    if (dots > place.ancestors.size()) refuse(place, "more dots than levels");
    at.ancestors.assign(place.ancestors.begin(), place.ancestors.end() - static_cast<std::ptrdiff_t>(dots));
    at.node = place.ancestors[at.ancestors.size()];
    path.erase(0, dots);
  }
  if (path.empty()) return at;
  for (const std::string& key : split_path(path)) {
    std::optional<Value> next = child(at, key, place, why);
    if (!next) {
      why = format("'{}' {}", path, why);
      return std::nullopt;
    }
    at = std::move(*next);
  }
  return at;
}

// One step down; what lies there is followed if it is itself an interpolation.
std::optional<InterpolationEvaluator::Value> InterpolationEvaluator::child(const Value& container,
                                                                           const std::string& key, const Place& place,
                                                                           std::string& why) {
  const Node& node = *container.node;
  if (node.is_scalar() || container.origin == Origin::kPlain) {
    why = "leads through " + shortened(node.describe());
    return std::nullopt;
  }
  const Node* found = nullptr;
  if (node.is_list()) {
    const std::optional<int64_t> index = list_index(key);
    if (!index) refuse(place, format("'{}' is not an index of a list", key));
    if (*index >= 0 && *index < static_cast<int64_t>(node.list().size())) found = &node.list()[*index];
  } else {
    found = node.find(key);
  }
  if (!found) {
    why = "is not in the configuration" + did_you_mean(key, key_names(node));
    return std::nullopt;
  }
  if (found->is_missing()) {
    why = "is required and not given";
    return std::nullopt;
  }
  Value out{found, container.ancestors, container.origin};
  out.ancestors.push_back(&node);
  return has_interpolation(*found) ? evaluate(*found, out.ancestors) : out;
}

InterpolationEvaluator::Value InterpolationEvaluator::made(Node::Value value, const Place& place, Origin origin) {
  const Node& node = made_.emplace_back(std::move(value), place.text.where());
  count_bytes(tree_bytes(node), place);
  return {&node, place.ancestors, origin};
}

void InterpolationEvaluator::count_bytes(size_t bytes, const Place& place) {
  bytes_ += bytes;
  if (bytes_ > kMaxTreeBytes) {
    throw UserError(place.text.where(), full_key(place), "too large once interpolations are expanded");
  }
}

// "a.b[0]", for messages; what lies in a node that a resolver made has the key of the text that called it.
std::string InterpolationEvaluator::full_key(const Place& place) const {
  std::string key;
  for (size_t i = 0; i < place.ancestors.size(); ++i) {
    const Node& parent = *place.ancestors[i];
    const Node* node = i + 1 < place.ancestors.size() ? place.ancestors[i + 1] : &place.text;
    if (parent.is_list()) {
      const auto index = node - parent.list().data();
      if (std::less<>()(node, parent.list().data()) || index >= static_cast<std::ptrdiff_t>(parent.list().size()))
        break;
      key += format("[{}]", index);
    } else {
      const auto entry = std::find_if(parent.map().begin(), parent.map().end(),
                                      [&](const auto& item) { return &item.second == node; });
      if (entry == parent.map().end()) break;
      key += (key.empty() ? "" : ".") + entry->first;
    }
  }
  return key;
}

void InterpolationEvaluator::refuse(const Place& place, const std::string& message) const {
  throw UserError(place.text.where(), full_key(place), "{} in '{}'", message, shortened(place.text.text()));
}

bool has_interpolation(const Node& node) {
  const auto* text = std::get_if<std::string>(&node.value());
  return text && text->find("${") != std::string::npos;
}

Node resolve_interpolations(const Node& root) { return InterpolationEvaluator(root).resolve_all(); }

const Node* referred_container(const Node& value, const std::vector<const Node*>& ancestors) {
  try {
    InterpolationEvaluator evaluator(*ancestors.front());
    const auto found = evaluator.evaluate(value, ancestors);
    const bool in_tree = found.origin == InterpolationEvaluator::Value::Origin::kTree;
    return in_tree && !found.node->is_scalar() ? found.node : nullptr;
  } catch (const UserError&) {  // perhaps a later file defines what it refers to
    return nullptr;
  }
}

}  // namespace freeatm::config
