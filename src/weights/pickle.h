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

/// The names that mean something; all others stay names.
enum class PickleGlobal {
  kOrderedDict,       // collections.OrderedDict
  kRebuildTensor,     // torch._utils._rebuild_tensor, _rebuild_tensor_v2
  kRebuildParameter,  // torch._utils._rebuild_parameter, _rebuild_parameter_with_state
  kSize,              // torch.Size
  kDevice,            // torch.device
  kStorage,           // torch.FloatStorage, ...
  kConstant,          // torch.float32, ...
  kRebuildFromType,   // torch._tensor._rebuild_from_type_v2: a tensor with attributes
  kForeign,           // any other
};

struct GlobalName {
  PickleGlobal meaning;
  at::ScalarType dtype = at::kFloat;  // of a storage
  const std::string* name = nullptr;  // of a foreign one, "argparse.Namespace"; the pickle holds it
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

/// What a class or function that nobody knows here would have made: nothing, but for the items that were put into it
/// (subclasses of dict are used as dictionaries).
struct Foreign {
  const std::string* name;  // the pickle holds it
  Dict items;
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
  std::variant<std::monostate, bool, int64_t, double, std::string, Bytes, Sequence, Dict, GlobalName, Foreign,
               StorageReference, TensorReference>
      value;  // an integer of more than eight bytes is kept as its Bytes

  template <class T>
  const T* as() const {
    return std::get_if<T>(&value);
  }
};

/// The object's items, where it is a dictionary or was one in a class of its own; else null.
const Dict* as_dictionary(const PickleObject& object);

/// One pickle's objects; they live as long as it does, and may refer to one another in circles.
struct Pickle {
  std::deque<PickleObject> objects;
  std::deque<std::string> names;  // of foreign classes
  const PickleObject* root = nullptr;
  size_t bytes = 0;  // how long the pickle is: an older file has several, one after the other
};

/// Reads the pickle that `text` begins with (what torch.save and Python write in protocols 0x02 to 0x05).
///   path: of the file, for messages. Throws UserError(path, "", ...): cut short, an opcode that is not allowed, a
///   global that only an attack asks for, operands of a wrong kind, a tensor outside of its storage. Memory is bounded
///   by the text's length.
Pickle read_pickle(const std::string& path, std::string_view text);

}  // namespace freeatm::weights
