// SPDX-License-Identifier: Apache-2.0
#include "interpolation.h"

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <iomanip>
#include <set>
#include <sstream>
#include <string_view>

#include "freeatm/core/error.h"

#include "interpolation_text.h"
#include "merge.h"
#include "tree_limits.h"

namespace freeatm::config {
namespace {

using Ancestors = std::vector<const Node*>;

constexpr size_t kMaxEvaluations = 200000;  // texts that double each other would take forever without growing

// What an interpolation stands for: a node of the tree, or a value of its own.
struct Value {
  const Node* node = nullptr;
  Ancestors ancestors;  // of `node`
  Node own;
  const Node& get() const { return node ? *node : own; }
};

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

class Resolver {
 public:
  explicit Resolver(const Node& root) : root_(root) {}

  Node resolve_all() {
    Ancestors ancestors;
    return resolved(root_, ancestors, "");
  }

  /// The value of a string with interpolations.
  Value evaluate(const Node& text, const Ancestors& ancestors);

 private:
  Node resolved(const Node& node, Ancestors& ancestors, const std::string& path);
  Value evaluate_part(const Interpolation& part, const Node& text, const Ancestors& ancestors);
  std::string evaluate_text(const InterpolatedText& text, const Node& node, const Ancestors& ancestors);
  Value select(std::string path, const Node& text, const Ancestors& ancestors);
  Value child(const Value& container, const std::string& key, const std::string& path, const Node& text);
  Value call(const std::string& resolver, const Interpolation& part, const Node& text, const Ancestors& ancestors);
  Node argument(const InterpolatedText& given, const Node& text, const Ancestors& ancestors);
  Node environment(const std::vector<Node>& arguments, const Node& text) const;
  Node now(const std::vector<Node>& arguments, const Node& text) const;
  [[noreturn]] void refuse(const Node& text, const std::string& message) const {
    throw UserError(text.where(), path_, "{} in '{}'", message, text.text());
  }

  const Node& root_;
  std::string path_;                 // of the value that is being resolved, for messages
  std::set<const Node*> active_;     // strings that wait for what they refer to: meeting one again is a cycle
  std::set<const Node*> expanding_;  // strings whose list or map is being copied: likewise
  size_t depth_ = 0, bytes_ = 0, evaluations_ = 0;
};

Node Resolver::resolved(const Node& node, Ancestors& ancestors, const std::string& path) {
  if (depth_ > 5 * kMaxDepth) refuse(node, "interpolations nest too deep");
  ++depth_;
  bytes_ += sizeof(Node) + node.where().size() + (node.is_scalar() ? node.text().size() : 0);
  if (bytes_ > kMaxTreeBytes) throw UserError(node.where(), path, "too large once interpolations are expanded");
  Node out(nullptr, node.where());
  if (node.is_map() || node.is_list()) {
    ancestors.push_back(&node);
    if (node.is_map()) {
      out.value() = Node::Map();
      for (const auto& [key, value] : node.map()) {
        out.map().emplace_back(key, resolved(value, ancestors, path.empty() ? key : path + "." + key));
      }
    } else {
      out.value() = Node::List();
      for (const Node& item : node.list()) {
        out.list().push_back(resolved(item, ancestors, format("{}[{}]", path, out.list().size())));
      }
    }
    ancestors.pop_back();
  } else if (has_interpolation(node)) {
    path_ = path;
    Value value = evaluate(node, ancestors);
    if (value.get().is_scalar()) {
      out.value() = value.get().value();
    } else {
      if (!expanding_.insert(&node).second) refuse(node, "an interpolation of itself");
      out.value() = resolved(value.get(), value.ancestors, path).value();
      expanding_.erase(&node);
    }
  } else {
    out.value() = node.value();
  }
  --depth_;
  return out;
}

Value Resolver::evaluate(const Node& text, const Ancestors& ancestors) {
  if (!active_.insert(&text).second) refuse(text, "an interpolation of itself");
  if (active_.size() > kMaxDepth) refuse(text, "interpolations nest too deep");
  if (++evaluations_ > kMaxEvaluations) refuse(text, "too many interpolations");
  const InterpolatedText parsed = parse_interpolated(std::get<std::string>(text.value()), text.where(), path_);
  Value out;
  if (parsed.parts.size() == 1 && parsed.parts[0].is_interpolation) {
    out = evaluate_part(*parsed.parts[0].interpolation, text, ancestors);
  } else {
    out.own = Node(evaluate_text(parsed, text, ancestors), text.where());
  }
  active_.erase(&text);
  const Node* target = out.node;
  if (target && std::find(ancestors.begin(), ancestors.end(), target) != ancestors.end()) {
    refuse(text, "an interpolation of what it is part of");
  }
  return out;
}

std::string Resolver::evaluate_text(const InterpolatedText& text, const Node& node, const Ancestors& ancestors) {
  std::string out;
  for (const auto& part : text.parts) {
    out += part.is_interpolation ? python_str(evaluate_part(*part.interpolation, node, ancestors).get()) : part.literal;
    if (out.size() > kMaxTreeBytes / 64) refuse(node, "too long a text");
  }
  return out;
}

Value Resolver::evaluate_part(const Interpolation& part, const Node& text, const Ancestors& ancestors) {
  std::string name;
  for (const auto& piece : part.name.parts) {
    if (!piece.is_interpolation) {
      name += piece.literal;
      continue;
    }
    const Value value = evaluate_part(*piece.interpolation, text, ancestors);
    const auto* key = std::get_if<std::string>(&value.get().value());
    if (!key) refuse(text, format("{} is not a key", value.get().describe()));
    name += *key;
  }
  return part.is_call ? call(name, part, text, ancestors) : select(name, text, ancestors);
}

Node Resolver::argument(const InterpolatedText& given, const Node& text, const Ancestors& ancestors) {
  if (given.parts.size() == 1 && given.parts[0].is_interpolation) {
    return evaluate_part(*given.parts[0].interpolation, text, ancestors).get();
  }
  const std::string word = evaluate_text(given, text, ancestors);
  return given.quoted ? Node(word) : typed_word(word);
}

Value Resolver::call(const std::string& resolver, const Interpolation& part, const Node& text,
                     const Ancestors& ancestors) {
  std::vector<Node> arguments;
  for (const InterpolatedText& given : part.arguments) arguments.push_back(argument(given, text, ancestors));
  Value out;
  if (resolver == "oc.env") {
    out.own = environment(arguments, text);
  } else if (resolver == "now") {
    out.own = now(arguments, text);
  } else {
    refuse(text, format("the resolver '{}' is not known (oc.env and now are)", resolver));
  }
  return out;
}

// ${oc.env:NAME}, ${oc.env:NAME,default}: always a string, or the default null.
Node Resolver::environment(const std::vector<Node>& arguments, const Node& text) const {
  if (arguments.empty() || arguments.size() > 2) refuse(text, "oc.env takes a name and perhaps a default");
  const auto* variable = std::get_if<std::string>(&arguments[0].value());
  if (!variable) refuse(text, format("{} is not the name of an environment variable", arguments[0].describe()));
  if (const char* found = std::getenv(variable->c_str())) return Node(std::string(found), text.where());
  if (arguments.size() == 1) {
    refuse(text, format("the environment variable '{}' is not set and there is no default", *variable));
  }
  return arguments[1].is_null() ? Node(nullptr, text.where()) : Node(python_str(arguments[1]), text.where());
}

// Hydra's ${now:%Y-%m-%d}: the local time, the same all through the program.
Node Resolver::now(const std::vector<Node>& arguments, const Node& text) const {
  static const std::time_t kStart = std::time(nullptr);
  if (arguments.size() != 1) refuse(text, "now takes one pattern, as in ${now:%Y-%m-%d}");
  std::tm local{};
  localtime_r(&kStart, &local);
  std::ostringstream out;
  out << std::put_time(&local, arguments[0].text().c_str());
  return Node(out.str(), text.where());
}

Value Resolver::select(std::string path, const Node& text, const Ancestors& ancestors) {
  Value at{&root_, {}, {}};
  if (path.starts_with('.')) {
    const size_t dots = std::min(path.find_first_not_of('.'), path.size());
    if (dots > ancestors.size()) refuse(text, "more dots than levels");
    at.node = ancestors[ancestors.size() - dots];
    at.ancestors.assign(ancestors.begin(), ancestors.end() - static_cast<std::ptrdiff_t>(dots));
    path.erase(0, dots);
  }
  for (const std::string& key : split_path(path)) at = child(at, key, path, text);
  return at;
}

// One step down; what lies there is followed if it is itself an interpolation.
Value Resolver::child(const Value& container, const std::string& key, const std::string& path, const Node& text) {
  const Node& node = container.get();
  if (node.is_scalar()) refuse(text, format("'{}' leads through {}", path, node.describe()));
  const Node* found = node.find_path(key);
  if (!found) refuse(text, format("'{}' is not in the configuration{}", path, did_you_mean(key, key_names(node))));
  if (found->is_missing()) refuse(text, format("'{}' is required and not given", path));
  Value out{found, container.ancestors, {}};
  out.ancestors.push_back(&node);
  return has_interpolation(*found) ? evaluate(*found, out.ancestors) : out;
}

}  // namespace

bool has_interpolation(const Node& node) {
  const auto* text = std::get_if<std::string>(&node.value());
  return text && text->find("${") != std::string::npos;
}

Node resolve_interpolations(const Node& root) { return Resolver(root).resolve_all(); }

const Node* referred_container(const Node& value, const std::vector<const Node*>& ancestors) {
  try {
    const Node* node = Resolver(*ancestors.front()).evaluate(value, ancestors).node;
    return node && !node->is_scalar() ? node : nullptr;
  } catch (const UserError&) {  // perhaps a later file defines what it refers to
    return nullptr;
  }
}

}  // namespace freeatm::config
