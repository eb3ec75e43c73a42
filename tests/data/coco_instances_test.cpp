// SPDX-License-Identifier: Apache-2.0
// Samples: scripts/detection_samples.py, with pycocotools' masks of them.
#include "coco_instances.h"

#include <chrono>

#include <nlohmann/json.hpp>

#include "freeatm/data/detection.h"

#include "testing.h"

namespace freeatm::data {
namespace {

using CocoJson = nlohmann::json;

const std::string kCocoSample = "data/detection/coco";

std::string warnings_of(const std::function<void()>& use) {
  ::testing::internal::CaptureStderr();
  use();
  return ::testing::internal::GetCapturedStderr();
}

TEST(CocoSample, HasPycocotoolsMasks) {
  const auto dataset = open_coco(testing::test_file(kCocoSample), "val2017");
  CocoJson expected = CocoJson::parse(read_file(testing::test_file(kCocoSample + "/expected.json")));
  RandomStream none(0, "none");
  ASSERT_EQ(dataset->size(), 7);
  for (int64_t i = 0; i < dataset->size(); ++i) {
    for (const Object& object : dataset->get(i, none).objects) {
      const auto known = expected.find(std::to_string(object.id));
      ASSERT_EQ(object.mask.has_value(), known != expected.end()) << object.id;
      if (!object.mask) continue;
      EXPECT_EQ(object.mask->counts(), *known) << object.id;
      expected.erase(known);
    }
  }
  EXPECT_TRUE(expected.empty()) << expected.dump();
}

TEST(CocoSample, KeepsTheFilesNumbersAndOddObjects) {
  std::unique_ptr<Dataset> dataset;
  const std::string said = warnings_of([&] { dataset = open_coco(testing::test_file(kCocoSample), "val2017"); });
  EXPECT_TRUE(testing::contains(
      said,
      "instances_val2017.json: 1 objects without a polygon of three points are left out, 2 polygons of fewer than "
      "three "
      "points are left out, 1 boxes without area are not trained on, 1 boxes outside of their picture are not trained "
      "on, 1 crowds are not trained on"))
      << said;
  EXPECT_EQ(dataset->class_ids(), (std::vector<int64_t>{1, 18, 90}));
  RandomStream none(0, "none");
  const Sample first = dataset->get(0, none), odd = dataset->get(1, none);
  EXPECT_EQ(first.id, 9);
  EXPECT_EQ(training_objects(first).size(), 2u) << "the crowd trains nothing";
  std::vector<int64_t> ids;
  for (const Object& object : odd.objects) ids.push_back(object.id);
  EXPECT_EQ(ids, (std::vector<int64_t>{7, 9, 10, 11, 12})) << "8 had no part left; evaluation wants 9 and 12";
  EXPECT_EQ(odd.objects[0].mask->area(), 1) << "the first part alone";
  EXPECT_FALSE(odd.objects[1].mask);
  const auto training = training_objects(odd);
  ASSERT_EQ(training.size(), 3u);
  EXPECT_EQ(training[1].id, 10);
  EXPECT_EQ(training[2].box, (vision::Box{35, 25, 5, 5})) << "cut to the picture";
  EXPECT_EQ(odd.objects[3].box, (vision::Box{35, 25, 10, 10})) << "as its file has it";
  EXPECT_TRUE(dataset->get(6, none).objects.empty());
}

TEST(CocoSample, ReadsEveryKindOfPicture) {
  std::vector<std::pair<int, int>> sizes;
  const std::string said = warnings_of([&] {
    const auto dataset = open_coco(testing::test_file(kCocoSample), "val2017");
    RandomStream none(0, "none");
    for (int64_t i = 0; i < dataset->size(); ++i) {
      const vision::Image image = dataset->get(i, none).image;
      sizes.emplace_back(image.width, image.height);
      EXPECT_EQ(dataset->picture_size(i), (PictureSize{image.height, image.width}));
    }
  });
  const std::pair lying(40, 30), standing(30, 40);
  EXPECT_EQ(sizes, (std::vector<std::pair<int, int>>{lying, lying, lying, lying, standing, lying, lying}));
  EXPECT_TRUE(testing::contains(said, "000000000072.jpg: is taken as it is stored")) << said;
  EXPECT_FALSE(testing::contains(said, "000000000071.jpg")) << said;
  const auto bad = open_coco(testing::test_file(kCocoSample), "bad2017");
  RandomStream none(0, "none");
  EXPECT_NO_THROW(bad->get(0, none));
  EXPECT_USER_ERROR(bad->get(1, none), "000000000025.jpg: is a broken JPEG");
  EXPECT_USER_ERROR(bad->get(2, none), "000000000999.jpg: no such file");
}

class InstancesFile : public ::testing::Test {
 protected:
  void SetUp() override {
    const CocoJson all =
        CocoJson::parse(read_file(testing::test_file(kCocoSample + "/annotations/instances_val2017.json")));
    for (const char* key : {"images", "annotations", "categories"}) lists_[key] = all.at(key);
  }
  CocoInstances read(const std::string& text) const {
    write_file(path_, text);
    return read_again();
  }
  CocoInstances read_again() const {
    CocoInstances known;
    warnings_of([&] { known = read_coco_instances(path_); });
    return known;
  }
  std::string text(const std::vector<std::string>& order = {"images", "annotations", "categories"}) const {
    std::string all;
    for (const std::string& key : order) all += (all.empty() ? "{\"" : ", \"") + key + "\": " + lists_.at(key).dump();
    return all + "}";
  }
  CocoJson& annotation() { return lists_["annotations"][0]; }

  /// Large enough for an index, and written an hour ago.
  void write_large(const std::string& name) {
    lists_["categories"][0]["name"] = name;
    write_file(path_, text() + std::string(17 << 20, ' '));
    set_hours_ago(1);
  }
  void set_hours_ago(int hours) const {
    fs::last_write_time(path_, fs::file_time_type::clock::now() - std::chrono::hours(hours));
  }
  fs::path index() const { return path_.string() + ".index"; }

  testing::TemporaryFolder folder_;
  fs::path path_ = folder_ / "instances.json";
  std::map<std::string, CocoJson> lists_;
};

void expect_same(const CocoInstances& a, const CocoInstances& b, bool with_places = true) {
  EXPECT_EQ(a.categories, b.categories);
  EXPECT_EQ(a.category_ids, b.category_ids);
  EXPECT_EQ(a.first_instances, b.first_instances);
  EXPECT_EQ(a.counts.untrained, b.counts.untrained);
  ASSERT_EQ(a.images.size(), b.images.size());
  for (size_t i = 0; i < a.images.size(); ++i) EXPECT_EQ(a.images[i].file_name, b.images[i].file_name);
  ASSERT_EQ(a.instances.size(), b.instances.size());
  for (size_t i = 0; i < a.instances.size(); ++i) {
    const CocoInstance &one = a.instances[i], &other = b.instances[i];
    EXPECT_EQ(std::tuple(one.id, one.image, one.category, one.box, one.area, one.size, one.flags),
              std::tuple(other.id, other.image, other.category, other.box, other.area, other.size, other.flags));
    EXPECT_TRUE(!with_places || one.offset == other.offset) << i;
  }
}

TEST_F(InstancesFile, ReadsTheListsInAnyOrder) {
  const CocoInstances known = read(text());
  EXPECT_EQ(known.instances.size(), 13u);
  EXPECT_EQ(known.first_instances, (std::vector<int64_t>{0, 3, 9, 10, 11, 12, 13, 13}));
  expect_same(known, read(text({"categories", "annotations", "images"})), false);
  expect_same(known, read("\xEF\xBB\xBF \n" + text({"annotations", "images", "categories"}) + "\n"), false);
}

TEST_F(InstancesFile, ReadsNumbersAsOthersWriteThem) {
  annotation()["id"] = 42.0;
  annotation()["iscrowd"] = true;
  annotation()["bbox"] = {1e1, -0.5, 2, 3.25e-1};
  annotation()["attributes"] = {{"occluded", false}, {"deep", {1, {{"x", nullptr}}}}, {"text", "a \"[{\\ \u00fc"}};
  annotation().erase("area");
  const CocoInstance first = read(text()).instances[0];
  EXPECT_EQ(first.id, 42);
  EXPECT_EQ(first.box, (vision::Box{10, -0.5, 2, 0.325}));
  EXPECT_TRUE(first.has(CocoInstance::kIsCrowd));
  EXPECT_FALSE(first.has(CocoInstance::kHasArea));
}

TEST_F(InstancesFile, RefusesWhatIsNoAnnotationFile) {
  const auto refuses = [&](const std::string& broken, const std::string& message) {
    write_file(path_, broken);
    EXPECT_USER_ERROR(read_coco_instances(path_), message);
  };
  for (const char* broken : {"[]", "{", "{}", "{\"images\": 3}", "{\"images\": [}", "{\"images\": [{\"id\": 07}]}"})
    refuses(broken, "instances.json: data.root: is no whole COCO annotation file");
  refuses("", "instances.json: data.root: is empty");
  const std::string whole = text();
  for (size_t cut = 1; cut < whole.size(); cut += 7) refuses(whole.substr(0, cut), "is no whole COCO annotation file");
  refuses(whole + "}", "where the end is wanted");
  refuses("{\"x\": " + std::string(200, '[') + std::string(200, ']') + "}", "nested more than 100 deep");
  refuses("{\"x\": [1,,2], " + whole.substr(1), "is no whole COCO annotation file");
  refuses("{\"images\": [], " + whole.substr(1), "instances.json: images: stands twice in the file");
  annotation()["segmentation"] = {1, 1, 5, 1, 5, 4};
  refuses(text(), "segmentation: annotation 101: is a flat list of numbers");
  annotation()["segmentation"] = CocoJson::array();
  annotation()["id"] = "101";
  refuses(text(), "where a number is wanted");
  annotation()["id"] = 1.5;
  refuses(text(), "where a whole number is wanted");
  annotation()["id"] = 7;
  refuses(text(), "instances.json: annotations: two of them have the id 7");
  annotation()["id"] = 1, annotation()["image_id"] = 8;
  refuses(text(), "instances.json: image_id: 8 is the id of no image");
  annotation()["image_id"] = 9, annotation()["category_id"] = 2;
  refuses(text(), "instances.json: category_id: 2 is the id of no category");
}

TEST_F(InstancesFile, OfManyMegabytesIsRememberedInAnIndex) {
  write_large("cat");
  const CocoInstances known = read_again();
  ASSERT_TRUE(fs::exists(index()));
  const auto written = fs::last_write_time(index());
  expect_same(known, read_again());
  EXPECT_EQ(fs::last_write_time(index()), written) << "it was read";
  write_large("dog");  // as long, and of the same hour: its time differs by less than a second
  EXPECT_EQ(read_again().categories[0], "dog");
  fs::last_write_time(path_, fs::file_time_type(std::chrono::seconds(1'600'000'000)));
  (void)read_again();
  lists_["categories"][0]["name"] = "cow";
  write_file(path_, text() + std::string(17 << 20, ' '));
  fs::last_write_time(path_, fs::file_time_type(std::chrono::seconds(1'600'000'000)));
  EXPECT_EQ(read_again().categories[0], "cow") << "size and time are the same, the content is not";
}

TEST_F(InstancesFile, DoesWithoutAnIndexThatIsDamagedOrCannotBeWritten) {
  write_large("cat");
  (void)read_again();
  const std::string whole = read_file(index());
  for (const size_t at : {size_t{3}, size_t{12}, size_t{40}, whole.size() / 2, whole.size() - 1}) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    write_file(index(), damaged);
    EXPECT_EQ(read_again().instances.size(), 13u);
    EXPECT_EQ(read_file(index()), whole) << "written anew";
  }
  fs::remove(index());
  fs::create_directory(index());
  EXPECT_EQ(read_again().instances.size(), 13u);
  EXPECT_TRUE(fs::is_directory(index()));
}

TEST_F(InstancesFile, OfFewBytesOrOfThisMomentHasNoIndex) {
  (void)read(text());
  set_hours_ago(1);
  (void)read_again();
  EXPECT_FALSE(fs::exists(index()));
  (void)read(text() + std::string(17 << 20, ' '));
  EXPECT_FALSE(fs::exists(index())) << "it may be written again with the same time";
}

}  // namespace
}  // namespace freeatm::data
