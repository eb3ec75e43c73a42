// SPDX-License-Identifier: Apache-2.0
#include "freeatm/data/npy.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <optional>
#include <vector>

#include <ATen/ops/empty.h>

#include "freeatm/core/error.h"

namespace freeatm::data {
namespace {

constexpr int64_t kMostElements = int64_t{1} << 40;
constexpr size_t kMostDimensions = 32;  // NumPy 1's own limit

struct Header {
  std::optional<std::string> descr;  // "<f2"
  std::optional<bool> fortran_order;
  std::optional<std::vector<int64_t>> shape;

  bool is_whole() const { return descr && fortran_order && shape; }
};

/// Reads the literal of a Python dict, {'descr': '<f2', 'fortran_order': False, 'shape': (7, 16, 16), }, and no more
/// of Python than that.
class HeaderReader {
 public:
  HeaderReader(std::string_view text, const std::string& where) : text_(text), where_(where) {}

  Header read() {
    Header header;
    expect('{');
    while (!accept('}')) {
      const std::string key = quoted();
      expect(':');
      if (key == "descr" && !header.descr) {
        header.descr = quoted();
      } else if (key == "fortran_order" && !header.fortran_order) {
        header.fortran_order = boolean();
      } else if (key == "shape" && !header.shape) {
        header.shape = tuple();
      } else {
        refuse();
      }
      if (accept(',')) continue;
      expect('}');
      break;
    }
    skip_space();
    if (!text_.empty() || !header.is_whole()) refuse();
    return header;
  }

 private:
  [[noreturn]] void refuse() const {
    throw UserError(where_, "", "is no .npy file: its header does not give descr, fortran_order and shape, once each");
  }
  void skip_space() {
    const size_t start = text_.find_first_not_of(" \n");
    text_.remove_prefix(start == std::string_view::npos ? text_.size() : start);
  }
  bool accept(std::string_view word) {
    skip_space();
    if (!text_.starts_with(word)) return false;
    text_.remove_prefix(word.size());
    return true;
  }
  bool accept(char c) { return accept(std::string_view(&c, 1)); }
  void expect(char c) {
    if (!accept(c)) refuse();
  }

  std::string quoted() {
    skip_space();
    const char quote = text_.empty() ? '\0' : text_.front();
    const size_t end = text_.find(quote, 1);
    if ((quote != '\'' && quote != '"') || end == std::string_view::npos) refuse();
    std::string value(text_.substr(1, end - 1));
    text_.remove_prefix(end + 1);
    return value;
  }
  bool boolean() {
    if (accept("True")) return true;
    if (!accept("False")) refuse();
    return false;
  }
  int64_t integer() {
    skip_space();
    int64_t value = 0;
    const auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), value);
    if (error != std::errc() || value < 0) refuse();
    text_.remove_prefix(size_t(end - text_.data()));
    return value;
  }
  std::vector<int64_t> tuple() {
    std::vector<int64_t> values;
    expect('(');
    while (!accept(')')) {
      if (values.size() == kMostDimensions) refuse();
      values.push_back(integer());
      if (accept(',')) continue;
      if (values.size() == 1) refuse();  // (7) is a number to Python
      expect(')');
      break;
    }
    return values;
  }

  std::string_view text_;  // what is left
  const std::string& where_;
};

at::ScalarType scalar_type(const std::string& descr, const std::string& where) {
  if (descr == "<f2") return at::kHalf;
  if (descr == "<f4") return at::kFloat;
  if (descr == "|u1") return at::kByte;
  throw UserError(where, "descr", "'{}' is not read; float16 (<f2), float32 (<f4) and uint8 (|u1) are", descr);
}

int64_t element_count(const std::vector<int64_t>& shape, const std::string& where) {
  int64_t count = 1, steps = 1;  // steps: without the zeros, since strides are made of the other extents
  for (int64_t extent : shape) {
    if (extent > 0 && steps > kMostElements / extent) throw UserError(where, "shape", "{} is too large", shape);
    steps *= std::max<int64_t>(extent, 1);
    count *= extent;
  }
  return count;
}

/// The header's text and, after it, the data: magic, two bytes of version, the header's length in 2 bytes (version 1)
/// or 4 (version 2), little-endian.
std::pair<std::string_view, std::string_view> split(std::string_view bytes, const std::string& where) {
  constexpr std::string_view kMagic = "\x93NUMPY";
  if (!bytes.starts_with(kMagic)) throw UserError(where, "", "is no .npy file");
  const std::string_view version = bytes.substr(kMagic.size(), 2);
  const size_t length_bytes = version == std::string_view("\1\0", 2)   ? 2
                              : version == std::string_view("\2\0", 2) ? 4
                                                                       : 0;
  if (version.size() == 2 && length_bytes == 0)
    throw UserError(where, "", "is a .npy file of a version other than 1.0 and 2.0");
  const size_t start = kMagic.size() + 2 + length_bytes;
  if (bytes.size() < start) throw UserError(where, "", "is cut short: a .npy file without its header");
  size_t length = 0;
  for (size_t i = 0; i < length_bytes; ++i) length |= size_t{uint8_t(bytes[start - length_bytes + i])} << (8 * i);
  if (bytes.size() - start < length) throw UserError(where, "", "is cut short: a .npy file without its header");
  return {bytes.substr(start, length), bytes.substr(start + length)};
}

}  // namespace

at::Tensor read_npy(std::string_view bytes, const std::string& where) {
  const auto [text, data] = split(bytes, where);
  const Header header = HeaderReader(text, where).read();
  const at::ScalarType type = scalar_type(*header.descr, where);
  if (*header.fortran_order) throw UserError(where, "fortran_order", "True is not read; C order is");
  const auto size = element_count(*header.shape, where) * int64_t(at::elementSize(type));
  if (size != int64_t(data.size()))
    throw UserError(where, "shape", "{} needs {} bytes, {} are there", *header.shape, size, data.size());
  const at::Tensor tensor = at::empty(*header.shape, type);
  if (!data.empty()) std::memcpy(tensor.mutable_data_ptr(), data.data(), data.size());
  return tensor;
}

std::string npy_float16(const at::Tensor& tensor) {
  const at::Tensor half = tensor.to(at::kCPU, at::kHalf).contiguous();
  std::string shape;
  for (int64_t extent : half.sizes()) shape += std::to_string(extent) + ", ";
  if (half.dim() > 1) shape.resize(shape.size() - 2);
  std::string header = "{'descr': '<f2', 'fortran_order': False, 'shape': (" + shape + "), }";
  constexpr size_t kMagic = 10, kAlign = 64;  // the data start at a multiple of 64 bytes; the header ends in a newline
  header.append(kAlign - (kMagic + header.size() + 1) % kAlign, ' ').push_back('\n');
  std::string out = "\x93NUMPY\x01";
  out.push_back('\0');
  out.push_back(static_cast<char>(header.size() & 0xff));
  out.push_back(static_cast<char>(header.size() >> 8));
  out += header;
  out.append(static_cast<const char*>(half.const_data_ptr()), half.nbytes());
  return out;
}

}  // namespace freeatm::data
