// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "freeatm/data/dataset.h"

namespace freeatm::data {

/// "; it has train2017, val2017": those of the usual names that are there, for who asked for another; "" where none is.
std::string splits_there(const DatasetOptions& options);

}  // namespace freeatm::data
