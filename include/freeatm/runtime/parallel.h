// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <functional>

namespace freeatm::runtime {

/// work(first, last) for parts of [begin, end), of at least `grain`, in LibTorch's threads; the first exception comes
/// out. at::parallel_for itself is a loop in one thread wherever it is compiled without OpenMP, as all our layers are.
void parallel_for(int64_t begin, int64_t end, int64_t grain, const std::function<void(int64_t, int64_t)>& work);

}  // namespace freeatm::runtime
