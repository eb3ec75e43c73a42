// SPDX-License-Identifier: Apache-2.0
#include "hydra/defaults_list.h"

#include <algorithm>
#include <set>

#include "freeatm/core/error.h"

#include "hydra/choices.h"
#include "hydra/hydra_node.h"
#include "interpolation.h"

namespace freeatm::config {
namespace {

constexpr size_t kMaxNesting = 100, kMaxConfigs = 10000;  // a config that includes itself ends here

class Expansion {
 public:
  Expansion(ConfigFiles& files, Choices& choices) : files_(files), choices_(choices) {}

  /// The entry's configs in the order of merging. The first `override` that is heard for a group wins: that of an outer
  /// list before an inner one's, and, as lists are walked backwards, that of a later config before an earlier one's.
  std::vector<Placed> expand(Default entry, bool below_interpolation);

  void check_no_group_twice() const;

 private:
  using Slots = std::vector<std::vector<Placed>>;  // what each entry of a list has become

  const ConfigFile* absent(const Default& entry) const;
  std::vector<Default> complete_list(const Default& parent, const ConfigFile& file) const;
  void hear_overrides(std::vector<Default>& list, bool below_interpolation);
  std::vector<Placed> expand_list(const Default& parent, const ConfigFile& file, bool below_interpolation);
  std::vector<Placed> expand_options(const Default& entry, const Default& parent, bool below_interpolation);
  void resolve_option(Default& entry) const;

  ConfigFiles& files_;
  Choices& choices_;
  std::vector<std::string> leaf_choices_;
  size_t depth_ = 0, count_ = 0;
};

bool is_interpolated(const Default& entry) { return !entry.is_options() && has_interpolation(entry.option); }

std::vector<Placed> Expansion::expand(Default entry, bool below_interpolation) {
  if (++depth_ > kMaxNesting || ++count_ > kMaxConfigs) {
    throw UserError(entry.where, "defaults", "'{}' is nested too deep; does a config include itself?",
                    entry.config_path());
  }
  std::vector<Placed> out;
  const bool chosen = !entry.option.is_null() && !entry.option.is_missing();
  const ConfigFile* file = chosen ? files_.find(entry.config_path()) : nullptr;
  if (!file && chosen && entry.config_path() == "hydra/config") file = &hydra_config();
  if (file) entry.header = file->header;
  if (!choices_.take_deletion(entry)) {
    choices_.note(entry);
    if (!entry.option.is_null()) {
      if (!file) file = absent(entry);
      if (file) out = expand_list(entry, *file, below_interpolation);
    }
  }
  --depth_;
  return out;
}

// The reasons for which there is no file; nullptr where that is allowed.
const ConfigFile* Expansion::absent(const Default& entry) const {
  const std::string group = entry.group_path();
  const std::vector<std::string> options = files_.options(group);
  if (entry.option.is_missing()) {
    throw UserError("", entry.choice(), "required: {}={}", entry.choice(),
                    options.empty() ? "OPTION" : one_of(options));
  }
  if (entry.optional || has_plugin_options(group)) return nullptr;
  if (entry.primary) {
    throw UserError(files_.folder(), "", "no config '{}' in this folder{}", entry.name(),
                    did_you_mean(entry.name(), options));
  }
  if (options.empty()) throw UserError(entry.where, "defaults", "there is no config '{}'", entry.config_path());
  throw UserError(entry.where, group, "'{}' is not {}{}", entry.name(), one_of(options),
                  did_you_mean(entry.name(), options));
}

// A list without `_self_` ends with it: a config's own values win over what it is based on.
std::vector<Default> Expansion::complete_list(const Default& parent, const ConfigFile& file) const {
  std::vector<Default> list = file.defaults;
  const bool appends = parent.primary && !choices_.appended.empty();
  if (list.empty() && !appends) return list;
  const auto selves =
      std::count_if(list.begin(), list.end(), [](const Default& entry) { return entry.kind == Default::Kind::kSelf; });
  if (selves > 1) throw UserError(list.front().where, "defaults", "_self_ stands twice in this list");
  const bool only_overrides =
      std::all_of(list.begin(), list.end(), [](const Default& entry) { return entry.overrides; });
  if (list.empty() || (selves == 0 && !only_overrides)) list.emplace_back();
  if (appends) list.insert(list.end(), choices_.appended.begin(), choices_.appended.end());
  return list;
}

void Expansion::hear_overrides(std::vector<Default>& list, bool below_interpolation) {
  const Default* last = nullptr;
  for (const Default& entry : list) {
    if (entry.kind == Default::Kind::kSelf) continue;
    if (last && !entry.overrides && !entry.appended) {
      throw UserError(last->where, "defaults", "'override {}' must stand at the end of the list", last->choice());
    }
    if (!entry.overrides) continue;
    last = &entry;
    if (below_interpolation) {
      throw UserError(entry.where, "defaults", "no override is allowed below an interpolated choice");
    }
    choices_.request(entry);
  }
}

std::vector<Placed> Expansion::expand_list(const Default& parent, const ConfigFile& file, bool below_interpolation) {
  std::vector<Default> list = complete_list(parent, file);
  const std::string group = parent.group_path(), package = parent.final_package();
  for (Default& entry : list) {
    if (entry.kind != Default::Kind::kSelf) entry.place(group, package);
  }
  hear_overrides(list, below_interpolation);

  Slots slots(list.size());
  bool leaf = true;
  for (size_t i = list.size(); i-- > 0;) {
    Default& entry = list[i];
    if (entry.overrides) continue;
    leaf = false;
    if (entry.kind == Default::Kind::kSelf) {
      slots[i] = {{&file, package, parent.primary}};
      continue;
    }
    choices_.apply(entry);
    if (entry.is_options()) {
      slots[i] = expand_options(entry, parent, below_interpolation);
    } else if (!is_interpolated(entry)) {
      slots[i] = expand(entry, below_interpolation);
    }
  }
  for (size_t i = 0; i < list.size(); ++i) {  // last, when all that they may refer to is chosen
    if (list[i].overrides || list[i].kind == Default::Kind::kSelf || !is_interpolated(list[i])) continue;
    resolve_option(list[i]);
    slots[i] = expand(list[i], true);
  }
  if (leaf) {
    if (parent.kind == Default::Kind::kGroup) leaf_choices_.push_back(parent.choice());
    return {{&file, package, parent.primary}};
  }
  std::vector<Placed> out;
  for (auto& slot : slots) std::move(slot.begin(), slot.end(), std::back_inserter(out));
  return out;
}

// `group: [a, b]` is the configs group/a and group/b.
std::vector<Placed> Expansion::expand_options(const Default& entry, const Default& parent, bool below_interpolation) {
  Slots slots(entry.option.list().size());
  for (size_t i = slots.size(); i-- > 0;) {
    const Node& option = entry.option.list()[i];
    if (has_interpolation(option)) {
      throw UserError(entry.where, "defaults", "{}: a list of options takes no interpolation", entry.choice());
    }
    Default config = entry;
    config.kind = Default::Kind::kConfig;
    config.option = option;
    config.place(parent.group_path(), parent.final_package());
    slots[i] = expand(config, below_interpolation);
  }
  std::vector<Placed> out;
  for (auto& slot : slots) std::move(slot.begin(), slot.end(), std::back_inserter(out));
  return out;
}

// `model_defaults: ${model}`: an option that depends on other choices.
void Expansion::resolve_option(Default& entry) const {
  Node choices = choices_.chosen();
  choices.set(" ", entry.option);
  const Node resolved = *resolve_interpolations(choices).find(" ");
  if (!std::holds_alternative<std::string>(resolved.value())) {
    throw UserError(entry.where, "defaults", "{}: {} is not an option's name", entry.choice(), resolved.describe());
  }
  entry.option.value() = resolved.value();
}

void Expansion::check_no_group_twice() const {
  std::set<std::string> seen;
  for (const std::string& choice : leaf_choices_) {
    if (!seen.insert(choice).second) throw UserError("", choice, "the final defaults list has this group twice");
  }
}

}  // namespace

std::vector<Placed> expand_defaults(ConfigFiles& files, const std::string& config_name,
                                    const std::vector<Override>& overrides, std::vector<Override>& values) {
  Choices choices(files, overrides, values);
  Expansion expansion(files, choices);
  Default primary = config_entry(config_name);
  primary.primary = true;
  std::vector<Placed> out = expansion.expand(primary, false);
  expansion.expand(config_entry("hydra/config"), false);  // only to hear whether the choices below hydra/ are right
  expansion.check_no_group_twice();
  choices.check_all_used();
  return out;
}

}  // namespace freeatm::config
