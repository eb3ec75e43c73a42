// SPDX-License-Identifier: Apache-2.0
// Files of others, damaged at random: each is read or refused by a UserError, without a crash (the asan preset sees
// reads that go astray) and without much memory.
#include <functional>
#include <sys/resource.h>

#include <torch/torch.h>

#include "freeatm/core/files.h"
#include "freeatm/weights/torch_file.h"
#include "freeatm/weights/weight_files.h"

#include "damage.h"
#include "testing.h"

namespace freeatm::weights {
namespace {

using testing::damaged;
using testing::TemporaryFolder;
using testing::test_file;
using testing::write_unsynced;

// Reads every number that a tensor gives, unless a stride of 0 makes it endless.
void touch(const TensorMap& tensors) {
  for (const auto& [name, tensor] : tensors) {
    if (tensor.numel() < 1'000'000) (void)tensor.to(at::kDouble).sum().item<double>();
  }
}

int64_t peak_kilobytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
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
  const int64_t before = peak_kilobytes();
  int64_t read = 0, refused = 0;
  for (uint64_t i = 0; i < 2000; ++i) {
    RandomStream random(0, GetParam().file, 0, i);
    write_unsynced(path, damaged(whole, random));
    try {
      touch(GetParam().load(path));
      ++read;
    } catch (const UserError& error) {
      ++refused;
      EXPECT_EQ(std::string_view(error.what()).find('\n'), std::string_view::npos) << error.what();
    }
  }
  EXPECT_GT(read, 0);
  EXPECT_GT(refused, 500);
  EXPECT_LT(peak_kilobytes() - before, 100'000);
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
