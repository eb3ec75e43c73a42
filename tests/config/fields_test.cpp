// SPDX-License-Identifier: Apache-2.0
#include "freeatm/config/fields.h"

#include <sstream>

#include <gtest/gtest.h>

#include "testing.h"

namespace freeatm::config {
namespace {

struct Sampler {
  int64_t steps = 25;
  double guidance_scale = 4.0;
  std::string name = "ddim";
  double eta = 0.0;
  void fields(Fields& f) {
    f("steps", steps, "denoising steps", between(1, 1000));
    f("guidance_scale", guidance_scale, "1: no guidance", at_least(1));
    f("name", name, "the scheduler", any_of({"ddim", "pndm"}));
    if (name == "ddim") f("eta", eta, "0: deterministic, 1: DDPM's variance", between(0, 1));
  }
};

struct FieldOptions {
  std::string captions;
  bool resume = true;
  std::optional<int64_t> count;
  std::optional<double> budget_minutes;
  std::optional<std::string> note;
  std::vector<int64_t> grids = {16, 32};
  std::vector<double> betas = {0.9, 0.999};
  std::vector<std::string> layers;
  Sampler sampler;
  void fields(Fields& f) {
    f("captions", captions, ".txt, .jsonl or COCO captions");
    f("resume", resume, "go on where an earlier run stopped");
    f("count", count, "how many captions; null: all", more_than(0));
    f("budget_minutes", budget_minutes, "becomes a number of steps; null: none");
    f("note", note, "kept in the run folder");
    f("grids", grids, "sides of the attention grids that are kept", between(1, 64));
    f("betas", betas, "AdamW's");
    f("layers", layers, "where attention is read", any_of({"down", "mid", "up"}));
    f.group("sampler", sampler);
    if (f.reading() && count && *count % 2) f.refuse("count", "must be even");
  }
};

FieldOptions read_from(const std::string& yaml) {
  return read<FieldOptions>({"harvest", parse_yaml(yaml, "configs/x.yaml"), false});
}

TEST(Fields, ReadEveryTypeAndKeepTheDefaultsOfAbsentKeys) {
  const FieldOptions o = read_from(
      "captions: a.txt\nresume: off\ncount: 4\nbudget_minutes: 3\nnote: null\ngrids: [8]\nbetas: [0, 1e-1]\n"
      "layers: [up, mid]\nsampler: {guidance_scale: 2, name: pndm}\n");
  EXPECT_EQ(o.captions, "a.txt");
  EXPECT_FALSE(o.resume);
  EXPECT_EQ(o.count, 4);
  EXPECT_EQ(o.budget_minutes, 3.0);
  EXPECT_EQ(o.note, std::nullopt);
  EXPECT_EQ(o.grids, std::vector<int64_t>{8});
  EXPECT_EQ(o.betas, (std::vector<double>{0.0, 0.1}));
  EXPECT_EQ(o.layers, (std::vector<std::string>{"up", "mid"}));
  EXPECT_EQ(o.sampler.steps, 25);
  EXPECT_EQ(o.sampler.guidance_scale, 2.0);
}

TEST(Fields, RefuseInOneLine) {
  const std::pair<const char*, const char*> kWrong[] = {
      {"note: x\nsampler:\n  steps: 0\n", "configs/x.yaml:3: sampler.steps: 0 is not in [1, 1000]"},
      {"sampler: {steps: abc}\n", "configs/x.yaml:1: sampler.steps: 'abc' is not an integer"},
      {"sampler: {steps: 2.0}\n", "configs/x.yaml:1: sampler.steps: 2.0 is not an integer"},
      {"sampler: {steps: true}\n", "configs/x.yaml:1: sampler.steps: true is not an integer"},
      {"sampler: {steps: null}\n", "configs/x.yaml:1: sampler.steps: null is not an integer"},
      {"sampler: {steps: [1]}\n", "configs/x.yaml:1: sampler.steps: a list is not an integer"},
      {"sampler: {guidance_scale: .nan}\n", "configs/x.yaml:1: sampler.guidance_scale: nan is not a finite number"},
      {"sampler: {guidance_scale: .inf}\n", "configs/x.yaml:1: sampler.guidance_scale: inf is not a finite number"},
      {"budget_minutes: -.inf\n", "configs/x.yaml:1: budget_minutes: -inf is not a finite number"},
      {"betas: [0.9, .nan]\n", "configs/x.yaml:1: betas[1]: nan is not a finite number"},
      {"sampler: {name: dimm}\n", "configs/x.yaml:1: sampler.name: 'dimm' is not ddim or pndm; did you mean 'ddim'?"},
      {"sampler: {stesp: 3}\n", "configs/x.yaml:1: sampler.stesp: unknown key; did you mean 'steps'?"},
      {"sampler: {name: pndm, eta: 1}\n", "configs/x.yaml:1: sampler.eta: unknown key"},
      {"steps: 3\n", "configs/x.yaml:1: steps: unknown key; did you mean 'sampler.steps'?"},
      {"sampler: {cuont: 3}\n", "configs/x.yaml:1: sampler.cuont: unknown key; did you mean 'count'?"},
      {"sampler: {grids: [8]}\n", "configs/x.yaml:1: sampler.grids: unknown key; did you mean 'grids'?"},
      {"smapler: {}\n", "configs/x.yaml:1: smapler: unknown key; did you mean 'sampler'?"},
      {"sampler: 3\n", "configs/x.yaml:1: sampler: 3 is not a group of keys"},
      {"sampler: null\n", "configs/x.yaml:1: sampler: null is not a group of keys"},
      {"captions: ???\n", "captions: required"},
      {"captions: 3\n", "configs/x.yaml:1: captions: 3 is not a string"},
      {"resume: 1\n", "configs/x.yaml:1: resume: 1 is not true or false"},
      {"count: 0\n", "configs/x.yaml:1: count: 0 is not more than 0"},
      {"count: 3\n", "configs/x.yaml:1: count: must be even"},
      {"grids: 3\n", "configs/x.yaml:1: grids: 3 is not a list"},
      {"grids:\n- 3\n- 65\n", "configs/x.yaml:3: grids[1]: 65 is not in [1, 64]"},
      {"layers: [up, middle]\n", "configs/x.yaml:1: layers[1]: 'middle' is not down, mid or up; did you mean 'mid'?"},
      {"[1]\n", "configs/x.yaml:1: a list is not a group of keys"},
  };
  for (const auto& [yaml, message] : kWrong) {
    SCOPED_TRACE(yaml);
    EXPECT_USER_ERROR(read_from(yaml), message);
  }
}

TEST(Fields, WhatIsDumpedReadsBack) {
  FieldOptions options;
  options.captions = "on";
  options.count = 8;
  options.sampler.steps = 7;
  options.layers = {"up"};
  const std::string saved = to_yaml(dump(options));
  EXPECT_EQ(saved,
            "captions: 'on'\nresume: true\ncount: 8\nbudget_minutes: null\nnote: null\ngrids:\n- 16\n- 32\nbetas:\n- "
            "0.9\n- 0.999\n"
            "layers:\n- up\nsampler:\n  steps: 7\n  guidance_scale: 4.0\n  name: ddim\n  eta: 0.0\n");
  EXPECT_EQ(to_yaml(dump(read_from(saved))), saved);
}

TEST(Fields, HelpShowsValuesRangesAndMeanings) {
  const Composed composed{"harvest", parse_yaml("captions: ???\ncount: 7\nsampler: {steps: 50}\n", "x"), true};
  ::testing::internal::CaptureStdout();
  EXPECT_THROW(read<FieldOptions>(composed), HelpShown);
  const std::string help = ::testing::internal::GetCapturedStdout();
  EXPECT_EQ(help, R"(  captions = required                     .txt, .jsonl or COCO captions
  resume = true                           go on where an earlier run stopped
  count = 7              more than 0      how many captions; null: all
  budget_minutes = null                   becomes a number of steps; null: none
  note = null                             kept in the run folder
  grids = [16, 32]       [1, 64]          sides of the attention grids that are kept
  betas = [0.9, 0.999]                    AdamW's
  layers = []            down, mid or up  where attention is read

sampler
  steps = 50             [1, 1000]        denoising steps
  guidance_scale = 4.0   at least 1       1: no guidance
  name = ddim            ddim or pndm     the scheduler
  eta = 0.0              [0, 1]           0: deterministic, 1: DDPM's variance
)");
}

TEST(Fields, AreGatheredWithTheNamesThatAreAllowed) {
  std::vector<FieldRow> rows;
  EXPECT_THROW(read<FieldOptions>({"harvest", parse_yaml("sampler: {name: pndm}\n", "x"), false, &rows}), HelpShown);
  ASSERT_EQ(rows.size(), 11u);
  EXPECT_EQ(rows[1].names, (std::vector<std::string>{"true", "false"}));
  EXPECT_EQ(rows[10].path(), "sampler.name");
  EXPECT_EQ(rows[10].value, "pndm");
  EXPECT_EQ(rows[10].names, (std::vector<std::string>{"ddim", "pndm"}));
}

TEST(Fields, CanBeCheckedAlone) {
  const auto check = [](const std::string& yaml) {
    read<FieldOptions>({"harvest", parse_yaml(yaml, "x"), false, nullptr, true});
  };
  EXPECT_THROW(check("count: 4\n"), ChecksPassed);
  EXPECT_USER_ERROR(check("count: 3\n"), "count: must be even");
  EXPECT_USER_ERROR(check("cuont: 4\n"), "unknown key");
}

TEST(Fields, HelpFitsInto100Columns) {
  struct Wide {
    std::string path = std::string(60, 'x');
    std::string name = "a";
    void fields(Fields& f) {
      std::string meaning;
      for (int i = 0; i < 60; ++i) meaning += "words ";
      f("path", path, meaning);
      f("name", name, meaning, any_of({"alternative_one", "alternative_two", "alternative_three"}));
    }
  };
  ::testing::internal::CaptureStdout();
  EXPECT_THROW(read<Wide>({"x", Node(Node::Map()), true}), HelpShown);
  std::istringstream help(::testing::internal::GetCapturedStdout());
  for (std::string line; std::getline(help, line);) EXPECT_LE(line.size(), 100u) << line;
}

}  // namespace
}  // namespace freeatm::config
