// SPDX-License-Identifier: Apache-2.0
#include "safetensors_header.h"

#include <algorithm>
#include <array>
#include <limits>
#include <set>
#include <utility>

#include <nlohmann/json.hpp>

#include "freeatm/core/error.h"
#include "freeatm/core/names.h"

namespace freeatm::weights {
namespace {

using nlohmann::json;

constexpr const char* kMetadata = "__metadata__";

struct Dtype {
  const char* name;
  at::ScalarType type;
};

// In the order of the reference implementation's enumeration.
constexpr std::array<Dtype, 10> kDtypes{{{"BOOL", at::kBool},
                                         {"U8", at::kByte},
                                         {"I8", at::kChar},
                                         {"I16", at::kShort},
                                         {"F16", at::kHalf},
                                         {"BF16", at::kBFloat16},
                                         {"I32", at::kInt},
                                         {"F32", at::kFloat},
                                         {"F64", at::kDouble},
                                         {"I64", at::kLong}}};

// JSON allows a name twice and any depth; this format allows neither, so both end the parse as soon as they are seen.
class Gatekeeper {
 public:
  explicit Gatekeeper(const std::string& path) : path_(path) {}

  bool operator()(int depth, json::parse_event_t event, const json& parsed) {
    if (event == json::parse_event_t::object_start || event == json::parse_event_t::array_start) {
      if (depth > kDeepest) throw UserError(path_, "", "the header is nested too deeply");
      if (event == json::parse_event_t::object_start) seen_[depth].clear();
    } else if (event == json::parse_event_t::key) {
      const auto& name = parsed.get_ref<const std::string&>();
      if (!seen_[depth - 1].insert(name).second) throw UserError(path_, name, "stands twice in the header");
    }
    return true;
  }

 private:
  static constexpr int kDeepest = 2;  // {"name": {"shape": [
  const std::string& path_;
  std::array<std::set<std::string>, kDeepest + 1> seen_;
};

uint64_t natural(const json& value, const std::string& path, const std::string& name, const char* what) {
  constexpr auto limit = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  if (!value.is_number_unsigned() || value.get<uint64_t>() > limit) {
    throw UserError(path, name, "{} holds {}, which is not an integer in [0, 2^63)", what, value.dump());
  }
  return value.get<uint64_t>();
}

HeaderEntry parse_entry(const std::string& path, const std::string& name, const json& value) {
  HeaderEntry entry{name, at::kFloat, {}};
  if (!value.is_object()) throw UserError(path, name, "is {}, not an object", value.type_name());
  for (const auto& [key, unused] : value.items()) {
    if (key != "dtype" && key != "shape" && key != "data_offsets") {
      throw UserError(path, name, "has the unknown key '{}'; allowed are dtype, shape, data_offsets", key);
    }
  }
  if (value.size() != 3) throw UserError(path, name, "must have dtype, shape and data_offsets");

  const json& dtype = value["dtype"];
  const auto found = std::find_if(kDtypes.begin(), kDtypes.end(), [&](const Dtype& d) { return dtype == d.name; });
  if (found == kDtypes.end()) {
    throw UserError(path, name, "dtype {} is not {}", dtype.dump(), one_of(names_in(kDtypes)));
  }
  entry.dtype = found->type;

  if (!value["shape"].is_array()) throw UserError(path, name, "shape is not a list");
  for (const json& extent : value["shape"]) {
    entry.shape.push_back(static_cast<int64_t>(natural(extent, path, name, "shape")));
  }
  const json& offsets = value["data_offsets"];
  if (!offsets.is_array() || offsets.size() != 2) throw UserError(path, name, "data_offsets is not [begin, end]");
  entry.begin = natural(offsets[0], path, name, "data_offsets");
  entry.end = natural(offsets[1], path, name, "data_offsets");
  return entry;
}

void check_size(const std::string& path, const HeaderEntry& entry) {
  int64_t bytes = static_cast<int64_t>(at::elementSize(entry.dtype));
  for (int64_t extent : entry.shape) {
    if (__builtin_mul_overflow(bytes, extent, &bytes)) {
      throw UserError(path, entry.name, "shape {} has more bytes than an address", entry.shape);
    }
  }
  if (entry.begin > entry.end || entry.end - entry.begin != static_cast<uint64_t>(bytes)) {
    throw UserError(path, entry.name, "data_offsets [{}, {}] do not hold the {} bytes of its shape {}", entry.begin,
                    entry.end, bytes, entry.shape);
  }
}

void check_cover(const std::string& path, const std::vector<HeaderEntry>& entries, uint64_t data_size) {
  uint64_t covered = 0;
  for (const HeaderEntry& entry : entries) {
    if (entry.begin != covered) {
      throw UserError(path, entry.name, "begins at byte {}, but the tensors before it end at {}", entry.begin, covered);
    }
    if (entry.end > data_size) {
      throw UserError(path, entry.name, "ends at byte {}, but only {} follow the header: the file is cut short",
                      entry.end, data_size);
    }
    covered = entry.end;
  }
  if (covered != data_size) {
    throw UserError(path, "", "{} bytes follow the header, but its tensors have {}", data_size, covered);
  }
}

}  // namespace

Header parse_header(const std::string& path, std::string_view text, uint64_t data_size) {
  json root;
  try {
    root = json::parse(text, Gatekeeper(path));
  } catch (const json::exception& error) {
    throw UserError(path, "", "the header is not JSON: {}", error.what());
  }
  if (!root.is_object()) throw UserError(path, "", "the header is {}, not an object", root.type_name());

  Header header;
  for (const auto& [name, value] : root.items()) {
    if (name != kMetadata) {
      header.entries.push_back(parse_entry(path, name, value));
      check_size(path, header.entries.back());
      continue;
    }
    if (!value.is_object()) throw UserError(path, name, "is {}, not an object", value.type_name());
    for (const auto& [key, entry] : value.items()) {
      if (!entry.is_string()) throw UserError(path, name, "'{}' is {}, not a string", key, entry.type_name());
      header.metadata[key] = entry.get<std::string>();
    }
  }
  std::sort(header.entries.begin(), header.entries.end(), [](const HeaderEntry& a, const HeaderEntry& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  check_cover(path, header.entries, data_size);
  return header;
}

std::string write_header(const Header& header) {
  nlohmann::ordered_json root = nlohmann::ordered_json::object();
  if (!header.metadata.empty()) root[kMetadata] = header.metadata;
  for (const HeaderEntry& entry : header.entries) {
    FREEATM_CHECK(entry.name != kMetadata, "no tensor may be called {}", kMetadata);
    root[entry.name] = {{"dtype", kDtypes.at(dtype_rank(entry.dtype)).name},
                        {"shape", entry.shape},
                        {"data_offsets", {entry.begin, entry.end}}};
  }
  return root.dump();
}

int dtype_rank(at::ScalarType dtype) {
  const auto found = std::find_if(kDtypes.begin(), kDtypes.end(), [&](const Dtype& d) { return d.type == dtype; });
  return found == kDtypes.end() ? -1 : static_cast<int>(found - kDtypes.begin());
}

}  // namespace freeatm::weights
