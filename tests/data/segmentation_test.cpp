// SPDX-License-Identifier: Apache-2.0
// Samples: scripts/segmentation_samples.py, with what NumPy and pycocotools make of them.
#include "freeatm/data/segmentation.h"

#include <nlohmann/json.hpp>

#include "freeatm/core/files.h"

#include "label_rows.h"
#include "testing.h"

namespace freeatm::data {
namespace {

/// The set's maps and labels are those of expected.json; how many there are.
size_t expect_set(const Dataset& dataset, const std::string& set) {
  const auto expected = nlohmann::json::parse(read_file(kSets + "expected.json")).at(set);
  const auto samples = label_samples(dataset);
  for (const Sample& sample : samples) {
    const Rows rows = expected.at(sample.key).get<Rows>();
    EXPECT_EQ(rows_of(sample.label_map), rows) << sample.key;
    EXPECT_EQ(sample.labels, classes_of(rows)) << sample.key;
    EXPECT_EQ(sample.image.height, sample.label_map.height) << sample.key;
    EXPECT_EQ(sample.image.width, sample.label_map.width) << sample.key;
  }
  EXPECT_TRUE(dataset.is_multi_label());
  EXPECT_FALSE(dataset.has_caption(0));
  return samples.size();
}

/// A copy of a sample, to be damaged.
class SegmentationCopy {
 public:
  explicit SegmentationCopy(const std::string& set) {
    fs::copy(kSets + set, folder_.path(), fs::copy_options::recursive);
  }
  std::string root() const { return folder_.path().string(); }
  fs::path operator/(const std::string& name) const { return folder_ / name; }
  void write_map(const std::string& name, int height, int width, uint8_t label) const {
    write_file(folder_ / name, vision::encode_label_png(vision::LabelMap(height, width, label)));
  }

 private:
  testing::TemporaryFolder folder_;
};

TEST(VocSegmentation, ReadsEveryList) {
  const std::string devkit = kSets + "VOCdevkit";
  const auto open = [&](const std::string& root, const std::string& split) {
    return open_dataset({.root = root, .split = split, .label_maps = true});
  };
  EXPECT_EQ(expect_set(*open(devkit, "train"), "voc"), 2u) << "indices, and the palette's colours";
  EXPECT_EQ(expect_set(*open(devkit + "/VOC2012", "12_trainval"), "voc"), 4u);
  EXPECT_EQ(expect_set(*open(kSets, "train+aug"), "voc"), 3u) << "the last is in SegmentationClassAug";
  const auto augmented = open(devkit, "train_aug");
  EXPECT_EQ(expect_set(*augmented, "voc"), 2u) << "two paths a line";
  EXPECT_EQ(label_samples(*augmented)[0].key, "2009_000009");
  ASSERT_EQ(augmented->class_names().size(), 21u);
  EXPECT_EQ(augmented->class_names()[0], "background");
  EXPECT_EQ(augmented->class_names()[15], "person");
  EXPECT_EQ(augmented->class_ids()[15], 15);
  EXPECT_USER_ERROR(open(devkit, "test"), "SegmentationClass/2012_000001.png: data.root: no such file");
  EXPECT_USER_ERROR(open(devkit, "train+12_train"), "the picture 2007_000032 stands twice");
  EXPECT_USER_ERROR(open(devkit, "trains"), "'trains' is no split of VOC's: ImageSets/Segmentation/");
}

TEST(VocSegmentation, WarnsOfTwoYears) {
  const SegmentationCopy copy("VOCdevkit");
  fs::create_directories(copy / "VOC2007/ImageSets/Segmentation");
  for (const char* name : {"JPEGImages", "SegmentationClass"})
    fs::copy((copy / "VOC2012") / name, (copy / "VOC2007") / name);
  write_file(copy / "VOC2007/ImageSets/Segmentation/train.txt", "2008_000002\n");
  const auto open = [&](const std::string& split) {
    return said_by([&] { (void)open_dataset({.root = copy.root(), .split = split, .label_maps = true}); });
  };
  EXPECT_TRUE(testing::contains(open("train"), "lists of several years are 'train'"));
  EXPECT_EQ(open("12_train"), "");
}

TEST(VocSegmentation, MapsSayWhetherExifsTurnCounts) {
  const std::string said = said_by([] {
    const auto dataset = open_dataset({.root = kSets + "VOCdevkit", .split = "val", .label_maps = true});
    EXPECT_EQ(expect_set(*dataset, "voc"), 2u);
    const auto samples = label_samples(*dataset);
    EXPECT_EQ(samples[0].image.height, 8) << "turned as its map is";
    EXPECT_EQ(samples[1].image.height, 6) << "as it is stored";
  });
  EXPECT_TRUE(testing::contains(said, "2008_000003.jpg: is taken as it is stored, without EXIF's turn")) << said;
}

TEST(VocSegmentation, RefusesWhatDoesNotFit) {
  const SegmentationCopy copy("VOCdevkit/VOC2012");
  const auto read_all = [&] { return label_samples(*open_dataset({.root = copy.root(), .label_maps = true})); };
  copy.write_map("SegmentationClass/2007_000033.png", 6, 8, 21);
  EXPECT_USER_ERROR(read_all(), "2007_000033.png: holds the value 21 at x = 0, y = 0, which is that of no class");
  copy.write_map("SegmentationClass/2007_000033.png", 6, 9, 0);
  EXPECT_USER_ERROR(read_all(), "2007_000033.jpg: is 8x6; the annotations say 9x6");
  fs::remove(copy / "JPEGImages/2007_000033.jpg");
  const std::string said =
      said_by([&] { EXPECT_EQ(open_dataset({.root = copy.root(), .label_maps = true})->size(), 2); });
  EXPECT_TRUE(testing::contains(said, "1 pictures are not on disk")) << said;
  fs::remove(copy / "JPEGImages/2007_000032.jpg");
  EXPECT_USER_ERROR(read_all(), "2007_000032.jpg: data.root: no such file, nor any other of 'train'");
  write_file(copy / "ImageSets/Segmentation/train.txt", "/JPEGImages/2007_000032.jpg 1\n");
  EXPECT_USER_ERROR(read_all(), "'/JPEGImages/2007_000032.jpg 1' is neither a picture's name nor two paths");
  write_file(copy / "ImageSets/Segmentation/train.txt", "/ /\n");
  EXPECT_USER_ERROR(read_all(), "data.root: ");
}

TEST(Ade20k, NumbersItsClassesFromOne) {
  std::unique_ptr<Dataset> dataset;
  const std::string root = kSets + "ADEChallengeData2016";
  const std::string said =
      said_by([&] { dataset = open_dataset({.root = root, .split = "train", .label_maps = true}); });
  EXPECT_TRUE(testing::contains(said, "1 pictures have no map of classes")) << said;
  EXPECT_TRUE(testing::contains(said, "first ADE_train_00000003")) << said;
  EXPECT_EQ(expect_set(*dataset, "ade20k_training"), 2u);
  ASSERT_EQ(dataset->class_names().size(), 150u);
  EXPECT_EQ(dataset->class_names()[1], "building") << "of 'building, edifice'";
  EXPECT_EQ(dataset->class_names()[2], "bed");
  EXPECT_EQ(dataset->class_ids()[0], 1);
  EXPECT_EQ(dataset->class_ids()[149], 150);
  EXPECT_EQ(rows_of(label_samples(*dataset)[0].label_map)[0], (std::vector<int>{255, 0, 149, 255, 255, 0, 149, 255}));
  EXPECT_EQ(expect_set(*open_dataset({.root = root, .split = "validation", .label_maps = true}), "ade20k_validation"),
            1u);
  EXPECT_TRUE(has_split({.root = root, .split = "val", .label_maps = true}));
  EXPECT_FALSE(has_split({.root = root, .split = "test", .label_maps = true}));
}

TEST(Ade20k, RefusesOtherNumbersAndNames) {
  const SegmentationCopy copy("ADEChallengeData2016");
  const auto open = [&] { return open_dataset({.root = copy.root(), .split = "val", .label_maps = true}); };
  copy.write_map("annotations/validation/ADE_val_00000001.png", 6, 8, 151);
  EXPECT_USER_ERROR(label_samples(*open()), "ADE_val_00000001.png: holds the value 151 at x = 0, y = 0");
  write_file(copy / "objectInfo150.txt", "Idx\tName\n1\twall\n3\tsky\n");
  EXPECT_USER_ERROR(open(), "objectInfo150.txt: data.root: '3 sky' is not the line of class 2");
  write_file(copy / "objectInfo150.txt", "Idx\tName\n1\twall\n");
  EXPECT_USER_ERROR(open(), "names 1 classes; ADE20K's 150 are wanted");
  fs::remove(copy / "objectInfo150.txt");
  EXPECT_EQ(open()->class_names()[149], "150");
  fs::remove(copy / "annotations/validation/ADE_val_00000001.png");
  EXPECT_USER_ERROR(open(), "images/validation: data.root: holds no picture * that has its *.png in");
}

TEST(Ade20k, IsNotWhereClassesAreNamed) {
  const SegmentationCopy copy("ADEChallengeData2016");
  write_file(copy / "classes.txt", "sky\n");
  const DatasetOptions options{.root = copy.root(), .split = "validation", .label_maps = true};
  EXPECT_EQ(open_dataset(options)->class_names(), (std::vector<std::string>{"sky"}));
}

TEST(Cityscapes, LabelIdsBecomeTrainIdsAndBack) {
  const std::string root = kSets + "cityscapes";
  const auto train = open_dataset({.root = root, .label_maps = true});
  EXPECT_EQ(expect_set(*train, "cityscapes_train"), 1u);
  const auto samples = label_samples(*train);
  EXPECT_EQ(samples[0].key, "aachen/aachen_000000_000019");
  EXPECT_EQ(std::vector<int>(samples[0].label_map.labels.begin(), samples[0].label_map.labels.begin() + 10),
            (std::vector<int>{0, 2, 5, 10, 13, 255, 255, 16, 18, 255}));
  EXPECT_EQ(train->class_ids(),
            (std::vector<int64_t>{7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33}));
  EXPECT_EQ(train->class_names()[18], "bicycle");
  const std::string said = said_by([&] {
    EXPECT_EQ(expect_set(*open_dataset({.root = root, .split = "val", .label_maps = true}), "cityscapes_val"), 2u);
  });
  EXPECT_TRUE(
      testing::contains(said, "munster_000000_000019_gtFine_labelIds.png: holds the value 34, which is unknown"))
      << said;
  EXPECT_EQ(std::ranges::count(said, '\n'), 1) << said;
}

TEST(LabelPngFolders, HaveTheirClassesInAFile) {
  const auto stuff = open_dataset({.root = kSets + "coco_stuff", .split = "val2017", .label_maps = true});
  EXPECT_EQ(expect_set(*stuff, "coco_stuff"), 2u);
  EXPECT_EQ(stuff->class_names(), (std::vector<std::string>{"person", "bicycle", "car", "motorcycle", "airplane"}));
  EXPECT_EQ(stuff->class_ids(), (std::vector<int64_t>{0, 1, 2, 3, 4})) << "one less than in labels.txt";
  const auto plain = open_dataset({.root = kSets + "folders", .split = "val", .label_maps = true});
  EXPECT_EQ(expect_set(*plain, "folders"), 2u);
  EXPECT_EQ(plain->class_names(), (std::vector<std::string>{"background", "leaf", "stem"}));

  const SegmentationCopy copy("folders");
  const auto open_with = [&](const std::string& classes) {
    write_file(copy / "classes.txt", classes);
    return open_dataset({.root = copy.root(), .split = "val", .label_maps = true});
  };
  const auto numbered = open_with("2: stem\r\n0: soil\r\n1: leaf\r\n");
  EXPECT_EQ(numbered->class_ids(), (std::vector<int64_t>{2, 0, 1}));
  EXPECT_EQ(rows_of(label_samples(*numbered)[1].label_map)[0], (std::vector<int>{1, 2, 0, 1, 2, 0, 1, 2}));
  EXPECT_USER_ERROR(label_samples(*open_with("soil\nleaf\n")), "two.png: holds the value 2 at x = 0, y = 0");
  EXPECT_USER_ERROR(open_with("soil\n\nleaf\n"), "classes.txt:2: data.root: is no class");
  EXPECT_USER_ERROR(open_with("0: soil\nleaf\n"), "classes.txt:2: data.root: is no class");
  EXPECT_USER_ERROR(open_with("0: soil\n255: void\n"), "classes.txt:2: data.root: is no class");
  EXPECT_USER_ERROR(open_with("0: soil\n0: leaf\n"), "the name 'leaf' or the number 0 stands twice");
  EXPECT_USER_ERROR(open_with("\n"), "names no class");
  fs::remove(copy / "classes.txt");
  EXPECT_USER_ERROR(open_dataset({.root = copy.root(), .split = "val", .label_maps = true}),
                    "has neither labels.txt nor classes.txt");
  EXPECT_USER_ERROR(open_dataset({.root = copy.root(), .layout = "label_pngs", .split = "test", .label_maps = true}),
                    "images/test: data.root: no such folder");
}

TEST(SegmentationLayouts, AreFoundWhereMapsAreWanted) {
  const std::string voc = kSets + "VOCdevkit";
  EXPECT_EQ(open_dataset({.root = voc})->class_names().size(), 20u) << "for detection";
  EXPECT_EQ(open_dataset({.root = voc, .label_maps = true})->class_names().size(), 21u);
  EXPECT_EQ(open_dataset({.root = voc, .layout = "voc_segmentation"})->class_names().size(), 21u) << "by its name";
  EXPECT_FALSE(has_split({.root = voc, .split = "aug"}));
  EXPECT_TRUE(has_split({.root = voc, .split = "aug", .label_maps = true}));
  EXPECT_USER_ERROR(open_dataset({.root = voc, .layout = "voc", .label_maps = true}),
                    "has no class for each pixel, as segmentation wants: it is read as 'voc'");
  EXPECT_FALSE(has_split({.root = voc, .layout = "voc", .label_maps = true}));
  const std::string coco = testing::test_file("data/detection/coco");
  EXPECT_TRUE(has_split({.root = coco, .split = "val2017", .label_maps = true}));
  EXPECT_FALSE(has_split({.root = coco, .split = "test2017", .label_maps = true}));
  EXPECT_USER_ERROR(open_dataset({.root = testing::TemporaryFolder().path().string(), .label_maps = true}),
                    "leftImg8bit/ with gtFine/ (cityscapes)");
  const auto cached = open_dataset({.root = voc, .label_maps = true, .cache_gb = 1});
  EXPECT_EQ(expect_set(*cached, "voc"), 2u);
  EXPECT_EQ(expect_set(*cached, "voc"), 2u) << "from memory";
}

}  // namespace
}  // namespace freeatm::data
