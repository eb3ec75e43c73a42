// SPDX-License-Identifier: Apache-2.0
// A split's scenes as COCO's two annotation files.
#pragma once
#include <string>
#include <vector>

#include "scene.h"

namespace freeatm::world {

/// What the annotation files keep of a scene.
struct SceneRecord {
  int side = 0;  // of the picture, pixels
  std::vector<Caption> captions;
  std::vector<int> classes;        // of its objects
  std::vector<vision::Rle> masks;  // of its objects
};
SceneRecord record_of(const Scene& scene);

/// COCO's `captions_*.json`; each annotation has the extra key `phrases: [{text, role, span, object_ids}]`, the ids of
/// annotations in `instances_*.json` ("two dogs" has two, a place none). Image ids are indices; annotation ids begin at
/// 1.
std::string captions_json(const std::vector<SceneRecord>& scenes);

/// COCO's `instances_*.json` with compressed run lengths.
std::string instances_json(const std::vector<SceneRecord>& scenes);

}  // namespace freeatm::world
