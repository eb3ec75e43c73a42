// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <string>

namespace freeatm {

/// Where a model's path that is not there reads like "runwayml/stable-diffusion-v1-5": what from_pretrained would do,
/// and how it is done here; else "".
std::string hub_hint(const std::filesystem::path& path);

}  // namespace freeatm
