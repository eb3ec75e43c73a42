// SPDX-License-Identifier: Apache-2.0
#include "hydra/choices.h"

#include "freeatm/core/error.h"

#include "merge.h"

namespace freeatm::config {
namespace {

void require_option(const Override& override) {
  const Node& value = override.value;
  bool fits = value.is_text();
  if (value.is_list()) {
    fits = true;
    for (const Node& item : value.list()) fits = fits && item.is_text();
  }
  if (!fits) {
    throw UserError(override.text, "", "{} is not an option's name or a list of names; ~{} takes the group out",
                    value.describe(), override.choice());
  }
}

Default appended_group(const Override& override) {
  Default out;
  out.kind = Default::Kind::kGroup;
  out.group = override.key;
  out.package = override.package == "_here_" ? "" : override.package;
  out.option = override.value;
  out.appended = true;
  out.where = override.text;
  return out;
}

}  // namespace

Choices::Choices(const ConfigFiles& files, const std::vector<Override>& overrides, std::vector<Override>& values) {
  using Kind = Override::Kind;
  for (const Override& override : overrides) {
    if (override.sweep) continue;  // each job has its own choice
    if (override.value.is_map() || override.key.empty() || !files.is_group(override.key)) {
      values.push_back(override);
    } else if (override.kind == Kind::kForceAdd) {
      throw UserError(override.text, "", "a group is added with one +");
    } else if (override.kind == Kind::kDelete) {
      if (!override.value.is_null()) require_option(override);
      deletions_[override.choice()] = {override.value, override.text, true};
    } else {
      require_option(override);
      if (override.kind == Kind::kAdd) appended.push_back(appended_group(override));
      if (override.kind == Kind::kChange) requests_[override.choice()] = {override.value, override.text, true};
    }
  }
}

void Choices::request(const Default& entry) {
  requests_.try_emplace(entry.choice(), Request{entry.option, entry.where, false});
}

void Choices::apply(Default& entry) {
  const auto request = requests_.find(entry.choice());
  if (entry.kind != Default::Kind::kGroup || request == requests_.end()) return;
  entry.option = request->second.option;
  entry.where = request->second.text;
  request->second.used = true;
}

bool Choices::take_deletion(const Default& entry) {
  if (entry.kind != Default::Kind::kGroup) return false;
  const auto deletion = deletions_.find(entry.choice());
  if (deletion == deletions_.end()) return false;
  const Node& option = deletion->second.option;
  if (!option.is_null() && !same(option, entry.option)) return false;
  return deletion->second.used = true;
}

void Choices::note(const Default& entry) {
  if (entry.kind != Default::Kind::kGroup) return;
  const std::string choice = entry.choice();
  if (const Node* before = chosen_.find(choice); before && !same(*before, entry.option)) {
    throw UserError(entry.where, "defaults", "{} is {} already; to change it say 'override {}: {}'", choice,
                    before->describe(), choice, entry.option.text());
  }
  chosen_.set(choice, entry.option);
}

// The group's choices under other packages, else a group with a similar name.
std::string Choices::nearest_choice(const std::string& choice) const {
  const auto group = [](const std::string& name) { return name.substr(0, name.find('@')); };
  std::vector<std::string> others;
  for (const std::string& name : key_names(chosen_)) {
    if (name != choice && group(name) == group(choice)) others.push_back(name);
  }
  if (!others.empty()) return "; did you mean " + one_of(others) + "?";
  return chosen_.find(choice) ? "" : did_you_mean(choice, key_names(chosen_));
}

void Choices::check_all_used() const {
  for (const auto& [choice, request] : requests_) {
    if (request.used) continue;
    std::string hint = nearest_choice(choice);
    if (request.from_command_line) hint += format(" (+{}={} adds it)", choice, request.option.text());
    throw UserError(request.text, choice, "no defaults list chooses this group{}", hint);
  }
  for (const auto& [choice, deletion] : deletions_) {
    if (deletion.used) continue;
    throw UserError(deletion.text, choice, "no defaults list has this choice{}", nearest_choice(choice));
  }
}

Node Choices::chosen() const { return chosen_; }

}  // namespace freeatm::config
