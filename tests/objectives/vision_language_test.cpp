// SPDX-License-Identifier: Apache-2.0
// The losses of vision-language training against PyTorch (values: scripts/baselines/vision_language.py), and the cases
// that trainers are known to get wrong.
#include <set>

#include <torch/torch.h>

#include "freeatm/core/files.h"
#include "freeatm/objectives/vision_language/hidden_words.h"
#include "freeatm/objectives/vision_language/losses.h"
#include "freeatm/text/word_piece.h"
#include "freeatm/weights/safetensors.h"

#include "models/hash_weights.h"
#include "tensors.h"
#include "testing.h"

namespace freeatm::objectives {
namespace {

using at::Tensor;
using testing::relative_difference;

constexpr double kTolerance = 1e-5, kAlpha = 0.4;
const std::vector<int64_t> kImageGroups{0, 1, 1, 2, 3, 0}, kTextGroups{0, 1, 4, 2, 2, 0};

Tensor leaf(const std::string& name, at::IntArrayRef shape, float scale = 1) {
  return testing::hash_tensor(name, shape, scale).to(at::kDouble).requires_grad_();
}

HardNegatives negatives(const Tensor& similarity, const Tensor& fits, const RandomStream& random) {
  return itm_negatives(similarity, fits, gumbel_noise(similarity.numel(), random).view_as(similarity));
}

Tensor unit(const Tensor& x) { return x / x.norm(2, {1}, /*keepdim=*/true); }

Tensor equal(const std::vector<int64_t>& a, const std::vector<int64_t>& b) {
  return torch::tensor(a).unsqueeze(1) == torch::tensor(b).unsqueeze(0);
}

// Captions of the same group fit, and each picture's own.
Tensor matches() { return equal(kImageGroups, kTextGroups) | at::eye(6, at::kBool); }

void expect_stored(const std::string& name, const Tensor& loss, const std::map<std::string, Tensor>& inputs) {
  static const auto stored =
      weights::load_safetensors(testing::test_file("objectives/data/vision_language.safetensors")).tensors;
  EXPECT_LE(relative_difference(loss.detach(), stored.at(name + ".loss")), kTolerance);
  loss.backward();
  for (const auto& [key, tensor] : inputs)
    EXPECT_LE(relative_difference(tensor.grad(), stored.at(name + "." + key)), kTolerance) << key;
}

TEST(ItcLoss, EqualsPyTorchWithinABatch) {
  const Tensor images = leaf("images", {6, 8}), texts = leaf("texts", {6, 8});
  const Tensor logit_scale = at::full({}, 2.0, at::kDouble).requires_grad_();
  const Tensor x = unit(images), t = unit(texts);
  const Tensor loss = itc_loss({x, t, matches()}, {t, x, matches().t()}, logit_scale.exp());
  expect_stored("clip", loss, {{"images", images}, {"texts", texts}, {"logit_scale", logit_scale}});
}

TEST(ItcLoss, EqualsPyTorchWithAQueueAndSoftTargets) {
  const Tensor images = leaf("images", {6, 8}), texts = leaf("texts", {6, 8});
  const Tensor scale = at::full({}, 5.0, at::kDouble).requires_grad_();
  const auto momentum = [](const char* kind) { return unit(leaf(std::string("momentum_") + kind, {6, 8})).detach(); };
  const auto keys = [&](const char* kind) {
    return at::cat({momentum(kind), unit(leaf(std::string("queue_") + kind, {9, 8})).detach()});
  };
  Tensor of_queue = at::zeros({6, 9}, at::kBool);
  of_queue[2][4] = true;
  const ItcSide pictures{unit(images), keys("texts"), at::cat({matches(), of_queue}, 1), momentum("images")};
  const ItcSide captions{unit(texts), keys("images"), at::cat({matches().t(), of_queue}, 1), momentum("texts")};
  expect_stored("albef", itc_loss(pictures, captions, scale, kAlpha),
                {{"images", images}, {"texts", texts}, {"scale", scale}});
}

// Odd case 16: two ranks of two pairs train as one process with four, when gathered keys carry their gradient back.
TEST(ItcLoss, TwoRanksGiveTheGradientOfOneProcess) {
  const auto d = at::kDouble;
  const Tensor inputs = torch::tensor({{1., 0.}, {0., 1.}, {1., 1.}, {2., -1.}}, d);
  const Tensor texts = unit(torch::tensor({{.9, .1}, {.2, 1.}, {1., .8}, {1., -1.}}, d));
  const Tensor scale = at::full({}, 1 / 0.07, d), fits = at::eye(4, at::kBool);
  const Tensor expected = torch::tensor({{-1.64844747, 2.96905873}, {-1.79585688, -.46854870}}, d);
  const auto weight = [&] { return torch::tensor({{1., .5}, {-.3, .8}}, d).requires_grad_(); };

  const Tensor whole = weight(), x = unit(inputs.mm(whole));
  const Tensor loss = itc_loss({x, texts, fits}, {texts, x, fits}, scale);
  loss.backward();
  EXPECT_NEAR(loss.item<double>(), 1.428468481989848, 1e-14);
  EXPECT_LE(testing::difference(whole.grad(), expected), 1e-8);

  const Tensor ranks[] = {weight(), weight()};
  const Tensor gathered =
      at::cat({unit(inputs.narrow(0, 0, 2).mm(ranks[0])), unit(inputs.narrow(0, 2, 2).mm(ranks[1]))});
  Tensor mean = at::zeros({}, d);
  for (int64_t rank = 0; rank < 2; ++rank) {
    const auto own = [&](const Tensor& all) { return all.narrow(0, 2 * rank, 2); };
    mean = mean + itc_loss({own(gathered), texts, own(fits)}, {own(texts), gathered, own(fits)}, scale) / 2;
  }
  mean.backward();
  EXPECT_NEAR(mean.item<double>(), 1.428468481989848, 1e-14);
  EXPECT_LE(testing::difference(ranks[0].grad() + ranks[1].grad(), expected), 1e-8);
}

// Odd case 17.
TEST(ItcLoss, EqualCaptionsShareTheTarget) {
  const Tensor targets = shared_targets(equal({3, 3, 5}, {3, 3, 5}));
  EXPECT_TRUE(targets.equal(torch::tensor({{.5, .5, 0.}, {.5, .5, 0.}, {0., 0., 1.}}, at::kFloat)));
  EXPECT_TRUE(shared_targets(at::zeros({1, 3}, at::kBool)).equal(at::zeros({1, 3})));
}

TEST(ItmNegatives, AMatchIsNeverDrawn) {
  const Tensor fits = equal({0, 0, 0, 1}, {0, 0, 0, 1});
  const Tensor similarity = testing::hash_tensor("similarity", {4, 4}, 20).fill_diagonal_(100);  // its own is the best
  std::set<int64_t> of_last;
  for (uint64_t i = 0; i < 1000; ++i) {
    const auto [columns, exist] = negatives(similarity, fits, RandomStream(1, "itm", 0, i));
    EXPECT_TRUE(exist.all().item<bool>());
    ASSERT_TRUE(columns.narrow(0, 0, 3).equal(at::full({3}, 3, at::kLong)));
    of_last.insert(columns[3].item<int64_t>());
  }
  EXPECT_FALSE(of_last.contains(3));
}

TEST(ItmNegatives, WithoutAnyThereIsNoTermAndTheLossIsFinite) {
  const auto [columns, exist] = negatives(at::zeros({2, 2}), at::ones({2, 2}, at::kBool), RandomStream(1, "itm"));
  EXPECT_FALSE(exist.any().item<bool>());
  EXPECT_LT(columns.max().item<int64_t>(), 2);
  const Tensor logits = leaf("itm", {2, 2}), labels = at::where(exist, at::zeros({2}, at::kLong), kNoLabel);
  const Tensor loss = labelled_loss(logits, labels);
  loss.backward();
  EXPECT_EQ(loss.item<double>(), 0);
  EXPECT_TRUE(logits.grad().equal(at::zeros({2, 2}, at::kDouble)));
}

TEST(ItmNegatives, AreDrawnFromTheSoftmaxOfWhatDoesNotMatch) {
  const Tensor similarity = torch::tensor({{5.f, 0.f, 1.f, -1.f, 0.5f}}),
               fits = torch::tensor({{true, false, false, false, false}});
  const Tensor expected = similarity.masked_fill(fits, -INFINITY).softmax(1)[0];
  Tensor counts = at::zeros({5});
  constexpr int kDraws = 20000;
  for (uint64_t i = 0; i < kDraws; ++i)
    counts[negatives(similarity, fits, RandomStream(7, "itm", 0, i)).columns.item<int64_t>()] += 1;
  EXPECT_LE(testing::difference(counts / kDraws, expected), 0.015);  // four deviations
  const auto draw = [&](uint64_t seed) {
    const Tensor many = testing::hash_tensor("many", {16, 16});
    return negatives(many, at::eye(16, at::kBool), RandomStream(seed, "itm")).columns;
  };
  EXPECT_TRUE(draw(1).equal(draw(1)));
  EXPECT_FALSE(draw(1).equal(draw(2)));
}

TEST(LabelledLoss, EqualsPyTorch) {
  const Tensor matching = leaf("itm", {9, 2}, 3), words = leaf("mlm", {6, 17}, 3);
  expect_stored("itm", labelled_loss(matching, torch::tensor({1, 1, 1, 0, -100, 0, 0, 0, -100})),
                {{"logits", matching}});
  expect_stored("mlm", labelled_loss(words, torch::tensor({-100, 5, -100, 0, 16, -100})), {{"logits", words}});
  EXPECT_EQ(labelled_loss(at::zeros({0, 17}), at::zeros({0}, at::kLong)).item<float>(), 0);
}

TEST(PhraseContrast, EqualsPyTorch) {
  const Tensor regions = leaf("regions", {7, 8}), phrases = leaf("phrases", {7, 8});
  const Tensor texts = torch::tensor({3, 1, 3, 2, 5, 1, 3});
  expect_stored("phrases", phrase_contrast_loss(unit(regions), unit(phrases), texts, 0.07),
                {{"regions", regions}, {"phrases", phrases}});
}

TEST(PhraseContrast, NeedsAnotherTextToSayAnything) {
  const Tensor regions = unit(leaf("regions", {3, 8})), phrases = unit(leaf("phrases", {3, 8}));
  const auto loss = [&](int64_t rows, const Tensor& texts) {
    return phrase_contrast_loss(regions.narrow(0, 0, rows), phrases.narrow(0, 0, rows), texts, 0.07).item<double>();
  };
  EXPECT_EQ(loss(0, at::zeros({0}, at::kLong)), 0);
  EXPECT_EQ(loss(1, torch::tensor({1})), 0);
  EXPECT_EQ(loss(3, torch::tensor({1, 1, 1})), 0);
  EXPECT_GT(loss(3, torch::tensor({1, 1, 2})), 0);
  const Tensor none = leaf("none", {0, 8});
  phrase_contrast_loss(none, none, at::zeros({0}, at::kLong), 0.07).backward();
  EXPECT_TRUE(none.grad().defined());
}

/// A vocabulary: five special tokens, then 5 "dog", 6 "cat", 7 "##s", 8 "##es", 9 "a".
class HidingWords : public ::testing::Test {
 protected:
  static text::WordPiece tokenizer() {
    const testing::TemporaryFolder folder;
    write_file(folder / "vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\ndog\ncat\n##s\n##es\na\n");
    return text::WordPiece(folder.path());
  }
  const HidingVocabulary vocabulary{tokenizer()};
};

std::vector<size_t> chosen_places(const HiddenWords& hidden) {
  std::vector<size_t> places;
  for (size_t i = 0; i < hidden.labels.size(); ++i) {
    if (hidden.labels[i] != kNoLabel) places.push_back(i);
  }
  return places;
}

// Odd case 18.
TEST_F(HidingWords, SpecialTokensAreNeverChosen) {
  const std::vector<int64_t> ids{2, 5, 6, 3, 0, 0};
  for (uint64_t i = 0; i < 200; ++i) {
    const HiddenWords hidden = hide_words(ids, std::vector<bool>(6, true), 1, vocabulary, RandomStream(1, "mlm", 0, i));
    ASSERT_EQ(chosen_places(hidden), (std::vector<size_t>{1, 2}));
    EXPECT_EQ(hidden.labels, (std::vector<int64_t>{kNoLabel, 5, 6, kNoLabel, kNoLabel, kNoLabel}));
    for (const size_t place : {0, 3, 4, 5}) EXPECT_EQ(hidden.ids[place], ids[place]);
  }
}

TEST_F(HidingWords, ASentenceOfSpecialTokensGivesNoLoss) {
  const HiddenWords hidden = hide_words({2, 1, 3, 0}, {true, true, true, true}, 1, vocabulary, RandomStream(1, "mlm"));
  EXPECT_EQ(hidden.chosen, 0);
  EXPECT_EQ(labelled_loss(testing::hash_tensor("logits", {4, 10}), torch::tensor(hidden.labels)).item<float>(), 0);
}

TEST_F(HidingWords, AWordIsHiddenWholeOrNotAtAll) {
  const std::vector<int64_t> ids{2, 9, 5, 7, 8, 6, 7, 3};  // a dogses cats
  const std::vector<bool> starts{true, true, true, false, false, true, false, true};
  std::set<std::vector<size_t>> seen;
  for (uint64_t i = 0; i < 500; ++i)
    seen.insert(chosen_places(hide_words(ids, starts, 0.5, vocabulary, RandomStream(2, "mlm", 0, i))));
  EXPECT_EQ(seen.size(), 8u);  // every choice of three words
  for (const auto& places : seen) {
    const auto has = [&](size_t place) { return std::ranges::count(places, place) > 0; };
    EXPECT_TRUE(has(2) == has(3) && has(3) == has(4) && has(5) == has(6));
  }
}

TEST_F(HidingWords, EightOfTenAreMaskedOneIsRandomOneStays) {
  const std::vector<int64_t> ids(10000, 5);
  const HiddenWords hidden =
      hide_words(ids, std::vector<bool>(ids.size(), true), 0.15, vocabulary, RandomStream(3, "mlm"));
  EXPECT_EQ(hidden.chosen, static_cast<int64_t>(chosen_places(hidden).size()));
  EXPECT_NEAR(static_cast<double>(hidden.chosen) / 10000, 0.15, 0.015);
  std::map<int64_t, double> shares;
  for (const size_t place : chosen_places(hidden))
    shares[hidden.ids[place]] += 1.0 / static_cast<double>(hidden.chosen);
  EXPECT_NEAR(shares[4], 0.8, 0.04);
  EXPECT_NEAR(shares[5], 0.1 + 0.1 / 5, 0.035);  // a random word may be the same
  for (const int64_t ordinary : {6, 7, 8, 9}) EXPECT_NEAR(shares[ordinary], 0.02, 0.015);
  EXPECT_EQ(shares.size(), 6u) << "a special token was put in";
}

TEST_F(HidingWords, NeedWords) {
  const testing::TemporaryFolder folder;
  write_file(folder / "vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n");
  EXPECT_USER_ERROR(HidingVocabulary{text::WordPiece(folder.path())}, "the vocabulary has special tokens only");
}

}  // namespace
}  // namespace freeatm::objectives
