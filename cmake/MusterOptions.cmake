# SPDX-License-Identifier: MIT
# Options, and the INTERFACE target `muster_flags` that carries warnings and hardening. No global flags are set.
option(MUSTER_WERROR "Warnings are errors" OFF)
option(MUSTER_FUZZ "Build fuzz targets with libFuzzer (clang)" OFF)
option(MUSTER_COVERAGE "Measure coverage" OFF)
option(MUSTER_TESTS "Build the tests" ON)
set(MUSTER_SANITIZE "" CACHE STRING "Sanitizers for -fsanitize=, such as address,undefined")

if(NOT CMAKE_BUILD_TYPE)
	set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
include(CheckPIESupported)
check_pie_supported(LANGUAGES C)

add_library(muster_flags INTERFACE)
target_include_directories(muster_flags INTERFACE "${PROJECT_SOURCE_DIR}")
# Empty on purpose: the same as `#define _GNU_SOURCE` in a source. Asserts stay in release.
target_compile_options(muster_flags INTERFACE -D_GNU_SOURCE= -UNDEBUG)
# By itself uthash ends the program where it has no memory; so an element that was not added has no table (hh.tbl).
target_compile_definitions(muster_flags INTERFACE HASH_NONFATAL_OOM=1)
target_compile_options(muster_flags INTERFACE
	-Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wundef -Wvla -Wcast-qual
	-Wmissing-prototypes -Wstrict-prototypes -Wformat=2 -Wnull-dereference)
target_compile_options(muster_flags INTERFACE
	-fstack-protector-strong -fno-strict-aliasing -ffile-prefix-map=${PROJECT_SOURCE_DIR}=.)
target_link_options(muster_flags INTERFACE -Wl,-z,relro,-z,now,-z,noexecstack,--build-id=sha1)

if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|amd64)$")
	target_compile_options(muster_flags INTERFACE -fcf-protection -fstack-clash-protection)
endif()
if(MUSTER_WERROR)
	target_compile_options(muster_flags INTERFACE -Werror)
endif()
if(MUSTER_SANITIZE)
	target_compile_options(muster_flags INTERFACE
		-fsanitize=${MUSTER_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
	target_link_options(muster_flags INTERFACE -fsanitize=${MUSTER_SANITIZE})
else()
	# FORTIFY_SOURCE hides accesses from the sanitizers, and needs an optimising build.
	target_compile_options(muster_flags INTERFACE
		$<$<CONFIG:Release,RelWithDebInfo>:-U_FORTIFY_SOURCE>
		$<$<CONFIG:Release,RelWithDebInfo>:-D_FORTIFY_SOURCE=3>)
endif()
if(MUSTER_FUZZ)
	if(NOT CMAKE_C_COMPILER_ID STREQUAL "Clang")
		message(FATAL_ERROR "MUSTER_FUZZ needs clang: use the preset `fuzz`")
	endif()
	target_compile_options(muster_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(MUSTER_COVERAGE)
	target_compile_options(muster_flags INTERFACE --coverage)
	target_link_options(muster_flags INTERFACE --coverage)
endif()
