// SPDX-License-Identifier: MIT
#ifndef MUSTER_PAYLOADS_SCAN_H
#define MUSTER_PAYLOADS_SCAN_H

/*
 * The stat pass: finds every section of this host and its stat digest without reading a file's
 * content, fills the set of owned paths, the timeline and the coverage. Everything else is made
 * from its catalogue later, section by section.
 */

#include "payloads/probe.h"

/* Takes the decoded plan; probe->catalog is sorted afterwards. A status to end with, or 0. */
enum status scan_host(struct probe *probe);

/* Whether the package databases still say what the stat pass saw; tells it as coverage. */
void scan_check_databases(struct probe *probe);

#endif
