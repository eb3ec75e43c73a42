// SPDX-License-Identifier: Apache-2.0
// An options struct says its keys once, in `fields(Fields&)`: that list reads, checks ranges, finds unknown keys,
// prints --help and saves.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "freeatm/config/node.h"

namespace freeatm::config {

/// What a value may be; `text` is how messages and --help say it: "[0, 1]".
struct Allowed {
  std::string text;
  std::function<bool(double)> number;  // for numbers, and each element of a list of numbers
  std::vector<std::string> names;      // for strings, and each element of a list of strings
  bool is_free = false;                // changes nothing of what comes out: a folder is gone on with whatever it is
};
Allowed between(double low, double high);  // [low, high]
Allowed at_least(double low);
Allowed more_than(double low);
Allowed any_of(std::vector<std::string> names);
/// The mark of a key that may be another when a folder is gone on with: `f("workers", workers, "...",
/// free(at_least(1)))`.
Allowed free(Allowed allowed = {});

/// Walks an options struct, either reading it from a tree or writing it into one.
///
///     struct SamplerOptions {
///       int64_t steps = 25;
///       double guidance_scale = 4.0;
///       void fields(config::Fields& f) {
///         f("steps", steps, "denoising steps", config::between(1, 1000));
///         f("guidance_scale", guidance_scale, "1: no guidance", config::at_least(1));
///       }
///     };
///     struct HarvestOptions {
///       SamplerOptions sampler;
///       void fields(config::Fields& f) { f.group("sampler", sampler); }
///     };
///
/// While reading, a field has its value as soon as its line has run, so that later lines may depend on it
/// (`f("name", name, ...); if (name == "moco_v3") f.group("moco_v3", moco)`). An absent key keeps the struct's default;
/// `???` throws "required". An int is accepted for a double; nothing else is converted. `null` is accepted by optionals
/// only.
class Fields {
 public:
  void operator()(std::string_view key, bool& value, std::string_view help, const Allowed& allowed = {});
  void operator()(std::string_view key, int64_t& value, std::string_view help, const Allowed& allowed = {});
  void operator()(std::string_view key, double& value, std::string_view help, const Allowed& allowed = {});
  void operator()(std::string_view key, std::string& value, std::string_view help, const Allowed& allowed = {});
  void operator()(std::string_view key, std::optional<int64_t>& value, std::string_view help,
                  const Allowed& allowed = {});
  void operator()(std::string_view key, std::optional<double>& value, std::string_view help,
                  const Allowed& allowed = {});
  void operator()(std::string_view key, std::optional<std::string>& value, std::string_view help,
                  const Allowed& allowed = {});
  void operator()(std::string_view key, std::vector<int64_t>& value, std::string_view help,
                  const Allowed& allowed = {});
  void operator()(std::string_view key, std::vector<double>& value, std::string_view help, const Allowed& allowed = {});
  void operator()(std::string_view key, std::vector<std::string>& value, std::string_view help,
                  const Allowed& allowed = {});

  /// A nested struct under its own key.
  template <class Options>
  void group(std::string_view key, Options& options) {
    enter(key);
    options.fields(*this);
    leave();
  }

  /// True while values come from the user: cross-field checks belong behind it.
  bool reading() const;
  /// A cross-field error about `key` of the current group, with the place where the user wrote it.
  [[noreturn]] void refuse(std::string_view key, const std::string& message) const;

 private:
  friend class Reader;
  explicit Fields(class Walk& walk) : walk_(walk) {}
  void enter(std::string_view key);
  void leave();
  class Walk& walk_;
};

/// One line of a `fields` list with the value that the tree, or else the struct, gives it.
struct FieldRow {
  std::string group, key;  // "sampler.", "steps"
  std::string value;       // "required" where the tree has `???`
  std::string allowed, help;
  std::vector<std::string> names;  // of which a value must be one; of a bool true and false

  std::string path() const { return group + key; }
};

/// A composed tree and what the command line asked to do with it.
struct Composed {
  std::string command;  // "harvest"
  Node tree;
  bool help = false;                      // print the fields instead of running
  std::vector<FieldRow>* rows = nullptr;  // or gather them: for completion and tests
  bool check_only = false;                // or check all values: for each job before the first one runs
};

/// Thrown by `read` when --help has been printed, or the rows are gathered: main ends with 0.
struct HelpShown {};

/// Thrown by `read` when everything is checked and `check_only` asks for no more.
struct ChecksPassed {};

namespace detail {
void read_fields(const Composed& composed, const std::function<void(Fields&)>& fields);
Node write_fields(const std::function<void(Fields&)>& fields, std::vector<std::string>* free_keys = nullptr);
}  // namespace detail

/// The typed options of a command: every key checked, unknown ones fatal with the nearest known name. With
/// `composed.help`, prints each key with its value, range and meaning on stdout and throws HelpShown, with
/// `composed.rows` after adding to them.
template <class Options>
Options read(const Composed& composed) {
  Options options;
  detail::read_fields(composed, [&](Fields& f) { options.fields(f); });
  return options;
}

/// The options as a tree: what a run folder's config.yaml holds.
template <class Options>
Node dump(Options options) {
  return detail::write_fields([&](Fields& f) { options.fields(f); });
}

/// The paths of the fields that are marked `free`: "loader.workers".
template <class Options>
std::vector<std::string> free_keys(Options options) {
  std::vector<std::string> keys;
  detail::write_fields([&](Fields& f) { options.fields(f); }, &keys);
  return keys;
}

}  // namespace freeatm::config
