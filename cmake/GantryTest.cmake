# SPDX-License-Identifier: Apache-2.0
# gantry_test(NAME SOURCES ... [LIBS ...] [LABEL quick|full|long]): a GoogleTest program; nothing
# when tests are off.
if(GANTRY_TESTS STREQUAL "AUTO")
  find_package(GTest QUIET)
  set(GANTRY_TESTS ${GTest_FOUND})
elseif(GANTRY_TESTS)
  find_package(GTest REQUIRED)
endif()

function(gantry_test name)
  if(NOT GANTRY_TESTS)
    return()
  endif()
  cmake_parse_arguments(T "" "LABEL;TIMEOUT" "SOURCES;LIBS;ARGS" ${ARGN})
  if(NOT T_LABEL)
    set(T_LABEL quick)
  endif()
  if(NOT T_TIMEOUT)
    set(T_TIMEOUT 60)
  endif()
  add_executable(${name} ${T_SOURCES})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  target_link_libraries(${name} PRIVATE gantry_flags gantry GTest::gtest_main Threads::Threads
                        ${T_LIBS})
  add_test(NAME ${name} COMMAND ${name} ${T_ARGS})
  set_tests_properties(${name} PROPERTIES LABELS ${T_LABEL} TIMEOUT ${T_TIMEOUT})
endfunction()

# gantry_fuzzer(NAME SOURCES ... [LIBS ...]): a libFuzzer program; its committed corpus is a folder
# corpus/NAME beside the sources. Only with GANTRY_FUZZ.
function(gantry_fuzzer name)
  if(NOT GANTRY_FUZZ)
    return()
  endif()
  cmake_parse_arguments(F "" "" "SOURCES;LIBS" ${ARGN})
  add_executable(${name} ${F_SOURCES})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/fuzz)
  target_compile_options(${name} PRIVATE -fsanitize=fuzzer)
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  target_link_libraries(${name} PRIVATE gantry_flags gantry ${F_LIBS})
endfunction()
