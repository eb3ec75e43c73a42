// SPDX-License-Identifier: Apache-2.0
#include "entry_pool.h"

#include <atomic>
#include <barrier>
#include <chrono>
#include <thread>

#include <gtest/gtest.h>

#include "freeatm/core/random.h"

#include "testing.h"

namespace freeatm::diffusion {
namespace {

using testing::TemporaryFolder;

ShardEntry text_entry(const std::string& text) { return {.members = {{"txt", text}}, .phrases = 2}; }

TEST(EntryPool, WritesInOrderWhateverIsDoneFirst) {
  const TemporaryFolder folder;
  for (const int64_t threads : {1, 2, 5}) {
    data::ShardWriter writer(folder / format("{}.tar", threads));
    EntryPool pool(threads, 3, writer);
    for (int i = 0; i < 20; ++i) {
      pool.add(format("{}", i), [i] {
        RandomStream random(1, "rest", 0, static_cast<uint64_t>(i));
        std::this_thread::sleep_for(std::chrono::microseconds(random.integer(2000)));
        return text_entry(format("entry {}", i));
      });
    }
    EXPECT_EQ(pool.finish(), 40);
    writer.commit();
  }
  EXPECT_EQ(data::index_shard(folder / "1.tar")[19].key, "19");
  EXPECT_EQ(read_file(folder / "2.tar"), read_file(folder / "1.tar"));
  EXPECT_EQ(read_file(folder / "5.tar"), read_file(folder / "1.tar"));
}

TEST(EntryPool, WorksOnAsManyAtOnceAsItHasThreads) {
  const TemporaryFolder folder;
  data::ShardWriter writer(folder / "a.tar");
  EntryPool pool(3, 3, writer);
  std::barrier all_at_work(3);  // nobody passes it alone
  for (const char* key : {"0", "1", "2"}) {
    pool.add(key, [&] {
      all_at_work.arrive_and_wait();
      return text_entry("x");
    });
  }
  EXPECT_EQ(pool.finish(), 6);
}

TEST(EntryPool, WaitsWhereTooManyAreUnderWay) {
  const TemporaryFolder folder;
  data::ShardWriter writer(folder / "a.tar");
  std::atomic<int> done = 0;
  EntryPool pool(2, 4, writer);
  for (int added = 1; added <= 30; ++added) {
    pool.add(format("{}", added), [&] {
      ++done;
      return text_entry("x");
    });
    EXPECT_GE(done, added - 4);
  }
  pool.finish();
}

TEST(EntryPool, AnErrorHasTheSamplesName) {
  const TemporaryFolder folder;
  data::ShardWriter writer(folder / "a.tar");
  {
    EntryPool pool(2, 8, writer);
    pool.add("first", [] { return text_entry("x"); });
    pool.add("second", []() -> ShardEntry { throw UserError("maps.npy", "", "is broken"); });
    EXPECT_USER_ERROR(pool.finish(), "second: maps.npy: is broken");
  }
  EntryPool pool(2, 8, writer);
  pool.add("third", []() -> ShardEntry { throw std::runtime_error("no memory"); });
  try {
    pool.finish();
    FAIL() << "nothing was thrown";
  } catch (const std::runtime_error& error) {
    EXPECT_EQ(std::string(error.what()), "third: no memory");
  }
}

TEST(EntryPool, DropsWhatHasNotBegun) {
  constexpr int kEntries = 1000;
  const TemporaryFolder folder;
  data::ShardWriter writer(folder / "a.tar");
  std::atomic<int> begun = 0;
  {
    EntryPool pool(1, kEntries, writer);
    for (int i = 0; i < kEntries; ++i) {
      pool.add(format("{}", i), [&] {
        ++begun;
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
        return text_entry("x");
      });
    }
  }
  EXPECT_LT(begun, kEntries);
}

}  // namespace
}  // namespace freeatm::diffusion
