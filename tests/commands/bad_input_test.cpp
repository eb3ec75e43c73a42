// SPDX-License-Identifier: Apache-2.0
// What a user can get wrong, through the program itself: one line, exit code 2, nothing left behind.
#include <array>
#include <cstdio>
#include <string>
#include <sys/wait.h>
#include <vector>

#include <gtest/gtest.h>

#include "freeatm/core/files.h"

#include "testing.h"

namespace freeatm {
namespace {

using testing::source_file;
using testing::TemporaryFolder;

struct Outcome {
  int code;
  std::string text;  // stdout and stderr
};

/// From the repository's root, where the defaults (models/emoji) are.
Outcome run(const std::string& arguments) {
  FILE* pipe = popen(("cd " + source_file("") + " && " + FREEATM_BINARY + " " + arguments + " 2>&1").c_str(), "r");
  Outcome outcome{0, ""};
  std::array<char, 4096> buffer;
  while (const size_t got = fread(buffer.data(), 1, buffer.size(), pipe)) outcome.text.append(buffer.data(), got);
  outcome.code = WEXITSTATUS(pclose(pipe));
  return outcome;
}

/// A user's folder with everything in it that is broken. Commands write to `out`, which must not appear.
class BadInput : public ::testing::Test {
 protected:
  void SetUp() override {
    write_file(in_ / "empty.txt", "");
    write_file(in_ / "binary.txt", std::string("a dog\n\x00\xff\xfe", 9));
    write_file(in_ / "captions.txt", "a photo of a dog\n");
    write_file(in_ / "file", "");
    fs::create_directories(in_ / "nothing");
    const fs::path model = source_file("models/emoji"), unet = "unet/diffusion_pytorch_model.safetensors";
    fs::copy(model, in_ / "cut", fs::copy_options::recursive);
    write_file(in_ / "cut" / unet, read_file(model / unet).substr(0, 5000));
    fs::copy(model, in_ / "no_vae", fs::copy_options::recursive);
    fs::remove_all(in_ / "no_vae" / "vae");
    fs::create_directories(in_ / "shards");
    write_file(in_ / "shards" / "shard-000000.tar", std::string(700, 'x'));
    fs::create_directories(in_ / "pictures" / "train" / "dog");
    write_file(in_ / "pictures" / "train" / "dog" / "1.png", "\x89PNG\r\n\x1a\n, and no more");
  }

  /// Runs the command, with IN for the folder and OUT for what must not appear.
  void expect_refused(std::string arguments, const std::string& part) {
    for (const auto& [name, path] : {std::pair(std::string("IN"), in_.path()), {"OUT", out()}}) {
      for (size_t at; (at = arguments.find(name + "/")) != std::string::npos ||
                      (at = arguments.find("=" + name)) != std::string::npos;) {
        arguments.replace(arguments[at] == '=' ? at + 1 : at, name.size(), path.string());
      }
    }
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.code, 2) << arguments << "\n" << outcome.text;
    EXPECT_NE(outcome.text.find(part), std::string::npos) << arguments << "\n" << outcome.text;
    EXPECT_EQ(std::count(outcome.text.begin(), outcome.text.end(), '\n'), 1) << arguments << "\n" << outcome.text;
    EXPECT_FALSE(fs::exists(out())) << arguments << " left something behind";
  }

  fs::path out() const { return in_ / "made"; }
  TemporaryFolder in_;
};

TEST_F(BadInput, CommandsKeysAndValues) {
  expect_refused("harvets", "did you mean 'harvest'?");
  expect_refused("harvest --nosuch", "--nosuch");
  expect_refused("harvest countt=3 out=OUT", "did you mean 'count'?");
  expect_refused("harvest count=abc out=OUT", "count=abc: count: 'abc' is not an integer");
  expect_refused("harvest count=0 out=OUT", "0 is not at least 1");
  expect_refused("harvest sampler.steps=5000 out=OUT", "sampler.steps: 5000 is not in [1, 1000]");
  expect_refused("harvest device=tpu out=OUT", "device: 'tpu' is not auto, cpu, cuda or cuda:N");
  expect_refused("pretrain out=OUT", "data.root: required");
  expect_refused("pretrain experiment=nosuch data.root=IN/nothing out=OUT", "nosuch");
  expect_refused("pretrain objective.crops=masks data.root=IN/nothing out=OUT", "did you mean 'mask'?");
  expect_refused("evaluate task=nosuch out=OUT", "task=nosuch");
  expect_refused("world count=-1 out=OUT", "count: -1 is not in");
  expect_refused("world --config-dir IN/none", "--config-dir: no such folder");
}

TEST_F(BadInput, CaptionsAndModels) {
  expect_refused("harvest captions=IN/none.txt out=OUT", "captions: no such file");
  expect_refused("harvest captions=IN/empty.txt out=OUT", "holds no caption");
  expect_refused("harvest captions=IN/binary.txt out=OUT", "binary.txt:2: captions: is not UTF-8 text");
  expect_refused("harvest captions=IN/captions.txt diffusion.path=IN/none out=OUT", "diffusion.path: no such folder");
  expect_refused("harvest captions=IN/captions.txt diffusion.path=IN/no_vae out=OUT", "vae: no such folder");
  expect_refused("harvest captions=IN/captions.txt diffusion.path=IN/cut out=OUT", "cut short");
}

TEST_F(BadInput, DataCheckpointsAndOutputs) {
  expect_refused("pretrain data.root=IN/none out=OUT", "data.root: no such folder");
  expect_refused("pretrain data.root=IN/nothing out=OUT", "is no dataset");
  expect_refused("pretrain data.root=IN/shards out=OUT", "shard-000000.tar: data.root:");
  expect_refused("evaluate task=knn checkpoint=IN/nothing data.root=IN/pictures out=OUT", "is no run folder");
  expect_refused("evaluate task=masks data.root=IN/nothing out=OUT", "captions_test.json");
  expect_refused("view in=IN/nothing out=OUT", "holds nothing to show");
  expect_refused("world count=1 eval_count=1 out=IN/file", "is a file; a folder is wanted");
  expect_refused("harvest captions=IN/captions.txt out=IN/file/sub", "out: cannot be made");
}

}  // namespace
}  // namespace freeatm
