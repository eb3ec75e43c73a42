// SPDX-License-Identifier: Apache-2.0
#include "coco_instances.h"

#include <algorithm>
#include <optional>
#include <set>
#include <sys/mman.h>
#include <type_traits>
#include <unordered_map>

#include "freeatm/core/content.h"
#include "freeatm/core/error.h"
#include "freeatm/core/random.h"

#include "index_file.h"
#include "shard_file.h"

namespace freeatm::data {
namespace {

constexpr int64_t kCocoIndex = 0x01316f636f637466;    // "ftcoco1", 1: the version
constexpr int64_t kWorthAnIndex = int64_t{16} << 20;  // bytes; smaller files are read in no time

/// Refuses an id that stands twice in one list of a file.
void require_once(std::vector<int64_t> ids, const fs::path& file, const char* list) {
  std::ranges::sort(ids);
  const auto twice = std::ranges::adjacent_find(ids);
  if (twice != ids.end()) throw UserError(file.string(), list, "two of them have the id {}", *twice);
}

class InstancesReader {
 public:
  explicit InstancesReader(const fs::path& file) : file_(file), mapped_(file), in_(mapped_.text()) {}

  CocoInstances read() {
    try {
      read_lists();
    } catch (const JsonFault& fault) {
      throw UserError(file_.string(), "data.root", "{}: {}", kBrokenCoco, fault.what());
    }
    settle();
    return std::move(out_);
  }

 private:
  void read_lists() {
    std::set<std::string> seen;
    in_.for_each_member([&](std::string_view key) {
      if (key != "images" && key != "categories" && key != "annotations") {
        in_.skip();
        return;
      }
      if (!seen.emplace(key).second) throw UserError(file_.string(), key, "stands twice in the file");
      in_.for_each_element([&] {
        if (key == "images") out_.images.push_back(take_coco_image(in_));
        if (key == "categories") take_category();
        if (key == "annotations") take_annotation();
        mapped_.release_before(in_.position());
      });
    });
    in_.take_end();
    for (const char* list : {"images", "annotations", "categories"}) {
      if (!seen.contains(list)) in_.fail(format("it has no list '{}'", list));
    }
  }

  void take_category() {
    std::optional<int64_t> id;
    std::optional<std::string> name;
    in_.for_each_member([&](std::string_view key) {
      if (key == "id") {
        id = in_.take_whole_number();
      } else if (key == "name") {
        name = in_.take_string();
      } else {
        in_.skip();
      }
    });
    if (!id || !name) in_.fail("a category without its id or name");
    out_.category_ids.push_back(*id);
    out_.categories.push_back(*std::move(name));
  }

  void take_annotation() {
    CocoInstance instance;
    std::optional<int64_t> id, image, category;
    Parts parts;
    std::vector<double> sides;
    in_.for_each_member([&](std::string_view key) {
      if (key == "id") {
        id = in_.take_whole_number();
      } else if (key == "image_id") {
        image = in_.take_whole_number();
      } else if (key == "category_id") {
        category = in_.take_whole_number();
      } else if (key == "segmentation") {
        parts = take_segmentation(instance);
      } else if (key == "bbox" && in_.peek() == '[') {
        in_.for_each_element([&] { sides.push_back(in_.take_number()); });
        instance.flags |= CocoInstance::kHasBox;
      } else if (key == "area" && in_.peek() != 'n') {
        instance.area = in_.take_number();
        instance.flags |= CocoInstance::kHasArea;
      } else if (key == "iscrowd") {
        if (take_crowd()) instance.flags |= CocoInstance::kIsCrowd;
      } else if (const std::string_view value = in_.skip(); key == "bbox" && value != "null") {
        in_.fail("a box is no list");
      }
    });
    if (!id || !image || !category) in_.fail("an annotation without its id, image_id or category_id");
    instance.id = *id, instance.image = *image, instance.category = *category;  // places are found when all is read
    if (parts.is_flat)
      throw UserError(file_.string(), "segmentation",
                      "annotation {}: is a flat list of numbers; a list of polygons is wanted, [[x, y, ...], ...]",
                      *id);
    set_box(instance, sides);
    out_.counts.polygons += parts.dropped;
    if (parts.dropped > 0 && parts.kept == 0) {
      ++out_.counts.without_polygon;
      instance.flags |= CocoInstance::kIsLeftOut;
    }
    out_.instances.push_back(instance);
  }

  void set_box(CocoInstance& instance, const std::vector<double>& sides) const {
    if (!instance.has(CocoInstance::kHasBox)) return;
    if (sides.size() != 4 || !(sides[2] >= 0 && sides[3] >= 0)) {
      std::string said;
      for (const double side : sides) said += format("{}{}", said.empty() ? "" : ",", side);
      throw UserError(file_.string(), "bbox", "annotation {}: [{}] is no [x, y, width, height]", instance.id, said);
    }
    instance.box = {sides[0], sides[1], sides[2], sides[3]};
  }

  bool take_crowd() {
    const char kind = in_.peek();
    return kind == 't' || kind == 'f' ? in_.take_bool() : in_.take_whole_number() != 0;
  }

  struct Parts {
    int64_t kept = 0, dropped = 0;  // polygons
    bool is_flat = false;
  };

  /// Its place, and what its polygons are.
  Parts take_segmentation(CocoInstance& instance) {
    const char kind = in_.peek();
    const size_t begin = in_.position();
    Parts parts;
    if (kind == '[') {
      in_.for_each_element([&] {
        if (in_.peek() != '[') {
          parts.is_flat = true;
          in_.skip();
          return;
        }
        const int64_t numbers = in_.skip_numbers();
        ++(numbers >= 6 && numbers % 2 == 0 ? parts.kept : parts.dropped);
      });
      if (parts.kept == 0) return parts;
    } else if (in_.skip() == "null") {
      return parts;
    }
    instance.offset = static_cast<int64_t>(begin);
    instance.size = static_cast<int64_t>(in_.position() - begin);
    return parts;
  }

  /// The ids of images and categories become places.
  void settle() {
    std::vector<int64_t> image_ids, annotation_ids;
    std::unordered_map<int64_t, int64_t> images, categories;
    for (const CocoImage& image : out_.images) image_ids.push_back(image.id);
    for (const CocoInstance& instance : out_.instances) annotation_ids.push_back(instance.id);
    require_once(image_ids, file_, "images");
    require_once(out_.category_ids, file_, "categories");
    require_once(std::move(annotation_ids), file_, "annotations");
    for (const int64_t id : image_ids) images.emplace(id, std::ssize(images));
    for (const int64_t id : out_.category_ids) categories.emplace(id, std::ssize(categories));
    for (CocoInstance& instance : out_.instances) {
      const auto category = categories.find(instance.category);
      if (category == categories.end())
        throw UserError(file_.string(), "category_id", "{} is the id of no category", instance.category);
      const auto image = images.find(instance.image);
      if (image == images.end())
        throw UserError(file_.string(), "image_id", "{} is the id of no image", instance.image);
      instance.category = category->second, instance.image = image->second;
      count(instance);
    }
    std::ranges::stable_sort(out_.instances, {}, &CocoInstance::image);
  }

  void count(const CocoInstance& instance) {
    if (instance.has(CocoInstance::kIsLeftOut)) return;
    const bool has_mask_alone = !instance.has(CocoInstance::kHasBox) && instance.size > 0;
    if (has_mask_alone && !instance.has(CocoInstance::kIsCrowd)) return;
    const CocoImage& image = out_.images[static_cast<size_t>(instance.image)];
    out_.counts.add(why_untrained({.box = instance.box, .is_crowd = instance.has(CocoInstance::kIsCrowd)},
                                  {image.height, image.width}));
  }

  const fs::path& file_;
  MappedText mapped_;
  JsonScanner in_;
  CocoInstances out_;
};

/// Of its content at 64 places.
int64_t digest_of(const ShardFile& file) {
  constexpr int64_t kPlaces = 64, kBytes = 4096;
  StreamHash hash;
  for (int64_t i = 0; i < kPlaces; ++i) {
    const int64_t offset = std::max<int64_t>(0, file.size() - kBytes) * i / (kPlaces - 1);
    hash.add(file.read(offset, std::min(kBytes, file.size() - offset)));
  }
  return static_cast<int64_t>(hash.value());
}

static_assert(std::is_trivially_copyable_v<CocoInstance> && sizeof(CocoInstance) == 11 * 8, "an index holds them");
static_assert(std::is_trivially_copyable_v<ObjectCounts>);

void write_coco_index(const ShardFile& file, const CocoInstances& known) {
  IndexWriter out;
  out.number(file.size());
  out.number(file.modified());
  out.number(digest_of(file));
  out.number(std::ssize(known.images));
  for (const CocoImage& image : known.images) {
    for (const int64_t number : {image.id, image.height, image.width}) out.number(number);
    out.text(image.file_name);
  }
  out.number(std::ssize(known.categories));
  for (const std::string& name : known.categories) out.text(name);
  out.values(known.category_ids);
  out.values(known.instances);
  out.values(std::vector{known.counts});
  write_index_file(file.path(), kCocoIndex, out.bytes());
}

/// Nothing where there is none, it is damaged, or the file has changed.
std::optional<CocoInstances> read_coco_index(const ShardFile& file) {
  try {
    auto in = read_index_file(file.path(), kCocoIndex);
    if (!in || in->number() != file.size() || in->number() != file.modified() || in->number() != digest_of(file))
      return std::nullopt;
    CocoInstances known;
    for (int64_t left = in->number(); left > 0; --left) {
      CocoImage& image = known.images.emplace_back();
      for (int64_t* number : {&image.id, &image.height, &image.width}) *number = in->number();
      image.file_name = in->text();
    }
    for (int64_t left = in->number(); left > 0; --left) known.categories.push_back(in->text());
    known.category_ids = in->values<int64_t>();
    known.instances = in->values<CocoInstance>();
    known.counts = in->values<ObjectCounts>().at(0);
    return known;
  } catch (const UserError&) {
    return std::nullopt;
  }
}

void find_first_instances(CocoInstances& known) {
  known.first_instances.assign(known.images.size() + 1, 0);
  for (const CocoInstance& instance : known.instances) ++known.first_instances[static_cast<size_t>(instance.image) + 1];
  for (size_t i = 1; i < known.first_instances.size(); ++i) known.first_instances[i] += known.first_instances[i - 1];
}

}  // namespace

CocoImage take_coco_image(JsonScanner& in) {
  CocoImage image;
  std::set<std::string_view> missing{"id", "file_name", "height", "width"};
  in.for_each_member([&](std::string_view key) {
    missing.erase(key);
    if (key == "id") {
      image.id = in.take_whole_number();
    } else if (key == "file_name") {
      image.file_name = in.take_string();
    } else if (key == "height") {
      image.height = in.take_whole_number();
    } else if (key == "width") {
      image.width = in.take_whole_number();
    } else {
      in.skip();
    }
  });
  if (!missing.empty()) in.fail(format("an image without '{}'", *missing.begin()));
  return image;
}

MappedText::MappedText(const fs::path& path) : MappedFile(path.string(), "data.root") {
  ::madvise(data(), size(), MADV_SEQUENTIAL);
  require_content(text().substr(0, 64), path, "data.root");
}

CocoInstances read_coco_instances(const fs::path& path) {
  const ShardFile file(path);
  const bool is_large = file.size() >= kWorthAnIndex;
  auto known = is_large ? read_coco_index(file) : std::nullopt;
  if (!known) {
    known = InstancesReader(path).read();
    if (is_large && is_settled(file.modified())) write_coco_index(file, *known);
  }
  find_first_instances(*known);
  known->counts.tell(path.string());
  return *std::move(known);
}

}  // namespace freeatm::data
