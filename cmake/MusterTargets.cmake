# SPDX-License-Identifier: MIT
# The patterns that every folder's CMakeLists.txt uses.

# muster_library(NAME SOURCES a.c b.c LIBS schema PkgConfig::X)
# A static library with the project's flags. Without sources it is an empty INTERFACE library, so that others may
# already link it.
function(muster_library name)
	cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LIBS")
	if(arg_UNPARSED_ARGUMENTS)
		message(FATAL_ERROR "muster_library(${name}): unknown argument ${arg_UNPARSED_ARGUMENTS}")
	endif()
	if(NOT arg_SOURCES)
		add_library(${name} INTERFACE)
		target_link_libraries(${name} INTERFACE ${arg_LIBS})
		return()
	endif()
	add_library(${name} STATIC ${arg_SOURCES})
	target_link_libraries(${name} PRIVATE muster_flags PUBLIC ${arg_LIBS})
endfunction()

# muster_executable(NAME [HELPER] SOURCES main.c LIBS cmd): goes to bin/. Installed there too, or with HELPER where only
# other programs look (libexec/muster).
function(muster_executable name)
	cmake_parse_arguments(PARSE_ARGV 1 arg "HELPER" "" "SOURCES;LIBS")
	add_executable(${name} ${arg_SOURCES})
	target_link_libraries(${name} PRIVATE muster_flags ${arg_LIBS})
	if(arg_HELPER)
		install(TARGETS ${name} RUNTIME DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/muster)
	else()
		install(TARGETS ${name} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
	endif()
endfunction()

# muster_unit_test(NAME SOURCES test_x.c [more.c] LIBS x [WRAP malloc read] [TIMEOUT 60])
# A cmocka program, run by ctest under the label `unit` from the top of the source tree. WRAP names are passed to
# the linker as --wrap.
function(muster_unit_test name)
	cmake_parse_arguments(PARSE_ARGV 1 arg "" "TIMEOUT" "SOURCES;LIBS;WRAP")
	if(arg_UNPARSED_ARGUMENTS)
		message(FATAL_ERROR "muster_unit_test(${name}): unknown argument ${arg_UNPARSED_ARGUMENTS}")
	endif()
	if(MUSTER_FUZZ)
		return() # that preset is for the fuzz targets
	endif()
	if(NOT arg_TIMEOUT)
		set(arg_TIMEOUT 60)
	endif()
	add_executable(${name} ${arg_SOURCES})
	target_link_libraries(${name} PRIVATE muster_flags ${arg_LIBS} PkgConfig::CMOCKA)
	foreach(symbol IN LISTS arg_WRAP)
		target_link_options(${name} PRIVATE -Wl,--wrap=${symbol})
	endforeach()
	set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/tests/unit")
	add_test(NAME ${name} COMMAND ${name} WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}")
	set_tests_properties(${name} PROPERTIES LABELS unit TIMEOUT ${arg_TIMEOUT})
endfunction()

# muster_fuzz_target(cbor SOURCES fuzz_cbor.c LIBS schema)
# The program fuzz_cbor. Its corpus is tests/fuzz/corpus/cbor/. With MUSTER_FUZZ it is a libFuzzer program, run for
# MUSTER_FUZZ_SECONDS or _RUNS under the label `fuzz`; otherwise a driver replays the corpus under the label `unit`.
function(muster_fuzz_target name)
	cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LIBS")
	set(target fuzz_${name})
	set(corpus "${PROJECT_SOURCE_DIR}/tests/fuzz/corpus/${name}")
	add_executable(${target} ${arg_SOURCES})
	target_link_libraries(${target} PRIVATE muster_flags ${arg_LIBS})
	set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/tests/fuzz")
	if(MUSTER_FUZZ)
		target_link_options(${target} PRIVATE -fsanitize=fuzzer)
		add_test(NAME ${target} COMMAND "${PROJECT_SOURCE_DIR}/tests/fuzz/run" $<TARGET_FILE:${target}> "${corpus}")
		set_tests_properties(${target} PROPERTIES LABELS fuzz TIMEOUT 900)
	else()
		target_sources(${target} PRIVATE "${PROJECT_SOURCE_DIR}/tests/fuzz/replay.c")
		add_test(NAME ${target} COMMAND ${target} "${corpus}")
		set_tests_properties(${target} PROPERTIES LABELS unit TIMEOUT 60)
	endif()
endfunction()
