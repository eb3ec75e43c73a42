// SPDX-License-Identifier: Apache-2.0
// YAML -> Node through yaml-cpp's events: its own tree knows neither OmegaConf's types nor duplicate keys, and expands
// aliases freely.
#include <algorithm>
#include <cctype>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string_view>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/node/node.h>  // which the parser's header declares
#include <yaml-cpp/parser.h>

#include "freeatm/config/node.h"
#include "freeatm/core/error.h"
#include "freeatm/core/files.h"

#include "interpolation.h"
#include "interpolation_text.h"
#include "scalar.h"
#include "tree_limits.h"
#include "yaml_text.h"

namespace freeatm::config {
namespace {

class TreeBuilder final : public YAML::EventHandler {
 public:
  ///   text: without a byte order mark, which yaml-cpp does not count
  TreeBuilder(const std::string& file, std::string_view text) : file_(file), text_(text) {}

  /// The document; null when the file holds none.
  Node take() { return root_ ? std::move(*root_) : Node(nullptr, file_ + ":1"); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (awaits_key()) refuse(mark, "null is not a key");
    const bool in_flow_list = !open_.empty() && open_.back().is_flow && open_.back().node.is_list();
    if (in_flow_list && anchor == YAML::NullAnchor && !is_null_written(text_from(mark)))
      refuse(mark, "a value is missing before this comma or bracket");
    if (in_block_map() && !is_null_written(text_from(mark))) require_colon(*open_.back().key);
    // yaml-cpp says of an absent value that it stands where the next token does.
    const bool in_map = !open_.empty() && open_.back().key;
    add(Node(nullptr, where(in_map ? open_.back().key->mark : mark)), anchor, mark);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    const bool is_block = text_from(mark).starts_with('|') || text_from(mark).starts_with('>');
    if (tag == "!" && !is_block && static_cast<size_t>(mark.pos) + 1 >= text_.size())
      refuse(mark, "the quote is not closed");
    if (tag == "!" && text_from(mark).starts_with('!')) refuse(mark, "the tag '!' is not supported");
    if (tag == "!" && !is_block_header(text_from(mark))) refuse(mark, "something else stands behind the block's sign");
    if (tag == "?" && !open_.empty() && open_.back().is_flow && text.starts_with(':'))
      refuse(mark, format("'{}' begins with a colon", shortened(text)));
    refuse_tabs(mark, tag == "?" ? text : "");
    require_further_in(mark);
    const bool merge = tag == "?" && text == "<<";
    if (awaits_key()) return begin_entry({merge ? Node(text) : Node(typed(mark, tag, text)), merge, mark, text});
    if (merge || (tag == "?" && text == "=")) refuse(mark, format("'{}' as a value needs quotes", text));
    Node value(typed(mark, tag, with_kept_breaks(text_from(mark), text, least_indent())), where(mark));
    check_interpolations(mark, value);
    add(std::move(value), anchor, mark);
  }

  void OnAnchor(const YAML::Mark& mark, const std::string& name) override {
    const auto is_plain = [](unsigned char c) { return std::isalnum(c) != 0 || c == '_' || c == '-' || c >= 0x80; };
    if (!std::ranges::all_of(name, is_plain)) refuse(mark, format("'{}' is not an anchor's name", shortened(name)));
    if (!name.empty() && !anchor_names_.insert(name).second)
      refuse(mark, format("a second anchor '{}'", shortened(name)));
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto known = anchors_.find(anchor);
    if (known == anchors_.end()) refuse(mark, "an alias inside the value that it stands for");
    if (awaits_key()) refuse(mark, "an alias is not a key");
    add(known->second, YAML::NullAnchor, mark);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override {
    if (style == YAML::EmitterStyle::Flow) require_further_in(mark);
    open(mark, Node::List(), tag, "tag:yaml.org,2002:seq", anchor);
    open_.back().is_flow = style == YAML::EmitterStyle::Flow;
  }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override {
    if (style == YAML::EmitterStyle::Flow) require_further_in(mark);
    open(mark, Node::Map(), tag, "tag:yaml.org,2002:map", anchor);
    open_.back().is_flow = style == YAML::EmitterStyle::Flow;
  }
  void OnSequenceEnd() override { close(); }
  void OnMapEnd() override { close(); }

 private:
  struct Key {
    Node name;
    bool merge;  // "<<"
    YAML::Mark mark;
    std::string text;
  };
  // A list or map that is not complete yet.
  struct Open {
    Node node;
    YAML::Mark mark;
    YAML::anchor_t anchor;
    std::optional<Key> key;               // of the value that comes next
    std::map<std::string, size_t> index;  // a map's keys -> places
    Node::Map merged;                     // what "<<" brings in
    bool is_flow = false;                 // in brackets or braces
  };

  [[noreturn]] void refuse(const YAML::Mark& mark, const std::string& message) const {
    throw UserError(where(mark), "", "{}", message);
  }
  /// In a map without braces, behind a key.
  bool in_block_map() const { return !open_.empty() && !open_.back().is_flow && open_.back().key; }

  /// "? key"
  bool is_explicit(const Key& key) const {
    const std::string_view before = text_.substr(0, static_cast<size_t>(std::max(0, key.mark.pos)));
    const size_t last = before.find_last_not_of(" \r\n");
    return last != std::string_view::npos && before[last] == '?';
  }

  /// A value on a later line than its key.
  void require_further_in(const YAML::Mark& mark) const {
    if (!in_block_map() || is_explicit(*open_.back().key)) return;
    const YAML::Mark& key = open_.back().key->mark;
    if (mark.line > key.line && mark.column <= key.column)
      refuse(mark, "stands no further in than the key before it; is a colon missing?");
  }

  /// yaml-cpp takes a word on a line of its own for a key.
  void require_colon(const Key& key) const {
    if (is_explicit(key)) return;
    std::string_view behind = behind_key(text_from(key.mark), key.text);
    if (!behind.starts_with(':')) refuse(key.mark, format("'{}' has no colon", shortened(key.text)));
    behind.remove_prefix(1);
    if (behind.substr(0, behind.find_first_not_of(" \t")).find('\t') != std::string_view::npos)
      refuse(key.mark, "a tab outside of quotes");
  }

  /// Tabs part nothing, and stand in quotes and blocks alone.
  ///   plain: the text of a plain scalar
  void refuse_tabs(const YAML::Mark& mark, const std::string& plain) const {
    const std::string_view all = text_.substr(0, static_cast<size_t>(std::max(0, mark.pos)));
    const std::string_view before = all.substr(all.find_last_not_of(" \t") + 1);
    std::string_view behind = text_from(mark);
    behind.remove_prefix(behind.starts_with(plain) ? plain.size() : behind.size());
    behind = behind.substr(0, behind.find_first_not_of(" \t"));
    const bool is_behind = !plain.empty() && behind.find('\t') != std::string_view::npos;
    if (is_behind || before.find('\t') != std::string_view::npos || plain.find('\t') != std::string::npos)
      refuse(mark, "a tab outside of quotes");
  }

  /// How far in a block's lines must be.
  int64_t least_indent() const {
    if (open_.empty()) return 0;
    return 1 + (open_.back().key ? open_.back().key->mark.column : open_.back().mark.column);
  }

  std::string_view text_from(const YAML::Mark& mark) const {
    return text_.substr(std::min(text_.size(), static_cast<size_t>(std::max(0, mark.pos))));
  }
  std::string where(const YAML::Mark& mark) const { return format("{}:{}", file_, mark.line + 1); }
  bool awaits_key() const { return !open_.empty() && open_.back().node.is_map() && !open_.back().key; }

  // yaml-cpp's tags: "?" for a plain scalar without one, "!" for a quoted one.
  Node::Value typed(const YAML::Mark& mark, const std::string& tag, const std::string& text) const {
    const bool is_text = tag == "!" || tag == "tag:yaml.org,2002:str";
    if (!is_text && tag != "?") refuse(mark, format("the tag '{}' is not supported", shortened(tag)));
    try {
      if (is_text) return text;
      return yaml_scalar(text);
    } catch (const std::out_of_range&) {
      refuse(mark, format("{} does not fit into 64 bits", shortened(text)));
    } catch (const std::invalid_argument&) {
      refuse(mark, format("'{}' is not an integer", shortened(text)));
    }
  }

  // OmegaConf refuses a malformed interpolation when it reads the file, even where an override would replace it.
  void check_interpolations(const YAML::Mark& mark, const Node& value) const {
    if (!has_interpolation(value)) return;
    try {
      parse_interpolated(std::get<std::string>(value.value()));
    } catch (const std::invalid_argument& error) {
      refuse(mark, format("{} in '{}'", error.what(), shortened(value.text())));
    }
  }

  void begin_entry(Key key) {
    Open& map = open_.back();
    if (key.name.is_null()) refuse(key.mark, "null is not a key");
    const bool text = std::holds_alternative<std::string>(key.name.value());
    if (text && !key.merge && map.index.contains(key.name.text())) {
      refuse(key.mark, format("duplicate key '{}'", shortened(key.name.text())));
    }
    map.key = std::move(key);
  }

  void open(const YAML::Mark& mark, Node::Value empty, const std::string& tag, const std::string& core_tag,
            YAML::anchor_t anchor) {
    if (tag != "?" && tag != "!" && tag != core_tag) refuse(mark, format("the tag '{}' is not supported", tag));
    if (awaits_key()) refuse(mark, "a list or a map is not a key; is a bracket missing?");
    if (open_.size() >= kMaxDepth) refuse(mark, format("more than {} levels deep", kMaxDepth));
    open_.push_back({Node(std::move(empty), where(mark)), mark, anchor, {}, {}, {}, false});
  }

  void close() {
    Open done = std::move(open_.back());
    open_.pop_back();
    if (!done.merged.empty()) done.node = with_merged(done);
    add(std::move(done.node), done.anchor, done.mark);
  }

  // What was merged comes first; a repeated key keeps its place and takes the later value.
  static Node with_merged(Open& map) {
    Node out(Node::Map(), map.node.where());
    for (auto& [key, value] : map.merged) out.set(key, std::move(value));
    for (auto& [key, value] : map.node.map()) out.set(key, std::move(value));
    return out;
  }

  void merge(Node value, const YAML::Mark& mark) {
    Node::List sources = value.is_list() ? std::move(value.list()) : Node::List{std::move(value)};
    Node::Map& merged = open_.back().merged;
    for (auto source = sources.rbegin(); source != sources.rend(); ++source) {  // of several, the first wins
      if (!source->is_map()) refuse(mark, format("'<<' needs a map or a list of maps, not {}", source->describe()));
      std::move(source->map().begin(), source->map().end(), std::back_inserter(merged));
    }
  }

  /// A complete value takes its place in the list or map that is open.
  void add(Node value, YAML::anchor_t anchor, const YAML::Mark& mark) {
    bytes_ += tree_bytes(value);  // of nested values once a level, at most kMaxDepth times too much
    if (bytes_ > kMaxTreeBytes) refuse(mark, "too large once its aliases are expanded");
    if (anchor != YAML::NullAnchor) anchors_[anchor] = value;
    if (open_.empty()) {
      root_ = std::move(value);
      return;
    }
    Open& parent = open_.back();
    if (parent.node.is_list()) {
      parent.node.list().push_back(std::move(value));
      return;
    }
    const Key key = std::move(*parent.key);
    parent.key.reset();
    if (key.merge) return merge(std::move(value), key.mark);
    const auto [place, fresh] = parent.index.try_emplace(key.name.text(), parent.node.map().size());
    if (fresh) {
      parent.node.map().emplace_back(place->first, std::move(value));
    } else {
      parent.node.map()[place->second].second = std::move(value);
    }
  }

  std::string file_;
  std::string_view text_;  // a quote that opens at its end is accepted by yaml-cpp
  std::vector<Open> open_;
  std::map<YAML::anchor_t, Node> anchors_;
  std::set<std::string> anchor_names_;
  std::optional<Node> root_;
  size_t bytes_ = 0;
};

}  // namespace

namespace {

Node parse_stream(const std::string& text, std::string_view whole, const std::string& file) {
  std::istringstream stream(text);
  TreeBuilder builder(file, whole);
  try {
    YAML::Parser parser(stream);
    parser.HandleNextDocument(builder);
    Node root = builder.take();
    if (parser.HandleNextDocument(builder)) throw UserError(file, "", "more than one YAML document");
    return root;
  } catch (const YAML::Exception& error) {
    throw UserError(format("{}:{}", file, error.mark.line + 1), "", "not YAML: {}", error.msg);
  }
}

}  // namespace

Node parse_yaml(const std::string& text, const std::string& file) {
  check_yaml_text(text, file);
  const std::string_view whole = std::string_view(text).substr(text.starts_with("\xEF\xBB\xBF") ? 3 : 0);
  const size_t directive = whole.starts_with('%') ? 0 : whole.find("\n%");  // which yaml-cpp passes over
  if (directive != std::string_view::npos && whole.find("\n---", directive) == std::string_view::npos)
    throw UserError(file, "", "not YAML: a line that begins with '%' stands before no document");
  // yaml-cpp closes a quote by itself at the end of the last line, and takes a word there for a key; with a comment
  // behind it it does not. Without a line's end the comment would change a block's text, so it only gives the verdict.
  const std::string lines = text.substr(0, text.find_last_not_of(' ') + 1);  // blanks there are of no line
  if (lines.empty() || lines.ends_with('\n')) return parse_stream(lines + '#', whole, file);
  Node root = parse_stream(text, whole, file);
  parse_stream(text + "\n#", whole, file);
  return root;
}

Node load_yaml(const std::string& path) { return resolve_interpolations(parse_yaml(read_config_file(path), path)); }

}  // namespace freeatm::config
