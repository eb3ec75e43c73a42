// SPDX-License-Identifier: Apache-2.0
// A frozen vision-language model, and what judges it: pictures with captions, or with names.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "freeatm/config/fields.h"
#include "freeatm/data/batch.h"
#include "freeatm/data/dataset.h"
#include "freeatm/evaluation/examples.h"
#include "freeatm/evaluation/metrics.h"
#include "freeatm/evaluation/splits.h"
#include "freeatm/models/image_normalize.h"
#include "freeatm/models/vision_language.h"
#include "freeatm/text/tokenizer.h"
#include "freeatm/vision/transforms.h"

namespace freeatm::evaluation {

/// How the model sees pictures.
struct PairInputOptions {
  std::optional<int64_t> image_size;  // none: the model's own
  // "whole": squeezed into a square; "centre": the square in the middle, as CLIP's; "auto": the task's, or the model's
  std::string crop = "auto";
  int64_t batch_size = 64;
  void fields(config::Fields& f);
};

/// Texts as rows, and their tokens as the last text layer gives them.
struct EncodedTexts {
  at::Tensor mask;    // [B, N] bool
  at::Tensor tokens;  // [B, N, dim]
  at::Tensor embedding;
  std::vector<text::Encoding> encodings;  // without start and end
};

/// Many texts, each encoded once however often it stands there.
class TextBank {
 public:
  at::Tensor embeddings;  // [texts, dimensions], on the model's device

  /// Texts as rows again, where their tokens were kept.
  struct Rows {
    at::Tensor tokens, mask;  // [B, N, dim], [B, N]
  };
  Rows rows(const std::vector<int64_t>& texts) const;

 private:
  friend class FrozenPair;
  ///   order: of the different ones, as they were encoded; rows: [different ones, dimensions]
  void keep(const std::vector<int64_t>& order, const at::Tensor& rows);
  ///   lengths: [different ones]; rows: [their sum, dim]
  void keep_tokens(const std::vector<int64_t>& order, const at::Tensor& lengths, const at::Tensor& rows);
  std::vector<int64_t> number_of_;  // [texts]: which of the different ones
  std::vector<at::Tensor> tokens_;  // [different ones]: [n, dim], rows of one tensor
};

/// A model that is looked at and not trained, with its tokenizer. Everything it gives is fp32, without gradients where
/// nothing else is said. Throws UserError(name, ...) where embeddings are not finite.
class FrozenPair {
 public:
  ///   name: of the checkpoint, for messages
  FrozenPair(models::VisionLanguageModel model, std::shared_ptr<const text::Tokenizer> tokenizer, at::Device device,
             const PairInputOptions& input, std::string name);

  /// Bytes [side, side, 3] of a picture, from any thread.
  at::Tensor picture(const vision::Image& image) const;
  /// pictures: bytes [B, side, side, 3].
  models::VisionLanguageModelImpl::Images images(const at::Tensor& pictures);
  EncodedTexts texts(const std::vector<std::string>& texts);
  /// In batches of about equal lengths, with progress. Several runtime::ranks() encode a part each, and all have the
  /// whole: all must ask for the same.
  ///   keep_tokens: for the fusion layers
  TextBank text_bank(const std::vector<std::string>& texts, bool keep_tokens, const std::string& label);
  /// How well pairs match, by the fusion layers: [B], the logit of "they match" less that of "they do not".
  at::Tensor itm(const at::Tensor& text_tokens, const at::Tensor& mask, const models::FusionPictures& pictures);

  bool fuses() const { return model_->fuses(); }
  bool sees_whole() const { return input_.crop == "whole"; }
  models::VisionLanguageModelImpl& model() { return *model_; }
  at::Device device() const { return device_; }
  int64_t side() const { return *input_.image_size; }
  int64_t batch_size() const { return input_.batch_size; }

 private:
  models::VisionLanguageModel model_;
  std::shared_ptr<const text::Tokenizer> tokenizer_;
  models::ImageNormalize normalized_;
  at::Device device_;
  PairInputOptions input_;
  std::string name_;
};

/// Calls `use` for batches of the dataset, in order, or of `limit` pictures spread evenly over it: "image", "index" (of
/// those pictures), the samples without their pixels, and what the model says of them. With progress. Several
/// runtime::ranks() see a part each.
using UseImages = std::function<void(const data::Batch& batch, const models::VisionLanguageModelImpl::Images& images)>;
void for_each_images(FrozenPair& pair, const data::Dataset& pictures, std::optional<int64_t> limit,
                     const std::string& label, const UseImages& use);

struct PairData {
  std::string root, layout = "auto";
  std::vector<std::string> eval_splits = {"test", "background", "look", "drawing", "shifted"};
  std::optional<int64_t> limit;
  void fields(config::Fields& f);

  /// Those of the splits that are there; of a dataset without splits (shards) the whole, under no name.
  std::vector<Split> open() const;
};

/// One way to judge: retrieval, class names, where phrases are, relations.
class PairTask {
 public:
  virtual ~PairTask() = default;
  virtual void fields(config::Fields& f) = 0;  // its own keys: a group
  /// How the pictures are seen unless the user says otherwise; "": as the model was trained.
  virtual std::string crop() const { return ""; }
  /// Of several runtime::ranks() each sees a part, and the first has the result. Throws UserError where the split has
  /// not what is judged.
  ///   label: what progress lines begin with; examples: where some go, if any are wanted
  virtual Metrics measure(FrozenPair& pair, const data::Dataset& pictures, std::optional<int64_t> limit,
                          const std::string& label, Examples* examples) const = 0;
};

std::unique_ptr<PairTask> retrieval_task();
std::unique_ptr<PairTask> zero_shot_task();
std::unique_ptr<PairTask> pointing_task();
std::unique_ptr<PairTask> relations_task();

}  // namespace freeatm::evaluation
