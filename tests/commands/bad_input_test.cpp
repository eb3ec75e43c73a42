// SPDX-License-Identifier: Apache-2.0
// Captions, models, data and folders that are wrong, through the program itself. Configs: bad_config_test.cpp; more of
// models and shards: bad_harvest_slow_test.cpp.
#include "freeatm/vision/image.h"
#include "freeatm/vision/label_map.h"

#include "program.h"

namespace freeatm {
namespace {

using testing::source_file;

class BadInput : public testing::Refusals {
 protected:
  void SetUp() override {
    write_file(in_ / "empty.txt", "");
    write_file(in_ / "binary.txt", std::string("a dog\n\x00\xff\xfe", 9));
    write_file(in_ / "captions.txt", "a photo of a dog\n");
    write_file(in_ / "file", "");
    fs::create_directories(in_ / "nothing");
    const fs::path model = source_file("models/emoji"), unet = "unet/diffusion_pytorch_model.safetensors";
    testing::link_folder(model, in_ / "cut");
    testing::replace_file(in_ / "cut" / unet, read_file(model / unet).substr(0, 5000));
    testing::link_folder(model, in_ / "no_vae");
    fs::remove_all(in_ / "no_vae" / "vae");
    fs::create_directories(in_ / "shards");
    write_file(in_ / "shards" / "shard-000000.tar", std::string(700, 'x'));
    fs::create_directories(in_ / "pictures" / "train" / "dog");
    write_file(in_ / "pictures" / "train" / "dog" / "1.png", "\x89PNG\r\n\x1a\n, and no more");
  }
};

TEST_F(BadInput, CaptionsAndModels) {
  expect_refused("harvest captions=IN/none.txt out=OUT", "captions: no such file");
  expect_refused("harvest captions=IN/empty.txt out=OUT", "holds no caption");
  expect_refused("harvest captions=IN/binary.txt out=OUT", "binary.txt:2: captions: holds a control character (0)");
  expect_refused("harvest captions=IN/captions.txt diffusion.path=IN/none out=OUT",
                 "diffusion.path: no such file or folder");
  expect_refused("harvest captions=IN/captions.txt diffusion.path=IN/no_vae out=OUT", "vae: no such folder");
  expect_refused("harvest captions=IN/captions.txt diffusion.path=IN/cut out=OUT", "cut short");
}

TEST_F(BadInput, DataCheckpointsAndOutputs) {
  expect_refused("pretrain data.root=IN/none out=OUT", "data.root: no such folder");
  expect_refused("pretrain data.root=IN/nothing out=OUT", "is no dataset");
  expect_refused("pretrain data.root=IN/shards out=OUT", "shard-000000.tar: data.root:");
  expect_refused("evaluate task=knn checkpoint=IN/nothing data.root=IN/pictures out=OUT", "is no run folder");
  expect_refused("evaluate task=masks data.root=IN/nothing out=OUT", "nothing: data.root: is no dataset");
  expect_refused("view in=IN/nothing out=OUT", "holds nothing to show");
  expect_refused("world font=IN/none.ttf out=OUT", "no such file; Debian's package fonts-noto-color-emoji has it");
  expect_refused("world font=IN/file out=OUT", "font: is no font");
  expect_refused("world font=tests/data/data/colrv1.ttf out=OUT", "as vectors (COLR), without bitmaps; Debian's");
  expect_refused("world count=1 eval_count=1 out=IN/file", "is a file; a folder is wanted");
  expect_refused("harvest captions=IN/captions.txt out=IN/file/sub", "out: cannot be made");
  expect_refused("harvest captions=IN/captions.txt out=/proc/freeatm", "out: cannot be made");
  expect_refused("view in=IN/nothing out=/proc/page.html", "");
  const std::string long_name(300, 'n');
  for (const std::string& arguments :
       {"harvest captions=IN/captions.txt out=IN/" + long_name, "world count=1 eval_count=1 out=IN/" + long_name,
        "view in=IN/pictures out=IN/" + long_name + ".html", "harvest captions=IN/" + long_name + " out=OUT",
        "pretrain data.root=IN/" + long_name + " out=OUT",
        "evaluate task=knn checkpoint=IN/" + long_name + " data.root=IN out=OUT"})
    expect_refused(arguments, "");
}

TEST_F(BadInput, ResultsOfDetection) {
  write_file(in_ / "truth.json", R"({"images": [{"id": 7}], "categories": [{"id": 3, "name": "dog"}], "annotations":
    [{"id": 1, "image_id": 7, "category_id": 3, "bbox": [1, 1, 9, 9]}]})");
  write_file(in_ / "results.json", R"([{"image_id": 8, "category_id": 3, "bbox": [1, 1, 9, 9], "score": 0.5}])");
  write_file(in_ / "none.json", "[]");
  const std::string coco = "evaluate task=coco out=OUT annotations=IN/truth.json results=IN/";
  expect_refused(coco + "missing.json", "missing.json: results: no such file");
  expect_refused(coco + "file", "results: is no list of results");
  expect_refused(coco + "results.json", "results.json: image_id: result 0 (image 8) is of no image of");
  expect_refused(coco + "none.json iou=[segm]", "truth.json: segmentation: annotation 1 has none");
  expect_refused(coco + "none.json max_detections=[]", "max_detections: none is given");
  expect_refused(coco + "none.json areas=[9,1]", "areas: wants two borders that rise");
  expect_refused("evaluate task=voc annotations=IN/nothing results=IN/nothing out=OUT",
                 "test.txt: annotations: no such file");
}

TEST_F(BadInput, MapsOfClasses) {
  const auto write_map = [&](const std::string& name, int width, uint8_t label) {
    fs::create_directories((in_ / name).parent_path());
    write_file(in_ / name, vision::encode_label_png(vision::LabelMap(2, width, label)));
  };
  const std::string score = "evaluate task=segmentation truth=IN/truth predictions=IN/found out=OUT ";
  expect_refused("evaluate task=segmentation out=OUT", "checkpoint: is not given, nor is predictions");
  expect_refused("evaluate task=segmentation out=OUT predictions=IN/nothing", "truth: is not given");
  expect_refused(score + "classes=2", "found: predictions: no such folder");
  write_map("truth/a/1.png", 3, 1);
  write_map("truth/a/2.png", 3, 0);
  write_map("found/1.png", 3, 1);
  expect_refused(score + "classes=2", "found: predictions: lacks 1 of 2 pictures that the truth has, first 2");
  write_map("found/2.png", 4, 1);
  expect_refused(score + "classes=2", "found/2.png: predictions: is 4x2 pixels; its truth, ");
  write_map("found/2.png", 3, 1);
  expect_refused(score, "classes: is not given");
  expect_refused(score + "class_names=IN/none.txt", "class_names: no such file");
  expect_refused(score + "classes=1",
                 "truth/a/1.png: truth: holds the number 1, which is that of none of the 1 classes");
  expect_refused(score + "ids=coco", "ids: 'coco' is not indices, ade20k or cityscapes");
  write_file(in_ / "found/2.png", vision::encode_png(vision::Image(2, 3)).substr(0, 40));
  expect_refused(score + "classes=2", "found/2.png");
}

TEST(Completion, AsksTheProgramItself) {
  EXPECT_EQ(testing::run_program("__complete wor").text, "world\n");
  EXPECT_EQ(testing::run_program("__complete pretrain trainer.st").text, "trainer.steps=\n");
  EXPECT_EQ(testing::run_program("__complete pretrain objective.crops=m").text, "objective.crops=mask\n");
  EXPECT_EQ(testing::run_program("__complete evaluate --print").text, "--print-config\n");
  EXPECT_EQ(testing::run_program("completion fish").code, 2);
}

// A disk that is full, as far as the program can tell: no file may be longer than 1 KiB.
TEST_F(BadInput, Exports) {
  expect_refused("export checkpoint=IN/none to=timm out=OUT/m.safetensors", "none: checkpoint: no such file or folder");
  expect_refused("export checkpoint=IN/file to=jax out=OUT/m", "to: 'jax' is not timm, torchvision, huggingface");
  expect_refused("export checkpoint=models/emoji/unet to=onnx part=text out=OUT/m", "onnx has no text encoders");
  expect_refused("export checkpoint=IN/nothing to=timm out=OUT/m", "nothing: checkpoint: is no run folder");
}

TEST_F(BadInput, AFullDiskLeavesNothingHalfWritten) {
  const std::string full = "ulimit -f 2; ";
  const auto outcome = testing::run_program("world count=4 eval_count=1 threads=1 out=" + out().string(), full);
  EXPECT_EQ(outcome.code, 2) << outcome.text;
  EXPECT_NE(outcome.text.find("cannot be written"), std::string::npos) << outcome.text;
  EXPECT_FALSE(fs::exists(out())) << outcome.text;
  for (const auto& entry : fs::directory_iterator(in_.path())) {
    EXPECT_NE(entry.path().extension(), ".part") << "half of the world is left";
  }
}

}  // namespace
}  // namespace freeatm
