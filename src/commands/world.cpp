// SPDX-License-Identifier: Apache-2.0
#include "freeatm/world/world.h"

#include "freeatm/commands/commands.h"
#include "freeatm/core/log.h"

namespace freeatm::commands {

int world(const config::Composed& composed) {
  const auto options = config::read<world::WorldOptions>(composed);
  const bool written = world::write_world(options);
  log::info(written ? "{}: written; contact.png shows a part of it" : "{}: is there already, with the same options",
            options.out);
  return 0;
}

}  // namespace freeatm::commands
