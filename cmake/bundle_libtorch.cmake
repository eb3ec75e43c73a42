# SPDX-License-Identifier: Apache-2.0
# An install script: the libraries of ${torch} (its folder) into lib/freeatm of the prefix, and the licences of what is there now.
set(into $ENV{DESTDIR}${CMAKE_INSTALL_PREFIX})
set(scripts ${CMAKE_CURRENT_LIST_DIR}/../scripts)
execute_process(COMMAND ${scripts}/bundle_libtorch.sh ${into} COMMAND_ERROR_IS_FATAL ANY)
file(RPATH_SET FILE ${into}/bin/freeatm NEW_RPATH "$ORIGIN/../lib/freeatm")  # where it was built is no place to look any more
execute_process(COMMAND ${scripts}/licences.sh ${into}/share/doc/freeatm ${torch}/lib/libtorch_cpu.so COMMAND_ERROR_IS_FATAL ANY)
