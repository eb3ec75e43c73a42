// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>

namespace freeatm::models {

/// timm's plain ViTs with patches of 16 pixels, and what their names mean.
struct TimmViT {
  const char* name;
  int64_t dim, depth, heads;
};

inline constexpr TimmViT kTimmViTs[] = {{"vit_base_patch16_224", 768, 12, 12},
                                        {"vit_tiny_patch16_224", 192, 12, 3},
                                        {"vit_small_patch16_224", 384, 12, 6},
                                        {"vit_large_patch16_224", 1024, 24, 16}};

}  // namespace freeatm::models
