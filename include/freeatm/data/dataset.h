// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "freeatm/config/fields.h"
#include "freeatm/core/random.h"
#include "freeatm/data/filter.h"
#include "freeatm/data/sample.h"

namespace freeatm::data {

/// In pixels.
struct PictureSize {
  int64_t height = 0, width = 0;
  bool operator==(const PictureSize&) const = default;
};

/// Samples by index, from any thread. Datasets compose by wrapping.
class Dataset {
 public:
  virtual ~Dataset() = default;
  virtual int64_t size() const = 0;
  /// The stream is for wrappers that draw (another sample's masks, a mixture); plain datasets leave it alone.
  virtual Sample get(int64_t index, RandomStream& random) const = 0;
  /// Of get(index); without its picture being read, where a dataset can tell.
  virtual std::string key(int64_t index) const;
  /// The labels' names; empty where samples have no label.
  virtual std::vector<std::string> class_names() const { return {}; }
  /// The classes' ids in the dataset's own files, in the order of class_names(): COCO's have gaps. 0, 1, 2, ... where
  /// its files number none.
  virtual std::vector<int64_t> class_ids() const;
  /// Whether a sample has any number of labels (Sample::labels) instead of exactly one.
  virtual bool is_multi_label() const { return false; }
  /// Whether a caption comes with the sample, without its picture being read; true also where only reading would tell.
  virtual bool has_caption(int64_t /*index*/) const { return true; }
  /// A picture's size without its being read, where the annotations say it; nothing else.
  virtual std::optional<PictureSize> picture_size(int64_t /*index*/) const { return std::nullopt; }
  /// Samples of each file that holds many, in the order of their indices; one part where files hold one each.
  virtual std::vector<int64_t> shard_sizes() const { return {size()}; }
};

struct DatasetOptions {
  std::string root;  // data.root
  // shards: *.tar; coco: annotations/captions_<split>.json; voc: ImageSets/Main/<split>.txt; imagefolder:
  // <split>/<class>/*.png; captions: *.png with *.txt; karpathy: dataset*.json, or Flickr30k's own files; pictures:
  // *.png alone, in <split>/ where there is one; classes: <class>/*.png, a training split alone. With label maps, named
  // or found where they are wanted (segmentation.h): voc_segmentation: ImageSets/Segmentation/<split>.txt; ade20k;
  // cityscapes; label_pngs: images/<split>/ and annotations/<split>/*.png
  std::string layout = "auto";
  std::string split = "train";        // a folder's or a list's name; shards and captions have none
  bool label_maps = false;            // whether samples must have them; no key: the task knows
  double cache_gb = 0;                // decoded samples are kept until they take so much
  FilterOptions filter;               // of root
  std::vector<std::string> mix_with;  // further roots, of any layout
  std::vector<double> weights;        // of root and of each of mix_with; none: 1 each
  std::string weigh = "epochs";       // what weights are: "epochs" | "shares"
  void fields(config::Fields& f);
  /// The same, whole, without what it is mixed with.
  DatasetOptions root_alone() const;
};

/// The dataset at `root`; "auto" tells the layout by what lies there. Throws UserError where nothing fits. With
/// label_maps "auto" looks first for the layouts that have a PNG of classes for each picture, whose numbers are then
/// the class_ids(), and objects with masks become maps (with_label_maps); samples without classes, a harvest's, are
/// given as they are, and other datasets are refused.
std::unique_ptr<Dataset> open_dataset(const DatasetOptions& options);
/// Whether what lies at `root` has that split, cheaply; false for layouts without splits. For who judges "those of
/// these splits that are there".
bool has_split(const DatasetOptions& options);

std::unique_ptr<Dataset> open_shards(const std::string& root);
std::unique_ptr<Dataset> open_coco(const std::string& root, const std::string& split);
/// Pascal VOC: `root` is a year's folder, VOCdevkit/ with VOC2007/ and VOC2012/, or what holds VOCdevkit/. Boxes count
/// from 0, `part`s are no objects, a file of ImageSets/Main/ is a split.
///   split: "trainval": of all years that have it; "07_trainval": of one; "07_trainval+12_trainval"
/// Classes are VOC's twenty where all names are theirs, else the names that are there, sorted.
std::unique_ptr<Dataset> open_voc(const std::string& root, const std::string& split);
///   key: what names the root in the config, for messages
std::unique_ptr<Dataset> open_image_folder(const std::string& root, const std::string& split,
                                           const std::string& key = "data.root");
/// What image-text retrieval is trained and judged on: one `dataset*.json` as Karpathy made them of COCO, Flickr30k and
/// Flickr8k; without one Flickr30k's `results_20130124.token`, or Kaggle's `results.csv` of the same sentences. They
/// lie in `root` or its annotations/, karpathy/ or caption_datasets/.
///   split: of a json one that it has, where "train" takes `restval` in (COCO: 113,287 pictures), or "all". The other
///     two know no splits and are read as "all" alone: a default must not train on what is tested later
/// Order and captions are the file's; a key is a picture's path without its ending. Throws UserError where a picture of
/// the split is not on disk.
std::unique_ptr<Dataset> open_karpathy(const std::string& root, const std::string& split);

/// Pictures at any depth and nothing known of them, in byte order of their paths.
std::unique_ptr<Dataset> open_unlabelled_folder(const std::string& root);

/// The dataset with these classes, of which it may lack some: its labels count among them. Throws UserError(where, key,
/// ...) with those of its classes that are not among them.
///   split: what the dataset is called
std::unique_ptr<Dataset> with_classes(std::unique_ptr<Dataset> dataset, const std::vector<std::string>& names,
                                      const std::string& where, const std::string& key, const std::string& split);

/// Pictures at any depth, each with its caption in a .txt of the same name, in byte order of their paths. Throws
/// UserError where a picture has no .txt, or a .txt no picture.
std::unique_ptr<Dataset> open_caption_folder(const std::string& root);

}  // namespace freeatm::data
