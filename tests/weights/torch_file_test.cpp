// SPDX-License-Identifier: Apache-2.0
#include "freeatm/weights/torch_file.h"

#include <torch/torch.h>

#include "freeatm/core/files.h"

#include "damage.h"
#include "testing.h"

namespace freeatm::weights {
namespace {

using testing::TemporaryFolder;
using testing::test_file;
using testing::write_unsynced;

// What scripts/baselines/torch_files.py wrote.
std::string data(const std::string& name) { return test_file("weights/data/torch/" + name); }

void expect_same_tensors(const TensorMap& a, const TensorMap& b) {
  ASSERT_EQ(a.size(), b.size());
  for (const auto& [name, tensor] : a) {
    ASSERT_TRUE(b.contains(name)) << name;
    EXPECT_EQ(tensor.scalar_type(), b.at(name).scalar_type()) << name;
    EXPECT_TRUE(tensor.equal(b.at(name))) << name;
  }
}

class TorchFile : public ::testing::TestWithParam<const char*> {};

TEST_P(TorchFile, HoldsWhatPythonSavedInBothLayouts) {
  const std::string name = GetParam();
  const TensorMap expected = load_safetensors(data(name + ".safetensors")).tensors;
  expect_same_tensors(load_torch_file(data(name + ".pt")), expected);
  expect_same_tensors(load_torch_file(data(name + ".legacy.pt")), expected);
}

INSTANTIATE_TEST_SUITE_P(Python, TorchFile, ::testing::Values("dtypes", "views", "ordered", "parameters", "training"));

TEST(LoadTorchFile, ReadsProtocol4) {
  expect_same_tensors(load_torch_file(data("views.protocol4.pt")), load_safetensors(data("views.safetensors")).tensors);
}

TEST(LoadTorchFile, KeepsStridesAndSharedNumbers) {
  const TensorMap tensors = load_torch_file(data("views.pt"));
  EXPECT_EQ(tensors.at("transposed").strides(), (std::vector<int64_t>{1, 6}));
  EXPECT_EQ(tensors.at("block").strides(), (std::vector<int64_t>{12, 4, 2}));
  EXPECT_EQ(tensors.at("base").data_ptr(), tensors.at("again").data_ptr());
  tensors.at("base")[7] = -1;
  EXPECT_EQ(tensors.at("scalar").item<float>(), -1);
  EXPECT_EQ(load_torch_file(data("views.pt")).at("scalar").item<float>(), 7);  // the pages were private
}

TEST(LoadTorchFile, TakesTheEntryThatIsAskedFor) {
  EXPECT_EQ(load_torch_file(data("training.pt"), "state_dict").size(), 7u);
  EXPECT_USER_ERROR(load_torch_file(data("training.pt"), "state_dct"), "did you mean 'state_dict'?");
  EXPECT_USER_ERROR(load_torch_file(data("training.pt"), "epoch"), "training.pt: epoch: is neither a dictionary");
  EXPECT_USER_ERROR(load_torch_file(data("training.pt"), "optimizer"), "it has [epoch, arch, ");
  EXPECT_EQ(load_torch_file(data("published.nested.pt"), "model.state_dict").size(), 7u);
  EXPECT_EQ(load_torch_file(data("published.dino.pt"), "student").size(), 1u);
  const TensorMap first = load_torch_file(data("training.pt"), "0");  // what names begin with
  EXPECT_EQ(first.size(), 2u);
  EXPECT_TRUE(first.contains("weight"));
}

// Checkpoints of real runs: scripts, NumPy, averages and other things lie beside the weights.
TEST(LoadTorchFile, TakesTheWeightsOutOfWhatIsPublished) {
  for (const std::string name : {"namespace", "averages", "subclass", "beside", "dino", "attributes"}) {
    const TensorMap expected = load_safetensors(data("published." + name + ".safetensors")).tensors;
    for (const char* ending : {".pt", ".4.pt"}) {
      SCOPED_TRACE(name + ending);
      expect_same_tensors(load_torch_file(data("published." + name + ending)), expected);
    }
  }
  EXPECT_TRUE(load_torch_file(data("published.averages.pt"), "state_dict")
                  .at("0.bias")
                  .equal(load_torch_file(data("published.namespace.pt")).at("0.bias")));
  EXPECT_USER_ERROR(load_torch_file(data("published.several.pt")),
                    "weights.entry: is needed: several entries hold tensors: [first (7 tensors), second (7 tensors)]");
}

TEST(LoadTorchFile, SaysWhatItTakesWhereThereIsAChoice) {
  ::testing::internal::CaptureStderr();
  load_torch_file(data("published.averages.pt"));
  const std::string said = ::testing::internal::GetCapturedStderr();
  EXPECT_TRUE(
      testing::contains(said, "its entry 'state_dict_ema' is taken; weights.entry may name another (state_dict)"))
      << said;
}

TEST(LoadTorchFile, RefusesByName) {
  EXPECT_USER_ERROR(load_torch_file(data("refused.complex.pt")),
                    "a: is made by 'torch.ComplexFloatStorage', which is not read");
  EXPECT_USER_ERROR(load_torch_file(data("refused.float8.pt")), "a: is made by 'torch._utils._rebuild_tensor_v3'");
  EXPECT_USER_ERROR(load_torch_file(data("refused.sparse.pt")), "a: is made by 'torch._utils._rebuild_sparse_tensor'");
  EXPECT_USER_ERROR(load_torch_file(data("refused.module.pt")),
                    "holds a whole torch.nn.modules.container.Sequential, ");
  EXPECT_USER_ERROR(load_torch_file(data("refused.script.pt")), "is a TorchScript program");
  EXPECT_USER_ERROR(load_torch_file(data("refused.list.pt")), "holds no dictionary of tensors");
  EXPECT_USER_ERROR(load_torch_file(test_file("weights/data/python.safetensors")), "is not a file of torch.save");
  EXPECT_USER_ERROR(load_torch_file(data("absent.pt")), "no such file");
}

// The older layout around one pickled object.
std::string legacy(const std::string& object, const std::string& rest = "") {
  return std::string("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", 15) + "\x80\x02M\xe9\x03." +
         "\x80\x02}." + object + rest;
}

std::string text(const std::string& value) {
  return std::string("X") + static_cast<char>(value.size()) + std::string(3, '\0') + value;
}

// {"a": a float tensor}, whose storage has four elements.
std::string tensor(const std::string& offset, const std::string& size, const std::string& stride) {
  return "}" + text("a") + "ctorch._utils\n_rebuild_tensor_v2\n((" + text("storage") + "ctorch\nFloatStorage\n" +
         text("0") + text("cpu") + "K\x04tQ" + offset + "(" + size + "t(" + stride + "t\x89}tRs.";
}

const std::string kZero("K\0", 2);
const std::string kFourFloats = "]" + text("0") + "a." + std::string("\x04\0\0\0\0\0\0\0", 8) + std::string(16, '\0');

TEST(LoadTorchFile, ReadsAPickleWrittenByHand) {
  const TemporaryFolder folder;
  const std::string path = folder / "a.pt";
  write_file(path, legacy(tensor("K\x01", "K\x03", "K\x01"), kFourFloats));
  EXPECT_TRUE(load_torch_file(path).at("a").equal(torch::zeros(3)));
}

struct Hostile {
  std::string bytes;
  const char* message;
};

TEST(LoadTorchFile, RefusesHostileFiles) {
  const std::string pairs = "ccollections\nOrderedDict\nq\x01" + std::string("]q\x02(") + [] {
    std::string out;
    for (int i = 0; i < 500; ++i) out += "NN\x86";
    return out;
  }() + "e";
  std::string bomb = pairs;
  for (int i = 0; i < 1000; ++i) bomb += "h\x01h\x02\x85R0";
  std::string names = text(std::string(100, 'm')) + "q\x01";  // a long name, again and again
  for (int i = 0; i < 1000; ++i)
    names +=
        "h\x01h\x01\x93"
        "0";
  const Hostile cases[]{
      {legacy("cos\nsystem\n" + text("ls") + "\x85R."), "asks for 'os.system', which is not allowed"},
      {legacy("\x8c\x02os\x8c\x06system\x93."), "asks for 'os.system'"},
      {legacy("cbuiltins\neval\n."), "'builtins.eval'"},
      {legacy("N)\x81."), "calls what is no function"},
      {legacy("\x97."), "has opcode 151, which is not allowed"},
      {legacy("cposix\nsystem\n" + text("ls") + "\x85R."), "asks for 'posix.system'"},
      {legacy("cos.path\njoin\n."), "asks for 'os.path.join'"},
      {legacy("cbuiltins\ngetattr\nN\x85R.", "]."), "holds a whole builtins.getattr"},  // and does not get it
      {legacy("csome.module\nThing\n)\x81.", "]."), "holds a whole some.module.Thing"},
      {legacy(names + "."), "makes more objects than it has bytes"},
      {legacy("\x80\x09."), "has protocol 9"},
      {legacy(""), "is cut short"},
      {legacy("X\xff\xff\xff\xff"), "is cut short"},
      {legacy("a."), "takes from an empty stack"},
      {legacy("(."), "takes from an empty stack"},
      {legacy("t."), "has no mark"},
      {legacy("]N\x85R."), "calls what is no function"},
      {legacy("h\x05."), "recalls 5"},
      {legacy(")Na."), "puts something into a tuple"},
      {legacy("Nb."), "puts something into what is no dictionary"},
      {legacy("NNb."), "puts something into what is no dictionary"},
      {legacy("]q\x01h\x01" + std::string("a."), "]."), "holds no dictionary"},  // a list that holds itself
      {legacy("}.", "]."), "holds no tensors by name"},
      {legacy(bomb + "."), "makes more objects than it has bytes"},
      {legacy(tensor("K\x02", "K\x03", "K\x01"), kFourFloats), "lies outside of its storage of 4 elements"},
      {legacy(tensor("J\xff\xff\xff\xff", "K\x03", "K\x01"), kFourFloats), "without a proper storage"},
      {legacy(tensor(kZero, "K\x02K\x02", "K\x01"), kFourFloats), "without a proper storage"},
      {legacy(tensor(kZero, "J\xff\xff\xff\x7fJ\xff\xff\xff\x7fJ\xff\xff\xff\x7f", std::string("K\0K\0K\0", 6)),
              kFourFloats),
       "lies outside"},
      {legacy(tensor(kZero, "K\x04", "K\x01"), "]."), "its storage '0' is not in the file"},
      {legacy(tensor(kZero, "K\x04", "K\x01"), kFourFloats.substr(0, kFourFloats.size() - 1)),
       "is cut short: a storage of 4 elements"},
      {"PK\x03\x04 and nothing else", "zip file"},
      {"", "is empty"},
  };
  const TemporaryFolder folder;
  for (const Hostile& hostile : cases) {
    write_file(folder / "bad.pt", hostile.bytes);
    EXPECT_USER_ERROR(load_torch_file(folder / "bad.pt"), hostile.message);
  }
}

TEST(LoadTorchFile, RefusesTruncatedFiles) {
  const TemporaryFolder folder;
  for (const char* name : {"training.pt", "training.legacy.pt"}) {
    const std::string whole = read_file(data(name));
    for (size_t size = 0; size < whole.size(); size += 13) {
      write_unsynced(folder / "cut.pt", whole.substr(0, size));
      EXPECT_THROW(load_torch_file(folder / "cut.pt"), UserError) << name << " cut to " << size;
    }
  }
}

}  // namespace
}  // namespace freeatm::weights
