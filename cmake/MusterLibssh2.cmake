# SPDX-License-Identifier: MIT
# Defines the target `libssh2`: the system's where it is 1.11 or newer, else the private copy that scripts/setup
# unpacks (libssh2 1.10 fails against every server that wants RSA with SHA-2).
set(MUSTER_DEPS "$ENV{MUSTER_DEPS}" CACHE PATH "Folder of the private dependencies that scripts/setup brings")
if(NOT MUSTER_DEPS)
	set(deps "${PROJECT_SOURCE_DIR}/build/deps")
else()
	set(deps "${MUSTER_DEPS}")
endif()

add_library(libssh2 INTERFACE IMPORTED GLOBAL)
pkg_check_modules(LIBSSH2 QUIET IMPORTED_TARGET GLOBAL libssh2>=1.11)
if(LIBSSH2_FOUND)
	target_link_libraries(libssh2 INTERFACE PkgConfig::LIBSSH2)
	message(STATUS "libssh2: the system's, ${LIBSSH2_VERSION}")
	return()
endif()

find_library(LIBSSH2_PRIVATE_LIBRARY NAMES libssh2.a
	HINTS "${deps}/libssh2/usr/lib/${CMAKE_LIBRARY_ARCHITECTURE}" "${deps}/libssh2/usr/lib" NO_DEFAULT_PATH)
find_path(LIBSSH2_PRIVATE_INCLUDE NAMES libssh2.h HINTS "${deps}/libssh2/usr/include" NO_DEFAULT_PATH)
if(LIBSSH2_PRIVATE_LIBRARY AND LIBSSH2_PRIVATE_INCLUDE)
	pkg_check_modules(SSL REQUIRED IMPORTED_TARGET GLOBAL libssl libcrypto)
	pkg_check_modules(ZLIB REQUIRED IMPORTED_TARGET GLOBAL zlib)
	target_include_directories(libssh2 INTERFACE "${LIBSSH2_PRIVATE_INCLUDE}")
	target_link_libraries(libssh2 INTERFACE "${LIBSSH2_PRIVATE_LIBRARY}" PkgConfig::SSL PkgConfig::ZLIB)
	message(STATUS "libssh2: the private copy ${LIBSSH2_PRIVATE_LIBRARY}")
	return()
endif()
message(FATAL_ERROR "libssh2 1.11 or newer is missing: run scripts/setup")
