// SPDX-License-Identifier: Apache-2.0
#include "freeatm/config/completion.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>

#include <gtest/gtest.h>

#include "freeatm/core/files.h"

#include "testing.h"

namespace freeatm::config {
namespace {

using Words = std::vector<std::string>;

struct Crop {
  double min_scale = 0.2;
  bool mask = false;
  void fields(Fields& f) {
    f("min_scale", min_scale, "of the area");
    f("mask", mask, "follow a mask");
  }
};

struct Options {
  std::string device = "auto", out, name;
  Crop crop;
  void fields(Fields& f) {
    f("device", device, "where", any_of({"auto", "cpu", "cuda"}));
    f("out", out, "folder");
    f("name", name, "of the objective");
    f.group("crop", crop);
  }
};

class Completion : public ::testing::Test {
 protected:
  void SetUp() override {
    put("pretrain.yaml",
        "defaults: [data: auto, objective: moco, _self_, experiment: null]\nout: x\ndevice: auto\nseed: 0\n");
    put("other.yaml", "only: {a: 1}\n");
    put("data/auto.yaml", "root: ???\nlayout: auto\n");
    put("objective/moco.yaml", "# Chen et al. 2021\ndefaults: [crop: small]\ntemperature: 0.2\n");
    put("objective/mae.yaml", "ratio: 0.75\nblocks: []\n");
    put("objective/crop/small.yaml", "# @package crop\nmin_scale: 0.2\nmask: false\n");
    put("experiment/nano_a.yaml",
        "# @package _global_\n# freeatm pretrain experiment=nano_a    the baseline\nseed: 1\n");
    put("experiment/nano_b.yaml", "# @package _global_\ndefaults: [override /objective: mae]\n");
    put("unused/x.yaml", "a: 1\n");
  }
  void put(const std::string& path, const std::string& text) const {
    fs::create_directories((folder_.path() / path).parent_path());
    std::ofstream(folder_.path() / path) << text;
  }
  Words completed(const Words& words) const {
    const Program program{{"pretrain", "evaluate"},
                          {"--help", "--config-dir", "--config-name"},
                          folder_.path().string(),
                          [](const Composed& composed) {
                            std::vector<FieldRow> rows;
                            Composed asked = composed;
                            asked.rows = &rows;
                            try {
                              read<Options>(asked);
                            } catch (const HelpShown&) {
                            }
                            return rows;
                          }};
    return complete(program, words);
  }
  testing::TemporaryFolder folder_;
};

TEST_F(Completion, CommandsAndFlags) {
  EXPECT_EQ(completed({""}), (Words{"pretrain", "evaluate"}));
  EXPECT_EQ(completed({"pre"}), Words{"pretrain"});
  EXPECT_EQ(completed({"pretrain", "--con"}), (Words{"--config-dir", "--config-name"}));
  EXPECT_EQ(completed({"nosuch", ""}), Words{});
  EXPECT_EQ(completed({}), Words{});
}

TEST_F(Completion, GroupsTheirOptionsAndKeysOneLevelAtATime) {
  EXPECT_EQ(completed({"pretrain", ""}),
            (Words{"crop.", "data.", "data=", "device=", "experiment=", "objective.", "objective=", "out=", "seed="}));
  EXPECT_EQ(completed({"pretrain", "objective=m"}), (Words{"objective=mae", "objective=moco"}));
  EXPECT_EQ(completed({"pretrain", "experiment="}), (Words{"experiment=nano_a", "experiment=nano_b"}));
  EXPECT_EQ(completed({"pretrain", "data.r"}), Words{"data.root="});
  EXPECT_EQ(completed({"pretrain", "objective/"}), Words{"objective/crop="});
  EXPECT_EQ(completed({"pretrain", "objective/crop="}), Words{"objective/crop=small"});
  EXPECT_EQ(completed({"pretrain", "objective=mae,mo"}), Words{"objective=mae,moco"});
  EXPECT_EQ(completed({"pretrain", "nosuch.x"}), Words{});
  EXPECT_EQ(completed({"pretrain", "data.root.x"}), Words{});
}

TEST_F(Completion, WhatStandsOnTheLineCounts) {
  EXPECT_EQ(completed({"pretrain", "objective=mae", "objective."}), (Words{"objective.blocks=", "objective.ratio="}));
  EXPECT_EQ(completed({"pretrain", "experiment=nano_b", "objective.r"}), Words{"objective.ratio="});
  EXPECT_EQ(completed({"pretrain", "+extra.key=1", "ex"}), (Words{"experiment=", "extra."}));
  EXPECT_EQ(completed({"pretrain", "~seed", "se"}), Words{});
  EXPECT_EQ(completed({"pretrain", "half", "seed=", "nosuch=3", "objective=mae", "objective.r"}),
            Words{"objective.ratio="});
}

TEST_F(Completion, OtherConfigs) {
  EXPECT_EQ(completed({"pretrain", "--config-name", "o"}), Words{"other"});
  EXPECT_EQ(completed({"pretrain", "-cn", "other", ""}), Words{"only."});
  EXPECT_EQ(completed({"evaluate", "--config-dir", folder_.path().string(), "-cn", "other", "only."}),
            Words{"only.a="});
  EXPECT_EQ(completed({"evaluate", "--config", (folder_ / "other.yaml").string(), ""}), Words{"only."});
  EXPECT_EQ(completed({"pretrain", "--config-dir", ""}), Words{});
  EXPECT_EQ(completed({"pretrain", "--config-dir", "/no/such/folder", "s"}), Words{});
}

TEST_F(Completion, MarksInFront) {
  EXPECT_EQ(completed({"pretrain", "~"}), (Words{"~crop.", "~data", "~data.", "~device", "~experiment", "~objective",
                                                 "~objective.", "~out", "~seed"}));
  EXPECT_EQ(completed({"pretrain", "+unu"}), Words{"+unused="});
  EXPECT_EQ(completed({"pretrain", "+unused="}), Words{"+unused=x"});
  EXPECT_EQ(completed({"pretrain", "++se"}), Words{"++seed="});
}

TEST_F(Completion, ValuesThatFieldsKnow) {
  EXPECT_EQ(completed({"pretrain", "device=c"}), (Words{"device=cpu", "device=cuda"}));
  EXPECT_EQ(completed({"pretrain", "crop.mask="}), (Words{"crop.mask=false", "crop.mask=true"}));
  EXPECT_EQ(completed({"pretrain", "device=cpu,"}), (Words{"device=cpu,auto", "device=cpu,cpu", "device=cpu,cuda"}));
  EXPECT_EQ(completed({"pretrain", "out="}), Words{});  // the shell's files
  EXPECT_EQ(completed({"pretrain", "crop.mask=3", "device=c"}), Words{});
}

TEST_F(Completion, GroupsStandInHelpWithWhatTheirOptionsSay) {
  EXPECT_EQ(groups_text({folder_.path().string(), "pretrain", {}}),
            "groups (group=option)\n"
            "  data: auto\n"
            "  objective:\n"
            "    mae   \n"
            "    moco  Chen et al. 2021\n"
            "  experiment:\n"
            "    nano_a  the baseline\n"
            "    nano_b  \n\n");
  EXPECT_EQ(groups_text({folder_.path().string(), "other", {}}), "");
}

// A stand-in for the program says what it was asked and answers always the same.
class BashScript : public ::testing::Test {
 protected:
  void SetUp() override {
    if (std::system("bash --version > /dev/null 2>&1") != 0) GTEST_SKIP() << "there is no bash";
    write_file(folder_ / "script.bash", completion_script("bash"));
    write_file(folder_ / "freeatm",
               "#!/bin/bash\nprintf '<%s>' \"$@\" > \"$(dirname \"$0\")/asked\"\ncat \"$(dirname \"$0\")/answer\"\n");
    fs::permissions(folder_ / "freeatm", fs::perms::owner_all);
  }
  /// What bash has to choose from after "freeatm LINE<TAB>".
  std::string replies(const std::string& line, const std::string& answer) const {
    write_file(folder_ / "answer", answer);
    const std::string program = (folder_ / "freeatm").string();
    write_file(folder_ / "run.bash",
               "source " + (folder_ / "script.bash").string() + "\nCOMP_LINE='" + program + " " + line +
                   "'\nCOMP_POINT=${#COMP_LINE}\nread -ra COMP_WORDS <<< \"$COMP_LINE\"\n" +
                   "COMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n_freeatm\n(IFS='|'; echo -n \"${COMPREPLY[*]}\")\n");
    FILE* pipe = popen(("bash --norc " + (folder_ / "run.bash").string() + " 2>&1").c_str(), "r");
    std::string out;
    for (int c; (c = fgetc(pipe)) != EOF;) out += static_cast<char>(c);
    EXPECT_EQ(pclose(pipe), 0) << out;
    return out;
  }
  std::string asked() const { return read_file(folder_ / "asked"); }
  testing::TemporaryFolder folder_;
};

TEST_F(BashScript, AsksTheProgramAndTakesOffWhatBashHasAlready) {
  EXPECT_EQ(replies("pre", "pretrain\n"), "pretrain");
  EXPECT_EQ(asked(), "<__complete><pre>");
  EXPECT_EQ(replies("pretrain model=res", "model=resnet18\nmodel=resnet50\n"), "resnet18|resnet50");
  EXPECT_EQ(asked(), "<__complete><pretrain><model=res>");
  EXPECT_EQ(replies("pretrain ", "data=\ndata.\n"), "data=|data.");
  EXPECT_EQ(asked(), "<__complete><pretrain><>");
  EXPECT_EQ(replies("pretrain trainer.st", "trainer.steps=\n"), "trainer.steps=");
  EXPECT_EQ(replies("pretrain out=", ""), "");
  EXPECT_EQ(replies("pretrain a=* b=?", "b=?x\n"), "?x");  // nothing is expanded
}

TEST(ZshScript, IsZsh) {
  if (std::system("zsh --version > /dev/null 2>&1") != 0) GTEST_SKIP() << "there is no zsh";
  testing::TemporaryFolder folder;
  write_file(folder / "script.zsh", completion_script("zsh"));
  EXPECT_EQ(std::system(("zsh -n " + (folder / "script.zsh").string()).c_str()), 0);
}

TEST(Script, OtherShellsAreRefused) { EXPECT_USER_ERROR(completion_script("fish"), "'fish' is not bash or zsh"); }

}  // namespace
}  // namespace freeatm::config
