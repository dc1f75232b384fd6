# The tests, included by the build. A file named test_* below tests/ is a test: C becomes a cmocka
# program, Python and bash are run as they are. Its name is its path: tests/unit/proto/test_codec.c
# is unit/proto/codec.
#
# A test in tests/unit/<folder> links the library of that folder and what that folder may use; all
# others link everything and tests/support/. A line "RESOURCE_LOCK: <word>" in a test's opening
# comment keeps it apart from the other tests with that word; "TIMEOUT: <seconds>", of which a busy
# machine needs many, is for tests that compute for long (otherwise 300).

fan_sources(files tests/support)
fan_library(fan_support tests/support SOURCES ${files} USES fan_all)

# What the simulations share, and whose parts they drive.
fan_sources(files tests/sim)
list(FILTER files EXCLUDE REGEX "/test_[^/]*$")
fan_library(fan_sim tests/sim SOURCES ${files}
    USES fanfare-sender-parts fanfare-ingester-parts fanfare-broker-parts fan_support fan_all)

file(REAL_PATH ${CMAKE_BINARY_DIR} build)
set(environment
    FAN_BUILD=${build}
    FAN_SOURCE=${CMAKE_SOURCE_DIR}
    PYTHONPATH=${CMAKE_SOURCE_DIR}/tests/support
    PYTHONDONTWRITEBYTECODE=1
    ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1
    UBSAN_OPTIONS=print_stacktrace=1)

# Set <out> to the library that the tests in tests/<folder> link.
function(fan_library_under_test out folder)
    set(${out} fan_all PARENT_SCOPE)
    if(folder STREQUAL sim)
        set(${out} fan_sim PARENT_SCOPE)
    endif()
    if(NOT folder MATCHES "^unit/")
        return()
    endif()
    string(REGEX REPLACE "^unit/" "" folder ${folder})
    while(folder)
        get_property(library GLOBAL PROPERTY "library of ${folder}")
        if(library)
            set(${out} ${library} PARENT_SCOPE)
            return()
        endif()
        get_filename_component(folder ${folder} DIRECTORY)
    endwhile()
endfunction()

# fan_test_program(<target> <folder below tests/> <source>…): linked with what it tests.
function(fan_test_program target folder)
    add_executable(${target} ${ARGN})
    set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
    fan_library_under_test(library ${folder})
    if(library MATCHES "^(fan_all|fanfare.*)$" AND TARGET fan_support)
        target_link_libraries(${target} PRIVATE fan_support)
    endif()
    target_link_libraries(${target} PRIVATE ${library})
endfunction()

# fan_test(<path below tests/>)
function(fan_test path)
    get_filename_component(folder ${path} DIRECTORY)
    string(REGEX REPLACE "(^|/)test_([^/]*)\\.[a-z]+$" "\\1\\2" name ${path})
    set(source ${CMAKE_SOURCE_DIR}/tests/${path})
    string(REPLACE "/" "-" target test-${name})
    if(path MATCHES "\\.c$")
        fan_test_program(${target} ${folder} ${source})
        target_compile_options(${target} PRIVATE -Wno-unused-parameter)
        target_link_libraries(${target} PRIVATE cmocka)
        set(command ${target})
    elseif(path MATCHES "\\.py$")
        add_custom_target(${target})
        set(command /usr/bin/python3 ${source})
    else()
        add_custom_target(${target})
        set(command bash ${source})
    endif()
    if(NOT folder MATCHES "^(unit|arch|model|sim)(/|$)")
        add_dependencies(${target} programs)
    endif()
    add_test(NAME ${name} COMMAND ${command} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
    set_tests_properties(${name} PROPERTIES
        TIMEOUT 300 SKIP_RETURN_CODE 77 ENVIRONMENT "${environment}")
    file(STRINGS ${source} timeout REGEX "^TIMEOUT: [0-9]" LIMIT_COUNT 1)
    if(timeout MATCHES "TIMEOUT: ([0-9]+)")
        set_tests_properties(${name} PROPERTIES TIMEOUT ${CMAKE_MATCH_1})
    endif()
    file(STRINGS ${source} lock REGEX "RESOURCE_LOCK: [a-z]" LIMIT_COUNT 1)
    if(lock MATCHES "RESOURCE_LOCK: ([a-z_]+)")
        set_property(TEST ${name} PROPERTY RESOURCE_LOCK ${CMAKE_MATCH_1})
    endif()
endfunction()

# A line "LINKS: <folder>" in a fuzz target's opening comment links a program's parts, too.
function(fan_fuzz_links target source)
    file(STRINGS ${source} line REGEX "LINKS: [a-z]" LIMIT_COUNT 1)
    if(line MATCHES "LINKS: ([a-z/]+)")
        get_property(library GLOBAL PROPERTY "library of ${CMAKE_MATCH_1}")
        target_link_libraries(${target} PRIVATE ${library})
    endif()
endfunction()

# fan_fuzz(<file>): a libFuzzer program; in the test build, a test that replays the corpus.
function(fan_fuzz source)
    get_filename_component(file ${source} NAME_WE)
    string(REGEX REPLACE "^fuzz_" "" name ${file})
    if(FAN_FUZZ)
        fan_test_program(fuzz-${name} fuzz ${source})
        fan_fuzz_links(fuzz-${name} ${source})
        target_link_options(fuzz-${name} PRIVATE -fsanitize=fuzzer)
        set_target_properties(fuzz-${name} PROPERTIES
            OUTPUT_NAME ${name} RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/fuzz)
        add_dependencies(fuzzers fuzz-${name})
    else()
        fan_test_program(test-fuzz-${name} fuzz ${source} ${CMAKE_SOURCE_DIR}/tests/fuzz/driver.c)
        fan_fuzz_links(test-fuzz-${name} ${source})
        add_test(NAME fuzz/${name} COMMAND test-fuzz-${name} tests/fuzz/corpus/${name}
            WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
        set_tests_properties(fuzz/${name} PROPERTIES TIMEOUT 300 ENVIRONMENT "${environment}")
    endif()
    set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS -Wno-missing-prototypes)
endfunction()

file(GLOB fuzzers CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/fuzz/fuzz_*.c)
add_custom_target(fuzzers)
foreach(source IN LISTS fuzzers)
    fan_fuzz(${source})
endforeach()
foreach(target fuzz-json test-fuzz-json) # has the library as a second opinion
    if(TARGET ${target})
        target_link_libraries(${target} PRIVATE jansson)
    endif()
endforeach()

if(FAN_TESTS)
    file(GLOB_RECURSE tests RELATIVE ${CMAKE_SOURCE_DIR}/tests CONFIGURE_DEPENDS
        ${CMAKE_SOURCE_DIR}/tests/test_*.c
        ${CMAKE_SOURCE_DIR}/tests/test_*.py
        ${CMAKE_SOURCE_DIR}/tests/test_*.sh)
    list(FILTER tests EXCLUDE REGEX "^(bench|browser|fault|support)/")
    foreach(test IN LISTS tests)
        fan_test(${test})
    endforeach()

    # The quick ones of tests/fault; ./dev fault runs them all.
    add_custom_target(test-fault-quick)
    add_dependencies(test-fault-quick programs)
    add_test(NAME fault/quick COMMAND tests/fault/run --quick
        WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
    set_tests_properties(fault/quick PROPERTIES
        TIMEOUT 600 RESOURCE_LOCK system ENVIRONMENT "${environment}")
endif()
