# SPDX-License-Identifier: MIT
# muster_embed(FILE SYMBOL HEADER OUTPUT): makes a C source that defines `const char SYMBOL[]`, the file's bytes and a
# NUL, as HEADER declares it. As numbers: a string literal may have no more than 4,095 bytes by the standard.
if(CMAKE_SCRIPT_MODE_FILE)
	file(READ "${FILE}" bytes HEX)
	string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
	string(REPLACE "0x0a," "0x0a,\n" bytes "${bytes}")
	file(WRITE "${OUTPUT}"
		"// SPDX-License-Identifier: MIT\n#include \"${HEADER}\"\n\nconst char ${SYMBOL}[] = {\n${bytes}0x00};\n")
	return()
endif()

set(MUSTER_EMBED_SCRIPT "${CMAKE_CURRENT_LIST_FILE}")
function(muster_embed file symbol header output)
	add_custom_command(OUTPUT "${output}"
		COMMAND "${CMAKE_COMMAND}" "-DFILE=${file}" "-DSYMBOL=${symbol}" "-DHEADER=${header}"
			"-DOUTPUT=${output}" -P "${MUSTER_EMBED_SCRIPT}"
		DEPENDS "${file}" "${MUSTER_EMBED_SCRIPT}" VERBATIM)
endfunction()
