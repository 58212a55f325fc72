// SPDX-License-Identifier: MIT
#include "baselines/usrmerge.h"

bool usrmerge_moves(struct bytes path, bool is_directory)
{
	static const char *const moved[] = {"/bin",   "/sbin",   "/lib",   "/lib32",
					    "/lib64", "/libx32", "/libo32"};

	for (size_t i = 0; i < sizeof(moved) / sizeof(moved[0]); i++) {
		struct bytes top = bytes_from_string(moved[i]);

		if (bytes_has_prefix(path, top) &&
		    (path.len == top.len ? is_directory : path.data[top.len] == '/')) {
			return true;
		}
	}
	return false;
}
