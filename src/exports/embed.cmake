# SPDX-License-Identifier: Apache-2.0
# cmake -D IN=modeling_freeatm_resnet.py -D OUT=modeling_text.cpp -P embed.cmake: the file as a string literal.
file(READ ${IN} text)
file(WRITE ${OUT} "// Made by embed.cmake.
#include \"transformers.h\"
namespace freeatm::exports {
const char* const kModelingText = R\"py(${text})py\";
}  // namespace freeatm::exports
")
