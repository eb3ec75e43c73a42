# SPDX-License-Identifier: Apache-2.0
# LibTorch from a PyPI wheel or an unpacked LibTorch, without TorchConfig (which wants a CUDA toolkit): target LibTorch::LibTorch.
#   FREEATM_TORCH_DIR (cache or environment): the folder that holds include/ and lib/; default: what scripts/setup.sh installed.
# CUDA is loaded at run time (src/models/device.cpp), so one binary serves machines with and without a GPU.
if(NOT FREEATM_TORCH_DIR AND DEFINED ENV{FREEATM_TORCH_DIR})
  set(FREEATM_TORCH_DIR $ENV{FREEATM_TORCH_DIR})
endif()
if(NOT FREEATM_TORCH_DIR)
  file(GLOB FREEATM_TORCH_DIR ${CMAKE_SOURCE_DIR}/.deps/libtorch/lib/python3*/site-packages/torch)
endif()
set(FREEATM_TORCH_DIR "${FREEATM_TORCH_DIR}" CACHE PATH "folder with LibTorch's include/ and lib/" FORCE)

find_path(LibTorch_INCLUDE_DIR torch/csrc/api/include/torch/torch.h PATHS ${FREEATM_TORCH_DIR}/include NO_DEFAULT_PATH)
foreach(name torch_cpu c10)  # not `torch`, which drags in the CUDA half
  find_library(LibTorch_${name} ${name} PATHS ${FREEATM_TORCH_DIR}/lib NO_DEFAULT_PATH)
endforeach()
set(LibTorch_VERSION)
foreach(part MAJOR MINOR PATCH)
  if(LibTorch_INCLUDE_DIR)
    file(STRINGS ${LibTorch_INCLUDE_DIR}/torch/headeronly/version.h line REGEX "define TORCH_VERSION_${part} ")
    string(REGEX MATCH "[0-9]+$" number "${line}")
    list(APPEND LibTorch_VERSION ${number})
  endif()
endforeach()
list(JOIN LibTorch_VERSION . LibTorch_VERSION)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(LibTorch VERSION_VAR LibTorch_VERSION REQUIRED_VARS LibTorch_INCLUDE_DIR LibTorch_torch_cpu LibTorch_c10
  REASON_FAILURE_MESSAGE "run scripts/setup.sh, or set FREEATM_TORCH_DIR")

if(LibTorch_FOUND AND NOT TARGET LibTorch::LibTorch)
  add_library(LibTorch::LibTorch INTERFACE IMPORTED)
  target_include_directories(LibTorch::LibTorch SYSTEM INTERFACE
    ${LibTorch_INCLUDE_DIR} ${LibTorch_INCLUDE_DIR}/torch/csrc/api/include)
  target_link_libraries(LibTorch::LibTorch INTERFACE ${LibTorch_torch_cpu} ${LibTorch_c10} Threads::Threads)
  target_compile_definitions(LibTorch::LibTorch INTERFACE _GLIBCXX_USE_CXX11_ABI=1)
  set(CMAKE_BUILD_RPATH ${FREEATM_TORCH_DIR}/lib)
endif()
