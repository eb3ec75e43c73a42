// SPDX-License-Identifier: Apache-2.0
// Which option each group gets: what the command line and `override` entries ask for, and what was chosen.
#pragma once
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "hydra/config_files.h"
#include "hydra/defaults.h"
#include "hydra/override.h"

namespace freeatm::config {

class Choices {
 public:
  /// Sorts the command line: choices and deletions of groups stay here, appended groups in `appended`, the rest in
  /// `values`.
  Choices(const ConfigFiles& files, const std::vector<Override>& overrides, std::vector<Override>& values);

  std::vector<Default> appended;  // "+group=option", for the primary config's list

  /// An `override` entry: it counts unless the choice is taken already, so the command line and outer configs win.
  void request(const Default& entry);
  /// Puts the requested option in place of the entry's own.
  void apply(Default& entry);
  /// True, and used up, when "~group" or "~group=option" deletes the entry.
  bool take_deletion(const Default& entry);
  /// Notes the option that an entry ends up with. Throws where the group has another one already.
  void note(const Default& entry);

  /// Throws for requests and deletions that matched no entry.
  void check_all_used() const;
  /// choice -> option: what `${group}` means in a defaults list.
  Node chosen() const;

 private:
  struct Request {
    Node option;
    std::string text;  // how it was asked for, for messages
    bool from_command_line;
    bool used = false;
  };
  std::string nearest_choice(const std::string& choice) const;

  std::map<std::string, Request> requests_, deletions_;
  Node chosen_{Node::Map()};
};

}  // namespace freeatm::config
