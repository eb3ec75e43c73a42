// SPDX-License-Identifier: Apache-2.0
// The values of Hydra's override grammar. A word alone is typed (3, 1e-3, true, null); several in a row are the text
// that they spell.
#include <stdexcept>
#include <string_view>
#include <vector>

#include "freeatm/core/error.h"

#include "hydra/override.h"
#include "hydra/override_functions.h"
#include "hydra/override_lexer.h"
#include "scalar.h"
#include "tree_limits.h"
#include "yaml_text.h"

namespace freeatm::config {
namespace {

class ValueParser {
 public:
  ValueParser(std::string_view text, const std::string& where) : where_(where), tokens_(override_tokens(text, where)) {}

  std::variant<Node, Sweep> parse() {
    Argument value = element(0);
    if (token().is_mark(',')) value = simple_sweep(std::move(value));
    if (token().kind != Kind::kEnd) refuse_token();
    return value;
  }

 private:
  using Kind = OverrideToken::Kind;

  const OverrideToken& token() const { return tokens_[at_]; }
  bool skip_mark(char mark) {
    const bool there = token().is_mark(mark);
    at_ += there;
    return there;
  }
  void need_mark(char mark) {
    if (!skip_mark(mark)) refuse_token();
  }
  [[noreturn]] void refuse_token() const {
    if (token().kind == Kind::kEnd) throw UserError(where_, "", "the value is not complete");
    throw UserError(where_, "", "'{}' is not expected here; quote the value, \"key='...'\"", token().text);
  }

  Sweep simple_sweep(Argument first) {
    Choice choice{{single(std::move(first))}, true};
    while (skip_mark(',')) choice.values.push_back(single(element(0)));
    return {std::move(choice)};
  }

  Node single(Argument value) const {
    if (auto* node = std::get_if<Node>(&value)) return std::move(*node);
    throw UserError(where_, "", "a sweep cannot stand inside of another value");
  }

  Argument element(size_t depth) {
    if (depth > kMaxDepth) throw UserError(where_, "", "more than {} levels deep", kMaxDepth);
    if (skip_mark('[')) return list(depth);
    if (skip_mark('{')) return map(depth);
    if (token().kind == Kind::kQuoted) return Node(tokens_[at_++].spelled(), where_);
    if (is_name_before('(')) return function(depth);
    return Node(primitive(true), where_);
  }

  Node list(size_t depth) {
    Node::List items;
    if (!skip_mark(']')) {
      do items.push_back(single(element(depth + 1)));
      while (skip_mark(','));
      need_mark(']');
    }
    return Node(std::move(items), where_);
  }

  Node map(size_t depth) {
    Node out(Node::Map(), where_);
    if (!skip_mark('}')) {
      do {
        const Node key(primitive(false));
        if (key.is_null()) throw UserError(where_, "", "null is not a key");
        need_mark(':');
        out.set(key.text(), single(element(depth + 1)));
      } while (skip_mark(','));
      need_mark('}');
    }
    return out;
  }

  Argument function(size_t depth) {
    Call call;
    call.name = token().text;
    call.where = where_;
    at_ += 2;
    if (!skip_mark(')')) {
      do {
        const bool named = is_name_before('=');
        const std::string name = named ? std::string(token().text) : "";
        at_ += named ? 2 : 0;
        Argument value = element(depth + 1);
        if (named) {
          call.named.emplace_back(name, std::move(value));
        } else if (call.named.empty()) {
          call.positional.push_back(std::move(value));
        } else {
          call.refuse("an argument without a name stands behind one with a name");
        }
      } while (skip_mark(','));
      need_mark(')');
    }
    return evaluate(call);
  }

  // A word that is neither a number nor true, false or null, and the mark behind it.
  bool is_name_before(char mark) const {
    return token().kind == Kind::kWord && tokens_[at_ + 1].is_mark(mark) && !typed(token().text);
  }

  // A run of words, characters, escapes and blanks; in a map's key neither ":" nor interpolations.
  Node::Value primitive(bool is_value) {
    std::vector<OverrideToken> run;
    for (;; ++at_) {
      const Kind kind = token().kind;
      const bool colon = token().is_mark(':');
      if (kind == Kind::kEnd || kind == Kind::kQuoted || (kind == Kind::kMark && !colon)) break;
      if (!is_value && (colon || kind == Kind::kInterpolation)) break;
      run.push_back(token());
    }
    if (run.empty()) refuse_token();
    if (run.front().kind == Kind::kBlank) run.erase(run.begin());
    if (!run.empty() && run.back().kind == Kind::kBlank) run.pop_back();
    if (run.empty()) throw UserError(where_, "", "blanks alone are no value; quote them");
    return spelled(run);
  }

  Node::Value spelled(const std::vector<OverrideToken>& run) const {
    if (run.size() == 1 && run[0].kind == Kind::kWord) {
      if (auto value = typed(run[0].text)) return *value;
    }
    std::string text;
    for (const OverrideToken& token : run) text += token.spelled();
    return text;
  }

  std::optional<Node::Value> typed(std::string_view word) const {
    try {
      return override_word(word);
    } catch (const std::out_of_range&) {
      throw UserError(where_, "", "{} does not fit into 64 bits", word);
    }
  }

  const std::string& where_;
  std::vector<OverrideToken> tokens_;
  size_t at_ = 0;
};

}  // namespace

std::variant<Node, Sweep> parse_override_value(const std::string& text, const std::string& where) {
  check_yaml_text(text, where);
  const size_t begin = text.find_first_not_of(kOverrideBlank);
  if (begin == std::string::npos) return Node(std::string(), where);
  return ValueParser(std::string_view(text).substr(begin), where).parse();
}

}  // namespace freeatm::config
