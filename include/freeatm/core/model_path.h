// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <string_view>

namespace freeatm {

/// Throws UserError(path, key, ...) where neither file nor folder is there. Of a path that reads like
/// "runwayml/stable-diffusion-v1-5" it says what from_pretrained would do, and how it is done here.
void require_model(const std::filesystem::path& path, std::string_view key);

}  // namespace freeatm
