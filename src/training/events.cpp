// SPDX-License-Identifier: Apache-2.0
#include "events.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <unistd.h>

#include "append.h"

namespace freeatm::training {
namespace {

static_assert(std::endian::native == std::endian::little, "records and protocol buffers are little-endian");

constexpr const char *kPrefix = "events.out.tfevents.", *kSuffix = ".freeatm";  // between them a time in seconds
constexpr size_t kHeader = 12, kFooter = 4;  // of a record: length and its CRC; the bytes' CRC

// Fields of the messages; a key is number << 3 | kind.
enum Kind : uint64_t { kVarint = 0, kFixed64 = 1, kLengthDelimited = 2, kFixed32 = 5 };
constexpr uint64_t kEventWallTime = 1, kEventStep = 2, kEventFileVersion = 3, kEventSummary = 5, kEventSessionLog = 7;
constexpr uint64_t kSummaryValue = 1, kValueTag = 1, kValueSimple = 2, kSessionStatus = 1, kSessionStart = 1;

template <class Number>
std::string raw(Number number) {
  return {reinterpret_cast<const char*>(&number), sizeof number};
}

std::string varint(uint64_t value) {
  std::string out;
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  return out += static_cast<char>(value);
}

std::string key(uint64_t number, Kind kind) { return varint(number << 3 | kind); }
std::string integer(uint64_t number, int64_t value) {
  return key(number, kVarint) + varint(static_cast<uint64_t>(value));
}
std::string bytes(uint64_t number, std::string_view value) {
  return key(number, kLengthDelimited) + varint(value.size()) + std::string(value);
}

std::string event(double wall_time, int64_t step, const std::string& what) {
  return key(kEventWallTime, kFixed64) + raw(wall_time) + integer(kEventStep, step) + what;
}

// Masked, so that a CRC of bytes that hold a CRC is a good one.
uint32_t masked(uint32_t crc) { return std::rotr(crc, 15) + 0xa282ead8u; }

std::string record(const std::string& data) {
  const std::string length = raw(uint64_t{data.size()});
  return length + raw(masked(crc32c(length))) + data + raw(masked(crc32c(data)));
}

template <class Number>
Number number_at(std::string_view text) {
  Number number;
  std::memcpy(&number, text.data(), sizeof number);
  return number;
}

/// The first record's message, or nothing where it is torn or changed.
std::optional<std::string_view> first_record(std::string_view text) {
  if (text.size() < kHeader + kFooter) return std::nullopt;
  const auto length = number_at<uint64_t>(text);
  if (number_at<uint32_t>(text.substr(8)) != masked(crc32c(text.substr(0, 8)))) return std::nullopt;
  if (length > text.size() - kHeader - kFooter) return std::nullopt;
  const std::string_view data = text.substr(kHeader, length);
  return number_at<uint32_t>(text.substr(kHeader + length)) == masked(crc32c(data)) ? std::optional(data)
                                                                                    : std::nullopt;
}

/// The step of an event as `event` writes it: behind the wall time.
int64_t step_of(std::string_view data) {
  uint64_t step = 0;
  for (size_t i = 10, shift = 0; i < data.size(); ++i, shift += 7) {  // key, double, key
    step |= (static_cast<uint64_t>(data[i]) & 0x7f) << shift;
    if ((data[i] & 0x80) == 0) break;
  }
  return static_cast<int64_t>(step);
}

void cut_off(const fs::path& path, int64_t last_step) {
  const std::string text = read_file(path);
  std::string_view rest = text;
  while (const auto data = first_record(rest)) {
    if (step_of(*data) > last_step) break;
    rest.remove_prefix(kHeader + data->size() + kFooter);
  }
  if (!rest.empty()) fs::resize_file(path, text.size() - rest.size());
}

}  // namespace

uint32_t crc32c(std::string_view bytes) {
  static const std::array<uint32_t, 256> kTable = [] {
    std::array<uint32_t, 256> table{};
    for (uint32_t i = 0; i < 256; ++i) {
      table[i] = i;
      for (int bit = 0; bit < 8; ++bit) table[i] = table[i] >> 1 ^ (table[i] & 1 ? 0x82f63b78u : 0);
    }
    return table;
  }();
  uint32_t crc = ~0u;
  for (const char byte : bytes) crc = crc >> 8 ^ kTable[(crc ^ static_cast<uint8_t>(byte)) & 0xff];
  return ~crc;
}

std::string scalar_record(double wall_time, int64_t step, const NamedValues& values) {
  std::string summary;
  for (const auto& [name, value] : values) {
    summary +=
        bytes(kSummaryValue, bytes(kValueTag, name) + key(kValueSimple, kFixed32) + raw(static_cast<float>(value)));
  }
  return record(event(wall_time, step, bytes(kEventSummary, summary)));
}

std::vector<fs::path> event_files(const fs::path& run) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(run)) {
    const std::string name = entry.path().filename();
    if (name.starts_with(kPrefix) && name.ends_with(kSuffix)) files.push_back(entry.path());
  }
  std::ranges::sort(files);
  return files;
}

void start_events(const fs::path& run, int64_t step, double wall_time) {
  auto seconds = static_cast<int64_t>(wall_time);
  for (const fs::path& file : event_files(run)) {
    cut_off(file, step);
    const std::string name = file.filename();
    seconds = std::max(seconds, int64_t{std::atoll(name.c_str() + std::strlen(kPrefix))} + 1);
  }
  char name[64];
  std::snprintf(name, sizeof name, "%s%010lld%s", kPrefix, static_cast<long long>(seconds), kSuffix);
  const std::string version = record(event(wall_time, step, bytes(kEventFileVersion, "brain.Event:2")));
  const std::string start =
      record(event(wall_time, step + 1, bytes(kEventSessionLog, integer(kSessionStatus, kSessionStart))));
  append_whole(run / name, step > 0 ? version + start : version);
}

}  // namespace freeatm::training
