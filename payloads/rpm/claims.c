// SPDX-License-Identifier: MIT
/* The files of an rpm package, out of its header's columns. */
#include "payloads/memory.h"
#include "payloads/rpm/rpmdb.h"

#include <string.h>

#define FILE_CONFIG 1U
#define FILE_GHOST 0x40U

/* The directory names of one package. */
struct dirs {
	uint8_t *text;
	uint32_t *at; /* count + 1 offsets */
	uint32_t count;
};

static void dirs_clear(struct dirs *dirs)
{
	memory_give(dirs->text);
	memory_give(dirs->at);
	memset(dirs, 0, sizeof(*dirs));
}

/* A reason why they cannot be had, or NULL. */
static const char *dirs_load(struct dirs *dirs, const struct rpm_header *header)
{
	const struct rpm_entry *entry = rpm_header_find(header, RPMTAG_DIRNAMES);
	uint64_t len;
	uint32_t at = 0;

	memset(dirs, 0, sizeof(*dirs));
	if (!entry || entry->type != RPM_STRING_ARRAY ||
	    !rpm_header_data_len(header, entry, &len)) {
		return "dirnames-malformed";
	}
	if (len > RPM_DIR_TEXT_MAX || entry->count > RPM_DIRS_MAX) {
		return "dirnames-limit";
	}
	dirs->text = memory_take(len + 1);
	dirs->at = memory_take((entry->count + 1U) * sizeof(*dirs->at));
	if (!dirs->text || !dirs->at) {
		return "no-memory";
	}
	if (!rpm_blob_read(header->blob, rpm_header_data_at(header, entry), dirs->text, len)) {
		return "io";
	}
	for (dirs->count = 0; dirs->count < entry->count; dirs->count++) {
		dirs->at[dirs->count] = at;
		at += (uint32_t)strlen((const char *)dirs->text + at) + 1;
	}
	dirs->at[dirs->count] = at;
	return NULL;
}

/* One pass over a header's files. */
struct file_walk {
	struct rpm_column base;
	struct rpm_column dir;
	struct rpm_column flags;
	bool has_flags;
	struct dirs dirs;
	uint32_t left;
};

/* A reason why the files cannot be had, or NULL; "" where the package has none. */
static const char *walk_open(struct file_walk *walk, const struct rpm_header *header)
{
	const struct rpm_entry *base = rpm_header_find(header, RPMTAG_BASENAMES);
	const struct rpm_entry *dir = rpm_header_find(header, RPMTAG_DIRINDEXES);
	const struct rpm_entry *flags = rpm_header_find(header, RPMTAG_FILEFLAGS);

	memset(&walk->dirs, 0, sizeof(walk->dirs));
	walk->left = 0;
	if (!base && !dir) {
		/* OLDFILENAMES, of rpm 3: full paths. */
		return rpm_header_find(header, 1027) ? "old-filenames" : "";
	}
	if (!base || !dir || base->count != dir->count ||
	    !rpm_column_open(&walk->base, header, base, RPM_STRING_ARRAY) ||
	    !rpm_column_open(&walk->dir, header, dir, RPM_INT32)) {
		return "files-malformed";
	}
	walk->has_flags = flags && flags->count == base->count &&
			  rpm_column_open(&walk->flags, header, flags, RPM_INT32);
	walk->left = base->count;
	return dirs_load(&walk->dirs, header);
}

static void walk_close(struct file_walk *walk)
{
	dirs_clear(&walk->dirs);
}

/*
 * The next file's path, clean and mapped, and its claim flags. False at the end or where the columns
 * break off (*reason set). A single path that makes no sense has *reason set too, and *len 0.
 */
static bool walk_next(struct file_walk *walk, const struct path_aliases *aliases,
		      uint8_t path[PATH_ROOM], size_t *len, uint32_t *claim_flags,
		      const char **reason)
{
	uint8_t raw[2 * PATH_ROOM];
	struct bytes base;
	uint32_t dir = 0;
	uint32_t flags = 0;
	size_t dir_len;
	enum path_fault fault;
	bool is_alias = false;

	*reason = NULL;
	*len = 0;
	if (walk->left == 0) {
		return false;
	}
	walk->left--;
	if (!rpm_column_string(&walk->base, &base) || !rpm_column_number(&walk->dir, &dir) ||
	    (walk->has_flags && !rpm_column_number(&walk->flags, &flags)) ||
	    dir >= walk->dirs.count) {
		*reason = "files-malformed";
		walk->left = 0;
		return false;
	}
	dir_len = walk->dirs.at[dir + 1] - walk->dirs.at[dir] - 1;
	if (dir_len > PATH_LEN_MAX || base.len > PATH_LEN_MAX) {
		*reason = path_fault_reason(PATH_TOO_LONG);
		return true;
	}
	memcpy(raw, walk->dirs.text + walk->dirs.at[dir], dir_len);
	if (base.len != 0) {
		memcpy(raw + dir_len, base.data, base.len);
	}
	fault = path_clean(bytes_make(raw, dir_len + base.len), true, path, len);
	if (fault == PATH_FINE && !path_map(aliases, path, len, &is_alias)) {
		fault = PATH_TOO_LONG;
	}
	if (fault != PATH_FINE) {
		*reason = path_fault_reason(fault);
		*len = 0;
		return true;
	}
	*claim_flags = CLAIM_LISTED | (flags & FILE_CONFIG ? CLAIM_CONFFILE : 0U) |
		       (flags & FILE_GHOST ? CLAIM_GHOST : 0U) | (is_alias ? CLAIM_ALIAS : 0U);
	return true;
}

/* One window of the table. */
static void collect(struct rpmdb *rpmdb, struct rpm_faults *faults)
{
	struct file_walk walk;
	uint8_t path[PATH_ROOM];
	size_t len;
	uint32_t flags = 0;
	const char *reason = walk_open(&walk, &rpmdb->header);

	if (!reason) {
		while (walk_next(&walk, &rpmdb->aliases, path, &len, &flags, &reason)) {
			if (reason) {
				rpm_fault(faults, reason);
				continue;
			}
			claim_table_add(&rpmdb->claims, &(struct claim_input){bytes_make(path, len),
									      flags, 0, NULL});
		}
	}
	if (reason && reason[0] != '\0') {
		rpm_fault(faults, reason);
	}
	walk_close(&walk);
	claim_table_settle(&rpmdb->claims);
}

bool rpm_claims(struct package_db *db, uint32_t index, bool wants_sums, claim_visitor visit,
		void *context)
{
	struct rpmdb *rpmdb = (struct rpmdb *)db;
	struct rpm_package *package = &rpmdb->packages[index];
	struct rpm_faults faults = {{{NULL, 0}}};
	const char *reason = rpm_package_open(rpmdb, package);
	bool goes_on = true;

	(void)wants_sums; /* digests are in the signed region, which [header] carries */
	if (!reason && !rpmdb->claims.text &&
	    !claim_table_init(&rpmdb->claims, CLAIM_TEXT_MAX, CLAIM_ITEMS_MAX)) {
		reason = "no-memory";
	}
	claim_table_begin(&rpmdb->claims);
	if (reason) {
		rpm_fault(&faults, reason);
	} else {
		do {
			memset(&faults, 0, sizeof(faults)); /* each window finds the same */
			collect(rpmdb, &faults);
			for (uint32_t i = 0; goes_on && i < rpmdb->claims.count; i++) {
				const struct claim_item *item = claim_table_item(&rpmdb->claims, i);
				struct claim claim = {
					.path = claim_table_path(&rpmdb->claims, item),
					.flags = item->flags};

				claim.place = claim.path;
				goes_on = visit(context, &claim);
			}
		} while (goes_on && claim_table_next(&rpmdb->claims));
	}
	if (!package->is_told) {
		rpm_faults_tell(rpmdb, &faults);
		package->is_told = true;
	}
	return goes_on;
}

bool rpm_owned(struct package_db *db, path_visitor visit, void *context)
{
	struct rpmdb *rpmdb = (struct rpmdb *)db;
	bool goes_on = true;

	for (uint32_t i = 0; goes_on && i < rpmdb->package_count; i++) {
		struct file_walk walk;
		uint8_t path[PATH_ROOM];
		size_t len;
		uint32_t flags = 0;
		const char *reason;

		if (rpm_package_open(rpmdb, &rpmdb->packages[i])) {
			continue; /* told by the walk over its claims */
		}
		if (!walk_open(&walk, &rpmdb->header)) {
			while (goes_on &&
			       walk_next(&walk, &rpmdb->aliases, path, &len, &flags, &reason)) {
				goes_on = len == 0 || visit(context, bytes_make(path, len));
			}
		}
		walk_close(&walk);
	}
	return goes_on;
}
