// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <map>
#include <string>
#include <vector>

#include "freeatm/evaluation/evaluator.h"

namespace freeatm::testing {

inline std::map<std::string, double> by_name(const std::vector<evaluation::Metric>& metrics) {
  std::map<std::string, double> values;
  for (const evaluation::Metric& metric : metrics)
    values[metric.name() + (metric.detail.empty() ? "" : "." + metric.detail)] = metric.value;
  return values;
}

}  // namespace freeatm::testing
