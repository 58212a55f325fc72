// SPDX-License-Identifier: MIT
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "payloads/collect.h"

/* FS_*_FL of linux/fs.h in lsattr's order and letters, without e, I, and the i and a of entries. */
static const struct {
	uint32_t flag;
	char letter;
} letters[] = {
	{0x00000001, 's'}, {0x00000002, 'u'}, {0x00000008, 'S'}, {0x00010000, 'D'},
	{0x00000040, 'd'}, {0x00000080, 'A'}, {0x00000004, 'c'}, {0x00000800, 'E'},
	{0x00004000, 'j'}, {0x00008000, 't'}, {0x00020000, 'T'}, {0x00800000, 'C'},
	{0x02000000, 'x'}, {0x40000000, 'F'}, {0x10000000, 'N'}, {0x20000000, 'P'},
	{0x00100000, 'V'}, {0x00000400, 'm'},
};

struct flags_walk {
	struct probe *probe;
	struct collection *collection;
};

static enum walk_want flags_filter(void *context, const struct walk_entry *entry)
{
	(void)context;
	return entry->type == DT_DIR || entry->type == DT_REG || entry->type == DT_LNK ? WALK_KEEP
										       : WALK_DROP;
}

static void put_flags(struct flags_walk *walk, const struct walk_entry *entry, uint32_t flags)
{
	struct record record = {.count = FLAGS_FIELDS};
	char text[sizeof(letters) / sizeof(letters[0])];
	size_t len = 0;

	for (size_t i = 0; i < sizeof(letters) / sizeof(letters[0]); i++) {
		if (flags & letters[i].flag) {
			text[len++] = letters[i].letter;
		}
	}
	if (len > 0) {
		record.field[FLAGS_PATH] = entry->path;
		record.field[FLAGS_LETTERS] = bytes_make(text, len);
		(void)sink_record(walk->collection->sink, &record);
	}
}

static bool flags_visit(void *context, const struct walk_entry *entry)
{
	const uint32_t both = SYS_IMMUTABLE | SYS_APPEND;
	struct flags_walk *walk = context;
	struct probe *probe = walk->probe;
	struct sys_stat st;
	uint32_t flags = 0;
	int fd;

	if (sys_stat_at(&probe->sys, entry->dir_fd, entry->name, &st) != 0) {
		return false;
	}
	/* What changed since the stat pass is not what its digest stands for. */
	if (st.ctime_ns > probe->scanned_ns - 2000000000) {
		walk->collection->settled = false;
	}
	if (!S_ISDIR(st.mode) && !S_ISREG(st.mode)) {
		return false;
	}
	fd = sys_open_name(&probe->sys, entry->dir_fd, entry->name,
			   O_RDONLY | (S_ISDIR(st.mode) ? O_DIRECTORY : 0));
	if (fd < 0) {
		walk->collection->settled = false;
		if (!walk->collection->again) {
			probe_partial(probe, "flags", BYTES_LITERAL(""), "denied", 1);
		}
		return S_ISDIR(st.mode);
	}
	if (sys_inode_flags(fd, &flags) == 0) {
		put_flags(walk, entry, flags);
		if ((st.attributes_mask & both) == both && ((st.attributes ^ flags) & both) != 0) {
			walk->collection->settled = false;
			coverage_tell(&probe->coverage, "flags", entry->path, COVERAGE_PARTIAL,
				      "inconsistent", 1);
		}
	} else {
		coverage_tell(&probe->coverage, "flags", BYTES_LITERAL(""), COVERAGE_UNSUPPORTED,
			      "no-answer", 1);
	}
	close(fd);
	return S_ISDIR(st.mode);
}

static void flags_fault(void *context, struct bytes path, const char *reason)
{
	/* The same places as in the tree's own walk, which told them. */
	(void)context;
	(void)path;
	(void)reason;
}

static bool flags_go_on(void *context)
{
	struct flags_walk *walk = context;

	return probe_go_on(walk->probe);
}

void collect_flags(struct collection *collection)
{
	struct probe *probe = collection->probe;
	struct flags_walk walk = {.probe = probe, .collection = collection};
	const struct walk_client client = {
		.filter = flags_filter,
		.visit = flags_visit,
		.fault = flags_fault,
		.go_on = flags_go_on,
		.context = &walk,
	};

	probe->walk.flat = false;
	probe->walk.skip_binds = false;
	probe->walk.entries_most = 0;
	for (size_t i = 0; i < probe->roots.count; i++) {
		enum mount_class class;

		if (mounts_may_enter(&probe->mounts, probe->roots.item[i], &class)) {
			(void)walk_run(&probe->walk, probe->roots.item[i], &client);
		}
	}
	if (reader_is_late(&probe->reader)) {
		collection->settled = false;
		probe_partial(probe, "flags", BYTES_LITERAL(""), "budget-time", 1);
	}
}
