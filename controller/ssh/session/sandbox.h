// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_SSH_SESSION_SANDBOX_H
#define MUSTER_CONTROLLER_SSH_SESSION_SANDBOX_H

/*
 * What muster-ssh gives up before it speaks to the first host: files, programs, processes, every
 * socket but TCP, executable memory, root. A host that takes over the process has then nothing but
 * the sockets of that process. Everything that libraries want from the file system must have been
 * fetched before. Raw BPF rather than libseccomp: the list is short and is the documentation, and
 * the process that matters most links one library less. Cannot be undone.
 */

#include <stdbool.h>

#include "schema/error.h"

/* Closes all descriptors but 0, 1, 2 and `keep`, raises RLIMIT_NOFILE to its hard limit. */
int sandbox_prepare(int keep, struct error *err) MUST_CHECK;

/* Drops root and capabilities, no_new_privs, not dumpable, no file growth, the system call filter. */
int sandbox_enter(struct error *err) MUST_CHECK;

/*
 * For tests, from inside: tries what must fail. NULL where all did, else the name of what did not.
 */
const char *sandbox_probe(void);

#endif
