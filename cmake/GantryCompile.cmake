# SPDX-License-Identifier: Apache-2.0
# How everything is compiled: warnings, hardening, sanitizers, and the libraries we stand on.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
pkg_check_modules(GLIB REQUIRED IMPORTED_TARGET glib-2.0)
pkg_check_modules(UV REQUIRED IMPORTED_TARGET libuv)
pkg_check_modules(URING REQUIRED IMPORTED_TARGET liburing)
pkg_check_modules(DEFLATE REQUIRED IMPORTED_TARGET libdeflate)
find_package(ZLIB REQUIRED)
find_path(LTDL_INCLUDE ltdl.h REQUIRED)
find_library(LTDL_LIBRARY ltdl REQUIRED)
find_path(JSMN_INCLUDE jsmn.h REQUIRED)

add_library(gantry_flags INTERFACE)
target_compile_options(gantry_flags INTERFACE
  -Wall -Wextra -Wno-missing-field-initializers -fno-strict-aliasing -fstack-protector-strong
  $<$<COMPILE_LANGUAGE:C>:-Wmissing-prototypes;-Wstrict-prototypes;-Wvla;-Wpointer-arith>)
# The same sources give the same files, wherever they are built.
target_compile_options(gantry_flags INTERFACE -ffile-prefix-map=${CMAKE_SOURCE_DIR}/=)
target_compile_definitions(gantry_flags INTERFACE _GNU_SOURCE)
target_include_directories(gantry_flags INTERFACE ${CMAKE_SOURCE_DIR}/api)
if(GANTRY_WERROR)
  target_compile_options(gantry_flags INTERFACE -Werror)
endif()
if(GANTRY_STATIC)
  target_compile_definitions(gantry_flags INTERFACE GANTRY_STATIC)
endif()
if(GANTRY_FUZZ)
  target_compile_options(gantry_flags INTERFACE -fsanitize=fuzzer-no-link)
  target_link_options(gantry_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(GANTRY_SANITIZE)
  target_compile_options(gantry_flags INTERFACE
    -fsanitize=${GANTRY_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(gantry_flags INTERFACE -fsanitize=${GANTRY_SANITIZE})
elseif(CMAKE_BUILD_TYPE MATCHES "Rel")
  target_compile_definitions(gantry_flags INTERFACE _FORTIFY_SOURCE=2)
endif()
