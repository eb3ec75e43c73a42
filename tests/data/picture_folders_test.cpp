// SPDX-License-Identifier: Apache-2.0
// Folders of pictures, with classes and without.
#include "freeatm/core/files.h"
#include "freeatm/data/dataset.h"
#include "freeatm/data/split_names.h"

#include "testing.h"

namespace freeatm::data {
namespace {

TEST(ImageFolder, LabelsByTheClassesNames) {
  const testing::TemporaryFolder folder;
  for (const char* name : {"train/b/2.png", "train/b/1.PNG", "train/a/x/9.png", "train/Z/0.png"}) {
    fs::create_directories((folder / name).parent_path());
    write_file(folder / name, vision::encode_png(vision::Image(2, 3)));
  }
  write_file(folder / "train/b/notes.txt", "x");
  const auto dataset = open_image_folder(folder.path().string(), "train");
  EXPECT_EQ(dataset->class_names(), (std::vector<std::string>{"Z", "a", "b"}));  // torchvision's order: capitals first
  RandomStream none(0, "none");
  std::vector<std::pair<std::string, int64_t>> samples;
  for (int64_t i = 0; i < dataset->size(); ++i) {
    const Sample s = dataset->get(i, none);
    samples.emplace_back(s.key, s.label());
    EXPECT_EQ(s.image.width, 3);
  }
  EXPECT_EQ(samples, (std::vector<std::pair<std::string, int64_t>>{
                         {"Z/0.png", 0}, {"a/x/9.png", 1}, {"b/1.PNG", 2}, {"b/2.png", 2}}));
}

TEST(ImageFolder, RefusesEmptyFolders) {
  const testing::TemporaryFolder folder;
  EXPECT_USER_ERROR(open_image_folder(folder.path().string(), "train"), "train: data.root: no such folder");
  fs::create_directories(folder / "train");
  EXPECT_USER_ERROR(open_image_folder(folder.path().string(), "train"), "holds no class");
  fs::create_directories(folder / "train/dog");
  EXPECT_USER_ERROR(open_image_folder(folder.path().string(), "train"), "train: data.root: holds no picture");
}

class Pictures : public ::testing::Test {
 protected:
  void picture(const std::string& name) const {
    fs::create_directories((folder_ / name).parent_path());
    write_file(folder_ / name, vision::encode_png(vision::Image(2, 3)));
  }
  /// How many pictures each class has, and what was warned of.
  std::pair<std::vector<int64_t>, std::string> opened() const {
    ::testing::internal::CaptureStderr();
    const auto dataset = open_image_folder(folder_.path().string(), "train");
    const std::string said = ::testing::internal::GetCapturedStderr();
    std::vector<int64_t> counts(dataset->class_names().size());
    RandomStream none(0, "none");
    for (int64_t i = 0; i < dataset->size(); ++i) ++counts[static_cast<size_t>(dataset->get(i, none).label())];
    return {counts, said};
  }
  const testing::TemporaryFolder folder_;
};

TEST_F(Pictures, ThatCannotBeReadAreCountedAndNamedOnce) {
  for (const char* name : {"train/a/1.png", "train/b/1.PNG", "train/b/download?id=7", "train/b/2.bin"}) picture(name);
  for (const char* name : {"a/1.heic", "a/2.NEF", "a/deep.svg", "b/no picture.dat", "a/._1.png", "b/.DS_Store"})
    write_file(folder_ / "train" / name, "something else");
  fs::create_directories(folder_ / "train/.ipynb_checkpoints");
  fs::create_directories(folder_ / "train/empty");
  const auto [counts, said] = opened();
  EXPECT_EQ(counts, (std::vector<int64_t>{1, 3, 0}));
  EXPECT_TRUE(testing::contains(said,
                                "train: 4 files are passed over, for they are no PNG, JPEG, WebP, BMP, GIF, TIFF "
                                "or PNM: a/1.heic, a/2.NEF, a/deep.svg and 1 more"))
      << said;
  EXPECT_TRUE(testing::contains(said, "these classes hold no picture: empty")) << said;
  EXPECT_EQ(std::ranges::count(said, '\n'), 2) << said;
}

TEST_F(Pictures, OfEveryKindAreRead) {
  const fs::path pictures = testing::test_file("vision/data/pictures");
  fs::create_directories(folder_ / "train/a");
  for (const char* name :
       {"rgb.png", "rgb.jpg", "lossy.webp", "rgb.bmp", "palette.gif", "rgb.tif", "bits.pbm", "grey.pgm", "rgb.ppm"})
    fs::copy_file(pictures / name, folder_ / "train/a" / name);
  fs::copy_file(pictures / "jpeg.tif", folder_ / "train/a/2.TIFF");
  fs::copy_file(pictures / "grey.bmp", folder_ / "train/a/download");  // told by its first bytes
  const auto [counts, said] = opened();
  EXPECT_EQ(counts, std::vector<int64_t>{11});
  EXPECT_EQ(said, "");
}

TEST_F(Pictures, AloneInAFlatFolderHaveNoLabels) {
  for (const char* name : {"flat/b.png", "flat/a.jpg", "flat/deep/c.png", "split/train/x.png", "split/val/y.png"})
    picture(name);
  write_file(folder_ / "flat/README.txt", "my photographs");
  const auto flat = open_dataset({.root = (folder_ / "flat").string()});
  EXPECT_EQ(flat->size(), 3);
  EXPECT_TRUE(flat->class_names().empty());
  RandomStream none(0, "none");
  EXPECT_EQ(flat->get(0, none).key, "a.jpg");
  EXPECT_EQ(flat->get(0, none).image.width, 3);
  EXPECT_EQ(open_dataset({.root = (folder_ / "split").string()})->size(), 1);
  // A misspelt split must not train on all of them.
  EXPECT_USER_ERROR(open_dataset({.root = (folder_ / "split").string(), .split = "trian"}), "is no dataset");
}

TEST_F(Pictures, InFoldersOfClassesAreATrainingSplit) {  // torchvision's ImageFolder of "imagenet/train"
  for (const char* name : {"root/b dog/1.png", "root/a cat/1.png", "root/a cat/deep/2.png", "splits/Val/1.png"})
    picture(name);
  const DatasetOptions root{.root = (folder_ / "root").string()};
  const auto opened = open_dataset(root);
  EXPECT_EQ(opened->class_names(), (std::vector<std::string>{"a cat", "b dog"}));
  ASSERT_EQ(opened->size(), 3);
  RandomStream none(0, "none");
  EXPECT_EQ(opened->get(2, none).key, "b dog/1.png");
  EXPECT_EQ(opened->get(2, none).label(), 1);
  EXPECT_FALSE(has_split(root)) << "it is no split that may be judged";
  EXPECT_USER_ERROR(open_dataset({.root = root.root, .split = "val"}), "is no dataset");
  EXPECT_USER_ERROR(open_dataset({.root = (folder_ / "splits").string()}), "is no dataset");
  for (const char* name : {"b dog/1.txt", "a cat/1.txt", "a cat/deep/2.txt"})  // folders of any name
    write_file(folder_ / "root" / name, "a cat");
  EXPECT_TRUE(open_dataset(root)->has_caption(0));
}

TEST_F(Pictures, OfAClassThatIsCalledAsASplitAreNotAllThereIs) {
  for (const char* name : {"train/1.png", "ship/1.png", "bus/1.png"}) picture(name);
  const std::string root = folder_.path().string();
  EXPECT_USER_ERROR(
      open_dataset({.root = root}),
      ": data.layout: train/ may be a split or, beside 2 other folders of pictures, a class: say pictures or classes");
  EXPECT_EQ(open_dataset({.root = root, .layout = "pictures"})->size(), 1);
  EXPECT_EQ(open_dataset({.root = root, .layout = "classes"})->class_names().size(), 3U);
  picture("val/1.png");
  EXPECT_EQ(open_dataset({.root = root})->size(), 1);
}

TEST_F(Pictures, OfOtherSplitsAreNamed) {
  picture("val2017/dog/1.png");
  picture("train2017/dog/1.png");
  const std::string root = folder_.path().string();
  EXPECT_USER_ERROR(open_dataset({.root = root, .layout = "imagefolder"}), "; it has train2017, val2017");
  EXPECT_EQ(splits_there({.root = root, .layout = "imagefolder", .split = "val2017"}), "; it has train2017");
  EXPECT_EQ(splits_there({.root = root, .layout = "shards"}), "");
}

TEST_F(Pictures, ASplitMayLackClassesAndMustNotHaveOthers) {
  for (const char* name : {"train/a/1.png", "train/b/1.png", "train/c/1.png", "test/c/1.png", "test/a/1.png"})
    picture(name);
  const std::string root = folder_.path().string();
  const auto names = open_image_folder(root, "train")->class_names();
  const auto test = with_classes(open_image_folder(root, "test"), names, root, "data.root", "test");
  EXPECT_EQ(test->class_names(), names);
  RandomStream none(0, "none");
  EXPECT_EQ(test->get(0, none).label(), 0);
  EXPECT_EQ(test->get(1, none).label(), 2);
  picture("test/z/1.png");
  EXPECT_USER_ERROR(with_classes(open_image_folder(root, "test"), names, root, "data.root", "test"),
                    root + ": data.root: test has classes that the training split lacks: z");
}

TEST_F(Pictures, LinkedFoldersAreReadAndLinksInCirclesAreNot) {
  for (const char* name : {"train/cat/0.png", "train/dog/0.png", "store/1.png", "store/deep/2.png"}) picture(name);
  fs::create_directories(folder_ / "train/fish");
  fs::create_directory_symlink("../../store", folder_ / "train/dog/more");
  fs::create_directory_symlink("../../store", folder_ / "train/fish/a");
  fs::create_directory_symlink(".", folder_ / "train/cat/me");
  fs::create_directory_symlink("../cat", folder_ / "train/cat/again");
  fs::create_symlink("nowhere.png", folder_ / "train/cat/lost.png");
  fs::create_directory_symlink("../store", folder_ / "train/linked class");
  const auto [counts, said] = opened();
  EXPECT_EQ(counts, (std::vector<int64_t>{1, 3, 2, 2}));
  EXPECT_TRUE(testing::contains(said, "3 files are passed over")) << said;
  EXPECT_TRUE(testing::contains(said, "cat/again, cat/lost.png, cat/me")) << said;
}

}  // namespace
}  // namespace freeatm::data
