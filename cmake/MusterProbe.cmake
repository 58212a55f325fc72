# SPDX-License-Identifier: MIT
# Builds the probe for one architecture: static, against musl, the same bytes wherever and whenever it is built.
# The rest of the tree is compiled for this machine by CMake's compiler; the probe has its own compiler and flags in
# every preset, because what the tests run must be what is sent to hosts.

set(MUSTER_PROBE_DEPS "${PROJECT_SOURCE_DIR}/build/deps")
if(DEFINED ENV{MUSTER_DEPS})
	set(MUSTER_PROBE_DEPS "$ENV{MUSTER_DEPS}")
endif()

# muster_probe_toolchain(ARCH): sets probe_cc, probe_compile, probe_start, probe_end and probe_missing (why it cannot
# be built here, or empty) in the caller.
function(muster_probe_toolchain arch)
	set(probe_missing "")
	set(probe_start "")
	set(probe_end "")
	set(probe_compile "")
	if(arch STREQUAL CMAKE_HOST_SYSTEM_PROCESSOR)
		find_program(MUSL_GCC musl-gcc)
		set(probe_cc "${MUSL_GCC}")
		if(NOT MUSL_GCC)
			set(probe_missing "musl-gcc is not installed")
		endif()
		# musl's own headers win; the kernel's come last, and musl ships none.
		set(probe_compile -idirafter /usr/include)
		if(CMAKE_LIBRARY_ARCHITECTURE)
			list(APPEND probe_compile -idirafter "/usr/include/${CMAKE_LIBRARY_ARCHITECTURE}")
		endif()
	else()
		find_program(MUSTER_CROSS_${arch} ${arch}-linux-gnu-gcc)
		set(probe_cc "${MUSTER_CROSS_${arch}}")
		set(root "${MUSTER_PROBE_DEPS}/musl-${arch}/usr")
		set(lib "${root}/lib/${arch}-linux-musl")
		if(NOT probe_cc)
			set(probe_missing "no cross compiler ${arch}-linux-gnu-gcc")
		elseif(NOT EXISTS "${lib}/libc.a")
			set(probe_missing "no musl for ${arch}: scripts/setup brings it where the distribution has it")
		else()
			execute_process(COMMAND "${probe_cc}" -print-file-name=include
				OUTPUT_VARIABLE gcc_include OUTPUT_STRIP_TRAILING_WHITESPACE)
			set(probe_compile -nostdinc -isystem "${root}/include/${arch}-linux-musl"
				-isystem "${gcc_include}" -idirafter "${root}/include"
				-idirafter "${root}/include/${arch}-linux-gnu")
			set(probe_start -nostdlib -nostartfiles "${lib}/crt1.o" "${lib}/crti.o")
			set(probe_end "-L${lib}" -Wl,--start-group -lc -lgcc -Wl,--end-group "${lib}/crtn.o")
		endif()
	endif()
	return(PROPAGATE probe_cc probe_compile probe_start probe_end probe_missing)
endfunction()

# muster_probe(ARCH SOURCES absolute.c ...): the target probe-ARCH, bin/probe-ARCH. A source's COMPILE_OPTIONS property
# is honoured (hardware SHA-256).
function(muster_probe arch)
	cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES")
	muster_probe_toolchain(${arch})
	if(probe_missing)
		message(STATUS "probe-${arch}: not built: ${probe_missing}")
		return()
	endif()
	# Optimised as one program: on aarch64 that is 11 KB less to send to every host.
	set(flags -std=gnu17 -Os -flto -D_GNU_SOURCE= -ffunction-sections -fdata-sections -fno-pie
		-fno-asynchronous-unwind-tables -fno-unwind-tables -fno-strict-aliasing
		-fstack-protector-strong "-ffile-prefix-map=${PROJECT_SOURCE_DIR}=."
		-Wall -Wextra -Wconversion -Wsign-conversion -Wshadow -Wundef -Wvla -Wcast-qual
		-Wmissing-prototypes -Wstrict-prototypes -Wformat=2)
	if(arch STREQUAL "aarch64")
		list(APPEND flags -mcmodel=tiny) # all of it lies within a megabyte
	endif()
	if(MUSTER_WERROR)
		list(APPEND flags -Werror)
	endif()
	set(objects "")
	foreach(source IN LISTS arg_SOURCES)
		file(RELATIVE_PATH name "${PROJECT_SOURCE_DIR}" "${source}")
		set(object "${CMAKE_CURRENT_BINARY_DIR}/probe-${arch}/${name}.o")
		get_filename_component(folder "${object}" DIRECTORY)
		file(MAKE_DIRECTORY "${folder}")
		get_source_file_property(options "${source}" COMPILE_OPTIONS)
		if(NOT options)
			set(options "")
		endif()
		add_custom_command(OUTPUT "${object}"
			COMMAND "${probe_cc}" ${flags} ${options} ${probe_compile} -I "${PROJECT_SOURCE_DIR}"
				-MMD -MF "${object}.d" -MT "${object}" -c "${source}" -o "${object}"
			DEPENDS "${source}" DEPFILE "${object}.d" VERBATIM
			COMMENT "Building probe-${arch} object ${name}.o")
		list(APPEND objects "${object}")
	endforeach()
	set(probe "${PROJECT_BINARY_DIR}/bin/probe-${arch}")
	if(arch STREQUAL "aarch64")
		# Everything is near enough for ADR, and room for branches around the erratum would be a page of padding.
		list(APPEND probe_end -Wl,--fix-cortex-a53-843419=adr)
	endif()
	add_custom_command(OUTPUT "${probe}"
		COMMAND "${CMAKE_COMMAND}" -E make_directory "${PROJECT_BINARY_DIR}/bin"
		COMMAND "${probe_cc}" -Os -flto=auto -static -no-pie ${probe_start} ${objects} ${probe_end} -s
			# Pages of relro and of separated code would be padding in what is sent to every host.
			-Wl,--gc-sections,--build-id=none,-z,noexecstack,-z,norelro,-z,noseparate-code,-z,common-page-size=64,--fatal-warnings
			-o "${probe}"
		DEPENDS ${objects} VERBATIM
		COMMENT "Linking bin/probe-${arch}")
	add_custom_target(probe-${arch} ALL DEPENDS "${probe}")
	install(PROGRAMS "${probe}" DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/muster)
endfunction()
