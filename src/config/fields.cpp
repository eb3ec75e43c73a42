// SPDX-License-Identifier: Apache-2.0
// `Fields` is what options structs see; each call goes to the walk behind it.
#include "freeatm/config/fields.h"

#include <iostream>

#include "freeatm/core/error.h"

#include "walk.h"

namespace freeatm::config {

void Fields::operator()(std::string_view key, bool& value, std::string_view help, const Allowed& allowed) {
  walk_.field(key, &value, help, allowed);
}
void Fields::operator()(std::string_view key, int64_t& value, std::string_view help, const Allowed& allowed) {
  walk_.field(key, &value, help, allowed);
}
void Fields::operator()(std::string_view key, double& value, std::string_view help, const Allowed& allowed) {
  walk_.field(key, &value, help, allowed);
}
void Fields::operator()(std::string_view key, std::string& value, std::string_view help, const Allowed& allowed) {
  walk_.field(key, &value, help, allowed);
}
void Fields::operator()(std::string_view key, std::optional<int64_t>& value, std::string_view help,
                        const Allowed& allowed) {
  walk_.field(key, &value, help, allowed);
}
void Fields::operator()(std::string_view key, std::optional<double>& value, std::string_view help,
                        const Allowed& allowed) {
  walk_.field(key, &value, help, allowed);
}
void Fields::operator()(std::string_view key, std::optional<std::string>& value, std::string_view help,
                        const Allowed& allowed) {
  walk_.field(key, &value, help, allowed);
}
void Fields::operator()(std::string_view key, std::vector<int64_t>& value, std::string_view help,
                        const Allowed& allowed) {
  walk_.field(key, &value, help, allowed);
}
void Fields::operator()(std::string_view key, std::vector<double>& value, std::string_view help,
                        const Allowed& allowed) {
  walk_.field(key, &value, help, allowed);
}
void Fields::operator()(std::string_view key, std::vector<std::string>& value, std::string_view help,
                        const Allowed& allowed) {
  walk_.field(key, &value, help, allowed);
}

void Fields::enter(std::string_view key) { walk_.enter(key); }
void Fields::leave() { walk_.leave(); }
bool Fields::reading() const { return walk_.reading(); }
void Fields::refuse(std::string_view key, const std::string& message) const { throw walk_.refusal(key, message); }

/// The one maker of Fields: runs a list of fields with a walk.
class Reader {
 public:
  static void run(const std::function<void(Fields&)>& fields, Walk& walk) {
    Fields facade(walk);
    fields(facade);
  }
};

namespace {
// Where `field_values` wants what is read: commands hand on a Composed, which knows nothing of it.
thread_local std::vector<FieldValue>* t_values = nullptr;
}  // namespace

std::vector<FieldValue> field_values(const std::string& command, const Node& tree,
                                     const std::function<int(const Composed&)>& run) {
  std::vector<FieldValue> values;
  Composed composed{command, tree};
  composed.check_only = true;
  t_values = &values;
  try {
    run(composed);
  } catch (const ChecksPassed&) {
  } catch (...) {
    t_values = nullptr;
    throw;
  }
  t_values = nullptr;
  return values;
}

void detail::read_fields(const Composed& composed, const std::function<void(Fields&)>& fields) {
  if (composed.help || composed.rows) {
    std::vector<FieldRow> shown;
    ReadWalk walk(composed.tree, composed.rows ? composed.rows : &shown);
    Reader::run(fields, walk);
    if (composed.help) std::cout << help_text(shown) << std::flush;
    throw HelpShown();
  }
  ReadWalk walk(composed.tree, nullptr, composed.check_only ? t_values : nullptr);
  Reader::run(fields, walk);
  walk.check_all_known();
  if (composed.check_only) throw ChecksPassed();
}

Node detail::write_fields(const std::function<void(Fields&)>& fields, std::vector<std::string>* free_keys) {
  WriteWalk walk(free_keys);
  Reader::run(fields, walk);
  return walk.take();
}

}  // namespace freeatm::config
