// SPDX-License-Identifier: Apache-2.0
#include "freeatm/weights/safetensors.h"

#include <nlohmann/json.hpp>
#include <torch/torch.h>

#include "freeatm/core/files.h"

#include "damage.h"
#include "testing.h"

namespace freeatm::weights {
namespace {

using testing::TemporaryFolder;
using testing::test_file;
using testing::write_unsynced;

const std::map<std::string, at::ScalarType> kDtypes{
    {"BOOL", at::kBool}, {"U8", at::kByte},  {"I8", at::kChar},       {"I16", at::kShort}, {"I32", at::kInt},
    {"I64", at::kLong},  {"F16", at::kHalf}, {"BF16", at::kBFloat16}, {"F32", at::kFloat}, {"F64", at::kDouble}};

// The values that scripts/baselines/safetensors_file.py wrote.
TensorMap python_tensors() {
  TensorMap out{{"scalar", torch::tensor(2.5f)}, {"empty", torch::zeros({0, 4})}};
  for (const auto& [name, dtype] : kDtypes) {
    at::Tensor values = torch::arange(15, torch::kDouble).view({3, 5}) - (name == "BOOL" || name == "U8" ? 0 : 7);
    if (at::isFloatingType(dtype)) values = values / 8;
    if (dtype == at::kBool) values = values.remainder(2);
    out[name] = values.to(dtype);
  }
  return out;
}

void expect_equal(const TensorMap& a, const TensorMap& b) {
  ASSERT_EQ(a.size(), b.size());
  for (const auto& [name, tensor] : a) {
    ASSERT_TRUE(b.contains(name)) << name;
    EXPECT_EQ(tensor.scalar_type(), b.at(name).scalar_type()) << name;
    EXPECT_TRUE(tensor.equal(b.at(name))) << name;
  }
}

std::string file_of(const std::string& header, const std::string& data) {
  const uint64_t length = header.size();
  std::string bytes(reinterpret_cast<const char*>(&length), 8);
  return bytes + header + data;
}

// U+0000 to U+00FF in UTF-8 -> bytes.
std::string from_latin1(const std::string& text) {
  std::string bytes;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    bytes += c < 0x80 ? text[i] : static_cast<char>((c & 3) << 6 | (text[++i] & 0x3F));
  }
  return bytes;
}

TEST(Safetensors, ReadsWhatPythonWrote) {
  const Safetensors file = load_safetensors(test_file("weights/data/python.safetensors"));
  expect_equal(file.tensors, python_tensors());
  EXPECT_EQ(file.metadata, (std::map<std::string, std::string>{{"format", "pt"}}));
}

TEST(Safetensors, WritesTheBytesThatPythonWrote) {
  const TemporaryFolder folder;
  save_safetensors(folder / "ours.safetensors", python_tensors(), {{"format", "pt"}});
  EXPECT_EQ(read_file(folder / "ours.safetensors"), read_file(test_file("weights/data/python.safetensors")));
}

TEST(Safetensors, KeepsStridedTensorsAndTheFileBehindThem) {
  const TemporaryFolder folder;
  const std::string path = folder / "a.safetensors";
  const at::Tensor a = torch::arange(6, torch::kFloat).view({2, 3}).t();
  save_safetensors(path, {{"a", a}});
  at::Tensor view = load_safetensors(path).tensors.at("a");
  std::filesystem::remove(path);
  EXPECT_TRUE(view.equal(a));
  view.add_(1);  // the pages are private
  EXPECT_TRUE(view.equal(a + 1));
}

TEST(Safetensors, ReadsUnalignedTensors) {
  const TemporaryFolder folder;
  const float value = 1.5f;
  std::string data("\x07", 1);
  data.append(reinterpret_cast<const char*>(&value), 4);
  write_file(folder / "a.safetensors", file_of(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                                               R"("b":{"dtype":"F32","shape":[],"data_offsets":[1,5]}}  )",
                                               data));
  const Safetensors file = load_safetensors(folder / "a.safetensors");
  EXPECT_EQ(file.tensors.at("a").item<int>(), 7);
  EXPECT_EQ(file.tensors.at("b").item<float>(), 1.5f);
}

TEST(Safetensors, RefusesTruncatedFiles) {
  const TemporaryFolder folder;
  const std::string whole = read_file(test_file("weights/data/python.safetensors"));
  for (size_t size = 0; size < whole.size(); size += size < 64 || size + 64 > whole.size() ? 1 : 7) {
    write_unsynced(folder / "cut", whole.substr(0, size));
    EXPECT_THROW(load_safetensors(folder / "cut"), UserError) << size;
  }
}

// No single wrong byte of the header may crash; most must be refused.
TEST(Safetensors, DamagedHeadersNeverCrash) {
  const TemporaryFolder folder;
  const std::string whole = read_file(test_file("weights/data/python.safetensors"));
  for (size_t i = 0; i < 600; ++i) {
    for (const char byte : {'9', '"'}) {
      std::string damaged = whole;
      damaged[i] = byte;
      write_unsynced(folder / "damaged", damaged);
      try {
        for (const auto& [name, tensor] : load_safetensors(folder / "damaged").tensors) tensor.clone();
      } catch (const UserError&) {
      }
    }
  }
}

struct BadHeader {
  const char *header, *message;
};

TEST(Safetensors, RefusesBadHeadersByName) {
  const std::string deep(100'000, '[');
  const BadHeader cases[]{
      {"[]", "the header is array"},
      {"{", "not JSON"},
      {deep.c_str(), "nested too deeply"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})",
       "a: stands twice"},
      {R"({"a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}})", "dtype: stands twice"},
      {R"({"a":{"dtype":"F33","shape":[2],"data_offsets":[0,8]}})", "a: dtype \"F33\" is not BOOL"},
      {R"({"a":{"dtype":4,"shape":[2],"data_offsets":[0,8]}})", "a: dtype 4 is not BOOL"},
      {R"({"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})", "a: shape holds -2"},
      {R"({"a":{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}})", "a: shape holds 2.0"},
      {R"({"a":{"dtype":"F32","shape":2,"data_offsets":[0,8]}})", "a: shape is not a list"},
      {R"({"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8]}})", "a: shape [4294967296"},
      {R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", "do not hold the 12 bytes"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", "do not hold the 8 bytes"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0]}})", "data_offsets is not [begin, end]"},
      {R"({"a":{"dtype":"F32","shape":[2]}})", "a: must have dtype, shape and data_offsets"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"x":1}})", "a: has the unknown key 'x'"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})", "a: begins at byte 4"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
       "8 bytes follow the header, but its tensors have 4"},
      {R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}})", "a: ends at byte 12"},
      {R"({"a":{"dtype":"U8","shape":[5],"data_offsets":[0,5]},"b":{"dtype":"U8","shape":[5],"data_offsets":[3,8]}})",
       "b: begins at byte 3, but the tensors before it end at 5"},
      {R"({"a":3})", "a: is number"},
      {R"({"__metadata__":{"a":1},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", "'a' is number"},
  };
  const TemporaryFolder folder;
  for (const BadHeader& bad : cases) {
    write_file(folder / "bad", file_of(bad.header, "12345678"));
    EXPECT_USER_ERROR(load_safetensors(folder / "bad"), bad.message);
  }
  write_file(folder / "bad", std::string(8, '\xff') + "{}");
  EXPECT_USER_ERROR(load_safetensors(folder / "bad"), "at most 100000000 are allowed");
  EXPECT_USER_ERROR(load_safetensors(folder / "absent"), "absent: no such file");
  EXPECT_USER_ERROR(load_safetensors(folder.path()), "is a folder");
}

TEST(Safetensors, LeavesNothingBehindWhereItCannotWrite) {
  const TemporaryFolder folder;
  EXPECT_USER_ERROR(save_safetensors(folder / "no/folder.safetensors", {{"a", torch::zeros(2)}}), "cannot be written");
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(Safetensors, AcceptsTheHeadersThatTheReferenceAccepts) {
  const TemporaryFolder folder;
  const auto cases = nlohmann::json::parse(read_file(test_file("weights/data/safetensors_headers.json")));
  ASSERT_GE(cases.size(), 30u);
  for (const auto& each : cases) {
    write_unsynced(folder / "case",
                   file_of(from_latin1(each.at("header")), std::string(each.at("bytes").get<size_t>(), '\0')));
    bool accepted = true;
    try {
      load_safetensors(folder / "case");
    } catch (const UserError&) {
      accepted = false;
    }
    EXPECT_EQ(accepted, each.at("accepted").get<bool>()) << each.at("name");
  }
}

}  // namespace
}  // namespace freeatm::weights
