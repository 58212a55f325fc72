// SPDX-License-Identifier: MIT
#include "tests/unit/controller/store/fault_vfs.h"

#include <signal.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static sqlite3_vfs vfs;
static sqlite3_vfs *real;
static enum fault armed;
static long countdown_at, counted;

struct file {
	sqlite3_file base;
	sqlite3_file *real;
};

static sqlite3_file *inner(sqlite3_file *f)
{
	return ((struct file *)(void *)f)->real;
}

/* The fault of the operation that comes now. */
static enum fault next(void)
{
	counted++;
	if (armed == FAULT_NONE || counted < countdown_at) {
		return FAULT_NONE;
	}
	return counted == countdown_at || armed == FAULT_FULL ? armed : FAULT_NONE;
}

static void die(void)
{
	(void)kill(getpid(), SIGKILL);
	for (;;) {
		(void)pause();
	}
}

static int file_write(sqlite3_file *f, const void *data, int len, sqlite3_int64 at)
{
	enum fault fault = next();

	switch (fault) {
	case FAULT_FULL:
		return SQLITE_FULL;
	case FAULT_ERROR:
		return SQLITE_IOERR_WRITE;
	case FAULT_KILL:
		die();
		break;
	case FAULT_TORN:
	case FAULT_KILL_TORN:
		(void)inner(f)->pMethods->xWrite(inner(f), data, len / 2, at);
		if (fault == FAULT_KILL_TORN) {
			die();
		}
		return SQLITE_IOERR_WRITE;
	default:
		break;
	}
	return inner(f)->pMethods->xWrite(inner(f), data, len, at);
}

static int file_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	switch (next()) {
	case FAULT_ERROR:
	case FAULT_TORN:
		return SQLITE_IOERR_TRUNCATE;
	case FAULT_KILL:
	case FAULT_KILL_TORN:
		die();
		break;
	default:
		break;
	}
	return inner(f)->pMethods->xTruncate(inner(f), size);
}

static int file_sync(sqlite3_file *f, int flags)
{
	(void)f;
	(void)flags;
	switch (next()) {
	case FAULT_ERROR:
	case FAULT_TORN:
	case FAULT_FULL:
		return SQLITE_IOERR_FSYNC;
	case FAULT_KILL:
	case FAULT_KILL_TORN:
		die();
		break;
	default:
		break;
	}
	return SQLITE_OK;
}

static int file_close(sqlite3_file *f)
{
	int rc = inner(f)->pMethods ? inner(f)->pMethods->xClose(inner(f)) : SQLITE_OK;

	free(inner(f));
	return rc;
}

static int file_read(sqlite3_file *f, void *to, int len, sqlite3_int64 at)
{
	return inner(f)->pMethods->xRead(inner(f), to, len, at);
}

static int file_size(sqlite3_file *f, sqlite3_int64 *size)
{
	return inner(f)->pMethods->xFileSize(inner(f), size);
}

static int file_lock(sqlite3_file *f, int level)
{
	return inner(f)->pMethods->xLock(inner(f), level);
}

static int file_unlock(sqlite3_file *f, int level)
{
	return inner(f)->pMethods->xUnlock(inner(f), level);
}

static int file_reserved(sqlite3_file *f, int *out)
{
	return inner(f)->pMethods->xCheckReservedLock(inner(f), out);
}

static int file_control(sqlite3_file *f, int op, void *argument)
{
	return inner(f)->pMethods->xFileControl(inner(f), op, argument);
}

static int file_sector(sqlite3_file *f)
{
	return inner(f)->pMethods->xSectorSize(inner(f));
}

static int file_device(sqlite3_file *f)
{
	return inner(f)->pMethods->xDeviceCharacteristics(inner(f));
}

static int file_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **out)
{
	return inner(f)->pMethods->xShmMap(inner(f), page, size, extend, out);
}

static int file_shm_lock(sqlite3_file *f, int offset, int n, int flags)
{
	return inner(f)->pMethods->xShmLock(inner(f), offset, n, flags);
}

static void file_shm_barrier(sqlite3_file *f)
{
	inner(f)->pMethods->xShmBarrier(inner(f));
}

static int file_shm_unmap(sqlite3_file *f, int delete_it)
{
	return inner(f)->pMethods->xShmUnmap(inner(f), delete_it);
}

static const sqlite3_io_methods methods = {
	.iVersion = 2,
	.xClose = file_close,
	.xRead = file_read,
	.xWrite = file_write,
	.xTruncate = file_truncate,
	.xSync = file_sync,
	.xFileSize = file_size,
	.xLock = file_lock,
	.xUnlock = file_unlock,
	.xCheckReservedLock = file_reserved,
	.xFileControl = file_control,
	.xSectorSize = file_sector,
	.xDeviceCharacteristics = file_device,
	.xShmMap = file_shm_map,
	.xShmLock = file_shm_lock,
	.xShmBarrier = file_shm_barrier,
	.xShmUnmap = file_shm_unmap,
};

static int vfs_open(sqlite3_vfs *self, const char *name, sqlite3_file *f, int flags, int *out)
{
	struct file *file = (struct file *)(void *)f;
	int rc;

	(void)self;
	file->base.pMethods = NULL;
	file->real = calloc(1, (size_t)real->szOsFile);
	if (!file->real) {
		return SQLITE_NOMEM;
	}
	rc = real->xOpen(real, name, file->real, flags, out);
	if (rc != SQLITE_OK) {
		free(file->real);
		return rc;
	}
	file->base.pMethods = &methods;
	return SQLITE_OK;
}

void fault_vfs_install(void)
{
	if (real) {
		return;
	}
	real = sqlite3_vfs_find(NULL);
	vfs = *real;
	vfs.zName = "fault";
	vfs.szOsFile = (int)sizeof(struct file);
	vfs.pNext = NULL;
	vfs.xOpen = vfs_open;
	(void)sqlite3_vfs_register(&vfs, 1);
}

void fault_vfs_arm(enum fault fault, long at)
{
	armed = fault;
	countdown_at = at;
	counted = 0;
}

long fault_vfs_count(void)
{
	return counted;
}
