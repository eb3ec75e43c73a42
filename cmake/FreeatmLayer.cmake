# SPDX-License-Identifier: Apache-2.0
# freeatm_layer(name SOURCES ... DEPS layers... [LIBS libraries...] [TORCH] [PCH])   the library freeatm_<name>
# freeatm_test(layer [FAST sources...] [SLOW sources...] [PEERS sources...] [GPU sources...] [LIBS ...])   <layer>_test, <layer>_slow_test, <layer>_peers_test,
#   <layer>_gpu_test; ctest labels fast, slow, peers, gpu. What is in PEERS skips itself where .deps/peers (scripts/setup_peers.sh) is absent, what is in GPU
#   where there is no GPU.
#
# ctest starts a layer's fast tests once, and the others once a suite: LibTorch takes .3 s to start, and what a suite's tests share is made once.
#
# Most of a compilation is reading headers, so sources are compiled twelve at a time, tests eight, and layers whose sources build modules
# share a precompiled header; behind it each compilation has 8 s of LibTorch's templates to instantiate, whatever it compiles (g++ 12). Files of a layer therefore share their anonymous namespace: two of the same name in it do not
# compile. -D FREEATM_UNITY=OFF (preset `tidy`) compiles file by file.

add_library(freeatm_flags INTERFACE)
# Off: designated initialisers leave fields to their defaults on purpose; the other two are false alarms of g++ 12 on std::string (PR105651).
target_compile_options(freeatm_flags INTERFACE -Wall -Wextra -fpch-preprocess
  -Wno-missing-field-initializers $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict -Wno-stringop-overread>)
if(FREEATM_SANITIZE)
  # Checks of what each access's pointer points to double the compilation, and the address sanitizer sees what they would, but for misaligned reads.
  target_compile_options(freeatm_flags INTERFACE -fsanitize=address,undefined -fno-sanitize=vptr,null,alignment,object-size -fno-omit-frame-pointer)
  target_link_options(freeatm_flags INTERFACE -fsanitize=address,undefined)
endif()

# Tests run for a moment and are compiled each time: -O1, in every build type.
add_library(freeatm_test_flags INTERFACE)
target_compile_options(freeatm_test_flags INTERFACE -O1)

if(FREEATM_TESTS)
  add_library(freeatm_test_main OBJECT ${CMAKE_SOURCE_DIR}/tests/main.cpp)
  target_link_libraries(freeatm_test_main PRIVATE freeatm_flags PUBLIC GTest::gtest)
endif()

# A target with the header that its users reuse; the optimiser's level is a part of it.
function(freeatm_make_pch name)
  file(WRITE ${CMAKE_BINARY_DIR}/${name}.cpp "")
  add_library(${name} OBJECT ${CMAKE_BINARY_DIR}/${name}.cpp)
  target_link_libraries(${name} PRIVATE freeatm_flags LibTorch::LibTorch ${ARGN})
  target_precompile_headers(${name} PRIVATE <ATen/ATen.h> <torch/nn/module.h> <torch/nn/modules/batchnorm.h>
    <torch/nn/modules/container/modulelist.h> <torch/nn/modules/container/sequential.h> <torch/nn/modules/conv.h>
    <torch/nn/modules/linear.h> <torch/nn/modules/normalization.h> <map> <memory> <string> <vector>)
endfunction()

function(freeatm_use_pch target pch)
  if(FREEATM_PCH)
    if(NOT TARGET ${pch})
      freeatm_make_pch(${pch} ${ARGN})
    endif()
    target_precompile_headers(${target} REUSE_FROM ${pch})
  endif()
endfunction()

function(freeatm_layer name)
  cmake_parse_arguments(ARG "TORCH;PCH" "" "SOURCES;DEPS;LIBS" ${ARGN})
  add_library(freeatm_${name} STATIC ${ARG_SOURCES})
  add_library(freeatm::${name} ALIAS freeatm_${name})
  target_compile_features(freeatm_${name} PUBLIC cxx_std_20)
  target_include_directories(freeatm_${name} PUBLIC $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/include> PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
  list(TRANSFORM ARG_DEPS PREPEND freeatm_)
  target_link_libraries(freeatm_${name} PUBLIC ${ARG_DEPS} PRIVATE $<BUILD_INTERFACE:freeatm_flags> ${ARG_LIBS})
  set_target_properties(freeatm_${name} PROPERTIES UNITY_BUILD ${FREEATM_UNITY} UNITY_BUILD_BATCH_SIZE 12 EXPORT_NAME ${name})
  install(TARGETS freeatm_${name} EXPORT freeatm ARCHIVE DESTINATION lib COMPONENT development INCLUDES DESTINATION include)
  if(ARG_TORCH)
    target_link_libraries(freeatm_${name} PUBLIC LibTorch::LibTorch)
  endif()
  if(ARG_PCH)
    freeatm_use_pch(freeatm_${name} freeatm_pch)
  endif()
endfunction()

# An entry of ctest for each suite of `target`.
function(freeatm_add_suites target layer label)
  set(suites ${CMAKE_CURRENT_BINARY_DIR}/${target}_suites.cmake)
  add_custom_command(TARGET ${target} POST_BUILD BYPRODUCTS ${suites} VERBATIM
    COMMAND ${CMAKE_COMMAND} -D program=$<TARGET_FILE:${target}> -D prefix=${layer}. -D label=${label} -D out=${suites} -P ${CMAKE_SOURCE_DIR}/cmake/list_suites.cmake)
  set(entries ${CMAKE_CURRENT_BINARY_DIR}/${target}_entries.cmake)
  file(WRITE ${entries} "if(EXISTS ${suites})\n  include(${suites})\nelse()\n  add_test(${target}_is_not_built ${target}_is_not_built)\nendif()\n")
  set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES ${entries})
endfunction()

function(freeatm_test layer)
  cmake_parse_arguments(ARG "" "" "FAST;SLOW;PEERS;GPU;LIBS" ${ARGN})
  foreach(label FAST SLOW PEERS GPU)
    if(ARG_${label})
      string(TOLOWER ${label} lower)
      set(target ${layer}_test)
      if(NOT label STREQUAL FAST)
        set(target ${layer}_${lower}_test)
      endif()
      add_executable(${target} ${ARG_${label}})
      target_include_directories(${target} PRIVATE ${CMAKE_SOURCE_DIR}/tests ${CMAKE_SOURCE_DIR}/src/${layer})
      target_link_libraries(${target} PRIVATE freeatm_${layer} freeatm_flags freeatm_test_flags freeatm_test_main nlohmann_json::nlohmann_json ${ARG_LIBS})
      target_compile_definitions(${target} PRIVATE FREEATM_SOURCE_DIR="${CMAKE_SOURCE_DIR}" FREEATM_BINARY_DIR="${CMAKE_BINARY_DIR}")
      set_target_properties(${target} PROPERTIES UNITY_BUILD ${FREEATM_UNITY} UNITY_BUILD_BATCH_SIZE 8)
      get_target_property(libraries freeatm_${layer} LINK_LIBRARIES)
      if("LibTorch::LibTorch" IN_LIST libraries)
        freeatm_use_pch(${target} freeatm_test_pch freeatm_test_flags)
      endif()
      if(label STREQUAL FAST)
        add_test(NAME ${layer} COMMAND ${target} --gtest_brief=1)
        set_tests_properties(${layer} PROPERTIES LABELS fast ENVIRONMENT GOMP_SPINCOUNT=2000)
      else()
        freeatm_add_suites(${target} ${layer} ${lower})
      endif()
    endif()
  endforeach()
endfunction()
