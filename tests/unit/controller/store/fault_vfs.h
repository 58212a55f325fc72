// SPDX-License-Identifier: MIT
#ifndef MUSTER_TESTS_FAULT_VFS_H
#define MUSTER_TESTS_FAULT_VFS_H

/*
 * A file system for SQLite that fails where it is told to: every write, truncation and sync of any
 * database file is counted, and one of them goes wrong. Becomes the process's default. Syncs do
 * nothing: what is tested is a killed process and a failing disk, not power loss.
 */

enum fault {
	FAULT_NONE,
	FAULT_FULL,      /* this and every later operation that needs room: SQLITE_FULL */
	FAULT_ERROR,     /* this one: an I/O error */
	FAULT_TORN,      /* this write is half done, then an I/O error */
	FAULT_KILL,      /* SIGKILL before it */
	FAULT_KILL_TORN, /* SIGKILL after half of it */
};

void fault_vfs_install(void);
/* Operations are counted from 1 again; the `at`-th is the one. */
void fault_vfs_arm(enum fault fault, long at);
long fault_vfs_count(void);

#endif
