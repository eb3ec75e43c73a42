// SPDX-License-Identifier: Apache-2.0
// Evaluates interpolations: paths in interpolation.cpp, resolvers such as oc.env in interpolation_resolvers.cpp.
#pragma once
#include <deque>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "freeatm/core/error.h"

#include "interpolation_text.h"

namespace freeatm::config {

class InterpolationEvaluator {
 public:
  using Ancestors = std::vector<const Node*>;  // the maps and lists from the root to a value's parent

  /// What an interpolation stands for.
  struct Value {
    /// A node of the tree; one that a resolver made, which lies beside the text that called it and may itself hold
    /// interpolations; or a plain value, in which nothing is resolved any more and no key is looked up.
    enum class Origin { kTree, kMade, kPlain };
    const Node* node = nullptr;
    Ancestors ancestors;
    Origin origin = Origin::kTree;
  };

  explicit InterpolationEvaluator(const Node& root) : root_(root) {}

  /// The whole tree with every interpolation replaced.
  Node resolve_all();
  /// The value of a string with interpolations.
  Value evaluate(const Node& text, const Ancestors& ancestors);

 private:
  using Origin = Value::Origin;
  using Arguments = std::vector<Value>;

  // The string that is being evaluated, and where it stands.
  struct Place {
    const Node& text;
    const Ancestors& ancestors;
  };
  struct Resolver {
    const char* name;
    size_t least, most;  // arguments
    Value (InterpolationEvaluator::*call)(const Arguments&, const Place&);
  };
  static const Resolver kResolvers[];

  Node resolved(const Node& node, Ancestors& ancestors);
  Value evaluate_part(const Interpolation& part, const Place& place);
  Value evaluate_element(const Element& element, const Place& place);
  std::string evaluate_text(const InterpolatedText& text, const Place& place);
  // Nothing where there is no such value, and then `why` says what is in the way.
  std::optional<Value> find(std::string path, const Place& place, std::string& why);
  std::optional<Value> child(const Value& container, const std::string& key, const Place& place, std::string& why);

  Value call(const std::string& name, const Arguments& arguments, const Place& place);
  Value environment(const Arguments& arguments, const Place& place);
  Value now(const Arguments& arguments, const Place& place);
  Value select(const Arguments& arguments, const Place& place);
  Value decode(const Arguments& arguments, const Place& place);
  Value create(const Arguments& arguments, const Place& place);
  Value dict_keys(const Arguments& arguments, const Place& place);
  Value dict_values(const Arguments& arguments, const Place& place);
  Value deprecated(const Arguments& arguments, const Place& place);
  Value find_map(const Arguments& arguments, const Place& place);
  const std::string& text_argument(const Value& argument, const char* what, const Place& place) const;

  // parse_interpolated or parse_element, what they throw made the user's error.
  template <class Parser>
  auto parse(Parser parser, const std::string& text, const Place& place) const {
    try {
      return parser(text);
    } catch (const std::invalid_argument& error) {
      refuse(place, error.what());
    }
  }
  Value made(Node::Value value, const Place& place, Origin origin);
  void count_bytes(size_t bytes, const Place& place);
  std::string full_key(const Place& place) const;
  [[noreturn]] void refuse(const Place& place, const std::string& message) const;

  const Node& root_;
  std::deque<Node> made_;            // what resolvers and texts give: nodes of no tree
  std::set<const Node*> active_;     // strings that wait for what they refer to: meeting one again is a cycle
  std::set<const Node*> expanding_;  // strings whose list or map is being copied: likewise
  size_t depth_ = 0, bytes_ = 0, evaluations_ = 0;
};

}  // namespace freeatm::config
