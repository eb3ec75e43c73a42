// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "freeatm/core/state_bytes.h"
#include "freeatm/runtime/ranks.h"

namespace freeatm::evaluation {

/// What each of runtime::ranks() has, in their order. T: what StateBytes takes.
template <class T>
std::vector<T> of_each_rank(T& own) {
  StateBytes put;
  put(own);
  std::vector<T> all;
  for (std::string& state : runtime::ranks().gather(std::move(put).text())) {
    StateBytes take(std::move(state));
    take(all.emplace_back());
  }
  return all;
}

/// The first of runtime::ranks() takes in what the others have. Returns whether this is the first.
///   T: has `state` and `merge`, as an Evaluator
template <class T>
bool merge_at_first(T& judged) {
  runtime::Ranks& ranks = runtime::ranks();
  auto states = ranks.gather(ranks.is_first() ? "" : judged.state());
  if (!ranks.is_first()) return false;
  for (size_t rank = 1; rank < states.size(); ++rank) judged.merge(std::move(states[rank]));
  return true;
}

}  // namespace freeatm::evaluation
