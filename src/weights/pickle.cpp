// SPDX-License-Identifier: Apache-2.0
#include "pickle.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <unordered_map>

#include "freeatm/core/error.h"

#include "pickle_opcodes.h"
#include "pickle_rebuild.h"

namespace freeatm::weights {
namespace {

constexpr size_t kLongestPickle = size_t{16} << 20;  // about 70,000 tensors

constexpr size_t kReduceCost = 8;  // a tensor is larger than other objects

/// The pickle machine: a stack, marks on it, and a memo.
class Machine {
 public:
  Machine(const std::string& path, std::string_view text)
      : path_(path), text_(text), budget_(2 * std::min(text.size(), kLongestPickle) + 16) {}

  Pickle run() {
    for (Opcode opcode = next(); opcode != kStop; opcode = next()) {
      const bool known =
          push_scalar(opcode) || change_container(opcode) || use_global(opcode) || use_memo_or_stack(opcode);
      if (!known) fail("has opcode {}, which is not allowed", static_cast<int>(opcode));
      if (position_ > kLongestPickle) fail("is longer than {} bytes", kLongestPickle);
    }
    out_.root = pop();
    out_.bytes = position_;
    return std::move(out_);
  }

 private:
  template <class... Args>
  [[noreturn]] void fail(std::string_view pattern, const Args&... args) const {
    throw UserError(path_, "", "the pickle {} (at byte {})", format(pattern, args...), position_);
  }

  // What one opcode may cost is bounded by the text's length, so that a short file cannot fill the memory.
  void charge(size_t units) {
    if (units > budget_) fail("makes more objects than it has bytes");
    budget_ -= units;
  }

  std::string_view take(size_t bytes) {
    if (bytes > text_.size() - position_) fail("is cut short");
    position_ += bytes;
    return text_.substr(position_ - bytes, bytes);
  }

  template <class T>
  T integer() {
    T value;
    std::memcpy(&value, take(sizeof(T)).data(), sizeof(T));
    return value;
  }

  std::string_view line() {
    const size_t end = text_.find('\n', position_);
    if (end == std::string_view::npos) fail("is cut short");
    const std::string_view out = take(end - position_);
    take(1);
    return out;
  }

  Opcode next() { return static_cast<Opcode>(integer<uint8_t>()); }

  bool push(const PickleObject* object) {
    charge(1);
    stack_.push_back(const_cast<PickleObject*>(object));  // the objects are this machine's own
    return true;
  }

  template <class T>
  bool make(T value) {
    out_.objects.push_back({std::move(value)});
    return push(&out_.objects.back());
  }

  PickleObject* pop() {
    if (stack_.size() <= (marks_.empty() ? 0 : marks_.back())) fail("takes from an empty stack");
    PickleObject* top = stack_.back();
    stack_.pop_back();
    return top;
  }

  std::vector<const PickleObject*> pop_to_mark() {
    if (marks_.empty()) fail("has no mark");
    std::vector<const PickleObject*> out(stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back()), stack_.end());
    stack_.resize(marks_.back());
    marks_.pop_back();
    return out;
  }

  // The container on top of the stack.
  template <class T>
  T& top(const char* what) {
    const bool there = stack_.size() > (marks_.empty() ? 0 : marks_.back());
    T* container = there ? std::get_if<T>(&stack_.back()->value) : nullptr;
    if (container == nullptr) fail("puts something into what is no {}", what);
    return *container;
  }

  Foreign* foreign_on_top() {
    const bool there = stack_.size() > (marks_.empty() ? 0 : marks_.back());
    return there ? std::get_if<Foreign>(&stack_.back()->value) : nullptr;
  }

  bool append(const std::vector<const PickleObject*>& items) {
    if (foreign_on_top() != nullptr) return true;  // of what items somebody's list is made is nobody's matter
    auto& list = top<Sequence>("list");
    if (!list.is_list) fail("puts something into a tuple");
    list.items.insert(list.items.end(), items.begin(), items.end());
    return true;
  }

  bool set_items(const std::vector<const PickleObject*>& items) {
    Foreign* foreign = foreign_on_top();
    auto& dict = foreign != nullptr ? foreign->items : top<Dict>("dictionary");
    if (items.size() % 2 != 0) fail("has a key without a value");
    for (size_t i = 0; i < items.size(); i += 2) dict.items.emplace_back(items[i], items[i + 1]);
    return true;
  }

  bool make_tuple(size_t count) {
    std::vector<const PickleObject*> items(count);
    for (size_t i = count; i-- > 0;) items[i] = pop();
    return make(Sequence{false, std::move(items)});
  }

  bool make_long(std::string_view bytes) {  // little-endian, two's complement
    if (bytes.size() > sizeof(int64_t)) return make(Bytes{std::string(bytes)});
    uint64_t value = !bytes.empty() && (bytes.back() & 0x80) != 0 ? ~uint64_t{0} : 0;
    for (size_t i = bytes.size(); i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[i]);
    return make(static_cast<int64_t>(value));
  }

  bool make_global(std::string_view module, std::string_view name) {
    if (const auto global = find_global(module, name)) return make(*global);
    if (is_hostile(module, name)) {
      throw UserError(path_, "",
                      "the pickle asks for '{}.{}', which is not allowed: only tensors, containers and "
                      "numbers are read, and nothing is run",
                      module, name);
    }
    charge(module.size() + name.size());
    out_.names.push_back(format("{}.{}", module, name));
    return make(GlobalName{PickleGlobal::kForeign, at::kFloat, &out_.names.back()});
  }

  bool mark() {
    charge(1);
    marks_.push_back(stack_.size());
    return true;
  }

  bool put(size_t index) {
    if (stack_.empty()) fail("remembers what is not there");
    charge(1);
    memo_[index] = stack_.back();
    return true;
  }

  bool get(size_t index) {
    const auto found = memo_.find(index);
    if (found == memo_.end()) fail("recalls {}, which it never remembered", index);
    return push(found->second);
  }

  bool reduce() {
    const auto* arguments = pop()->as<Sequence>();
    const PickleObject* callee = pop();
    const auto* global = callee->as<GlobalName>();
    if (const auto* foreign = callee->as<Foreign>()) return make(Foreign{foreign->name, {}});
    if (arguments == nullptr || global == nullptr) fail("calls what is no function");
    const auto* pairs = arguments->items.empty() ? nullptr : arguments->items[0]->as<Sequence>();
    charge(kReduceCost + (pairs == nullptr ? 0 : pairs->items.size()));
    return make(rebuild(path_, *global, *arguments));
  }

  // State is dropped: an OrderedDict's attributes (a module's `_metadata`), those of a tensor or of a foreign object.
  bool build() {
    pop();
    const bool there = stack_.size() > (marks_.empty() ? 0 : marks_.back());
    if (there && stack_.back()->as<TensorReference>() != nullptr) return true;
    if (foreign_on_top() == nullptr) top<Dict>("dictionary");
    return true;
  }

  // Each of these does what the opcode says, or returns false where it is none of theirs.

  bool push_scalar(Opcode opcode) {
    switch (opcode) {
      case kNone:
        return make(std::monostate());
      case kTrue:
        return make(true);
      case kFalse:
        return make(false);
      case kInt8:
        return make(int64_t{integer<uint8_t>()});
      case kInt16:
        return make(int64_t{integer<uint16_t>()});
      case kInt32:
        return make(int64_t{integer<int32_t>()});
      case kLong1:
        return make_long(take(integer<uint8_t>()));
      case kLong4:
        return make_long(take(integer<uint32_t>()));
      case kFloat:
        return make(std::bit_cast<double>(__builtin_bswap64(integer<uint64_t>())));  // big-endian
      case kUnicode8:
      case kString8:
        return make(std::string(take(integer<uint8_t>())));
      case kUnicode32:
      case kString32:
        return make(std::string(take(integer<uint32_t>())));
      case kUnicode64:
        return make(std::string(take(integer<uint64_t>())));
      case kBytes64:
      case kByteArray:
        return make(Bytes{std::string(take(integer<uint64_t>()))});
      case kBytes8:
        return make(Bytes{std::string(take(integer<uint8_t>()))});
      case kBytes32:
        return make(Bytes{std::string(take(integer<uint32_t>()))});
      default:
        return false;
    }
  }

  bool change_container(Opcode opcode) {
    switch (opcode) {
      case kEmptyTuple:
        return make_tuple(0);
      case kTuple1:
        return make_tuple(1);
      case kTuple2:
        return make_tuple(2);
      case kTuple3:
        return make_tuple(3);
      case kTuple:
        return make(Sequence{false, pop_to_mark()});
      case kFrozenSet:
        return make(Sequence{false, pop_to_mark()});
      case kEmptyList:
      case kEmptySet:
        return make(Sequence{true, {}});
      case kAppend:
        return append({pop()});
      case kAppends:
      case kAddItems:
        return append(pop_to_mark());
      case kEmptyDict:
        return make(Dict());
      case kSetItem: {
        const PickleObject* value = pop();
        const PickleObject* key = pop();
        return set_items({key, value});
      }
      case kSetItems:
        return set_items(pop_to_mark());
      default:
        return false;
    }
  }

  bool use_global(Opcode opcode) {
    switch (opcode) {
      case kGlobal: {
        const std::string_view module = line();
        return make_global(module, line());
      }
      case kStackGlobal: {
        const auto* name = pop()->as<std::string>();
        const auto* module = pop()->as<std::string>();
        if (name == nullptr || module == nullptr) fail("has a global without a name");
        return make_global(*module, *name);
      }
      case kNewObjectWithNames:
        pop();
        return reduce();
      case kReduce:
      case kNewObject:
        return reduce();
      case kBuild:
        return build();
      case kPersistentId:
        return make(storage_reference(path_, *pop()));
      default:
        return false;
    }
  }

  bool use_memo_or_stack(Opcode opcode) {
    switch (opcode) {
      case kPut8:
        return put(integer<uint8_t>());
      case kPut32:
        return put(integer<uint32_t>());
      case kMemoize:
        return put(memo_.size());
      case kGet8:
        return get(integer<uint8_t>());
      case kGet32:
        return get(integer<uint32_t>());
      case kMark:
        return mark();
      case kPop:
        return pop() != nullptr;
      case kPopMark:
        pop_to_mark();
        return true;
      case kDuplicate: {
        PickleObject* object = pop();
        return push(object) && push(object);
      }
      case kFrame:
        return !take(8).empty();
      case kProtocol: {
        const int version = integer<uint8_t>();
        if (version < 2 || version > 5) fail("has protocol {}, which is not 2 to 5", version);
        return true;
      }
      default:
        return false;
    }
  }

  const std::string& path_;
  std::string_view text_;
  size_t position_ = 0, budget_;
  Pickle out_;
  std::vector<PickleObject*> stack_;
  std::vector<size_t> marks_;
  std::unordered_map<size_t, PickleObject*> memo_;
};

}  // namespace

const Dict* as_dictionary(const PickleObject& object) {
  if (const auto* foreign = object.as<Foreign>()) return &foreign->items;
  return object.as<Dict>();
}

Pickle read_pickle(const std::string& path, std::string_view text) { return Machine(path, text).run(); }

}  // namespace freeatm::weights
