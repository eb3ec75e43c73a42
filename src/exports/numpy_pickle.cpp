// SPDX-License-Identifier: Apache-2.0
#include "numpy_pickle.h"

#include <ATen/ATen.h>

#include "freeatm/core/error.h"

namespace freeatm::exports {
namespace {

/// Opcodes of pickle's protocol 3, as pickletools lists them.
class Pickle {
 public:
  Pickle() { bytes_ += "\x80\x03"; }

  Pickle& op(const char* codes) {
    bytes_ += codes;
    return *this;
  }
  Pickle& global(const std::string& module, const std::string& name) {
    bytes_ += "c" + module + "\n" + name + "\n";
    return *this;
  }
  Pickle& text(const std::string& utf8) { return counted('X', utf8); }
  Pickle& bytes(std::string_view data) { return counted('B', data); }
  Pickle& number(int64_t value) {
    FREEATM_CHECK(value >= -2147483648LL && value <= 2147483647LL, "{} is no BININT", value);
    bytes_ += 'J';
    return little(static_cast<uint32_t>(value));
  }
  std::string finish() && { return std::move(bytes_) + "."; }

 private:
  Pickle& counted(char code, std::string_view data) {
    FREEATM_CHECK(data.size() <= 0xffffffffu, "{} bytes are too many for one array", data.size());
    bytes_ += code;
    little(static_cast<uint32_t>(data.size()));
    bytes_ += data;
    return *this;
  }
  Pickle& little(uint32_t value) {
    for (int i = 0; i < 4; ++i) bytes_ += static_cast<char>(value >> (8 * i) & 0xff);
    return *this;
  }
  std::string bytes_;
};

// As numpy.ndarray.__reduce__ gives it: an empty array, and its state (version, shape, dtype, Fortran's order, bytes).
// "numpy.core" is where every version of NumPy finds it; the later ones keep that name for pickles.
void add_array(Pickle& pickle, const at::Tensor& tensor) {
  FREEATM_CHECK(tensor.scalar_type() == at::kFloat && tensor.is_contiguous(), "an array is contiguous fp32");
  pickle.global("numpy.core.multiarray", "_reconstruct").global("numpy", "ndarray");
  pickle.number(0).op("\x85").bytes("b").op("\x87R");  // (ndarray, (0,), b"b") called
  pickle.op("(").number(1).op("(");
  for (const int64_t size : tensor.sizes()) pickle.number(size);
  pickle.op("t");
  pickle.global("numpy", "dtype").text("f4").op("\x89\x88\x87R");  // dtype("f4", False, True)
  pickle.op("(").number(3).text("<").op("NNN").number(-1).number(-1).number(0).op("tb");
  pickle.op("\x89").bytes({static_cast<const char*>(tensor.const_data_ptr()), tensor.nbytes()}).op("tb");
}

}  // namespace

std::string numpy_pickle(const weights::TensorMap& tensors) {
  Pickle pickle;
  pickle.op("}(").text("model").op("}(");
  for (const auto& [name, tensor] : tensors) {
    pickle.text(name);
    add_array(pickle, tensor);
  }
  pickle.op("u").text("__author__").text("freeatm").text("matching_heuristics").op("\x88u");
  return std::move(pickle).finish();
}

}  // namespace freeatm::exports
