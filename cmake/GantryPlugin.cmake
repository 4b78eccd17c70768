# SPDX-License-Identifier: Apache-2.0
# gantry_plugin(KIND NAME SOURCES ... [LIBS ...]): one plugin in plugins/KIND/NAME. The link policy
# of every module lives here: one exported symbol, everything resolved at load, never unmapped.
# gantry_lib(NAME SOURCES ... [LIBS ...]): code that several plugins share, in plugins/lib/NAME.
set_property(GLOBAL PROPERTY GANTRY_PLUGINS "")

function(gantry_plugin kind name)
  cmake_parse_arguments(P "" "" "SOURCES;LIBS" ${ARGN})
  set(target ${kind}-${name})
  if(GANTRY_STATIC)
    add_library(${target} STATIC ${P_SOURCES})
  else()
    add_library(${target} MODULE ${P_SOURCES})
    set_target_properties(${target} PROPERTIES PREFIX "" SUFFIX ".so"
      LIBRARY_OUTPUT_DIRECTORY ${GANTRY_PLUGIN_OUTPUT})
    if(NOT GANTRY_SANITIZE)
      target_link_options(${target} PRIVATE -Wl,-z,defs)
    endif()
    target_link_options(${target} PRIVATE -Wl,-z,now -Wl,-z,relro -Wl,-z,nodelete
      -Wl,--exclude-libs,ALL)
    target_link_libraries(${target} PRIVATE gantry)
    install(TARGETS ${target} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/gantry)
  endif()
  target_link_libraries(${target} PRIVATE gantry_flags PkgConfig::UV Threads::Threads ${P_LIBS})
  set_property(GLOBAL APPEND PROPERTY GANTRY_PLUGINS ${target})
  set(fragment ${CMAKE_CURRENT_SOURCE_DIR}/${name}.conf)
  if(EXISTS ${fragment})
    configure_file(${fragment} ${GANTRY_CONF_OUTPUT}/${target}.conf COPYONLY)
    install(FILES ${fragment} DESTINATION ${CMAKE_INSTALL_SYSCONFDIR}/gantry/conf.d
            RENAME ${target}.conf)
  endif()
endfunction()

function(gantry_lib name)
  cmake_parse_arguments(L "" "" "SOURCES;LIBS" ${ARGN})
  add_library(lib-${name} STATIC ${L_SOURCES})
  target_include_directories(lib-${name} PUBLIC ${CMAKE_SOURCE_DIR}/plugins/lib)
  target_link_libraries(lib-${name} PUBLIC gantry_flags PkgConfig::UV ${L_LIBS})
endfunction()
