// SPDX-License-Identifier: Apache-2.0
#include "freeatm/weights/load.h"

#include <torch/torch.h>

#include "freeatm/weights/name_map.h"

#include "testing.h"

namespace freeatm::weights {
namespace {

TEST(LoadInto, ConvertsAndReportsEveryName) {
  const TensorMap model{{"a", torch::zeros({2})}, {"b", torch::zeros({3, 4})}, {"c", torch::zeros({1})}};
  const TensorMap file{
      {"a", torch::tensor({1.0, 2.0}, torch::kHalf)}, {"b", torch::ones({3, 5})}, {"d", torch::ones({1})}};
  const LoadReport report = load_into(model, file);
  EXPECT_EQ(report.loaded, std::vector<std::string>{"a"});
  EXPECT_EQ(report.missing, std::vector<std::string>{"c"});
  EXPECT_EQ(report.unexpected, std::vector<std::string>{"d"});
  EXPECT_EQ(report.misshaped, std::vector<std::string>{"b: [3, 5] in the file, [3, 4] in the model"});
  EXPECT_FALSE(report.complete());
  EXPECT_TRUE(model.at("a").equal(torch::tensor({1.0f, 2.0f})));
  EXPECT_TRUE(model.at("b").equal(torch::zeros({3, 4})));
}

TEST(LoadInto, FillsLeavesThatNeedGradients) {
  const TensorMap model{{"a", torch::zeros({2}, torch::requires_grad())}};
  require_complete(load_into(model, {{"a", torch::ones({2})}}), "x");
  EXPECT_TRUE(model.at("a").equal(torch::ones({2})));
  EXPECT_TRUE(model.at("a").is_leaf());
}

TEST(Adopt, TakesTheTensorsThemselvesOrNone) {
  torch::nn::Linear linear(3, 2);
  const TensorMap file{{"weight", torch::ones({2, 3})}, {"bias", torch::ones({2}, torch::kHalf)}};
  adopt(*linear, file, "f");
  EXPECT_EQ(linear->weight.data_ptr(), file.at("weight").data_ptr());
  EXPECT_EQ(linear->bias.scalar_type(), torch::kHalf);
  EXPECT_USER_ERROR(adopt(*linear, {{"weight", torch::zeros({2, 3})}}, "f"), "f: bias: is missing in the file");
  EXPECT_TRUE(linear->weight.equal(torch::ones({2, 3})));
}

TEST(WithoutFirstWeights, LeavesOutWhatConstructorsDraw) {
  const auto seed = [] { return at::detail::getDefaultCPUGenerator().get_state(); };
  const at::Tensor before = seed();
  {
    const WithoutFirstWeights none;
    torch::nn::Sequential(torch::nn::Linear(3, 2), torch::nn::Conv2d(2, 2, 3), torch::nn::Embedding(5, 2));
    EXPECT_TRUE(seed().equal(before));
    EXPECT_TRUE(torch::nn::LayerNorm(torch::nn::LayerNormOptions({4}))->weight.equal(torch::ones({4})));
  }
  torch::nn::Linear(3, 2);
  EXPECT_FALSE(seed().equal(before));
}

TEST(RequireComplete, NamesTheFirstFault) {
  EXPECT_USER_ERROR(require_complete({{}, {"a", "b"}, {}, {}}, "f"), "f: a: is missing in the file (and 1 more)");
  EXPECT_USER_ERROR(require_complete({{}, {}, {"c"}, {}}, "f"), "f: c: is not a tensor of this model");
  EXPECT_USER_ERROR(require_complete({{}, {}, {}, {"d: [1] in the file, [2] in the model"}}, "f"),
                    "f: d: [1] in the file");
  EXPECT_USER_ERROR(require_complete({{}, {"a"}, {"b", "c"}, {}}, "f"),
                    "f: a: is missing in the file; it has 'b' (and 1 more), which this model lacks");
  EXPECT_NO_THROW(require_complete({{"a"}, {}, {}, {}}, "f"));
}

std::vector<std::string> names(const TensorMap& tensors) {
  std::vector<std::string> out;
  for (const auto& [name, tensor] : tensors) out.push_back(name);
  return out;
}

TEST(NameMap, RenamesInOrderAndLeavesOut) {
  const NameMap map{{{"^text_model\\.", ""}, {"\\.query\\.", ".to_q."}}, {"position_ids$"}};
  const TensorMap file{{"text_model.a.query.weight", torch::zeros(1)},
                       {"text_model.embeddings.position_ids", torch::zeros(1)},
                       {"b.text_model.query", torch::zeros(1)}};
  EXPECT_EQ(names(map.apply(file, "f")), (std::vector<std::string>{"a.to_q.weight", "b.text_model.query"}));
}

TEST(NameMap, RefusesTwoTensorsOfOneName) {
  const NameMap map{{{"^module\\.", ""}}, {}};
  EXPECT_USER_ERROR(map.apply({{"a", torch::zeros(1)}, {"module.a", torch::zeros(1)}}, "f"),
                    "f: module.a: and 'a' are both 'a' in the model");
}

}  // namespace
}  // namespace freeatm::weights
