// SPDX-License-Identifier: Apache-2.0
#include "freeatm/evaluation/knn.h"

#include <algorithm>
#include <atomic>

#include <ATen/ATen.h>

#include "freeatm/core/error.h"
#include "freeatm/core/log.h"
#include "freeatm/models/unit.h"

namespace freeatm::evaluation {

void KnnOptions::fields(config::Fields& f) {
  f("neighbours", neighbours, "k; the first gives knn_accuracy, the others stand beside it", config::at_least(1));
  f("temperature", temperature, "votes are exp(cosine / temperature)", config::more_than(0));
  if (f.reading() && neighbours.empty()) f.refuse("neighbours", "is empty");
}

KnnOptions KnnOptions::for_bank(int64_t size) const {
  KnnOptions fitting = *this;
  std::erase_if(fitting.neighbours, [&](int64_t k) { return k > size; });
  if (fitting.neighbours.empty() || fitting.neighbours.front() != neighbours.front())
    throw UserError("", "knn.neighbours", "{} is more than the {} training pictures", neighbours.front(), size);
  static std::atomic_flag has_warned;  // every weights' scores ask
  if (fitting.neighbours.size() < neighbours.size() && !has_warned.test_and_set())
    log::warning("knn.neighbours: {} are judged; the others of {} are more than the {} training pictures",
                 fitting.neighbours, neighbours, size);
  return fitting;
}

std::vector<at::Tensor> knn_predict(const at::Tensor& queries, const at::Tensor& bank, const at::Tensor& bank_labels,
                                    int64_t classes, const std::vector<int64_t>& neighbours, double temperature) {
  constexpr int64_t kQueries = 1024;  // at once: all similarities together may not fit into memory
  const at::Tensor all = models::unit(queries), columns = models::unit(bank).t();
  const int64_t most = *std::ranges::max_element(neighbours);
  std::vector<std::vector<at::Tensor>> predicted(neighbours.size());
  for (const at::Tensor& some : all.split(kQueries)) {
    const auto [similarity, nearest] = some.mm(columns).topk(most, 1);  // [q, most], the nearest first
    const at::Tensor labels = bank_labels.index({nearest});
    // Less the largest, so that no vote overflows; it changes no order.
    const at::Tensor votes = ((similarity - similarity.narrow(1, 0, 1)) / temperature).exp();
    for (size_t i = 0; i < neighbours.size(); ++i) {
      at::Tensor sums = at::zeros({some.size(0), classes}, votes.options());
      sums.scatter_add_(1, labels.narrow(1, 0, neighbours[i]), votes.narrow(1, 0, neighbours[i]));
      predicted[i].push_back(sums.argmax(1));
    }
  }
  std::vector<at::Tensor> out;
  out.reserve(predicted.size());
  for (const auto& parts : predicted) out.push_back(at::cat(parts));
  return out;
}

Metrics knn_accuracy(const LabelledFeatures& queries, const LabelledFeatures& bank, const KnnOptions& options) {
  const auto predicted = knn_predict(queries.features, bank.features, bank.labels, bank.classes(), options.neighbours,
                                     options.temperature);
  const auto accuracy = [&](size_t i) { return predicted[i].eq(queries.labels).to(at::kDouble).mean().item<double>(); };
  Metrics metrics{{"knn_accuracy", accuracy(0)}};
  for (size_t i = 0; i < options.neighbours.size(); ++i)
    metrics.push_back({"knn_accuracy_by_k", accuracy(i), std::to_string(options.neighbours[i])});
  return metrics;
}

}  // namespace freeatm::evaluation
