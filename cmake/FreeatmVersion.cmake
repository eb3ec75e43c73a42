# SPDX-License-Identifier: Apache-2.0
# freeatm_add_version(target)   adds a source that knows the version and the commit. Every build asks git again; where the answer is the
#   same the file stays as it is, and nothing is compiled. Without git (a release's archive) FREEATM_COMMIT of the environment is taken.
# As a script, which is what each build runs: cmake -D SOURCE_DIR=DIR -D VERSION=0.1.0 -D LIBTORCH=2.0.0 -D OUTPUT=version.cpp -P FreeatmVersion.cmake
if(CMAKE_SCRIPT_MODE_FILE)
  # An archive may have been unpacked inside of another repository, whose commits say nothing of us.
  get_filename_component(above "${SOURCE_DIR}" DIRECTORY)
  set(ENV{GIT_CEILING_DIRECTORIES} "${above}")
  execute_process(COMMAND git describe --tags --always --dirty WORKING_DIRECTORY "${SOURCE_DIR}"
    RESULT_VARIABLE failed OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  if(failed)
    set(commit "$ENV{FREEATM_COMMIT}")
  endif()
  if(NOT commit MATCHES "^[A-Za-z0-9._+/-]*$")  # it becomes a string of C++
    message(FATAL_ERROR "'${commit}' is no name of a commit")
  endif()
  configure_file("${CMAKE_CURRENT_LIST_DIR}/../src/core/version.cpp.in" "${OUTPUT}" @ONLY)
  return()
endif()

set(FREEATM_VERSION_SCRIPT ${CMAKE_CURRENT_LIST_FILE})

function(freeatm_add_version target)
  set(source ${CMAKE_CURRENT_BINARY_DIR}/version.cpp)
  add_custom_target(${target}_version
    COMMAND ${CMAKE_COMMAND} -D SOURCE_DIR=${CMAKE_SOURCE_DIR} -D VERSION=${PROJECT_VERSION} -D LIBTORCH=${LibTorch_VERSION} -D OUTPUT=${source} -P ${FREEATM_VERSION_SCRIPT}
    BYPRODUCTS ${source} COMMENT "Version" VERBATIM)
  add_dependencies(${target} ${target}_version)
  target_sources(${target} PRIVATE ${source})
  set_source_files_properties(${source} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON SKIP_PRECOMPILE_HEADERS ON)  # it alone is compiled anew
endfunction()
