// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>

#include "freeatm/core/error.h"
#include "freeatm/core/json_scanner.h"
#include "freeatm/vision/box.h"

namespace freeatm::evaluation {

/// A list of objects, one after another. What is wrong becomes a UserError with the file, the key, and which of the
/// list it is: "results.json: bbox: result 17: ...".
///   field(record, key): takes the value; done(record, which): `which` is how messages call it
template <class Record, class Field, class Done>
void read_records(JsonScanner& json, const std::string& file, std::string_view noun, Field field, Done done) {
  int64_t index = 0;
  json.for_each_element([&] {
    Record record;
    std::string current;
    try {
      json.for_each_member([&](std::string_view key) {
        current = key;
        field(record, key);
      });
    } catch (const JsonFault& fault) {
      throw UserError(file, current, "{} {}: {}", noun, index, fault.what());
    }
    done(record, index++);
  });
}

/// [x, y, width, height]
inline vision::Box read_box(JsonScanner& json) {
  double sides[4];
  int count = 0;
  json.for_each_element([&] {
    if (count == 4) throw JsonFault("has more than 4 numbers");
    sides[count++] = json.take_number();
  });
  if (count < 4) throw JsonFault(format("has {} numbers instead of [x, y, width, height]", count));
  return {sides[0], sides[1], sides[2], sides[3]};
}

inline bool is_finite(const vision::Box& box) {
  return std::isfinite(box.x) && std::isfinite(box.y) && std::isfinite(box.width) && std::isfinite(box.height);
}

}  // namespace freeatm::evaluation
