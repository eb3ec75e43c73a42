// SPDX-License-Identifier: Apache-2.0
#include "train_options.h"

#include "freeatm/runtime/device.h"

#include "ranks.h"

namespace freeatm::commands {
void TrainOptions::fields(config::Fields& f) {
  f("out", out, "the run folder", config::free());
  f("seed", seed, "of weights, order and augmentations", config::between(0, 4294967295));
  device.fields(f);
  f("dtype", dtype, "compute type; weights and losses stay fp32; auto: bf16 where the device is quick at it",
    config::any_of({"fp32", "bf16", "auto"}));
  f("resume", resume, "go on from the run folder's latest checkpoint", runs::any_resume());
  f.group("loader", loader);
  f.group("trainer", trainer);
  if (f.reading() && !trainer.epochs && !trainer.steps)
    f.refuse("trainer.epochs", "the run has no end: give trainer.epochs or trainer.steps");
}

training::TrainRunOptions TrainOptions::run(at::Device where) const {
  return {loader, trainer, static_cast<uint64_t>(seed), where, runtime::pick_dtype(dtype, where)};
}

int TrainOptions::in_ranks(const std::function<int()>& work) const {
  return commands::in_ranks({trainer.processes, trainer.rank_silence}, "trainer.", work);
}

}  // namespace freeatm::commands
