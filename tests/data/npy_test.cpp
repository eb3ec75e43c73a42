// SPDX-License-Identifier: Apache-2.0
#include "freeatm/data/npy.h"

#include <ATen/ATen.h>

#include "freeatm/data/shards.h"

#include "damage.h"
#include "testing.h"

namespace freeatm::data {
namespace {

/// Version 1.0, as NumPy 2.4 writes it: padded to 128 bytes.
std::string npy(std::string header, const std::string& data) {
  header.append(header.size() < 117 ? 117 - header.size() : 0, ' ').push_back('\n');
  const std::string length{char(header.size() & 0xff), char(header.size() >> 8)};
  return std::string("\x93NUMPY\1\0", 8) + length + header + data;
}

// The three files below hold what numpy.lib.format.write_array gives, NumPy 2.4.6.
TEST(ReadNpy, Float16AsNumpyWritesIt) {
  const std::string bytes = npy("{'descr': '<f2', 'fortran_order': False, 'shape': (1, 3), }", {"\0<\0\xc0\0008", 6});
  const at::Tensor tensor = read_npy(bytes, "a.npy");
  EXPECT_TRUE(at::equal(tensor, at::tensor({1.0, -2.0, 0.5}).view({1, 3}).to(at::kHalf)));
}

TEST(ReadNpy, Version2AndBytes) {
  std::string header = "{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }";
  header.append(115 - header.size(), ' ').push_back('\n');
  const at::Tensor tensor = read_npy(std::string("\x93NUMPY\2\0t\0\0\0", 12) + header + "\x07\xff", "a.npy");
  EXPECT_TRUE(at::equal(tensor, at::tensor({7, 255}, at::kByte)));
}

TEST(ReadNpy, AScalarAndAnEmptyArray) {
  const std::string scalar = npy("{'descr': '<f4', 'fortran_order': False, 'shape': (), }", {"\0\0P@", 4});
  EXPECT_TRUE(at::equal(read_npy(scalar, ""), at::scalar_tensor(3.25, at::kFloat)));
  const auto empty = read_npy(npy("{'descr': '<f2', 'fortran_order': False, 'shape': (0, 16, 16), }", ""), "");
  EXPECT_EQ(empty.sizes().vec(), (std::vector<int64_t>{0, 16, 16}));
}

TEST(ReadNpy, ReadsTheMapsThatShardsHold) {
  for (const auto& shape : std::vector<std::vector<int64_t>>{{7, 16, 16}, {5}, {1, 2, 3, 4}}) {
    const at::Tensor maps = at::rand(shape).to(at::kHalf);
    EXPECT_TRUE(at::equal(read_npy(npy_float16(maps), ""), maps)) << shape.size();
  }
}

TEST(ReadNpy, EntriesMayStandInAnyOrderWithAnyQuotes) {
  const at::Tensor tensor = read_npy(npy("{\"shape\":(2,),'descr':'|u1','fortran_order':False}", "ab"), "");
  EXPECT_TRUE(at::equal(tensor, at::tensor({97, 98}, at::kByte)));
}

TEST(ReadNpy, RefusesOtherTypesOrdersAndVersions) {
  const auto with = [](const std::string& header) { return read_npy(npy(header, "abcd"), "x.maps.npy"); };
  EXPECT_USER_ERROR(with("{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }"), "x.maps.npy: descr: '<f8'");
  EXPECT_USER_ERROR(with("{'descr': '>f4', 'fortran_order': False, 'shape': (1,), }"), "'>f4' is not read");
  EXPECT_USER_ERROR(with("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }"), "'|O' is not read");
  EXPECT_USER_ERROR(with("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 2), }"), "fortran_order: True");
  EXPECT_USER_ERROR(read_npy(std::string("\x93NUMPY\3\0\0\0\0\0", 12), "x"), "a version other than 1.0 and 2.0");
  EXPECT_USER_ERROR(read_npy("PK\3\4", "x.npz"), "x.npz: is no .npy file");
}

TEST(ReadNpy, RefusesShapesThatAreNotTheData) {
  const auto shaped = [](const std::string& shape) {
    return read_npy(npy("{'descr': '<f2', 'fortran_order': False, 'shape': " + shape + ", }", "abcd"), "x");
  };
  EXPECT_EQ(shaped("(2,)").numel(), 2);
  EXPECT_USER_ERROR(shaped("(3,)"), "shape: [3] needs 6 bytes, 4 are there");
  EXPECT_USER_ERROR(shaped("(1,)"), "needs 2 bytes, 4 are there");
  EXPECT_USER_ERROR(shaped("(0, 2)"), "needs 0 bytes");
  EXPECT_USER_ERROR(shaped("(4294967296, 4294967296, 2)"), "is too large");
  EXPECT_USER_ERROR(shaped("(9223372036854775807,)"), "is too large");
  EXPECT_USER_ERROR(shaped("(0, 4611686018427387904, 4611686018427387904)"), "is too large");
  EXPECT_USER_ERROR(shaped("(99999999999999999999,)"), "its header does not give");
  for (const char* shape : {"(-2,)", "(2)", "2", "[2]", "(2, 1", "(2 1)", "(1.0, 2)", "(,)", "(2,,)", "None"})
    EXPECT_USER_ERROR(shaped(shape), "its header does not give");
  std::string deep = "(";
  for (int i = 0; i < 5000; ++i) deep += "1,";
  EXPECT_USER_ERROR(shaped(deep + ")"), "its header does not give");
}

TEST(ReadNpy, RefusesHeadersThatAreNotNumpys) {
  for (const char* header :
       {"", "{}", "{", "{'descr': '|u1'}", "__import__('os').system('true')",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (1,), 'more': 1}",
        "{'descr': '|u1', 'descr': '|u1', 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (1,)} x", "{'descr': '|u1, 'fortran_order': False}",
        "{'descr': [('a', '|u1')], 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '|u1', 'fortran_order': 0, 'shape': (1,)}",
        "{'descr' '|u1', 'fortran_order': False, 'shape': (1,)}"})
    EXPECT_USER_ERROR(read_npy(npy(header, "a"), "x"), "x: is no .npy file");
}

TEST(ReadNpy, IsEitherReadOrRefusedWhereverItIsCutOrChanged) {
  const std::string whole = npy_float16(at::rand({3, 4, 5}));
  for (size_t size = 0; size < whole.size(); ++size) EXPECT_USER_ERROR(read_npy(whole.substr(0, size), "x"), "x: ");
  const auto verdicts = testing::try_damaged(
      whole, "npy", 20000, [&](const std::string& bytes) { EXPECT_LE(read_npy(bytes, "x").nbytes(), bytes.size()); });
  EXPECT_GT(verdicts.read, 1000);
  EXPECT_GT(verdicts.refused, 5000);
}

}  // namespace
}  // namespace freeatm::data
