// SPDX-License-Identifier: Apache-2.0
// ONNX files, written directly: a graph of nodes as protobuf messages (onnx.proto, IR version 8, operators of opset
// 17).
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <ATen/core/Tensor.h>

namespace freeatm::exports {

/// A protobuf message on its way to bytes: fields by their numbers, in any order.
class ProtoMessage {
 public:
  void integer(int field, int64_t value);
  void real(int field, float value);
  void text(int field, std::string_view bytes);
  void message(int field, const ProtoMessage& message) { text(field, message.bytes_); }
  const std::string& bytes() const { return bytes_; }

 private:
  void varint(uint64_t value);
  std::string bytes_;
};

/// A graph that grows node by node; values go by name.
class OnnxGraph {
 public:
  using Attribute = std::variant<int64_t, double, std::vector<int64_t>>;
  using Attributes = std::vector<std::pair<std::string, Attribute>>;

  /// A node with one result, which has its name; returned.
  std::string node(const std::string& operation, const std::string& name, const std::vector<std::string>& inputs,
                   const Attributes& attributes = {});
  /// A tensor of fp32 or int64 that is part of the file. Returns its name.
  std::string constant(const std::string& name, const at::Tensor& tensor);
  std::string constant(const std::string& name, const std::vector<int64_t>& numbers);

  /// shape: a number, or what a size that may vary is called
  using Shape = std::vector<std::variant<int64_t, std::string>>;
  void input(const std::string& name, const Shape& shape) { graph_.message(11, value(name, shape)); }
  void output(const std::string& name, const Shape& shape) { graph_.message(12, value(name, shape)); }

  /// The whole file.
  ///   metadata: shown by every tool that opens it
  std::string model(const std::string& name, const std::map<std::string, std::string>& metadata);

 private:
  static ProtoMessage value(const std::string& name, const Shape& shape);
  ProtoMessage graph_;
};

}  // namespace freeatm::exports
