// SPDX-License-Identifier: MIT
#ifndef MUSTER_BASELINES_RPM_MANIFEST_H
#define MUSTER_BASELINES_RPM_MANIFEST_H

/*
 * An rpm header's files as a manifest: paths in their canonical spelling (baselines/usrmerge.h),
 * capabilities as the kernel stores them, and rpm's own attributes beside them
 * (manifest_entry.rpm). Says what the header says; what rpm -V leaves out is the judge's matter.
 */

#include "baselines/manifest.h"
#include "baselines/rpm/header.h"

/*
 * Makes a manifest, trust MANIFEST_UNSIGNED, that borrows names and digests from the header, which
 * must outlive it. PEER error where its files make no sense. A header that has two files which
 * usrmerge would make one (old distributions: /bin/cut, and /usr/bin/cut as a link to it) keeps
 * the header's spelling for all its paths.
 */
int rpm_manifest_make(const struct rpm_header *header, const char *source, const char *origin,
		      struct manifest **manifest, struct error *err) MUST_CHECK;

/*
 * cap_from_text(3) into security.capability, revision 2 (linux/capability.h): "cap_net_raw=ep",
 * "cap_a,cap_b+p cap_c=i", "=". Returns the length (0 for empty text), or -1 where the text makes
 * no sense.
 */
long rpm_caps_from_text(struct bytes text, uint8_t to[ENTRY_CAPS_MAX]);

#endif
