# SPDX-License-Identifier: Apache-2.0
# An install script: what ${program} is linked to, but for glibc and torch's package, into lib/ of the prefix.
file(GET_RUNTIME_DEPENDENCIES EXECUTABLES ${program} RESOLVED_DEPENDENCIES_VAR found
  PRE_EXCLUDE_REGEXES "^lib(torch|c10|gomp)" "^(ld-linux.*|lib(c|m|dl|rt|pthread|util|resolv|mvec))\\.so")
set(into $ENV{DESTDIR}${CMAKE_INSTALL_PREFIX})
file(MAKE_DIRECTORY ${into}/lib)
foreach(library IN LISTS found)  # under the name that the linker asks for: a wheel holds no links
  get_filename_component(name ${library} NAME)
  file(COPY_FILE ${library} ${into}/lib/${name})
  file(CHMOD ${into}/lib/${name} PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
endforeach()
execute_process(COMMAND ${CMAKE_CURRENT_LIST_DIR}/../scripts/licences.sh ${into}/share/doc/freeatm ${found} COMMAND_ERROR_IS_FATAL ANY)
