// SPDX-License-Identifier: Apache-2.0
#include "pickle_rebuild.h"

#include <algorithm>
#include <array>
#include <utility>

#include "freeatm/core/error.h"

namespace freeatm::weights {
namespace {

using Value = decltype(PickleObject::value);

constexpr size_t kMostDimensions = 64;  // torch's
constexpr size_t kLongestKey = 255;

constexpr std::array<std::pair<std::string_view, at::ScalarType>, 10> kStorages{{{"FloatStorage", at::kFloat},
                                                                                 {"DoubleStorage", at::kDouble},
                                                                                 {"HalfStorage", at::kHalf},
                                                                                 {"BFloat16Storage", at::kBFloat16},
                                                                                 {"LongStorage", at::kLong},
                                                                                 {"IntStorage", at::kInt},
                                                                                 {"ShortStorage", at::kShort},
                                                                                 {"CharStorage", at::kChar},
                                                                                 {"ByteStorage", at::kByte},
                                                                                 {"BoolStorage", at::kBool}}};

constexpr std::array<std::string_view, 10> kDtypeNames{"float32", "float64", "float16", "bfloat16", "int64",
                                                       "int32",   "int16",   "int8",    "uint8",    "bool"};

struct Function {
  std::string_view module, name;
  PickleGlobal meaning;
};

constexpr std::array<Function, 8> kFunctions{{
    {"collections", "OrderedDict", PickleGlobal::kOrderedDict},
    {"torch._utils", "_rebuild_tensor", PickleGlobal::kRebuildTensor},
    {"torch._utils", "_rebuild_tensor_v2", PickleGlobal::kRebuildTensor},
    {"torch._utils", "_rebuild_parameter", PickleGlobal::kRebuildParameter},
    {"torch._utils", "_rebuild_parameter_with_state", PickleGlobal::kRebuildParameter},
    {"torch._tensor", "_rebuild_from_type_v2", PickleGlobal::kRebuildFromType},
    {"torch", "Size", PickleGlobal::kSize},
    {"torch", "device", PickleGlobal::kDevice},
}};

constexpr std::array<std::string_view, 12> kHostileModules{
    "os", "posix", "nt", "subprocess", "sys", "socket", "shutil", "runpy", "pty", "ctypes", "importlib", "webbrowser"};

constexpr std::array<std::string_view, 7> kHostileBuiltins{"eval", "exec",     "compile",   "__import__",
                                                           "open", "execfile", "breakpoint"};

[[noreturn]] void refuse(const std::string& path, const char* what) {
  throw UserError(path, "", "the pickle holds {}", what);
}

// Natural numbers: a size, a stride, an offset.
int64_t natural(const std::string& path, const PickleObject* object, const char* fault) {
  const auto* value = object->as<int64_t>();
  if (value == nullptr || *value < 0) refuse(path, fault);
  return *value;
}

std::vector<int64_t> naturals(const std::string& path, const PickleObject* object, const char* fault) {
  const auto* sequence = object->as<Sequence>();
  if (sequence == nullptr || sequence->items.size() > kMostDimensions) refuse(path, fault);
  std::vector<int64_t> out;
  for (const PickleObject* item : sequence->items) out.push_back(natural(path, item, fault));
  return out;
}

// The last element that the view touches lies in its storage.
bool lies_inside(const TensorReference& tensor) {
  int64_t last = tensor.offset;
  for (size_t i = 0; i < tensor.sizes.size(); ++i) {
    if (tensor.sizes[i] == 0) return tensor.offset <= tensor.storage.numel;
    int64_t reach = 0;
    if (__builtin_mul_overflow(tensor.sizes[i] - 1, tensor.strides[i], &reach)) return false;
    if (__builtin_add_overflow(last, reach, &last)) return false;
  }
  return last < tensor.storage.numel;
}

// The number of elements is an int64.
bool is_countable(const std::vector<int64_t>& sizes) {
  int64_t elements = 1;
  for (const int64_t size : sizes) {
    if (__builtin_mul_overflow(elements, size, &elements)) return false;
  }
  return elements < int64_t{1} << 58;  // and of bytes, too
}

// (storage, offset, sizes, strides[, requires_grad, backward_hooks[, metadata]])
Value rebuild_tensor(const std::string& path, const Sequence& arguments) {
  constexpr const char* kFault = "a tensor without a proper storage, offset, size and stride";
  const auto& items = arguments.items;
  if (!items.empty() && items[0]->as<Foreign>() != nullptr) return *items[0]->as<Foreign>();
  const auto* storage = items.size() < 4 || items.size() > 7 ? nullptr : items[0]->as<StorageReference>();
  if (storage == nullptr) refuse(path, kFault);
  if (items.size() == 7) {
    const auto* metadata = items[6]->as<Dict>();
    const bool plain = items[6]->as<std::monostate>() != nullptr || (metadata != nullptr && metadata->items.empty());
    if (!plain) refuse(path, "a conjugated or negated view, which is not supported");
  }
  TensorReference tensor{*storage, natural(path, items[1], kFault), naturals(path, items[2], kFault),
                         naturals(path, items[3], kFault)};
  if (tensor.sizes.size() != tensor.strides.size()) refuse(path, kFault);
  if (!is_countable(tensor.sizes) || !lies_inside(tensor)) {
    throw UserError(path, "", "a tensor of size {}, stride {} and offset {} lies outside of its storage of {} elements",
                    tensor.sizes, tensor.strides, tensor.offset, storage->numel);
  }
  return tensor;
}

// OrderedDict() or OrderedDict([(key, value), ...])
Dict rebuild_dict(const std::string& path, const Sequence& arguments) {
  constexpr const char* kFault = "an OrderedDict of what are no pairs";
  Dict dict;
  if (arguments.items.empty()) return dict;
  const auto* pairs = arguments.items[0]->as<Sequence>();
  if (pairs == nullptr || arguments.items.size() != 1) refuse(path, kFault);
  for (const PickleObject* item : pairs->items) {
    const auto* pair = item->as<Sequence>();
    if (pair == nullptr || pair->items.size() != 2) refuse(path, kFault);
    dict.items.emplace_back(pair->items[0], pair->items[1]);
  }
  return dict;
}

// copyreg._reconstructor(cls, ...) makes a cls.
const std::string* name_of(const GlobalName& global, const Sequence& arguments) {
  const auto* of = arguments.items.empty() ? nullptr : arguments.items[0]->as<GlobalName>();
  const bool is_maker = global.name->starts_with("copyreg.") || global.name->starts_with("copy_reg.");
  return is_maker && of != nullptr && of->name != nullptr ? of->name : global.name;
}

}  // namespace

std::optional<GlobalName> find_global(std::string_view module, std::string_view name) {
  for (const Function& function : kFunctions) {
    if (function.module == module && function.name == name) return GlobalName{function.meaning};
  }
  if (module != "torch") return std::nullopt;
  for (const auto& [storage, dtype] : kStorages) {
    if (storage == name) return GlobalName{PickleGlobal::kStorage, dtype};
  }
  for (const std::string_view dtype : kDtypeNames) {
    if (dtype == name) return GlobalName{PickleGlobal::kConstant};
  }
  return std::nullopt;
}

bool is_hostile(std::string_view module, std::string_view name) {
  const bool is_builtin = module == "builtins" || module == "__builtin__";
  if (is_builtin) return std::ranges::find(kHostileBuiltins, name) != kHostileBuiltins.end();
  return std::ranges::find(kHostileModules, module.substr(0, module.find('.'))) != kHostileModules.end();
}

Value rebuild(const std::string& path, const GlobalName& global, const Sequence& arguments) {
  switch (global.meaning) {
    case PickleGlobal::kOrderedDict:
      return rebuild_dict(path, arguments);
    case PickleGlobal::kRebuildTensor:
      return rebuild_tensor(path, arguments);
    case PickleGlobal::kRebuildParameter: {  // (tensor, requires_grad, backward_hooks[, state])
      if (arguments.items.empty()) refuse(path, "a parameter that is no tensor");
      const PickleObject& content = *arguments.items[0];
      if (content.as<TensorReference>() == nullptr && content.as<Foreign>() == nullptr)
        refuse(path, "a parameter that is no tensor");
      return content.value;
    }
    case PickleGlobal::kRebuildFromType: {  // (function, type, its arguments, attributes)
      const auto* function = arguments.items.size() < 3 ? nullptr : arguments.items[0]->as<GlobalName>();
      const auto* own = function == nullptr ? nullptr : arguments.items[2]->as<Sequence>();
      const bool is_tensor = own != nullptr && (function->meaning == PickleGlobal::kRebuildTensor ||
                                                function->meaning == PickleGlobal::kRebuildParameter ||
                                                function->meaning == PickleGlobal::kForeign);
      if (!is_tensor) refuse(path, "a tensor with attributes that is no tensor");
      return rebuild(path, *function, *own);
    }
    case PickleGlobal::kForeign:
      return Foreign{name_of(global, arguments), {}};
    case PickleGlobal::kSize:
    case PickleGlobal::kDevice:
      return {};  // nobody asks
    case PickleGlobal::kStorage:
    case PickleGlobal::kConstant:
      break;
  }
  refuse(path, "a call of what is no function");
}

Value storage_reference(const std::string& path, const PickleObject& id) {
  constexpr const char* kFault = "a persistent id that is no storage";
  const auto* tuple = id.as<Sequence>();
  if (tuple == nullptr || tuple->items.size() < 5 || tuple->items.size() > 6) refuse(path, kFault);
  const auto* kind = tuple->items[0]->as<std::string>();
  const auto* type = tuple->items[1]->as<GlobalName>();
  const auto* key = tuple->items[2]->as<std::string>();
  if (type != nullptr && type->meaning == PickleGlobal::kForeign) return Foreign{type->name, {}};
  if (kind == nullptr || *kind != "storage" || type == nullptr || type->meaning != PickleGlobal::kStorage ||
      key == nullptr || key->size() > kLongestKey) {
    refuse(path, kFault);
  }
  if (tuple->items.size() == 6 && tuple->items[5]->as<std::monostate>() == nullptr) {
    refuse(path, "a view of another storage, which is not supported");
  }
  return StorageReference{*key, type->dtype, natural(path, tuple->items[4], kFault)};
}

}  // namespace freeatm::weights
