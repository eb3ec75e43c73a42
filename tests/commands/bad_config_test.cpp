// SPDX-License-Identifier: Apache-2.0
// What a user can get wrong in a config, an override or a flag, through the program itself.
#include "program.h"

namespace freeatm {
namespace {

struct Row {
  const char *arguments, *part;
};

class BadConfig : public testing::Refusals {
 protected:
  void SetUp() override {
    put("duplicate.yaml", "count: 1\ncount: 2\n");
    put("tag.yaml", "count: !!python/object:os.system x\n");
    put("unclosed.yaml", "count: [1, 2\n");
    put("binary.yaml", std::string("count: \0\xff", 9));
    put("list.yaml", "- 1\n- 2\n");
    put("documents.yaml", "count: 1\n---\ncount: 2\n");
    put("typo.yaml", "defaults:\n  - data: auto\nseed: 0\nsede: 1\n");
    put("data/auto.yaml", "root: x\n");
    put("no_option.yaml", "defaults:\n  - data: auot\n");
    put("no_group.yaml", "defaults:\n  - dta: auto\n");
    put("cycle.yaml", "out: x\ncount: ${seed}\nseed: ${count}\n");
    put("nowhere.yaml", "out: x\ncount: ${cuont}\n");
    put("huge.yaml", std::string(100 << 20, 'x'));
    put("deep.yaml", "count: " + std::string(10000, '['));
    put("late.yaml", "out: x\ncount: 3\neval_count: -4\n");
    fs::create_directories(in_ / "folder.yaml");
  }
  void put(const std::string& path, const std::string& text) const {
    fs::create_directories((in_ / path).parent_path());
    write_file(in_ / path, text);
  }
  void expect_all_refused(const std::vector<Row>& rows) {
    for (const Row& row : rows) expect_refused(row.arguments, row.part);
  }
};

TEST_F(BadConfig, CommandsAndFlags) {
  expect_all_refused({
      {"harvets", "unknown command 'harvets'"},
      {"harvets", "did you mean 'harvest'?"},
      {"count=3", "unknown command 'count=3'"},
      {"harvest --nosuch", "--nosuch"},
      {"harvest --config-dir", "--config-dir"},
      {"harvest --config-name", "--config-name"},
      {"world --config-dir IN/none", "--config-dir: no such folder"},
      {"world --config-dir IN/list.yaml", "--config-dir: is a file; a folder is wanted"},
      {"world --config-name wolrd", "no config 'wolrd' in this folder; did you mean 'world'?"},
      {"world --config IN/none.yaml", "none.yaml: --config: no such file"},
      {"world --config IN/data/", "--config: is a folder; a file is wanted"},
      {"world --config IN/folder.yaml", "--config: is a folder; a file is wanted"},
      {"world --config /dev/zero", "zero"},
      {"world --print-config nosuch=1", "nosuch"},
  });
}

TEST_F(BadConfig, HelpNeedsNoChoice) {
  for (const char* command : {"harvest", "pretrain", "finetune", "evaluate", "train-diffusion", "view", "world"})
    EXPECT_EQ(testing::run_program(std::string(command) + " --help").code, 0) << command;
  EXPECT_NE(testing::run_program("train-diffusion --help").text.find("stage=tokenizer, unet or vae"),
            std::string::npos);
  EXPECT_EQ(testing::run_program("train-diffusion stage=none --help").code, 2);
}

TEST_F(BadConfig, AnEmptyConfigDirIsNone) {
  EXPECT_EQ(testing::run_program("world --print-config", "export FREEATM_CONFIG_DIR=; ").code, 0);
}

TEST_F(BadConfig, Overrides) {
  expect_all_refused({
      {"world cuont=3 out=OUT", "cuont=3: cuont: not in the configuration; did you mean 'count'?"},
      {"world count out=OUT", "count: neither key=value"},
      {"world =3 out=OUT", "is not a key"},
      {"world a..b=3 out=OUT", "is not a key"},
      {"world count=1,2 out=OUT", "need -m"},
      {"world 'count=choice(1,2)' out=OUT", "needs -m"},
      {"world 'count=[1' out=OUT", "count=[1: "},
      {"world \"count='1\" out=OUT", "is not closed"},
      {"world 'count=a&b' out=OUT", "'&' needs quotes"},
      {"world count=99999999999999999999 out=OUT", "does not fit into 64 bits"},
      {"world +count=3 out=OUT", "already there; count=3 changes it"},
      {"world +cuont=3 out=OUT", "cuont: unknown key; did you mean 'count'?"},
      {"world ~cuont out=OUT", "~cuont: cuont: not in the configuration; did you mean 'count'?"},
      {"world count.x=3 out=OUT", "'count' is 2000 and has no keys"},
      {"world 'count=${cuont}' out=OUT", "'cuont' is not in the configuration; did you mean 'count'?"},
      {"world 'count=${oc.evn:X}' out=OUT", "did you mean 'oc.env'?"},
      {"world 'count=${oc.env:FREEATM_NOT_SET}' out=OUT", "the environment variable 'FREEATM_NOT_SET' is not set"},
      {"world 'count=${count}' out=OUT", "an interpolation of itself"},
      {"harvest sampler.stesp=3 out=OUT", "sampler.stesp: not in the configuration; did you mean 'steps'?"},
      {"harvest samplr.steps=3 out=OUT", "did you mean 'sampler.steps'?"},
      {"harvest +steps=3 out=OUT", "steps: unknown key; did you mean 'sampler.steps'?"},
  });
}

TEST_F(BadConfig, Groups) {
  expect_all_refused({
      {"pretrain model=resnet81 data.root=x out=OUT", "model: 'resnet81' is not clip_vit_b16, clip_vit_b32, "},
      {"pretrain model=resnet81 data.root=x out=OUT", "; did you mean 'resnet18'?"},
      {"pretrain modle=resnet18 data.root=x out=OUT",
       "modle=resnet18: modle: not in the configuration; did you mean 'model'?"},
      {"pretrain model=3 data.root=x out=OUT", "3 is not an option's name"},
      {"pretrain experiment=nosuch data.root=x out=OUT", "experiment: 'nosuch' is not "},
      {"pretrain experiment=nano_moko data.root=x out=OUT", "did you mean 'nano_moco'?"},
      {"pretrain task=knn data.root=x out=OUT", "task"},
      {"pretrain +model=resnet18 data.root=x out=OUT", "model"},
      {"pretrain model@x=resnet18 data.root=x out=OUT", "model@x"},
      {"pretrain ~modle data.root=x out=OUT", "modle"},
      {"pretrain objective.crops=masks data.root=x out=OUT", "did you mean 'mask'?"},
      {"evaluate task=nosuch out=OUT", "task=nosuch"},
  });
}

TEST_F(BadConfig, TypesRangesAndNames) {
  expect_all_refused({
      {"world count=-1 out=OUT", "count=-1: count: -1 is not in"},
      {"world count=abc out=OUT", "count=abc: count: 'abc' is not an integer"},
      {"world count=1.5 out=OUT", "count: 1.5 is not an integer"},
      {"world count=true out=OUT", "count: true is not an integer"},
      {"world count= out=OUT", "count: '' is not an integer"},
      {"world count=null out=OUT", "count: null is not an integer"},
      {"world count=[1,2] out=OUT", "count: a list is not an integer"},
      {"world 'count={a:1}' out=OUT", "count: a group of keys is not an integer"},
      {"world out=3", "out: 3 is not a string"},
      {"harvest sampler=3 out=OUT", "sampler: 3 is not a group of keys"},
      {"harvest sampler.steps=0 out=OUT", "sampler.steps: 0 is not in [1, 1000]"},
      {"harvest sampler.steps=5000 out=OUT", "sampler.steps: 5000 is not in [1, 1000]"},
      {"harvest sampler.guidance_scale=nan out=OUT", "sampler.guidance_scale: nan is not"},
      {"harvest harvest.scales=1 out=OUT", "harvest.scales: 1 is not a list"},
      {"harvest harvest.blocks=[upp] out=OUT", "harvest.blocks[0]: 'upp' is not"},
      {"harvest device=tpu out=OUT", "device: 'tpu' is not auto, cpu, cuda or cuda:N"},
      {"harvest dtype=fp23 out=OUT", "did you mean 'fp32'?"},
      {"harvest resume=maybe out=OUT", "resume: 'maybe' is not auto, never, must or force"},
      {"pretrain out=OUT", "data.root: required"},
      {"view out=OUT", "in: required"},
      {"pretrain data.root=IN/data trainer.epochs=null trainer.steps=null out=OUT",
       "trainer.epochs: the run has no end"},
      {"finetune checkpoint=none data.root=IN/data trainer.epochs=null out=OUT", "trainer.epochs: the run has no end"},
  });
}

TEST_F(BadConfig, Files) {
  expect_all_refused({
      {"world --config IN/duplicate.yaml out=OUT", "duplicate.yaml:2: duplicate key 'count'"},
      {"world --config IN/tag.yaml out=OUT", "tag.yaml:1: the tag"},
      {"world --config IN/unclosed.yaml out=OUT", "unclosed.yaml:2: not YAML"},
      {"world --config IN/binary.yaml out=OUT", "binary.yaml:1: not a text file"},
      {"world --config IN/list.yaml out=OUT", "list.yaml:1: a list is not a group of keys"},
      {"world --config IN/documents.yaml out=OUT", "more than one YAML document"},
      {"world --config IN/cycle.yaml out=OUT", "an interpolation of itself"},
      {"world --config IN/nowhere.yaml out=OUT", "nowhere.yaml:2: count: 'cuont' is not in the configuration"},
      {"world --config IN/huge.yaml out=OUT", "bytes are too many for a config; at most 1048576"},
      {"world --config IN/deep.yaml out=OUT", "deep.yaml:1: "},
      {"world --config IN/late.yaml", "late.yaml:3: eval_count: -4 is not in"},
      {"pretrain --config-dir IN/ --config-name typo", "typo.yaml:4: sede: unknown key; did you mean 'seed'?"},
      {"pretrain --config-dir IN/ --config-name no_option",
       "no_option.yaml:2: data: 'auot' is not auto; did you mean 'auto'?"},
      {"pretrain --config-dir IN/ --config-name no_group", "no_group.yaml:2: "},
  });
}

}  // namespace
}  // namespace freeatm
