// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "freeatm/config/fields.h"

namespace freeatm::config {

/// A group that says what its options are of: a config's `model`, or `objective`.
template <class Options>
struct NamedOptions {
  std::string name;
  Options options;
  void fields(Fields& f) {
    f("name", name, "what these options are of");
    options.fields(f);
  }
};

}  // namespace freeatm::config
