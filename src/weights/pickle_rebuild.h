// SPDX-License-Identifier: Apache-2.0
// What the globals of a pickle stand for.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "pickle.h"

namespace freeatm::weights {

/// Nothing where the name is not among those that are allowed.
std::optional<GlobalName> find_global(std::string_view module, std::string_view name);

/// What Python would get from calling the global. Throws UserError(path, "", ...).
decltype(PickleObject::value) rebuild(const std::string& path, const GlobalName& global, const Sequence& arguments);

/// From a persistent id: ('storage', torch.FloatStorage, key, location, numel). Throws UserError(path, "", ...).
StorageReference storage_reference(const std::string& path, const PickleObject& id);

}  // namespace freeatm::weights
