// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <fstream>
#include <set>
#include <sys/wait.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "freeatm/core/file_digest.h"
#include "freeatm/core/files.h"
#include "freeatm/core/json.h"
#include "freeatm/core/model_path.h"
#include "freeatm/core/progress.h"
#include "freeatm/core/random.h"

#include "testing.h"

namespace freeatm {
namespace {

using testing::TemporaryFolder;

TEST(UserError, SaysNothingOfAnotherLibrarysExceptions) {
  const UserError error("a.json", "b", "is not JSON: {}", "[json.exception.parse_error.101] parse error at line 1");
  EXPECT_STREQ(error.what(), "a.json: b: is not JSON: parse error at line 1");
}

TEST(Format, FillsBracesInOrder) {
  EXPECT_EQ(format("{} of {}, {}", 1, 2.5, "x"), "1 of 2.5, x");
  EXPECT_EQ(format("{}", 1e-5), "1e-05");
  EXPECT_EQ(format("{}", std::vector<int>{1, 2}), "[1, 2]");
  EXPECT_EQ(format("{}", true), "true");
  EXPECT_EQ(format("{} {}", 1), "1 {}");
}

TEST(UserError, IsOneLineWithItsPlace) {
  EXPECT_STREQ(UserError("a.yaml:3", "sampler.steps", "{} is not in [1, {}]", 0, 1000).what(),
               "a.yaml:3: sampler.steps: 0 is not in [1, 1000]");
  EXPECT_STREQ(UserError("", "", "two\nlines").what(), "two lines");
}

TEST(UserError, NamesTheNearestKnownName) {
  EXPECT_EQ(did_you_mean("guidence", {"steps", "guidance", "seed"}), "; did you mean 'guidance'?");
  EXPECT_EQ(did_you_mean("zzzzzzzz", {"steps"}), "");
}

TEST(UserError, ShowsNoControlCharactersAndNoEndlessValues) {
  EXPECT_STREQ(UserError("a", "", "{}", "x\x1b[2Jy\rz").what(), "a: x [2Jy z");
  const std::string long_value = UserError("a", "", "{} is too long", std::string(100000, 'x')).what();
  EXPECT_LT(long_value.size(), 4100u);
  EXPECT_TRUE(long_value.ends_with(" is too long")) << "the reason is not what is left out";
}

TEST(Json, OfOthersIsShallow) {
  const auto nested = [](int depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  require_shallow_json(nested(100), "x");
  EXPECT_USER_ERROR(require_shallow_json(nested(101), "x", "key"), "x: key: is JSON that is nested more than 100 deep");
  require_shallow_json("\"" + nested(101) + "\\\"" + nested(101) + "\"", "x");  // brackets in a string
  EXPECT_USER_ERROR(require_shallow_json("\"\\\\\"" + nested(101), "x"), "nested");
}

TEST(Json, WholeNumbersAreNotRounded) {
  using nlohmann::json;
  EXPECT_EQ(whole_number(json::parse("-3")), -3);
  EXPECT_EQ(whole_number(json::parse("64.0")), 64);
  EXPECT_EQ(whole_number(json::parse("9223372036854775807")), 9223372036854775807);
  for (const char* wrong : {"0.5", "1e300", "18446744073709551615", "\"1\"", "null", "[1]", "true"})
    EXPECT_THROW(whole_number(json::parse(wrong)), json::exception) << wrong;
  EXPECT_EQ(whole_numbers(json::parse("[1, 2.0]")), (std::vector<int64_t>{1, 2}));
  EXPECT_THROW(whole_numbers(json::parse("{\"a\": 1}")), json::exception);
}

TEST(RandomStream, EqualsTheReferenceVectorsOfPhilox) {
  // Random123's known answers cover the raw cipher; here the stream must at least be its own function of the four
  // values.
  RandomStream a(1, "x", 2, 3), b(1, "x", 2, 3), c(1, "x", 2, 4), d(1, "y", 2, 3), e(2, "x", 2, 3), f(1, "x", 3, 3);
  const uint64_t first = a.next_u64();
  EXPECT_EQ(first, b.next_u64());
  for (RandomStream* other : {&c, &d, &e, &f}) EXPECT_NE(first, other->next_u64());
}

TEST(RandomStream, AForkDoesNotDependOnEarlierDraws) {
  RandomStream a(1, "x"), b(1, "x");
  a.next_u64();
  EXPECT_EQ(a.fork("crop").next_u64(), b.fork("crop").next_u64());
}

TEST(RandomStream, BeginsAnywhereInIt) {
  std::vector<uint32_t> words(13);
  RandomStream random(7, "words");
  for (uint32_t& word : words) word = random.next_u32();
  for (size_t before = 0; before < 6; ++before) {
    RandomStream own(7, "words");
    for (size_t i = 0; i < before; ++i) own.next_u32();
    for (size_t more = 0; more < 6; ++more) {
      RandomStream later = own.behind(more);
      EXPECT_EQ(later.next_u32(), words[before + more]);
      EXPECT_EQ(later.next_u32(), words[before + more + 1]);
    }
  }
}

TEST(RandomStream, HasTheMomentsOfItsDistributions) {
  RandomStream random(7, "moments");
  constexpr int n = 200'000;
  double sum = 0, square = 0, uniform = 0;
  std::vector<int> counts(7);
  for (int i = 0; i < n; ++i) {
    const double x = random.normal();
    sum += x;
    square += x * x;
    uniform += random.uniform(2, 4);
    ++counts[random.integer(7)];
  }
  EXPECT_NEAR(sum / n, 0, 5 / std::sqrt(n));
  EXPECT_NEAR(square / n, 1, 5 * std::sqrt(2.0 / n));
  EXPECT_NEAR(uniform / n, 3, 5 * std::sqrt(1 / 3.0 / n));
  for (int count : counts) EXPECT_NEAR(count, n / 7.0, 5 * std::sqrt(n / 7.0));
}

TEST(StreamHash, OfPiecesIsThatOfTheWhole) {
  const std::string bytes = "the bytes come in pieces";
  for (size_t cut = 0; cut <= bytes.size(); ++cut) {
    StreamHash hash(5);
    hash.add(bytes.substr(0, cut));
    hash.add(bytes.substr(cut));
    EXPECT_EQ(hash.value(), stable_hash(bytes, 5));
  }
}

TEST(ByteDigest, IsXxh3) {
  ByteDigest digest;
  EXPECT_EQ(hash_text(digest.value()), "2d06800538d394c2");  // of nothing, as xxhsum -H3 says it
  digest.add("the bytes come ");
  digest.add("in pieces");
  ByteDigest whole;
  whole.add("the bytes come in pieces");
  EXPECT_EQ(digest.value(), whole.value());
}

TEST(Permutation, VisitsEveryIndexOnceAndChangesWithTheEpoch) {
  for (int64_t size : {1, 2, 3, 5, 64, 1000, 4097}) {
    std::set<int64_t> seen;
    const Permutation order(size, 3, 0);
    for (int64_t i = 0; i < size; ++i) seen.insert(order[i]);
    EXPECT_EQ(static_cast<int64_t>(seen.size()), size);
    EXPECT_EQ(*seen.begin(), 0);
    EXPECT_EQ(*seen.rbegin(), size - 1);
  }
  const Permutation a(1000, 3, 0), b(1000, 3, 1);
  int same = 0;
  for (int64_t i = 0; i < 1000; ++i) same += a[i] == b[i];
  EXPECT_LT(same, 10);
}

TEST(Files, AppearWholeOrNotAtAll) {
  TemporaryFolder folder;
  write_file(folder / "a.txt", "hello");
  EXPECT_EQ(read_file(folder / "a.txt"), "hello");
  {
    PendingPath pending(folder / "b.txt");
    std::ofstream(pending.temporary()) << "half";
  }
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), {}), 1);
}

TEST(Files, OfAKilledProcessAreRemoved) {
  TemporaryFolder folder;
  const pid_t child = fork();
  if (child == 0) _exit(0);
  waitpid(child, nullptr, 0);
  const fs::path abandoned = folder / format(".a.{}.part", child), alive = folder / format(".a.{}.part", getppid());
  for (const fs::path& path : {abandoned, alive}) fs::create_directory(path);
  write_file(folder / ".a.x.part", "");
  PendingPath(folder / "a").remove_abandoned();
  EXPECT_FALSE(fs::exists(abandoned));
  EXPECT_TRUE(fs::exists(alive) && fs::exists(folder / ".a.x.part"));
}

TEST(Files, RefuseInOneLine) {
  TemporaryFolder folder;
  EXPECT_USER_ERROR(read_file(folder / "none", "captions"), "captions: no such file");
  EXPECT_USER_ERROR(read_file(folder.path(), "captions"), "is a folder");
  EXPECT_USER_ERROR(read_file("/dev/zero", "captions"), "captions: is not a regular file");
  write_file(folder / "file", "");
  EXPECT_USER_ERROR(prepare_folder(folder / "file" / "sub", "out"), "out: cannot be made");
  EXPECT_USER_ERROR(write_file(folder / "missing" / "x", "y"), "cannot be written");
}

TEST(Files, OfTheHubAreToBeFetched) {
  EXPECT_USER_ERROR(require_model("runwayml/stable-diffusion-v1-5", "diffusion.path"),
                    "diffusion.path: no such file or folder; nothing is fetched here: hf download "
                    "runwayml/stable-diffusion-v1-5 --local-dir FOLDER, and give the folder");
  TemporaryFolder folder;
  require_model(folder.path(), "checkpoint");
  const fs::path mistyped = fs::relative(folder / "mistyped");
  for (const fs::path& path : {fs::path("nothing"), fs::path("a/b/c"), fs::path("../nothing"), fs::path("/nothing/x"),
                               fs::path("a b/c"), mistyped}) {
    try {
      require_model(path, "checkpoint");
      ADD_FAILURE() << path << " is there";
    } catch (const UserError& error) {
      EXPECT_TRUE(std::string(error.what()).ends_with("no such file or folder")) << error.what();
    }
  }
}

TEST(Progress, WritesClockTimes) {
  EXPECT_EQ(clock_text(75), "1:15");
  EXPECT_EQ(clock_text(4000), "1:06:40");
}

}  // namespace
}  // namespace freeatm
