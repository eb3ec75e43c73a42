// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <map>
#include <string>
#include <string_view>

#include "freeatm/core/mapped_file.h"

namespace freeatm::weights {

/// The members of the zip file that torch.save writes, by their names without the leading folder ("data.pkl",
/// "data/0"): views into the mapped file, for torch stores them without compression. Throws UserError(path, member,
/// ...) where one is compressed, encrypted, cut short or there twice.
std::map<std::string, std::string_view> torch_archive_members(const std::string& path, const MappedFile& file);

}  // namespace freeatm::weights
