// SPDX-License-Identifier: MIT
#include "controller/store/libraries.h"

#include <sqlite3.h>
#include <stdio.h>
#include <zstd.h>

const char *libraries_of_store(char *to, size_t room)
{
	(void)snprintf(to, room, "SQLite %s, zstd %s", sqlite3_libversion(), ZSTD_versionString());
	return to;
}
