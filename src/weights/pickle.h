// SPDX-License-Identifier: Apache-2.0
// A pickle as data: tensors, containers and scalars. Nothing that a pickle names is ever run.
#pragma once
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <c10/core/ScalarType.h>

namespace freeatm::weights {

struct PickleObject;

/// The names that a pickle may use; all others are refused.
enum class PickleGlobal {
  kOrderedDict,       // collections.OrderedDict
  kRebuildTensor,     // torch._utils._rebuild_tensor, _rebuild_tensor_v2
  kRebuildParameter,  // torch._utils._rebuild_parameter, _rebuild_parameter_with_state
  kSize,              // torch.Size
  kDevice,            // torch.device
  kStorage,           // torch.FloatStorage, ...
  kConstant,          // torch.float32, ...
};

struct GlobalName {
  PickleGlobal meaning;
  at::ScalarType dtype;  // of a storage
};

struct Bytes {
  std::string bytes;
};

struct Sequence {
  bool is_list;  // else a tuple
  std::vector<const PickleObject*> items;
};

struct Dict {
  std::vector<std::pair<const PickleObject*, const PickleObject*>> items;  // in order; a later key wins
};

/// Where a tensor's numbers lie: in a member of a zip file, or behind the pickles of an older file.
struct StorageReference {
  std::string key;
  at::ScalarType dtype;
  int64_t numel;
};

/// A view of a storage: all in elements.
struct TensorReference {
  StorageReference storage;
  int64_t offset;
  std::vector<int64_t> sizes, strides;
};

struct PickleObject {
  std::variant<std::monostate, bool, int64_t, double, std::string, Bytes, Sequence, Dict, GlobalName, StorageReference,
               TensorReference>
      value;  // an integer of more than eight bytes is kept as its Bytes

  template <class T>
  const T* as() const {
    return std::get_if<T>(&value);
  }
};

/// One pickle's objects; they live as long as it does, and may refer to one another in circles.
struct Pickle {
  std::deque<PickleObject> objects;
  const PickleObject* root = nullptr;
  size_t bytes = 0;  // how long the pickle is: an older file has several, one after the other
};

/// Reads the pickle that `text` begins with (what torch.save and Python write in protocols 0x02 to 0x05).
///   path: of the file, for messages. Throws UserError(path, "", ...): cut short, an opcode or a global that is not
///   allowed, operands of a wrong kind, a tensor outside of its storage. Memory is bounded by the text's length.
Pickle read_pickle(const std::string& path, std::string_view text);

}  // namespace freeatm::weights
