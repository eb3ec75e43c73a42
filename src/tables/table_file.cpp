// SPDX-License-Identifier: Apache-2.0
#include "freeatm/tables/table_file.h"

#include <algorithm>
#include <set>
#include <stdexcept>

#include "freeatm/core/error.h"
#include "freeatm/core/random.h"

#include "words.h"

namespace freeatm::tables {
namespace {

using config::Node;

const std::vector<std::string> kTableKeys = {"title",    "note",     "size",      "sizes",  "values",
                                             "seeds",    "data",     "steps",     "rows",   "columns",
                                             "baseline", "expected", "tolerance", "record", "out"};
const std::vector<std::string> kRowKeys = {"title", "like", "weights", "columns"};
const std::vector<std::string> kColumnKeys = {"title", "step", "metric", "digits"};
const std::vector<std::string> kStepKeys = {"run", "seed", "revision"};

const Node::Map& map_of(const Node& node, const std::string& key) {
  if (!node.is_map()) throw UserError(node.where(), key, "{} is not a group of keys", node.describe());
  return node.map();
}

void require_known(const Node& node, const std::string& key, const std::vector<std::string>& known) {
  for (const auto& [name, value] : map_of(node, key)) {
    if (std::ranges::find(known, name) == known.end())
      throw UserError(value.where(), key.empty() ? name : key + "." + name, "unknown key{}", did_you_mean(name, known));
  }
}

std::string text_of(const Node& node, const std::string& key) {
  if (node.is_missing()) throw UserError(node.where(), key, "required");
  if (!node.is_scalar() || node.is_null()) throw UserError(node.where(), key, "{} is not a text", node.describe());
  return node.text();
}

std::string text_in(const Node& group, const std::string& name, const std::string& key, const std::string& otherwise) {
  const Node* node = group.find(name);
  return node == nullptr || node->is_null() ? otherwise : text_of(*node, key + name);
}

int64_t whole_of(const Node& node, const std::string& key, int64_t low, int64_t high) {
  const auto* number = std::get_if<int64_t>(&node.value());
  if (number == nullptr || *number < low || *number > high)
    throw UserError(node.where(), key, "{} is not a whole number in [{}, {}]", node.describe(), low, high);
  return *number;
}

double number_of(const Node& node, const std::string& key) {
  if (const auto* whole = std::get_if<int64_t>(&node.value())) return double(*whole);
  if (const auto* number = std::get_if<double>(&node.value())) return *number;
  throw UserError(node.where(), key, "{} is not a number", node.describe());
}

void require_name(const std::string& name, const std::string& where, const std::string& key) {
  const auto is_letter = [](unsigned char c) { return std::isalnum(c) || c == '_'; };
  if (name.empty() || !std::ranges::all_of(name, is_letter))
    throw UserError(where, key, "'{}' is not a name of letters, digits and '_'", name);
}

/// Reads one file; its parts depend on one another in this order: steps, rows, columns, what is expected.
class TableReader {
 public:
  TableReader(const Node& tree, const std::vector<std::string>& commands) : tree_(tree), commands_(commands) {}

  TableFile read() {
    require_known(tree_, "", kTableKeys);
    table_.title = text_in(tree_, "title", "", "");
    table_.note = text_in(tree_, "note", "", "");
    table_.record = text_in(tree_, "record", "", "");
    table_.out = text_in(tree_, "out", "", "");
    read_seeds();
    read_steps("data", false);
    read_steps("steps", true);
    if (steps_.empty()) throw UserError(tree_.where(), "steps", "required: what a cell is made by");
    read_columns();
    for (const auto& [name, node] : map_of(required("rows"), "rows")) read_row(name, node);
    if (table_.rows.empty()) throw UserError(required("rows").where(), "rows", "there are none");
    if (const Node* baseline = tree_.find("baseline"); baseline != nullptr && !baseline->is_null())
      table_.baseline = known_row(text_of(*baseline, "baseline"), baseline->where(), "baseline");
    read_expected();
    return std::move(table_);
  }

 private:
  const Node& required(const std::string& key) const {
    const Node* node = tree_.find(key);
    if (node == nullptr || node->is_null() || node->is_missing()) throw UserError(tree_.where(), key, "required");
    return *node;
  }

  void read_seeds() {
    const Node& seeds = required("seeds");
    if (!seeds.is_list() || seeds.list().empty())
      throw UserError(seeds.where(), "seeds", "{} is not a list of seeds", seeds.describe());
    for (const Node& seed : seeds.list()) {
      table_.seeds.push_back(whole_of(seed, "seeds", 0, 4294967295));
      if (std::ranges::count(table_.seeds, table_.seeds.back()) > 1)
        throw UserError(seed.where(), "seeds", "{} stands twice", table_.seeds.back());
    }
  }

  void read_steps(const std::string& group, bool have_seeds) {
    const Node* steps = tree_.find(group);
    if (steps == nullptr || steps->is_null()) return;
    for (const auto& [name, node] : map_of(*steps, group)) {
      const std::string key = group + "." + name;
      require_name(name, node.where(), key);
      if (std::ranges::find(kRowKeys, name) != kRowKeys.end() || find_step(steps_, name) != nullptr)
        throw UserError(node.where(), key, "the name is taken");
      Step step{.name = name, .has_seed = have_seeds, .where = node.where()};
      const Node* line = &node;
      if (node.is_map()) {
        require_known(node, key, kStepKeys);
        line = node.find("run");
        if (line == nullptr) throw UserError(node.where(), key + ".run", "required: the command and its overrides");
        if (const Node* seed = node.find("seed")) step.has_seed = flag_of(*seed, key + ".seed");
        if (const Node* revision = node.find("revision"))
          step.revision = whole_of(*revision, key + ".revision", 0, 1'000'000);
      }
      set_line(step, *line, key);
      steps_.push_back(std::move(step));
    }
  }

  static bool flag_of(const Node& node, const std::string& key) {
    const auto* flag = std::get_if<bool>(&node.value());
    if (flag == nullptr) throw UserError(node.where(), key, "{} is neither true nor false", node.describe());
    return *flag;
  }

  static std::vector<std::string> words_at(const Node& node, const std::string& key) {
    try {
      return words_of(text_of(node, key));
    } catch (const std::invalid_argument& error) {
      throw UserError(node.where(), key, "{}", error.what());
    }
  }

  static const Step* find_step(const std::vector<Step>& steps, const std::string& name) {
    const auto found = std::ranges::find(steps, name, &Step::name);
    return found == steps.end() ? nullptr : &*found;
  }

  std::vector<std::string> step_names() const {
    std::vector<std::string> names;
    for (const Step& step : steps_) names.push_back(step.name);
    return names;
  }

  /// A whole line: a command, then its overrides.
  void set_line(Step& step, const Node& node, const std::string& key) const {
    std::vector<std::string> words = words_at(node, key);
    if (words.empty()) throw UserError(node.where(), key, "is empty: the command and its overrides are wanted");
    if (std::ranges::find(commands_, words[0]) == commands_.end()) {
      throw UserError(node.where(), key, "'{}' is no command: {}{}", words[0], one_of(commands_),
                      did_you_mean(words[0], commands_));
    }
    step.command = words[0];
    step.overrides = {words.begin() + 1, words.end()};
    step.where = node.where();
    step.kind = step.name + " " + hash_text(stable_hash(text_of(node, key))).substr(0, 8);
    require_overrides(step.overrides, node, key);
  }

  void require_overrides(const std::vector<std::string>& overrides, const Node& node, const std::string& key) const {
    for (const std::string& override : overrides) {
      if (override.find('=') == std::string::npos && !override.starts_with('~'))
        throw UserError(node.where(), key, "'{}' is not key=value", override);
      if (key_of(override) == "out") throw UserError(node.where(), key, "out is chosen by the table");
      for (const std::string& name : references_in(override)) {
        // A step's own list knows those above it; a row's all of them.
        if (find_step(steps_, name) == nullptr)
          throw UserError(node.where(), key, "@{}: no such step{}{}", name, known_text(step_names()),
                          did_you_mean(name, step_names()));
      }
    }
  }

  static std::string known_text(const std::vector<std::string>& names) {
    return names.empty() ? "" : "; there are " + one_of(names);
  }

  void read_columns() {
    for (const auto& [name, node] : map_of(required("columns"), "columns")) {
      const std::string key = "columns." + name;
      require_name(name, node.where(), key);
      require_known(node, key, kColumnKeys);
      Column column{.name = name, .title = text_in(node, "title", key + ".", name)};
      column.step = text_in(node, "step", key + ".", "");
      column.metric = text_in(node, "metric", key + ".", "");
      if (column.metric.empty()) throw UserError(node.where(), key + ".metric", "required: a number of metrics.json");
      const Step* step = find_step(steps_, column.step);
      if (step == nullptr || column.step.empty()) {
        throw UserError(node.where(), key + ".step", "'{}' is no step: {}{}", column.step, one_of(step_names()),
                        did_you_mean(column.step, step_names()));
      }
      if (const Node* digits = node.find("digits")) column.digits = whole_of(*digits, key + ".digits", 0, 10);
      table_.columns.push_back(std::move(column));
    }
    if (table_.columns.empty()) throw UserError(required("columns").where(), "columns", "there are none");
  }

  std::vector<std::string> column_names() const {
    std::vector<std::string> names;
    for (const Column& column : table_.columns) names.push_back(column.name);
    return names;
  }

  void read_row(const std::string& name, const Node& node) {
    const std::string key = "rows." + name;
    require_name(name, node.where(), key);
    Row row{.name = name, .title = name, .steps = steps_, .columns = column_names(), .where = node.where()};
    if (!node.is_null()) change(row, node, key);
    table_.rows.push_back(std::move(row));
  }

  void change(Row& row, const Node& node, const std::string& key) {
    std::vector<std::string> known = kRowKeys;
    for (const std::string& step : step_names()) known.push_back(step);
    require_known(node, key, known);
    if (const Node* like = node.find("like")) {
      const Row& other = table_.row(known_row(text_of(*like, key + ".like"), like->where(), key + ".like"));
      row.steps = other.steps, row.columns = other.columns, row.weights = other.weights;
    }
    row.title = text_in(node, "title", key + ".", row.name);
    row.weights = text_in(node, "weights", key + ".", row.weights);
    if (const Node* columns = node.find("columns")) row.columns = columns_of(*columns, key + ".columns");
    for (Step& step : row.steps) {
      if (const Node* line = node.find(step.name)) change_step(step, *line, key + "." + step.name);
    }
  }

  /// A line that begins with a command stands for the step's own; any other is added to it.
  void change_step(Step& step, const Node& node, const std::string& key) const {
    const std::vector<std::string> words = words_at(node, key);
    if (!words.empty() && words[0].find('=') == std::string::npos && !words[0].starts_with('~'))
      return set_line(step, node, key);
    require_overrides(words, node, key);
    step.overrides = merged(std::move(step.overrides), words);
    step.where = node.where();
  }

  std::vector<std::string> columns_of(const Node& node, const std::string& key) const {
    if (!node.is_list()) throw UserError(node.where(), key, "{} is not a list of columns", node.describe());
    std::vector<std::string> names;
    for (const Node& name : node.list()) names.push_back(known_column(text_of(name, key), name.where(), key));
    return names;
  }

  std::string known_row(const std::string& name, const std::string& where, const std::string& key) const {
    std::vector<std::string> names;
    for (const Row& row : table_.rows) names.push_back(row.name);
    if (std::ranges::find(names, name) == names.end())
      throw UserError(where, key, "'{}' is no row{}{}", name, known_text(names), did_you_mean(name, names));
    return name;
  }

  std::string known_column(const std::string& name, const std::string& where, const std::string& key) const {
    const std::vector<std::string> names = column_names();
    if (std::ranges::find(names, name) == names.end())
      throw UserError(where, key, "'{}' is no column{}{}", name, known_text(names), did_you_mean(name, names));
    return name;
  }

  double tolerance_of(const std::string& column, const Node& value) const {
    const Node* tolerance = tree_.find("tolerance");
    if (tolerance != nullptr && tolerance->is_map()) tolerance = tolerance->find(column);
    if (tolerance == nullptr || tolerance->is_null())
      throw UserError(value.where(), "tolerance", "required for what is expected of {}", column);
    const double number = number_of(*tolerance, "tolerance");
    if (number < 0) throw UserError(tolerance->where(), "tolerance", "{} is less than 0", number);
    return number;
  }

  void read_expected() {
    const Node* expected = tree_.find("expected");
    if (expected == nullptr || expected->is_null()) return;
    for (const auto& [row, columns] : map_of(*expected, "expected")) {
      const std::string key = "expected." + row;
      known_row(row, columns.where(), key);
      for (const auto& [column, value] : map_of(columns, key)) {
        known_column(column, value.where(), key + "." + column);
        table_.expected[{row, column}] = {number_of(value, key + "." + column), tolerance_of(column, value)};
      }
    }
  }

  const Node& tree_;
  const std::vector<std::string>& commands_;
  std::vector<Step> steps_;  // the table's own
  TableFile table_;
};

}  // namespace

const Step* Row::step(const std::string& wanted) const {
  const auto found = std::ranges::find(steps, wanted, &Step::name);
  return found == steps.end() ? nullptr : &*found;
}

const Row& TableFile::row(const std::string& wanted) const {
  const auto found = std::ranges::find(rows, wanted, &Row::name);
  FREEATM_CHECK(found != rows.end(), "no row {}", wanted);
  return *found;
}

TableFile read_table(const config::ComposeOptions& file, const std::vector<std::string>& commands) {
  const Node tree = config::compose(file);
  TableFile table = TableReader(tree, commands).read();
  table.name = file.config_name;
  if (table.title.empty()) table.title = table.name;
  return table;
}

}  // namespace freeatm::tables
