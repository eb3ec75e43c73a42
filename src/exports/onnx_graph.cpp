// SPDX-License-Identifier: Apache-2.0
#include "onnx_graph.h"

#include <bit>
#include <cstring>

#include <ATen/ATen.h>

#include "freeatm/core/error.h"
#include "freeatm/core/version.h"

namespace freeatm::exports {
namespace {

static_assert(std::endian::native == std::endian::little, "protobuf and raw tensors are little-endian");

// Wire types, and onnx.proto's numbers of types.
constexpr int kVarint = 0, kBytes = 2, kFourBytes = 5;
constexpr int64_t kFloatTensor = 1, kInt64Tensor = 7;
constexpr int64_t kFloatAttribute = 1, kIntAttribute = 2, kIntsAttribute = 7;
constexpr int64_t kIrVersion = 8, kOpset = 17;  // LayerNormalization is of opset 17

ProtoMessage attribute_message(const std::string& name, const OnnxGraph::Attribute& attribute) {
  ProtoMessage out;
  out.text(1, name);
  if (const auto* real = std::get_if<double>(&attribute)) {
    out.real(2, static_cast<float>(*real));
    out.integer(20, kFloatAttribute);
  } else if (const auto* whole = std::get_if<int64_t>(&attribute)) {
    out.integer(3, *whole);
    out.integer(20, kIntAttribute);
  } else {
    for (const int64_t number : std::get<std::vector<int64_t>>(attribute)) out.integer(8, number);
    out.integer(20, kIntsAttribute);
  }
  return out;
}

}  // namespace

void ProtoMessage::varint(uint64_t value) {
  for (; value >= 0x80; value >>= 7) bytes_.push_back(static_cast<char>(value | 0x80));
  bytes_.push_back(static_cast<char>(value));
}

void ProtoMessage::integer(int field, int64_t value) {
  varint(static_cast<uint64_t>(field << 3 | kVarint));
  varint(static_cast<uint64_t>(value));
}

void ProtoMessage::real(int field, float value) {
  varint(static_cast<uint64_t>(field << 3 | kFourBytes));
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  bytes_.append(bytes, sizeof value);
}

void ProtoMessage::text(int field, std::string_view bytes) {
  varint(static_cast<uint64_t>(field << 3 | kBytes));
  varint(bytes.size());
  bytes_.append(bytes);
}

std::string OnnxGraph::node(const std::string& operation, const std::string& name,
                            const std::vector<std::string>& inputs, const Attributes& attributes) {
  ProtoMessage out;
  for (const std::string& input : inputs) out.text(1, input);
  out.text(2, name);
  out.text(3, name);
  out.text(4, operation);
  for (const auto& [key, attribute] : attributes) out.message(5, attribute_message(key, attribute));
  graph_.message(1, out);
  return name;
}

std::string OnnxGraph::constant(const std::string& name, const at::Tensor& tensor) {
  const bool is_real = tensor.scalar_type() == at::kFloat;
  FREEATM_CHECK(is_real || tensor.scalar_type() == at::kLong, "{} is neither fp32 nor int64", name);
  const at::Tensor plain = tensor.contiguous();
  ProtoMessage out;
  for (const int64_t size : plain.sizes()) out.integer(1, size);
  out.integer(2, is_real ? kFloatTensor : kInt64Tensor);
  out.text(8, name);
  out.text(9, {static_cast<const char*>(plain.const_data_ptr()), plain.nbytes()});
  graph_.message(5, out);
  return name;
}

std::string OnnxGraph::constant(const std::string& name, const std::vector<int64_t>& numbers) {
  return constant(name, at::tensor(numbers, at::kLong));
}

ProtoMessage OnnxGraph::value(const std::string& name, const Shape& shape) {
  ProtoMessage sizes;
  for (const auto& size : shape) {
    ProtoMessage dimension;
    if (const auto* number = std::get_if<int64_t>(&size))
      dimension.integer(1, *number);
    else
      dimension.text(2, std::get<std::string>(size));
    sizes.message(1, dimension);
  }
  ProtoMessage tensor, type, out;
  tensor.integer(1, kFloatTensor);
  tensor.message(2, sizes);
  type.message(1, tensor);
  out.text(1, name);
  out.message(2, type);
  return out;
}

std::string OnnxGraph::model(const std::string& name, const std::map<std::string, std::string>& metadata) {
  graph_.text(2, name);
  ProtoMessage operators, out;
  operators.text(1, "");
  operators.integer(2, kOpset);
  out.integer(1, kIrVersion);
  out.text(2, "freeatm");
  out.text(3, version());
  out.message(7, graph_);
  out.message(8, operators);
  for (const auto& [key, text] : metadata) {
    ProtoMessage entry;
    entry.text(1, key);
    entry.text(2, text);
    out.message(14, entry);
  }
  return out.bytes();
}

}  // namespace freeatm::exports
