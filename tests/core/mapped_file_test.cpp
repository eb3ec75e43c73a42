// SPDX-License-Identifier: Apache-2.0
#include "freeatm/core/mapped_file.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>

#include "freeatm/core/file_digest.h"
#include "freeatm/core/files.h"

#include "testing.h"

namespace freeatm {
namespace {

using testing::TemporaryFolder;

constexpr size_t kPage = 4096;

void write_into(const std::string& path, size_t at, const std::string& bytes) {
  std::fstream(path, std::ios::in | std::ios::out | std::ios::binary)
      .seekp(static_cast<std::streamoff>(at))
      .write(bytes.data(), std::ssize(bytes));
}

TEST(MappedFile, ThatIsCutShortEndsTheProgramWithALine) {
  const TemporaryFolder folder;
  const std::string path = (folder / "weights").string();
  write_file(path, std::string(4 * kPage, 'x'));
  const auto read_behind_the_end = [&] {
    const MappedFile file(path);
    fs::resize_file(path, kPage);
    std::exit(file.data()[3 * kPage] == 'x' ? 0 : 3);
  };
  EXPECT_EXIT(read_behind_the_end(), ::testing::ExitedWithCode(1),
              "^E .*/weights: cannot be read any more: it was cut");
}

TEST(MappedFile, IsReadAgainAfterItsPagesWereReleased) {
  const TemporaryFolder folder;
  const std::string path = (folder / "file").string();
  write_file(path, std::string(2 * kPage, 'a') + std::string(kPage, 'b'));
  const MappedFile file(path);
  EXPECT_EQ(std::count(file.data(), file.data() + file.size(), 'a'), 2 * static_cast<int64_t>(kPage));
  release_mapped(file.data() + 100, 2 * kPage);
  EXPECT_EQ(std::count(file.data(), file.data() + file.size(), 'a'), 2 * static_cast<int64_t>(kPage));
  std::string elsewhere(3 * kPage, 'c');
  release_mapped(elsewhere.data(), elsewhere.size());  // no file's: it stays
  EXPECT_EQ(std::ranges::count(elsewhere, 'c'), 3 * static_cast<int64_t>(kPage));
}

TEST(FileState, TellsWhatIsWrittenIntoFromWhatIsReplaced) {
  const TemporaryFolder folder;
  const std::string path = (folder / "weights").string();
  write_file(path, "1234567");
  const FileState state = FileState::of(path);
  EXPECT_NO_THROW(state.require_unwritten(path));
  write_file(path, "1234567");  // another file under its name
  EXPECT_NO_THROW(state.require_unwritten(path));
  const FileState later = FileState::of(path);
  write_into(path, 0, "12345678");
  EXPECT_USER_ERROR(later.require_unwritten(path), "/weights: was written into while it was in use");
  fs::remove(path);
  EXPECT_NO_THROW(later.require_unwritten(path));
}

TEST(FileDigest, DependsOnEveryByteAndOnTheOrder) {
  const TemporaryFolder folder;
  const std::string one = (folder / "one").string(), two = (folder / "two").string();
  std::string bytes((size_t{64} << 20) + 5, '\0');
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 2654435761u >> 13);
  write_file(one, bytes);
  write_file(two, "two");
  const uint64_t digest = file_digest({one, two});
  EXPECT_EQ(file_digest({one, two}), digest);
  EXPECT_NE(file_digest({two, one}), digest);
  for (const size_t at : {size_t{0}, size_t{1} << 20, size_t{64} << 20, bytes.size() - 1}) {
    write_into(one, at, std::string(1, static_cast<char>(bytes[at] + 1)));
    EXPECT_NE(file_digest({one, two}), digest) << at;
    write_into(one, at, std::string(1, bytes[at]));
  }
  EXPECT_EQ(file_digest({one, two}), digest);
  EXPECT_USER_ERROR(file_digest({one, (folder / "three").string()}), "/three: no such file");
}

}  // namespace
}  // namespace freeatm
