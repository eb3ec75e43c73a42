// SPDX-License-Identifier: Apache-2.0
// Weights of others, damaged at random.
#include <functional>

#include <torch/torch.h>

#include "freeatm/core/files.h"
#include "freeatm/weights/torch_file.h"
#include "freeatm/weights/weight_files.h"

#include "damage.h"
#include "testing.h"

namespace freeatm::weights {
namespace {

using testing::TemporaryFolder;
using testing::test_file;
using testing::write_unsynced;

// Reads every number that a tensor gives, unless a stride of 0 makes it endless.
void touch(const TensorMap& tensors) {
  for (const auto& [name, tensor] : tensors) {
    if (tensor.numel() < 1'000'000) (void)tensor.to(at::kDouble).sum().item<double>();
  }
}

struct Parser {
  const char* file;
  std::function<TensorMap(const std::string&)> load;
};

class Mutation : public ::testing::TestWithParam<Parser> {};

TEST_P(Mutation, IsReadOrRefused) {
  const TemporaryFolder folder;
  const std::string whole = read_file(test_file(std::string("weights/data/") + GetParam().file));
  const std::string path = folder / "damaged";
  touch(GetParam().load(test_file(std::string("weights/data/") + GetParam().file)));
  const auto verdicts = testing::try_damaged(whole, GetParam().file, 2000, [&](const std::string& bytes) {
    write_unsynced(path, bytes);
    touch(GetParam().load(path));
  });
  EXPECT_GT(verdicts.read, 0);
  EXPECT_GT(verdicts.refused, 500);
}

TensorMap safetensors(const std::string& path) { return load_safetensors(path).tensors; }
TensorMap torch_file(const std::string& path) { return load_torch_file(path); }

INSTANTIATE_TEST_SUITE_P(Parsers, Mutation,
                         ::testing::Values(Parser{"python.safetensors", safetensors},
                                           Parser{"torch/views.pt", torch_file},
                                           Parser{"torch/training.pt", torch_file},
                                           Parser{"torch/views.legacy.pt", torch_file},
                                           Parser{"torch/training.legacy.pt", torch_file}),
                         [](const auto& info) {
                           std::string name = info.param.file;
                           std::replace_if(
                               name.begin(), name.end(), [](char c) { return c == '/' || c == '.'; }, '_');
                           return name;
                         });

}  // namespace
}  // namespace freeatm::weights
