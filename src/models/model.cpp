// SPDX-License-Identifier: Apache-2.0
#include "freeatm/models/model.h"

#include "freeatm/core/error.h"
#include "freeatm/core/names.h"
#include "freeatm/models/clip_vision.h"
#include "freeatm/models/resnet.h"
#include "freeatm/models/vit.h"

namespace freeatm::models {
namespace {

/// Options have `fields`; what they do not have of the other two does not concern their model.
template <class Model, class Options>
class ArchitectureOf final : public Architecture {
 public:
  std::unique_ptr<Architecture> clone() const override { return std::make_unique<ArchitectureOf>(*this); }
  void fields(config::Fields& f) override { options_.fields(f); }
  std::shared_ptr<Backbone> make(uint64_t seed) const override {
    auto model = std::make_shared<Model>(options_);
    model->initialize(seed);
    return model;
  }
  void fit_to_pictures(int64_t side, const std::string& key) override {
    if constexpr (requires { options_.fit_to_pictures(side, key); }) options_.fit_to_pictures(side, key);
  }
  bool prepare_finetuning(const std::optional<std::string>& global_pool) override {
    constexpr bool kMatters = requires(Options & options) { options.prepare_finetuning(global_pool); };
    if constexpr (kMatters) options_.prepare_finetuning(global_pool);
    return kMatters;
  }
  bool prepare_detection(int64_t window_size, bool relative_positions) override {
    constexpr bool kMatters = requires(Options & options) {
      options.prepare_detection(window_size, relative_positions);
    };
    if constexpr (kMatters) options_.prepare_detection(window_size, relative_positions);
    return kMatters;
  }

 private:
  Options options_;
};

template <class Model, class Options>
std::unique_ptr<Architecture> architecture_of() {
  return std::make_unique<ArchitectureOf<Model, Options>>();
}

struct NamedArchitecture {
  const char* name;
  std::unique_ptr<Architecture> (*make)();
};

constexpr NamedArchitecture kArchitectures[] = {
    {"resnet", architecture_of<ResNet, ResNetOptions>},
    {"vit", architecture_of<ViT, ViTOptions>},
    {"clip_vit", architecture_of<ClipVision, ClipVisionOptions>},
};

}  // namespace

std::vector<std::string> model_names() { return names_in(kArchitectures); }

std::unique_ptr<Architecture> make_architecture(const std::string& name) {
  for (const auto& architecture : kArchitectures) {
    if (name == architecture.name) return architecture.make();
  }
  return nullptr;
}

ModelOptions::ModelOptions(const std::string& name) : name_(name), architecture_(make_architecture(name)) {
  FREEATM_CHECK(architecture_, "'{}' is no model", name);
}

ModelOptions::ModelOptions(const ModelOptions& other)
    : name_(other.name_), architecture_(other.architecture_->clone()) {}

ModelOptions& ModelOptions::operator=(const ModelOptions& other) {
  *this = ModelOptions(other);
  return *this;
}

void ModelOptions::fields(config::Fields& f) {
  std::string name = name_;
  f("name", name, "architecture", config::any_of(model_names()));
  if (f.reading() || name != name_) {  // a list of the fields, too, is that of the architecture which is named
    if (auto named = make_architecture(name)) architecture_ = std::move(named), name_ = name;
  }
  architecture_->fields(f);
}

void ModelOptions::fit_to_pictures(int64_t side, const std::string& key) { architecture_->fit_to_pictures(side, key); }

void ModelOptions::prepare_finetuning(const std::optional<std::string>& global_pool) {
  if (!architecture_->prepare_finetuning(global_pool) && global_pool)
    throw UserError("", "global_pool", "a {} has no pooling but its mean", name_);
}

void ModelOptions::prepare_detection(int64_t window_size, bool relative_positions) {
  const bool is_asked = window_size > 0 || relative_positions;
  if (!architecture_->prepare_detection(window_size, relative_positions) && is_asked)
    throw UserError("", window_size > 0 ? "objective.window_size" : "objective.relative_positions",
                    "a {} has neither windows nor relative positions; a vit has", name_);
}

}  // namespace freeatm::models
