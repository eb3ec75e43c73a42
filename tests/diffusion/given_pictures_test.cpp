// SPDX-License-Identifier: Apache-2.0
// Pictures that exist, of which some have no caption.
#include <gtest/gtest.h>

#include "freeatm/diffusion/harvest.h"

#include "hash_folder.h"

namespace freeatm::diffusion {
namespace {

class SomeCaptioned final : public data::Dataset {
 public:
  explicit SomeCaptioned(std::vector<const char*> captions) : captions_(std::move(captions)) {}
  int64_t size() const override { return std::ssize(captions_); }
  bool has_caption(int64_t index) const override { return captions_[static_cast<size_t>(index)] != nullptr; }
  data::Sample get(int64_t index, RandomStream&) const override {
    data::Sample sample;
    sample.key = format("picture {}", index);
    sample.image = vision::Image(32, 32);
    if (has_caption(index)) sample.captions = {{.text = captions_[static_cast<size_t>(index)]}};
    return sample;
  }

 private:
  std::vector<const char*> captions_;
};

TEST(GivenPictures, WithoutCaptionsArePassedOverAndCounted) {
  const testing::HashFolder folder("sd1_like");
  const Pipeline pipeline = Pipeline::load(folder.path(), at::kCPU, at::kFloat);
  const text::PhraseFinder phrases({}, /*nouns=*/true);
  const SomeCaptioned pictures({nullptr, "a dog", nullptr, "a cat", "two cats"});
  HarvestRunOptions options{.count = std::nullopt, .batch_size = 2};
  ::testing::internal::CaptureStderr();
  const auto all = given_pictures(pipeline, pictures, phrases, options);
  const std::string said = ::testing::internal::GetCapturedStderr();
  EXPECT_TRUE(testing::contains(said, "2 pictures have no caption and are passed over, first picture 0")) << said;
  ASSERT_EQ(all->size(), 3);
  std::vector<std::string> sources;
  for (int64_t begin = 0; begin < 3; begin += 2) {
    for (const Harvested& one : all->harvest(begin, std::min<int64_t>(begin + 2, 3)))
      sources.push_back(one.sample.key + " " + one.provenance.source + " " + one.sample.caption());
  }
  EXPECT_EQ(sources, (std::vector<std::string>{"000000000 picture 1 a dog", "000000001 picture 3 a cat",
                                               "000000002 picture 4 two cats"}));
  options.count = 2;
  EXPECT_EQ(given_pictures(pipeline, pictures, phrases, options)->size(), 2);
  const SomeCaptioned mute({nullptr, nullptr});
  EXPECT_USER_ERROR(given_pictures(pipeline, mute, phrases, options), "picture 0: data.root: no picture has a caption");
}

}  // namespace
}  // namespace freeatm::diffusion
