// SPDX-License-Identifier: Apache-2.0
#include "freeatm/core/memory.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <limits>

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace freeatm {

namespace {

// "VmHWM:    123 kB" -> bytes; 0 where there is no such line.
int64_t kilobytes_in(const char* file, const std::string& key) {
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(key + ":")) return 1024 * std::strtoll(line.c_str() + key.size() + 1, nullptr, 10);
  }
  return 0;
}

}  // namespace

ProcessMemory process_memory() {
  const char* status = "/proc/self/status";
  return {kilobytes_in(status, "VmHWM"), kilobytes_in("/proc/meminfo", "MemAvailable") + kilobytes_in(status, "VmRSS")};
}

std::string bytes_text(double bytes) {
  constexpr std::array kUnits = {"bytes", "KiB", "MiB", "GiB", "TiB"};
  size_t unit = 0;
  for (; bytes >= 1024 && unit + 1 < kUnits.size(); ++unit) bytes /= 1024;
  char text[32];
  std::snprintf(text, sizeof text, unit == 0 || bytes >= 100 ? "%.0f %s" : "%.1f %s", bytes, kUnits[unit]);
  return text;
}

void keep_freed_memory() {
#ifdef __GLIBC__
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
#endif
}

}  // namespace freeatm
