// SPDX-License-Identifier: Apache-2.0
// What vision-language training makes of a captioned picture.
#include "vision_language/captioned_views.h"

#include <algorithm>

#include <ATen/ATen.h>

#include "freeatm/data/matches.h"

#include "objectives/captioned.h"
#include "vision_language/prompts.h"

namespace freeatm::objectives {
namespace {

using at::Tensor;

/// The whole picture, mirrored or not.
VisionLanguageOptions whole_picture(double flip_probability = 0) {
  VisionLanguageOptions options = small_options();
  options.min_scale = 1;
  options.augment.flip_probability = flip_probability;
  return options;
}

data::View view_of(const VisionLanguageOptions& options, data::Sample sample = dog_and_cat(), uint64_t epoch = 0) {
  RandomStream random(5, "view", epoch);
  return CaptionedViews(options, small_tokenizer(), 4).prepare(std::move(sample), random);
}

/// The ids as words, without start and end.
std::string words_of(const Tensor& ids) {
  static const auto tokenizer = small_tokenizer();
  static const std::vector<std::string> known{"a",  "dog",   "cat", "to",  "the", "left",  "right", "of",
                                              "on", "grass", "red", "and", ".",   "block", "has",   "0",
                                              "1",  "2",     "3",   "4",   "5",   "6",     "7",     "8"};
  std::string text;
  for (int64_t i = 1; i + 1 < ids.size(0); ++i) {
    const auto at = static_cast<size_t>(ids[i].item<int64_t>()) - 5;
    text += (text.empty() ? "" : " ") + (at < known.size() ? known[at] : "?");
  }
  return text;
}

std::string words_of(const data::View& view) { return words_of(view.ragged.at("ids")); }
float fact(const data::View& view, CaptionedViews::Fact which) { return view.at("facts")[which].item<float>(); }

TEST(CaptionedViews, AMirroredPictureHasItsSidesSwapped) {
  EXPECT_EQ(words_of(view_of(whole_picture(0))), "a dog to the left of a cat");
  VisionLanguageOptions options = whole_picture(1);
  options.regions = "contrast";
  const data::View mirrored = view_of(options);
  EXPECT_EQ(words_of(mirrored), "a dog to the right of a cat");
  const Tensor dog = mirrored.ragged.at("regions")[0];
  EXPECT_GT(dog[0][3].item<float>(), 0.5) << "and the dog is there";
  EXPECT_EQ(dog[0][0].item<float>(), 0);
  options.sides = "ignore";
  EXPECT_EQ(words_of(view_of(options)), "a dog to the left of a cat") << "which is now wrong";
  options.sides = "keep";
  EXPECT_GT(view_of(options).ragged.at("regions")[0][0][0].item<float>(), 0.5) << "not mirrored";
  EXPECT_GT(view_of(options, dog_and_cat("a dog and a cat")).ragged.at("regions")[0][0][3].item<float>(), 0.5)
      << "no side is named: mirrored";
}

TEST(CaptionedViews, ColoursStayWhereTheCaptionNamesOne) {
  VisionLanguageOptions options = whole_picture();
  options.augment.jitter_probability = 1, options.augment.grayscale_probability = 1;
  const auto changes = [&](const std::string& caption) {
    VisionLanguageOptions plain = options;
    plain.augment.jitter_probability = plain.augment.grayscale_probability = 0;
    return !view_of(options, dog_and_cat(caption)).at("image").equal(view_of(plain, dog_and_cat(caption)).at("image"));
  };
  EXPECT_FALSE(changes("a red dog and a cat"));
  EXPECT_TRUE(changes("a big dog and a cat"));
  options.keep_colours = false;
  EXPECT_TRUE(changes("a red dog and a cat"));
}

TEST(CaptionedViews, RegionsDoNotChangeTheRestOfTheView) {
  for (uint64_t epoch = 0; epoch < 5; ++epoch) {
    VisionLanguageOptions options = small_options();
    const data::View plain = view_of(options, dog_and_cat(), epoch);
    for (const char* regions : {"contrast", "prompt"}) {
      options.regions = regions, options.allow_missing = true;
      const data::View view = view_of(options, dog_and_cat(), epoch);
      EXPECT_TRUE(view.at("image").equal(plain.at("image"))) << regions;
      EXPECT_EQ(view.at("draw").item<int64_t>(), plain.at("draw").item<int64_t>());
      if (options.regions != "contrast") continue;
      EXPECT_TRUE(view.ragged.at("hidden_ids").equal(plain.ragged.at("hidden_ids")));
    }
  }
}

TEST(CaptionedViews, PhrasesStandWhereTheirTokensAre) {
  VisionLanguageOptions options = whole_picture();
  options.regions = "contrast";
  const data::View view = view_of(options);
  const Tensor spans = view.ragged.at("phrase_spans"), ids = view.ragged.at("ids");
  ASSERT_EQ(spans.size(0), 2);
  EXPECT_EQ(words_of(ids.slice(0, spans[0][0].item<int64_t>() - 1, spans[0][1].item<int64_t>() + 1)), "dog");
  EXPECT_EQ(words_of(ids.slice(0, spans[1][0].item<int64_t>() - 1, spans[1][1].item<int64_t>() + 1)), "cat");
  EXPECT_NE(view.ragged.at("phrase_texts")[0].item<int64_t>(), view.ragged.at("phrase_texts")[1].item<int64_t>());
}

TEST(CaptionedViews, LongCaptionsAreCutAndTheirPhrasesDropped) {
  VisionLanguageOptions options = whole_picture();
  options.regions = "contrast";
  options.text.encoder.max_length = 6;  // [CLS] a dog to the [SEP]
  const data::View view = view_of(options);
  EXPECT_EQ(words_of(view), "a dog to the");
  EXPECT_EQ(view.ragged.at("regions").size(0), 1);
  EXPECT_EQ(fact(view, CaptionedViews::kCut), 1);
  EXPECT_EQ(fact(view, CaptionedViews::kPhrasesCut), 1);
}

TEST(CaptionedViews, RefusesWhatHasNoCaptionAndCountsWhatHasNoPhrases) {
  data::Sample silent = dog_and_cat();
  silent.captions.clear();
  for (data::Region& region : silent.regions) region.phrases.clear();
  EXPECT_USER_ERROR(view_of(whole_picture(), silent), "x: data.root: the picture has no caption");
  data::Sample unnamed = dog_and_cat();
  for (data::Region& region : unnamed.regions) region.phrases.clear();
  VisionLanguageOptions options = whole_picture();
  for (const char* regions : {"contrast", "prompt"}) {
    options.regions = regions, options.allow_missing = false;
    EXPECT_USER_ERROR(view_of(options, unnamed), "no phrase of the caption 'a dog to the left of a cat' has a mask");
    options.allow_missing = true;
    EXPECT_EQ(fact(view_of(options, unnamed), CaptionedViews::kNoPhrases), 1);
  }
}

TEST(CaptionedViews, WordsAreHiddenAndKnown) {
  VisionLanguageOptions options = whole_picture();
  options.mlm.probability = 1;
  const data::View view = view_of(options);
  const Tensor ids = view.ragged.at("ids"), places = view.ragged.at("word_places");
  EXPECT_EQ(places.size(0), ids.size(0) - 2) << "all but start and end";
  EXPECT_TRUE(ids.index_select(0, places).equal(view.ragged.at("word_labels")));
  EXPECT_FALSE(ids.equal(view.ragged.at("hidden_ids")));
  options.text.encoder.fusion_layers = 0;
  EXPECT_FALSE(view_of(options).ragged.contains("hidden_ids")) << "nobody would guess them";
}

TEST(CaptionedViews, ABatchHasTextsAsRows) {
  const CaptionedViews views(whole_picture(), small_tokenizer(), 4);
  std::vector<data::View> all;
  for (const char* caption : {"a dog and a cat", "a dog to the left of a cat", "a cat and a dog"}) {
    data::Sample sample = dog_and_cat(caption);
    sample.key = caption;
    RandomStream random(5, "view", 0, all.size());
    all.push_back(views.prepare(std::move(sample), random));
  }
  const data::Batch batch = views.collate(std::move(all), {"0", "1", "2"});
  EXPECT_EQ(batch["ids"].sizes(), (std::vector<int64_t>{3, 10}));
  EXPECT_EQ(batch["ids"][0][7].item<int64_t>(), 0) << "[PAD]";
  EXPECT_TRUE(batch["mask"].sum(1).equal(at::tensor({7, 10, 7}, at::kLong)));
  EXPECT_EQ(batch["hidden_ids"].sizes(), batch["ids"].sizes());
  EXPECT_FALSE(batch.ragged.contains("ids"));
  EXPECT_TRUE(batch["matches"].all().item<bool>()) << "the same things, and no contradiction";
  EXPECT_EQ(batch["noise"].sizes(), (std::vector<int64_t>{3, 2, 3}));
}

TEST(Matches, EqualMayBothFitAndKnowTheSamePicture) {
  std::vector<text::Caption> captions{testing::described("a dog on the grass", {"dog"}, {"grass"}),
                                      testing::described("a dog", {"dog"}),
                                      testing::described("a big dog", {"dog"}),
                                      testing::described("a small dog", {"dog"}),
                                      testing::described("a cat on the grass", {"cat"}, {"grass"}),
                                      text::Caption{"a dog"}};
  std::vector<Tensor> rows;
  for (size_t i = 0; i < captions.size(); ++i)
    rows.push_back(data::claims_row(text::claims_of(captions[i]), std::to_string(i)));
  const Tensor all = at::stack(rows), matches = data::matches_of(all, all);
  for (size_t i = 0; i < captions.size(); ++i) {
    for (size_t j = 0; j < captions.size(); ++j) {
      const bool fit = text::may_both_fit(text::claims_of(captions[i]), text::claims_of(captions[j]));
      EXPECT_EQ(matches[int64_t(i)][int64_t(j)].item<bool>(), fit) << i << " " << j;
    }
  }
  const Tensor other = data::claims_row(text::claims_of(captions[4]), "0");
  EXPECT_TRUE(data::matches_of(rows[0].unsqueeze(0), other.unsqueeze(0)).item<bool>()) << "captions of one picture";
}

TEST(Prompts, SayTheBlockOfTheViewAndNotOfThePicture) {
  EXPECT_EQ(block_of({0, 0, 10, 10}, 48, 48), 0);
  EXPECT_EQ(block_of({40, 20, 8, 8}, 48, 48), 5);
  EXPECT_EQ(block_of({32, 32, 32, 32}, 48, 48), 8) << "the last block has the border";
  VisionLanguageOptions options = whole_picture();
  options.regions = "prompt", options.prompt.things = 2, options.prompt.words = 14;
  options.text.encoder.max_length = 48;
  const auto has = [](const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
  };
  const std::string plain = words_of(view_of(options));
  EXPECT_TRUE(plain.starts_with("a dog to the left of a cat . the block ")) << plain;
  EXPECT_TRUE(has(plain, "the block 0 has a dog .") && has(plain, "the block 8 has a cat .")) << plain;
  options.augment.flip_probability = 1;
  const std::string mirrored = words_of(view_of(options));
  EXPECT_TRUE(has(mirrored, "the block 2 has a dog .") && has(mirrored, "the block 6 has a cat .")) << mirrored;
}

TEST(Prompts, AThingThatLeftTheCropHasNone) {
  VisionLanguageOptions options = whole_picture();
  options.regions = "prompt", options.allow_missing = true;
  data::Sample sample = dog_and_cat();
  sample.regions[0].mask = vision::Rle::zeros(48, 48);
  for (uint64_t epoch = 0; epoch < 10; ++epoch) {
    const data::View view = view_of(options, sample, epoch);
    EXPECT_TRUE(words_of(view).ends_with("has a cat .")) << words_of(view);
    EXPECT_EQ(fact(view, CaptionedViews::kPrompts), 1);
  }
}

TEST(Prompts, KeepToTheBudgetAndAreNeverCut) {
  const PromptOptions budget{.things = 3, .words = 8};
  const auto written = write_prompts({{"dog", 1}, {"cat", 2}, {"apple", 3}}, budget, RandomStream(1, "prompts"));
  EXPECT_EQ(written.size(), 1U) << "seven words each";
  EXPECT_TRUE(write_prompts({{"very very big dog", 1}}, budget, RandomStream(1, "prompts")).empty()) << "nine words";
  const auto tokenizer = small_tokenizer();
  const auto text = [&](int64_t max_length) {
    const ModelText made = model_text(*tokenizer, "a dog to the left of a cat", {"The block 1 has a dog."}, max_length);
    EXPECT_LE(std::ssize(made.ids), max_length);
    EXPECT_EQ(made.ids.size(), made.word_starts.size());
    return words_of(at::tensor(made.ids, at::kLong));
  };
  EXPECT_EQ(text(40), "a dog to the left of a cat . the block 1 has a dog .");
  EXPECT_EQ(text(14), "a dog to the . the block 1 has a dog .") << "the caption makes way";
  EXPECT_EQ(text(10), "a dog to the left of a cat") << "no room beside the caption";
}

}  // namespace
}  // namespace freeatm::objectives
