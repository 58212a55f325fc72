// SPDX-License-Identifier: MIT
#include "baselines/libraries.h"

#include <archive.h>
#include <git2.h>
#include <stdio.h>
#include <yaml.h>

const char *libraries_of_baselines(char *to, size_t room)
{
	int git[3] = {0}, yaml[3] = {0}, archive = archive_version_number();

	/* Its return value says different things in different versions. */
	(void)git_libgit2_version(&git[0], &git[1], &git[2]);
	yaml_get_version(&yaml[0], &yaml[1], &yaml[2]);
	(void)snprintf(to, room, "libgit2 %d.%d.%d, libarchive %d.%d.%d, libyaml %d.%d.%d", git[0],
		       git[1], git[2], archive / 1000000, archive / 1000 % 1000, archive % 1000,
		       yaml[0], yaml[1], yaml[2]);
	return to;
}
