// SPDX-License-Identifier: Apache-2.0
// Backbones and classifiers as ONNX graphs: "pixel_values" [batch, 3, height, width] -> "features" [batch, channels],
// "grid" [batch, channels, h, w] (the last level), and of a classifier "logits" [batch, classes].
#include <cmath>
#include <set>

#include <ATen/ATen.h>

#include "onnx_graph.h"
#include "resnet_shape.h"
#include "tool_files.h"

namespace freeatm::exports {
namespace {

constexpr const char *kPixels = "pixel_values", *kFeatures = "features", *kGrid = "grid";
constexpr double kBatchNormEps = 1e-5, kLayerNormEps = 1e-6;

/// Adds a model's nodes; tensors come from its source by their names.
class OnnxWriter {
 public:
  explicit OnnxWriter(const Source& source) : source_(source) {}

  OnnxGraph& graph() { return graph_; }
  std::string weight(const std::string& name) { return graph_.constant(name, source_.tensors.at(name)); }

  std::string convolution(const std::string& name, const std::string& x, int64_t stride, int64_t dilation = 1,
                          bool has_bias = false) {
    const int64_t kernel = source_.tensors.at(name + ".weight").size(2);
    const int64_t padding = has_bias ? 0 : kernel / 2 * dilation;  // patches, which alone have a bias, do not overlap
    std::vector<std::string> inputs{x, weight(name + ".weight")};
    if (has_bias) inputs.push_back(weight(name + ".bias"));
    return graph_.node("Conv", name, inputs,
                       {{"kernel_shape", std::vector{kernel, kernel}},
                        {"strides", std::vector{stride, stride}},
                        {"dilations", std::vector{dilation, dilation}},
                        {"pads", std::vector<int64_t>(4, padding)}});
  }

  std::string batch_norm(const std::string& name, const std::string& x) {
    std::vector<std::string> inputs{x};
    for (const char* part : {".weight", ".bias", ".running_mean", ".running_var"})
      inputs.push_back(weight(name + part));
    return graph_.node("BatchNormalization", name, inputs, {{"epsilon", kBatchNormEps}});
  }

  std::string relu(const std::string& x) { return graph_.node("Relu", x + ".relu", {x}); }

  std::string layer_norm(const std::string& name, const std::string& x, const std::string& result) {
    return graph_.node("LayerNormalization", result, {x, parameter(name + ".weight"), parameter(name + ".bias")},
                       {{"axis", -1}, {"epsilon", kLayerNormEps}});
  }

  std::string linear(const std::string& name, const std::string& x) {
    const std::string matrix = graph_.constant(name + ".weight", source_.tensors.at(name + ".weight").t());
    return graph_.node("Add", name, {graph_.node("MatMul", name + ".product", {x, matrix}), weight(name + ".bias")});
  }

  std::string number(const std::string& name, double value) {
    return graph_.constant(name, at::scalar_tensor(value, at::kFloat));
  }

  /// The head's node, and the file.
  Exported finish(const std::string& what, const OnnxGraph::Shape& pixels, const OnnxGraph::Shape& grid);

 private:
  /// A weight that several nodes use.
  std::string parameter(const std::string& name) { return shared_.emplace(name).second ? weight(name) : name; }

  const Source& source_;
  OnnxGraph graph_;
  std::set<std::string> shared_;
};

Exported OnnxWriter::finish(const std::string& what, const OnnxGraph::Shape& pixels, const OnnxGraph::Shape& grid) {
  const PictureFacts& pictures = source_.pictures;
  std::map<std::string, std::string> metadata{{"image_mean", Arguments(pictures.mean).dump()},
                                              {"image_std", Arguments(pictures.deviation).dump()},
                                              {"image_size", std::to_string(pictures.size)}};
  graph_.input(kPixels, pixels);
  graph_.output(kFeatures, {"batch", grid[1]});
  graph_.output(kGrid, grid);
  if (!source_.head.empty()) {
    graph_.node("Gemm", "logits",
                {kFeatures, graph_.constant("head.weight", source_.head.at("weight")),
                 graph_.constant("head.bias", source_.head.at("bias"))},
                {{"transB", 1}});
    graph_.output("logits", {"batch", source_.classes()});
    metadata["class_names"] = Arguments(source_.class_names).dump();
  }
  Exported out{.what = what + " as an ONNX graph", .content = graph_.model(what, metadata)};
  constexpr size_t kMostBytes = 2147483647;  // a protobuf message holds no more
  if (out.content.size() > kMostBytes)
    refuse(source_, "an ONNX file holds at most 2 GB, this would be {}", out.content.size());
  out.build = {"import onnxruntime"};
  out.open = {format("session = onnxruntime.InferenceSession({})", python_text(source_.out)),
              "features, grid = session.run([\"features\", \"grid\"], {\"pixel_values\": pixels})  # fp32, normalised"};
  return out;
}

std::string onnx_block(OnnxWriter& writer, const std::string& name, const std::string& x,
                       const models::ResNetStage& stage, bool is_first, bool bottleneck, bool has_shortcut) {
  const int64_t stride = is_first ? stage.stride : 1, first = is_first ? stage.first_dilation : stage.dilation;
  const auto layer = [&](const char* number, const std::string& in, int64_t steps, int64_t dilation) {
    return writer.batch_norm(name + ".bn" + number, writer.convolution(name + ".conv" + number, in, steps, dilation));
  };
  std::string hidden;
  if (bottleneck) {
    hidden = writer.relu(layer("1", x, 1, 1));
    hidden = layer("3", writer.relu(layer("2", hidden, stride, first)), 1, 1);
  } else {
    hidden = layer("2", writer.relu(layer("1", x, stride, first)), 1, stage.dilation);
  }
  std::string residual = x;
  if (has_shortcut)
    residual = writer.batch_norm(name + ".downsample.1", writer.convolution(name + ".downsample.0", x, stride));
  return writer.relu(writer.graph().node("Add", name, {hidden, residual}));
}

Exported onnx_resnet(const Source& source, const models::ResNetOptions& options) {
  OnnxWriter writer(source);
  OnnxGraph& graph = writer.graph();
  const bool is_large = options.stem == "7x7";
  std::string x =
      writer.relu(writer.batch_norm("bn1", writer.convolution("conv1", kPixels, options.stem == "cifar" ? 1 : 2)));
  if (is_large) {
    x = graph.node("MaxPool", "maxpool", {x},
                   {{"kernel_shape", std::vector<int64_t>{3, 3}},
                    {"strides", std::vector<int64_t>{2, 2}},
                    {"pads", std::vector<int64_t>(4, 1)}});
  }
  const std::vector<models::ResNetStage> stages = stages_of(options);
  for (size_t i = 0; i < stages.size(); ++i) {
    for (int64_t block = 0; block < options.depths[i]; ++block) {
      const std::string name = format("layer{}.{}", i + 1, block);
      x = onnx_block(writer, name, x, stages[i], block == 0, is_bottleneck(options),
                     source.tensors.contains(format("{}.downsample.0.weight", name)));
    }
  }
  graph.node("Identity", kGrid, {x});
  graph.node("Flatten", kFeatures, {graph.node("GlobalAveragePool", "pooled", {x})});
  return writer.finish("ResNet", {"batch", 3, "height", "width"},
                       {"batch", stages.back().channels, "grid_height", "grid_width"});
}

/// softmax(q k^T / sqrt(d)) v, each head for itself
std::string onnx_attention(OnnxWriter& writer, const std::string& name, const std::string& x,
                           const models::ViTOptions& options) {
  OnnxGraph& graph = writer.graph();
  const int64_t heads = options.heads, width = options.dim / heads;
  const std::string split =
      graph.node("Reshape", name + ".split",
                 {writer.linear(name + ".qkv", x), graph.constant(name + ".parts", {0, 0, 3, heads, width})});
  std::string parts[3];  // [B, heads, N, d] each; of the keys [B, heads, d, N]
  for (int64_t i = 0; i < 3; ++i) {
    const std::string part = name + "." + "qkv"[i];
    const std::string one =
        graph.node("Gather", part + ".part", {split, graph.constant(part + ".index", at::scalar_tensor(i, at::kLong))},
                   {{"axis", 2}});
    parts[i] = graph.node("Transpose", part, {one},
                          {{"perm", i == 1 ? std::vector<int64_t>{0, 2, 3, 1} : std::vector<int64_t>{0, 2, 1, 3}}});
  }
  const std::string scale = writer.number(name + ".scale", 1 / std::sqrt(static_cast<double>(width)));
  const std::string scores =
      graph.node("MatMul", name + ".scores", {graph.node("Mul", name + ".scaled", {parts[0], scale}), parts[1]});
  const std::string seen = graph.node("MatMul", name + ".seen",
                                      {graph.node("Softmax", name + ".softmax", {scores}, {{"axis", -1}}), parts[2]});
  const std::string joined =
      graph.node("Reshape", name + ".joined",
                 {graph.node("Transpose", name + ".turned", {seen}, {{"perm", std::vector<int64_t>{0, 2, 1, 3}}}),
                  graph.constant(name + ".whole", {0, 0, options.dim})});
  return writer.linear(name + ".proj", joined);
}

/// x/2 (1 + erf(x / sqrt 2))
std::string onnx_gelu(OnnxWriter& writer, const std::string& name, const std::string& x) {
  OnnxGraph& graph = writer.graph();
  const std::string bent =
      graph.node("Erf", name + ".erf",
                 {graph.node("Mul", name + ".root", {x, writer.number(name + ".sqrt_half", std::sqrt(0.5))})});
  const std::string gate = graph.node("Add", name + ".gate", {bent, writer.number(name + ".one", 1)});
  return graph.node("Mul", name, {graph.node("Mul", name + ".half", {x, writer.number(name + ".a_half", 0.5)}), gate});
}

std::string onnx_vit_block(OnnxWriter& writer, const std::string& name, const std::string& x,
                           const models::ViTOptions& options) {
  OnnxGraph& graph = writer.graph();
  const std::string attended =
      onnx_attention(writer, name + ".attn", writer.layer_norm(name + ".norm1", x, name + ".norm1"), options);
  const std::string middle = graph.node("Add", name + ".middle", {x, attended});
  const std::string hidden =
      writer.linear(name + ".mlp.fc1", writer.layer_norm(name + ".norm2", middle, name + ".norm2"));
  return graph.node("Add", name, {middle, writer.linear(name + ".mlp.fc2", onnx_gelu(writer, name + ".gelu", hidden))});
}

/// The positions are for one grid: of another, the graph would have to resize them.
Exported onnx_vit(const Source& source, const models::ViTOptions& options) {
  OnnxWriter writer(source);
  OnnxGraph& graph = writer.graph();
  const int64_t side = options.image_size / options.patch_size, dim = options.dim;
  const std::string patches = writer.convolution("patch_embed.proj", kPixels, options.patch_size, 1, /*has_bias=*/true);
  const std::string rows =
      graph.node("Reshape", "patches.rows", {patches, graph.constant("patches.shape", {0, dim, side * side})});
  std::string x = graph.node("Transpose", "patches", {rows}, {{"perm", std::vector<int64_t>{0, 2, 1}}});
  if (options.class_token) {
    const std::string batch = graph.node("Shape", "batch", {kPixels}, {{"start", 0}, {"end", 1}});
    const std::string shape =
        graph.node("Concat", "cls_token.shape", {batch, graph.constant("cls_token.rest", {1, dim})}, {{"axis", 0}});
    const std::string tokens = graph.node("Expand", "cls_tokens", {writer.weight("cls_token"), shape});
    x = graph.node("Concat", "tokens", {tokens, x}, {{"axis", 1}});
  }
  x = graph.node("Add", "placed", {x, writer.weight("pos_embed")});
  for (int64_t i = 0; i < options.depth; ++i) x = onnx_vit_block(writer, format("blocks.{}", i), x, options);

  const int64_t prefix = options.class_token ? 1 : 0;
  const auto slice = [&](const std::string& name, int64_t begin, int64_t end) {
    return graph.node("Slice", name,
                      {x, graph.constant(name + ".begin", {begin}), graph.constant(name + ".end", {end}),
                       graph.constant(name + ".axis", {1})});
  };
  const bool pools_token = options.global_pool == "token";
  const std::string norm = pools_token ? "norm" : "fc_norm", grid = slice("last.patches", prefix, prefix + side * side);
  const std::string pooled =
      pools_token ? graph.node("Squeeze", "pooled", {slice("last.token", 0, 1), graph.constant("pooled.axis", {1})})
                  : graph.node("ReduceMean", "pooled", {grid}, {{"axes", std::vector<int64_t>{1}}, {"keepdims", 0}});
  writer.layer_norm(norm, pooled, kFeatures);
  const std::string turned = graph.node("Transpose", "grid.channels", {writer.layer_norm(norm, grid, "grid.normed")},
                                        {{"perm", std::vector<int64_t>{0, 2, 1}}});
  graph.node("Reshape", kGrid, {turned, graph.constant("grid.shape", {0, dim, side, side})});
  return writer.finish("VisionTransformer", {"batch", 3, options.image_size, options.image_size},
                       {"batch", dim, side, side});
}

}  // namespace

Exported to_onnx(const Source& source) {
  if (const auto* resnet = std::get_if<models::ResNetOptions>(&source.model)) return onnx_resnet(source, *resnet);
  if (const auto* vit = std::get_if<models::ViTOptions>(&source.model)) return onnx_vit(source, *vit);
  refuse(source, "a CLIP's vision tower is not written as ONNX: to=huggingface takes it");
}

}  // namespace freeatm::exports
