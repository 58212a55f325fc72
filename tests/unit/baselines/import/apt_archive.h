// SPDX-License-Identifier: MIT
#ifndef MUSTER_TESTS_UNIT_BASELINES_IMPORT_APT_ARCHIVE_H
#define MUSTER_TESTS_UNIT_BASELINES_IMPORT_APT_ARCHIVE_H

/*
 * An apt archive of two packages (p, and n without md5sums), signed by a key made for the test, in a
 * fixture's folder: loose files, a mirror (m/), and a folder of .deb files beside apt's lists (c/archives,
 * c/lists). Skips the test where gpg, dpkg-deb or xz lack.
 */

#include "tests/unit/baselines/fixture.h"

#define APT_ARCHIVE_NOW 1795000000 /* 2026-11-18 */

void apt_archive_make(struct fixture *f);
/* "FOLDER/NAME" */
const char *apt_archive_in(const struct fixture *f, const char *name, char to[256]);

#endif
