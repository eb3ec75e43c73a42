// SPDX-License-Identifier: Apache-2.0
#include "freeatm/runs/exit_code.h"

#include "freeatm/config/fields.h"
#include "freeatm/core/error.h"
#include "freeatm/core/files.h"
#include "freeatm/core/log.h"
#include "freeatm/core/signals.h"

namespace freeatm::runs {

int exit_code(const std::function<int()>& run, const std::function<std::string(const std::exception&)>& describe) {
  try {
    return run();
  } catch (const config::HelpShown&) {
    return kDone;
  } catch (const UserError& error) {
    log::error("{}", error.what());
    return kRefused;
  } catch (const fs::filesystem_error& error) {  // rights, names that are too long, a full disk
    log::error("{}: {}", error.path1().string(), error.code().message());
    return kRefused;
  } catch (const Interrupted& interrupted) {
    log::warning("stopped by signal {}", interrupted.signal);
    return kSignalled + interrupted.signal;
  } catch (const std::exception& error) {
    log::error("{}", describe(error));
    return kFailed;
  }
}

}  // namespace freeatm::runs
