# SPDX-License-Identifier: Apache-2.0
# What is installed, by component: program (it finds the rest by where it is), development (headers, layers, CMake package); when asked
# for: wheel (what a Python package needs besides the program), package (the program with LibTorch's libraries: cpack).
include(CMakePackageConfigHelpers)

# A built program finds configs and models as an installed one does (src/core/shipped.cpp).
file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/share/freeatm)
foreach(folder configs models)
  file(CREATE_LINK ${CMAKE_SOURCE_DIR}/${folder} ${CMAKE_BINARY_DIR}/share/freeatm/${folder} SYMBOLIC)
endforeach()

function(freeatm_install_program)
  install(TARGETS freeatm RUNTIME DESTINATION bin COMPONENT ${ARGN})
  install(DIRECTORY configs models DESTINATION share/freeatm COMPONENT ${ARGN})
  if(TARGET freeatm_nccl)
    install(TARGETS freeatm_nccl LIBRARY DESTINATION lib/freeatm COMPONENT ${ARGN})
  endif()
endfunction()
freeatm_install_program(program)
freeatm_install_program(package EXCLUDE_FROM_ALL)
set_target_properties(freeatm PROPERTIES INSTALL_RPATH "$ORIGIN/../lib/freeatm;${FREEATM_TORCH_DIR}/lib")

install(DIRECTORY include/freeatm DESTINATION include COMPONENT development)
set(package lib/cmake/freeatm)
configure_file(cmake/freeatmConfig.cmake.in freeatmConfig.cmake @ONLY)
write_basic_package_version_file(freeatmConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(EXPORT freeatm NAMESPACE freeatm:: FILE freeatmTargets.cmake DESTINATION ${package} COMPONENT development)
install(FILES ${CMAKE_BINARY_DIR}/freeatmConfig.cmake ${CMAKE_BINARY_DIR}/freeatmConfigVersion.cmake cmake/FindLibTorch.cmake
  cmake/FindOpenCVCore.cmake DESTINATION ${package} COMPONENT development)

if(FREEATM_WHEEL)
  # Not RUNPATH, which would hold for the program's own libraries only and not for what those are linked to.
  target_link_options(freeatm PRIVATE -Wl,--disable-new-dtags)
  set_target_properties(freeatm PROPERTIES INSTALL_RPATH "$ORIGIN/../../torch/lib;$ORIGIN/../lib")
  configure_file(python/_build.py.in _build.py @ONLY)
  install(FILES ${CMAKE_BINARY_DIR}/_build.py DESTINATION . COMPONENT wheel EXCLUDE_FROM_ALL)
  if(TARGET freeatm_nccl)
    install(TARGETS freeatm_nccl LIBRARY DESTINATION lib COMPONENT wheel EXCLUDE_FROM_ALL)
  endif()
  install(CODE "set(program \"$<TARGET_FILE:freeatm>\")" COMPONENT wheel EXCLUDE_FROM_ALL)
  install(SCRIPT cmake/bundle_libraries.cmake COMPONENT wheel EXCLUDE_FROM_ALL)
endif()

# Debian's own libraries are the .deb's dependencies.
if(FREEATM_CUDA)
  install(TARGETS freeatm_ops_cuda LIBRARY DESTINATION lib/freeatm COMPONENT package EXCLUDE_FROM_ALL)
endif()
install(CODE "set(torch \"${FREEATM_TORCH_DIR}\")" COMPONENT package EXCLUDE_FROM_ALL)
install(SCRIPT cmake/bundle_libtorch.cmake COMPONENT package EXCLUDE_FROM_ALL)
set(CPACK_GENERATOR DEB TGZ)
set(CPACK_MONOLITHIC_INSTALL ON)
set(CPACK_INSTALL_CMAKE_PROJECTS "${CMAKE_BINARY_DIR};freeatm;package;/")
set(CPACK_PACKAGE_FILE_NAME freeatm-${PROJECT_VERSION}-linux-${CMAKE_SYSTEM_PROCESSOR})
set(CPACK_PACKAGE_CONTACT "freeatm's developers <freeatm@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "masks for free from a diffusion model's attention, and backbones pretrained on them")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS fonts-noto-color-emoji)
include(CPack)
