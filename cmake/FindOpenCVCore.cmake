# SPDX-License-Identifier: Apache-2.0
# OpenCV's core and imgproc alone: Debian's OpenCVConfig comes only with libopencv-dev and its hundreds of megabytes.
find_path(OpenCVCore_INCLUDE_DIR opencv2/core.hpp PATH_SUFFIXES opencv4)
find_library(OpenCVCore_core opencv_core)
find_library(OpenCVCore_imgproc opencv_imgproc)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(OpenCVCore REQUIRED_VARS OpenCVCore_INCLUDE_DIR OpenCVCore_core OpenCVCore_imgproc)
if(OpenCVCore_FOUND AND NOT TARGET OpenCV::Core)
  add_library(OpenCV::Core INTERFACE IMPORTED)
  target_include_directories(OpenCV::Core SYSTEM INTERFACE ${OpenCVCore_INCLUDE_DIR})
  target_link_libraries(OpenCV::Core INTERFACE ${OpenCVCore_imgproc} ${OpenCVCore_core})
endif()
