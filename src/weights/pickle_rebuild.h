// SPDX-License-Identifier: Apache-2.0
// What the globals of a pickle stand for.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "pickle.h"

namespace freeatm::weights {

/// Nothing where the name means nothing here.
std::optional<GlobalName> find_global(std::string_view module, std::string_view name);

/// Whether the name starts programs, opens files or runs text: no checkpoint needs it, and a file that asks for it is
/// no checkpoint.
bool is_hostile(std::string_view module, std::string_view name);

/// What Python would get from calling the global. Throws UserError(path, "", ...).
decltype(PickleObject::value) rebuild(const std::string& path, const GlobalName& global, const Sequence& arguments);

/// From a persistent id: ('storage', torch.FloatStorage, key, location, numel); a Foreign where the storage's type is
/// not known. Throws UserError(path, "", ...).
decltype(PickleObject::value) storage_reference(const std::string& path, const PickleObject& id);

}  // namespace freeatm::weights
