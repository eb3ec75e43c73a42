// SPDX-License-Identifier: Apache-2.0
// What hydra-core cannot judge of sweeps: the text of a job's overrides, shuffles, limits, and messages.
#include <algorithm>
#include <cmath>
#include <fstream>
#include <set>

#include <gtest/gtest.h>

#include "freeatm/config/compose.h"
#include "freeatm/core/random.h"

#include "testing.h"

namespace freeatm::config {
namespace {

using Texts = std::vector<std::string>;

class SweepJobs : public ::testing::Test {
 protected:
  void SetUp() override {
    std::ofstream(folder_ / "config.yaml") << "a: 1\nb: 2\nlist: []\n";
    std::filesystem::create_directory(folder_ / "model");
    std::ofstream(folder_ / "model/vit.yaml") << "depth: 6\n";
  }
  std::vector<Texts> jobs(const Texts& overrides) const {
    return sweep_jobs({folder_.path().string(), "config", overrides});
  }
  Node composed(const Texts& overrides) const { return compose({folder_.path().string(), "config", overrides}); }
  /// The first override of each job.
  Texts firsts(const std::string& override) const {
    Texts out;
    for (const Texts& job : jobs({override})) out.push_back(job.front());
    return out;
  }

  testing::TemporaryFolder folder_;
};

TEST_F(SweepJobs, WriteOverridesAsTheyAreTyped) {
  EXPECT_EQ(jobs({"a=1,2", "b='x y'"}), (std::vector<Texts>{{"a=1", "b='x y'"}, {"a=2", "b='x y'"}}));
  EXPECT_EQ(firsts("a=1e-5,TRUE,null,'3',x y,[1,{c:d}]"),
            (Texts{"a=1e-05", "a=true", "a=null", "a='3'", "a='x y'", "a=[1,{c:d}]"}));
  EXPECT_EQ(firsts("+model@other=glob(*)"), Texts{"+model@other=vit"});
}

// Hydra hands str(1) to its jobs as 1, which is a number again.
TEST_F(SweepJobs, KeepTheTypeThatACastGave) { EXPECT_EQ(firsts("a=str(1,2)"), (Texts{"a='1'", "a='2'"})); }

TEST_F(SweepJobs, ShuffleTheSameWayEveryTime) {
  const Texts once = firsts("a=shuffle(range(20))"), sorted = firsts("a=range(20)");
  EXPECT_EQ(firsts("a=shuffle(range(20))"), once);
  EXPECT_NE(once, sorted);
  EXPECT_EQ(std::multiset<std::string>(once.begin(), once.end()),
            std::multiset<std::string>(sorted.begin(), sorted.end()));
  EXPECT_EQ(composed({"list=shuffle([1,2,3,4])"}).find("list")->list().size(), 4u);
}

TEST_F(SweepJobs, AreRefusedWhereTheyAreTooMany) {
  EXPECT_EQ(jobs({"a=range(100)", "b=range(100)"}).size(), 10000u);
  EXPECT_USER_ERROR(jobs({"a=range(101)", "b=range(100)"}), "b: this makes more than 10000 jobs");
  EXPECT_USER_ERROR(jobs({"a=range(1000000000)"}), "a=range(1000000000): more than 10000 values");
  EXPECT_USER_ERROR(jobs({"a=range(-9223372036854775807,9223372036854775807)"}), "more than 10000 values");
  EXPECT_USER_ERROR(jobs({"a=range(0,1,1e-300)"}), "more than 10000 values");
  EXPECT_USER_ERROR(jobs({"a=range(0,inf)"}), "range() needs finite numbers");
}

TEST_F(SweepJobs, SayWhatIsWrong) {
  EXPECT_USER_ERROR(jobs({"a=rnage(3)"}), "a=rnage(3): there is no function rnage(); did you mean 'range'?");
  EXPECT_USER_ERROR(jobs({"a=range(1,2,stepp=3)"}),
                    "range(): 'stepp' is not start, stop or step; did you mean 'step'?");
  EXPECT_USER_ERROR(jobs({"a=range(x)"}), "range(): start is 'x', not a number");
  EXPECT_USER_ERROR(jobs({"a=int(1.5,x)"}), "int(): 'x' is not an integer");
  EXPECT_USER_ERROR(jobs({"a=int(9223372036854775808.0)"}), "does not fit into 64 bits");
  EXPECT_USER_ERROR(jobs({"a=interval(0,1)"}), "an interval() has no list of values");
  EXPECT_USER_ERROR(jobs({"model=glob(res*)"}), "no option matches; there are vit");
  EXPECT_USER_ERROR(jobs({"a=glob(*)"}), "this is no group");
  EXPECT_USER_ERROR(jobs({"a=sort(1,x)"}), "have no order");
  EXPECT_USER_ERROR(jobs({"hydra.run.dir=a,b"}), "settings of Hydra cannot be swept");
  EXPECT_USER_ERROR(composed({"hydra.rnu.dir=a"}), "Hydra has no such setting; did you mean 'run'?");
}

// A text of pieces that the grammar has a meaning for.
std::string nasty_text(RandomStream& random) {
  static const Texts pieces = {"'",    "\"",  "\\", "\\\\", "\\'",  ",",  " ",           "\t", "[", "]", "{",    "}",
                               ":",    "=",   "(",  ")",    "${a}", "\n", "x",           "1",  ".", "-", "true", "nan",
                               "null", "1e3", "~",  "+",    "猫",   "#",  "choice(1,2)", "é",  "$", "*", "/",    "@"};
  std::string out;
  for (int64_t i = random.integer(6); i >= 0; --i) out += pieces[random.integer(static_cast<int64_t>(pieces.size()))];
  return out;
}

Node random_value(RandomStream& random, int depth) {
  switch (random.integer(depth > 0 ? 8 : 6)) {
    case 0:
      return Node(static_cast<int64_t>(random.next_u64()));
    case 1:
      return Node(random.normal() * std::pow(10.0, random.uniform(-20, 20)));
    case 2:
      return Node(random.bernoulli(0.5));
    case 3:
      return Node(nullptr);
    case 6: {
      Node::List items;
      for (int64_t i = random.integer(4); i > 0; --i) items.push_back(random_value(random, depth - 1));
      return Node(std::move(items));
    }
    case 7: {
      Node map((Node::Map()));
      for (const char* key : {"k", "with space", "a=b,c:d", "x-1", "\\"}) map.set(key, random_value(random, depth - 1));
      return map;
    }
    default:
      return Node(nasty_text(random));
  }
}

TEST_F(SweepJobs, HandOverValuesThatParseBackToTheSame) {
  RandomStream random(1, "override_text");
  for (int i = 0; i < 5000; ++i) {
    const Node value = random_value(random, 2);
    const std::string text = override_text(value);
    SCOPED_TRACE(text);
    const std::vector<Texts> swept = jobs({"+z=0," + text});
    ASSERT_EQ(swept.size(), 2u);
    EXPECT_EQ(swept[1].front(), "+z=" + text);  // parsed and written again
  }
}

}  // namespace
}  // namespace freeatm::config
