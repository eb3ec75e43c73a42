// SPDX-License-Identifier: Apache-2.0
#include "freeatm/evaluation/mask_pairs.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include <ATen/ATen.h>

namespace freeatm::evaluation {
namespace {

// A square in the middle of the picture with the area of the mask.
vision::Rle centred_square(const vision::Rle& mask) {
  const auto side = static_cast<int64_t>(std::round(std::sqrt(static_cast<double>(mask.area()))));
  const int64_t rows = std::min<int64_t>(side, mask.height), columns = std::min<int64_t>(side, mask.width);
  at::Tensor square = at::zeros({mask.height, mask.width}, at::kByte);
  square.narrow(0, (mask.height - rows) / 2, rows).narrow(1, (mask.width - columns) / 2, columns).fill_(1);
  return vision::Rle::encode(square.const_data_ptr<uint8_t>(), mask.height, mask.width);
}

/// The things of each picture.
std::map<int64_t, std::vector<const MaskPair*>> by_picture(const std::vector<MaskPair>& pairs) {
  std::map<int64_t, std::vector<const MaskPair*>> pictures;
  for (const MaskPair& pair : pairs) pictures[pair.picture].push_back(&pair);
  return pictures;
}

}  // namespace

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return values.empty() ? 0 : sum / static_cast<double>(values.size());
}

void MaskPair::bytes(StateBytes& b) {
  b(name), b(picture), b(iou);
  for (vision::Rle* mask : {&truth, &found}) b(mask->height), b(mask->width), b(mask->runs);
}

Metrics agreement(const std::vector<MaskPair>& pairs) {
  const int64_t count = std::ssize(pairs);
  std::vector<double> each, found, shuffled, permuted, squares;
  for (int64_t i = 0; i < count; ++i) {
    each.push_back(pairs[i].iou);
    found.push_back(each.back() > 0.5 ? 1 : 0);
    // half the set further on: another picture's
    shuffled.push_back(vision::iou(pairs[(i + count - std::max<int64_t>(1, count / 2)) % count].found, pairs[i].truth));
    squares.push_back(vision::iou(centred_square(pairs[i].truth), pairs[i].truth));
  }
  for (const auto& [picture, things] : by_picture(pairs)) {
    const size_t n = things.size();
    for (size_t k = 0; n > 1 && k < n; ++k)
      permuted.push_back(vision::iou(things[(k + 1) % n]->found, things[k]->truth));
  }
  return {{"mean_iou", mean(each)},
          {"recall", mean(found)},
          {"shuffled_iou", mean(shuffled)},
          {"permuted_iou", mean(permuted)},
          {"centred_square_iou", mean(squares)}};
}

Metrics agreement_by_kind(const std::vector<MaskPair>& pairs) {
  std::set<std::string> names;
  for (const MaskPair& pair : pairs) names.insert(pair.name);
  std::map<int64_t, std::vector<double>> by_things;
  std::map<std::string, std::vector<double>> by_name;
  for (const auto& [picture, things] : by_picture(pairs)) {
    for (const MaskPair* pair : things) {
      by_things[std::ssize(things)].push_back(pair->iou);
      // 'dogs' beside 'dog' are the same name.
      std::string name = pair->name;
      if (name.ends_with('s') && names.contains(name.substr(0, name.size() - 1))) name.pop_back();
      by_name[name].push_back(pair->iou);
    }
  }
  Metrics metrics;
  for (const auto& [things, values] : by_things)
    metrics.push_back({"iou_by_things", mean(values), std::to_string(things)});
  for (const auto& [name, values] : by_name) metrics.push_back({"iou_by_class", mean(values), name});
  return metrics;
}

}  // namespace freeatm::evaluation
