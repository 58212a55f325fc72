// SPDX-License-Identifier: MIT
#ifndef MUSTER_BASELINES_IMPORT_DEB_CONTROL_H
#define MUSTER_BASELINES_IMPORT_DEB_CONTROL_H

/*
 * The text files in a .deb's control member: control (deb-control(5)), conffiles and md5sums, each
 * applied to a deb whose manifest stands. Pure, bounded by their text.
 */

#include "baselines/import/deb.h"

/* Fills in package, version, arch, source and source_version. */
int deb_control_fields(struct deb *deb, struct bytes control, struct error *err) MUST_CHECK;

/* Tags the files it names (deb-conffiles(5)). A name that is not shipped is passed over. */
void deb_control_conffiles(struct deb *deb, struct bytes conffiles);

/* Counts the lines that say other than the manifest's own MD5. */
void deb_control_md5sums(struct deb *deb, struct bytes md5sums);

#endif
