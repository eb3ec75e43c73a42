# SPDX-License-Identifier: Apache-2.0
# What is installed, by component: program (it finds the rest by where it is), development (headers, layers, CMake package),
# wheel (what else a Python package needs).
include(CMakePackageConfigHelpers)

# A built program finds configs and models as an installed one does (src/core/shipped.cpp).
file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/share/freeatm)
foreach(folder configs models)
  file(CREATE_LINK ${CMAKE_SOURCE_DIR}/${folder} ${CMAKE_BINARY_DIR}/share/freeatm/${folder} SYMBOLIC)
endforeach()

install(TARGETS freeatm RUNTIME DESTINATION bin COMPONENT program)
install(DIRECTORY configs models DESTINATION share/freeatm COMPONENT program)
set_target_properties(freeatm PROPERTIES INSTALL_RPATH "$ORIGIN/../lib/freeatm;${FREEATM_TORCH_DIR}/lib")

install(DIRECTORY include/freeatm DESTINATION include COMPONENT development)
set(package lib/cmake/freeatm)
configure_file(cmake/freeatmConfig.cmake.in freeatmConfig.cmake @ONLY)
write_basic_package_version_file(freeatmConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(EXPORT freeatm NAMESPACE freeatm:: FILE freeatmTargets.cmake DESTINATION ${package} COMPONENT development)
install(FILES ${CMAKE_BINARY_DIR}/freeatmConfig.cmake ${CMAKE_BINARY_DIR}/freeatmConfigVersion.cmake cmake/FindLibTorch.cmake
  cmake/FindOpenCVCore.cmake DESTINATION ${package} COMPONENT development)

if(FREEATM_WHEEL)
  set(libraries "$ORIGIN/../../torch/lib;$ORIGIN/../lib")
  # Not RUNPATH, which would hold for the program's own libraries only and not for what those are linked to.
  target_link_options(freeatm PRIVATE -Wl,--disable-new-dtags)
  set_target_properties(freeatm PROPERTIES INSTALL_RPATH "${libraries}")
  configure_file(python/_build.py.in _build.py @ONLY)
  install(FILES ${CMAKE_BINARY_DIR}/_build.py DESTINATION . COMPONENT wheel)
  install(CODE "set(program \"$<TARGET_FILE:freeatm>\")" COMPONENT wheel)
  install(SCRIPT cmake/bundle_libraries.cmake COMPONENT wheel)
endif()
