// SPDX-License-Identifier: Apache-2.0
#include "freeatm/weights/torch_file.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <memory>

#include "freeatm/core/error.h"
#include "freeatm/core/log.h"
#include "freeatm/core/mapped_file.h"
#include "freeatm/weights/name_map.h"

#include "pickle.h"
#include "torch_archive.h"
#include "view.h"

namespace freeatm::weights {
namespace {

/// The pickle of a file and the bytes of its storages, which are views into the mapped file.
struct TorchFile {
  Pickle pickle;
  std::map<std::string, std::string_view> storages;  // by key
};

TorchFile read_archive(const std::string& path, const MappedFile& file) {
  auto members = torch_archive_members(path, file);
  const auto member = [&](const std::string& name) {
    const auto found = members.find(name);
    return found == members.end() ? std::string_view() : found->second;
  };
  if (!members.contains("data.pkl")) throw UserError(path, "", "is a zip file, but not one of torch.save");
  if (member("byteorder") == "big") throw UserError(path, "", "was written on a big-endian machine");
  TorchFile out{read_pickle(path, member("data.pkl")), {}};
  constexpr std::string_view kFolder = "data/";
  for (const auto& [name, bytes] : members) {
    if (name.starts_with(kFolder)) out.storages.emplace(name.substr(kFolder.size()), bytes);
  }
  return out;
}

/// Before torch 1.6: pickles of a magic number, the protocol, the system, the object and the storages' keys; then each
/// storage as the number of its elements (int64) and its bytes.
class LegacyReader {
 public:
  LegacyReader(const std::string& path, const MappedFile& file) : path_(path), rest_(file.data(), file.size()) {}

  static bool recognises(const MappedFile& file) {
    return file.size() > kMagic.size() && std::equal(kMagic.begin(), kMagic.end(), file.data());
  }

  TorchFile read() {
    next_pickle();
    const Pickle protocol = next_pickle();
    const auto* version = protocol.root->as<int64_t>();
    if (version == nullptr || *version != 1001) throw UserError(path_, "", "has a protocol that is not torch's 1001");
    next_pickle();  // of which only the byte order matters, and no big-endian machine runs torch today
    TorchFile out{next_pickle(), {}};
    const std::map<std::string, size_t> widths = element_sizes(out.pickle);
    const Pickle keys = next_pickle();
    const auto* list = keys.root->as<Sequence>();
    if (list == nullptr) throw UserError(path_, "", "has no list of storages");
    for (const PickleObject* item : list->items) {
      const auto* key = item->as<std::string>();
      const auto width = key == nullptr ? widths.end() : widths.find(*key);
      if (width == widths.end()) throw UserError(path_, "", "has a storage that no tensor uses");
      out.storages[*key] = next_storage(width->second);
    }
    return out;
  }

 private:
  static constexpr std::string_view kMagic{"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", 15};

  Pickle next_pickle() {
    Pickle pickle = read_pickle(path_, rest_);
    rest_.remove_prefix(pickle.bytes);
    return pickle;
  }

  std::string_view next_storage(size_t width) {
    int64_t elements = 0;
    if (rest_.size() < sizeof elements) throw UserError(path_, "", "is cut short");
    std::memcpy(&elements, rest_.data(), sizeof elements);
    rest_.remove_prefix(sizeof elements);
    if (elements < 0 || static_cast<uint64_t>(elements) > rest_.size() / width) {
      throw UserError(path_, "", "is cut short: a storage of {} elements in {} bytes", elements, rest_.size());
    }
    const std::string_view bytes = rest_.substr(0, static_cast<size_t>(elements) * width);
    rest_.remove_prefix(bytes.size());
    return bytes;
  }

  static std::map<std::string, size_t> element_sizes(const Pickle& pickle) {
    std::map<std::string, size_t> out;
    for (const PickleObject& object : pickle.objects) {
      if (const auto* storage = object.as<StorageReference>()) out[storage->key] = at::elementSize(storage->dtype);
    }
    return out;
  }

  const std::string& path_;
  std::string_view rest_;
};

std::vector<std::string> names_of(const Dict& dict) {
  std::vector<std::string> out;
  for (const auto& [key, value] : dict.items) {
    if (const auto* name = key->as<std::string>()) out.push_back(*name);
  }
  return out;
}

/// A tensor of a kind that is not read: sparse, complex, of 8 bits.
bool is_foreign_tensor(const PickleObject& object) {
  const auto* foreign = object.as<Foreign>();
  if (foreign == nullptr || !foreign->name->starts_with("torch.")) return false;
  return foreign->name->ends_with("Storage") || foreign->name->find("._rebuild_") != std::string::npos;
}

int64_t tensors_in(const Dict& dict) {
  return std::ranges::count_if(dict.items, [](const auto& item) {
    return item.second->template as<TensorReference>() != nullptr || is_foreign_tensor(*item.second);
  });
}

/// The dictionaries of a dictionary, by name; of names that stand twice the last one counts, as in Python.
std::map<std::string, const Dict*> dictionaries_in(const Dict& dict) {
  std::map<std::string, const Dict*> out;
  for (const auto& [key, value] : dict.items) {
    const auto* name = key->as<std::string>();
    if (name != nullptr) out[*name] = as_dictionary(*value);
  }
  std::erase_if(out, [](const auto& item) { return item.second == nullptr; });
  return out;
}

/// "epoch", "state_dict (152 tensors)", ...
std::vector<std::string> described(const Dict& dict) {
  std::vector<std::string> out;
  const auto dictionaries = dictionaries_in(dict);
  for (const auto& [key, value] : dict.items) {
    const auto* name = key->as<std::string>();
    if (name == nullptr) continue;
    const auto found = dictionaries.find(*name);
    const int64_t tensors = found == dictionaries.end() ? 0 : tensors_in(*found->second);
    out.push_back(tensors == 0 ? *name : format("{} ({} tensors)", *name, tensors));
  }
  return out;
}

/// "model", or "model.state_dict" for an entry of an entry; null where there is none.
const Dict* dictionary_at(const Dict& dict, const std::string& name) {
  const auto dictionaries = dictionaries_in(dict);
  if (const auto found = dictionaries.find(name); found != dictionaries.end()) return found->second;
  for (const auto& [first, inner] : dictionaries) {
    if (!name.starts_with(first + ".")) continue;
    if (const Dict* found = dictionary_at(*inner, name.substr(first.size() + 1))) return found;
  }
  return nullptr;
}

struct Chosen {
  const Dict* dict;
  std::string entry;  // "": the whole file's
};

// Averages of the weights come first, as timm's load_checkpoint has it and DINO's evaluation does.
constexpr std::array kWeightEntries = {"state_dict_ema",   "model_ema", "ema_state_dict", "ema_model", "params_ema",
                                       "state_dict",       "model",     "module",         "teacher",   "student",
                                       "model_state_dict", "net",       "network",        "backbone",  "encoder",
                                       "weights",          "params"};

/// Of what nobody knows the name: the only dictionary of tensors, where it has more than stand beside it.
Chosen choose_unnamed(const std::string& path, const Dict& dict) {
  Chosen largest{nullptr, ""};
  int64_t others = 0;
  for (const auto& [name, inner] : dictionaries_in(dict)) {
    if (tensors_in(*inner) == 0) continue;
    ++others;
    if (largest.dict == nullptr || tensors_in(*inner) > tensors_in(*largest.dict)) largest = {inner, name};
  }
  const int64_t own = tensors_in(dict);
  if (own > 0 && (others == 0 || own >= tensors_in(*largest.dict))) return {&dict, ""};
  if (others == 1) return largest;
  if (others == 0) throw UserError(path, "", "holds no tensors by name: its entries are {}", described(dict));
  throw UserError(path, "weights.entry", "is needed: several entries hold tensors: {}", described(dict));
}

Chosen choose(const std::string& path, const PickleObject& root, const std::string& key) {
  if (const auto* foreign = root.as<Foreign>(); foreign != nullptr && foreign->items.items.empty()) {
    throw UserError(path, "", "holds a whole {}, which only Python can make: save its state_dict() instead",
                    *foreign->name);
  }
  const Dict* dict = as_dictionary(root);
  if (dict == nullptr) throw UserError(path, "", "holds no dictionary of tensors");
  if (!key.empty()) return {dictionary_at(*dict, key), key};
  const auto dictionaries = dictionaries_in(*dict);
  for (const char* name : kWeightEntries) {
    const auto found = dictionaries.find(name);
    if (found != dictionaries.end() && tensors_in(*found->second) > 0) return {found->second, name};
  }
  return choose_unnamed(path, *dict);
}

void say(const std::string& path, const Dict& root, const Chosen& chosen) {
  std::string others;
  for (const auto& [name, inner] : dictionaries_in(root)) {
    if (inner != chosen.dict && tensors_in(*inner) > 0) others += (others.empty() ? "" : ", ") + name;
  }
  log::info("{}: its entry '{}' is taken{}", path, chosen.entry,
            others.empty() ? "" : format("; weights.entry may name another ({})", others));
}

at::Tensor bind(const std::string& path, const std::string& name, const TensorReference& tensor, const TorchFile& torch,
                const std::shared_ptr<MappedFile>& file) {
  const auto& storage = tensor.storage;
  const auto found = torch.storages.find(storage.key);
  if (found == torch.storages.end()) throw UserError(path, name, "its storage '{}' is not in the file", storage.key);
  const size_t width = at::elementSize(storage.dtype);
  if (static_cast<uint64_t>(storage.numel) > found->second.size() / width) {
    throw UserError(path, name, "its storage '{}' has {} bytes, which is less than {} elements", storage.key,
                    found->second.size(), storage.numel);
  }
  const auto* begin = found->second.data() + static_cast<size_t>(tensor.offset) * width;
  return view_of(file, begin, storage.dtype, tensor.sizes, tensor.strides);
}

}  // namespace

TensorMap load_torch_file(const std::string& path, const std::string& key) {
  const auto file = std::make_shared<MappedFile>(path);
  const bool is_zip = file->size() > 4 && std::memcmp(file->data(), "PK\x03\x04", 4) == 0;
  if (!is_zip && !LegacyReader::recognises(*file)) throw UserError(path, "", "is not a file of torch.save");
  const TorchFile torch = is_zip ? read_archive(path, *file) : LegacyReader(path, *file).read();

  const PickleObject& root = *torch.pickle.root;
  Chosen chosen = choose(path, root, key);
  const bool is_prefix = chosen.dict == nullptr;  // of the names, then
  if (is_prefix) chosen = choose(path, root, "");
  if (key.empty() && !chosen.entry.empty()) say(path, *as_dictionary(root), chosen);
  TensorMap out;
  for (const auto& [name, value] : chosen.dict->items) {
    const auto* text = name->as<std::string>();
    if (text == nullptr) continue;
    if (is_foreign_tensor(*value)) {
      throw UserError(path, *text, "is made by '{}', which is not read: only plain tensors are",
                      *value->as<Foreign>()->name);
    }
    if (const auto* tensor = value->as<TensorReference>()) out[*text] = bind(path, *text, *tensor, torch, file);
  }
  if (!is_prefix && !(out.empty() && !key.empty())) return out;
  TensorMap named = names_behind(key, out);
  if (!named.empty()) return named;
  throw UserError(path, key, "is neither a dictionary of tensors in this file nor what names begin with; it has {}{}",
                  described(*as_dictionary(root)), did_you_mean(key, names_of(*as_dictionary(root))));
}

}  // namespace freeatm::weights
