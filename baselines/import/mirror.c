// SPDX-License-Identifier: MIT
#include "baselines/import/mirror.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <uthash.h>

#include "baselines/arena.h"

#define DEPTH_MAX 12
#define PATH_ROOM 4096

/* A .deb by the name of its file: how a folder's files are matched. */
struct named {
	UT_hash_handle hh;
	const struct signed_archive *archive;
	size_t index;
	char name[];
};

struct mirror {
	const struct mirror_options *options;
	mirror_tell *tell;
	void *context;
	struct signed_archive *archives[MIRROR_RELEASES_MAX];
	size_t archive_count;
	size_t left_out;
	struct named *names;
	struct mirror_deb *debs;
	size_t count;
	size_t room;
	struct arena memory;
};

static int no_memory(struct error *err)
{
	return error_set(err, ERROR_NOMEM, 0, "no memory for a mirror");
}

static bool is_kind(const char *path, mode_t kind)
{
	struct stat st;

	return stat(path, &st) == 0 && (st.st_mode & S_IFMT) == kind;
}

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), tail = strlen(end);

	return len >= tail && strcmp(text + len - tail, end) == 0;
}

/* "DIR/NAME", false where it is too long. */
static bool join(char to[PATH_ROOM], const char *dir, const char *name)
{
	return snprintf(to, PATH_ROOM, "%s/%s", dir, name) < PATH_ROOM;
}

static int leave_out(struct mirror *m, const struct error *why)
{
	m->left_out++;
	if (m->tell) {
		m->tell(m->context, why->msg);
	}
	return 0;
}

/*
 * Checks one Release. *archive NULL where only unknown keys sign it. `release` is InRelease, or Release
 * with .gpg beside it.
 */
static int open_release(struct mirror *m, const char *release, struct signed_archive **archive,
			struct error *err)
{
	struct signed_source source = m->options->source;
	char signature[PATH_ROOM + 8];
	bool only_unknown = false;

	*archive = NULL;
	if (m->archive_count == MIRROR_RELEASES_MAX) {
		return error_set(err, ERROR_CONFIG, 0, "%s: more than %u releases", release,
				 MIRROR_RELEASES_MAX);
	}
	source.release = release;
	source.signature = NULL;
	if (!ends_with(release, "InRelease")) {
		(void)snprintf(signature, sizeof(signature), "%s.gpg", release);
		source.signature = signature;
		if (!is_kind(signature, S_IFREG)) {
			(void)error_set(err, ERROR_CONFIG, 0, "%s: not signed (no %s)", release,
					strrchr(signature, '/') + 1);
			return leave_out(m, err);
		}
	}
	if (signed_open(&source, archive, &only_unknown, err) < 0) {
		if (!only_unknown) {
			return -1;
		}
		*archive = NULL;
		return leave_out(m, err);
	}
	m->archives[m->archive_count++] = *archive;
	return 0;
}

/* A mirror: dists/ and pool/ */

/* main/binary-amd64/Packages.xz: its folder's length, or 0 where it is no Packages. */
static size_t packages_folder(const char *name)
{
	static const char *const ends[] = {"/Packages",     "/Packages.xz",  "/Packages.gz",
					   "/Packages.zst", "/Packages.bz2", "/Packages.lz4"};
	const char *slash = strrchr(name, '/');

	for (size_t i = 0; slash && i < sizeof(ends) / sizeof(ends[0]); i++) {
		if (strcmp(slash, ends[i]) == 0 && !strstr(name, "..")) {
			return (size_t)(slash - name);
		}
	}
	return 0;
}

/* Whether an earlier file of the Release is the same index in another compression, and was read. */
static bool was_read(const char *const *read, size_t count, const char *name, size_t folder)
{
	for (size_t i = 0; i < count; i++) {
		if (strncmp(read[i], name, folder) == 0 && read[i][folder] == '/' &&
		    packages_folder(read[i]) == folder) {
			return true;
		}
	}
	return false;
}

static int add_named_packages(const char *folder, struct signed_archive *archive, struct error *err)
{
	const struct release *release = signed_release(archive);
	const char **read = calloc(release->count + 1, sizeof(*read));
	size_t count = 0;
	int result = 0;

	if (!read) {
		return no_memory(err);
	}
	for (size_t i = 0; result == 0 && i < release->count; i++) {
		const char *name = release->files[i].name;
		size_t len = packages_folder(name);
		char path[PATH_ROOM];

		if (len == 0 || name[0] == '/' || was_read(read, count, name, len) ||
		    !join(path, folder, name) || !is_kind(path, S_IFREG)) {
			continue;
		}
		read[count++] = name;
		result = signed_add_packages(archive, path, err);
	}
	free(read);
	return result;
}

/* Every folder below dists/ that has a Release. Links (stable -> bookworm) would give each twice. */
static int find_releases(struct mirror *m, const char *folder, unsigned depth, struct error *err)
{
	static const char *const names[] = {"InRelease", "Release"};
	struct signed_archive *archive = NULL;
	char path[PATH_ROOM];
	struct dirent **list = NULL;
	int count, result = 0;

	for (size_t i = 0; i < 2; i++) {
		if (!join(path, folder, names[i]) || !is_kind(path, S_IFREG)) {
			continue;
		}
		if (open_release(m, path, &archive, err) < 0) {
			return -1;
		}
		return archive ? add_named_packages(folder, archive, err) : 0;
	}
	count = depth < DEPTH_MAX ? scandir(folder, &list, NULL, alphasort) : 0;
	for (int i = 0; i < count; i++) {
		struct stat st;

		if (result == 0 && list[i]->d_name[0] != '.' &&
		    join(path, folder, list[i]->d_name) && lstat(path, &st) == 0 &&
		    S_ISDIR(st.st_mode)) {
			/* Depth is bounded, and each level holds a path of its own. */
			result =
				find_releases(m, path, depth + 1, err); // NOLINT(misc-no-recursion)
		}
		free(list[i]);
	}
	free(list);
	return result;
}

/* A folder of .deb files, and apt's lists */

/* The release whose prefix is the longest that the list's name begins with, or `count`. */
static size_t release_of(char *const *prefixes, size_t count, const char *name)
{
	size_t best = count, longest = 0;

	for (size_t i = 0; i < count; i++) {
		size_t len = strlen(prefixes[i]);

		if (len >= longest && strncmp(name, prefixes[i], len) == 0) {
			best = i;
			longest = len;
		}
	}
	return best;
}

/* apt writes '/' as '_': HOST_dists_SUITE_COMPONENT_binary-ARCH_Packages, compressed or not. */
static bool is_packages_list(const char *name)
{
	const char *found = strstr(name, "_binary-"), *last = strstr(name, "_Packages");
	const char *end = last ? last + strlen("_Packages") : NULL;

	return found && last && last > found &&
	       (*end == '\0' || (*end == '.' && !strchr(end, '_')));
}

static int read_lists(struct mirror *m, const char *folder, struct dirent **list, int count,
		      struct error *err)
{
	struct signed_archive *archives[MIRROR_RELEASES_MAX] = {NULL};
	char *prefixes[MIRROR_RELEASES_MAX], path[PATH_ROOM];
	size_t releases = 0;
	int result = 0;

	for (int i = 0; result == 0 && i < count; i++) {
		const char *name = list[i]->d_name;
		const char *kind = ends_with(name, "_InRelease") ? "InRelease"
				   : ends_with(name, "_Release") ? "Release"
								 : NULL;

		if (!kind || !join(path, folder, name) || !is_kind(path, S_IFREG)) {
			continue;
		}
		if (releases == MIRROR_RELEASES_MAX) {
			result = error_set(err, ERROR_CONFIG, 0, "%s: more than %u releases",
					   folder, MIRROR_RELEASES_MAX);
			break;
		}
		prefixes[releases] = strndup(name, strlen(name) - strlen(kind));
		if (!prefixes[releases]) {
			result = no_memory(err);
			break;
		}
		result = open_release(m, path, &archives[releases++], err);
	}
	for (int i = 0; result == 0 && i < count; i++) {
		const char *name = list[i]->d_name;
		size_t of = is_packages_list(name) ? release_of(prefixes, releases, name)
						   : releases;

		if (of < releases && archives[of] && join(path, folder, name)) {
			result = signed_add_packages(archives[of], path, err);
		}
	}
	for (size_t i = 0; i < releases; i++) {
		free(prefixes[i]);
	}
	return result;
}

static int list_folder(const char *folder, struct dirent ***list, int *count, struct error *err)
{
	*count = scandir(folder, list, NULL, alphasort);
	return *count < 0 ? error_set(err, ERROR_CONFIG, errno, "%s: %s", folder, strerror(errno))
			  : 0;
}

static void free_list(struct dirent **list, int count)
{
	for (int i = 0; i < count; i++) {
		free(list[i]);
	}
	free(list);
}

static bool has_release(const char *folder)
{
	struct dirent **list = NULL;
	int count = 0;
	bool found = false;

	if (list_folder(folder, &list, &count, NULL) < 0) {
		return false;
	}
	for (int i = 0; i < count; i++) {
		found = found || ends_with(list[i]->d_name, "_InRelease") ||
			ends_with(list[i]->d_name, "_Release");
	}
	free_list(list, count);
	return found;
}

/* The lists that go with a folder of .deb files. */
static bool find_lists(const struct mirror_options *options, char to[PATH_ROOM])
{
	static const char *const places[] = {".", "../lists", "lists", "../../../lib/apt/lists"};

	if (options->lists) {
		return snprintf(to, PATH_ROOM, "%s", options->lists) < PATH_ROOM;
	}
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (join(to, options->dir, places[i]) && has_release(to)) {
			return true;
		}
	}
	return false;
}

/* As apt names a file in its cache: in a version ':' and '_' are %3a and %5f. */
static bool deb_name(const struct release_package *package, char to[PATH_ROOM])
{
	size_t len = 0;
	int used = snprintf(to, PATH_ROOM, "%s_", package->package);

	if (used < 0 || used > PATH_ROOM / 2) {
		return false;
	}
	len = (size_t)used;
	for (const char *p = package->version; *p; p++) {
		if (len > PATH_ROOM - 64) {
			return false;
		}
		if (*p == ':' || *p == '_') {
			len += (size_t)snprintf(to + len, PATH_ROOM - len, "%%%02x",
						(unsigned char)*p);
		} else {
			to[len++] = *p;
		}
	}
	used = snprintf(to + len, PATH_ROOM - len, "_%s.deb", package->arch);
	return used > 0 && (size_t)used < PATH_ROOM - len;
}

static int add_name(struct mirror *m, const char *name, const struct signed_archive *archive,
		    size_t index, struct error *err)
{
	struct named *named = NULL;
	size_t len = strlen(name);

	HASH_FIND_STR(m->names, name, named);
	if (named) {
		return 0;
	}
	named = arena_alloc(&m->memory, sizeof(*named) + len + 1);
	if (!named) {
		return no_memory(err);
	}
	*named = (struct named){.archive = archive, .index = index};
	memcpy(named->name, name, len + 1);
	HASH_ADD_STR(m->names, name, named);
	return named->hh.tbl ? 0 : no_memory(err);
}

/* As apt calls it; then as the pool does, which leaves the epoch out, where no other has that name. */
static int name_all(struct mirror *m, const struct signed_archive *archive, bool as_pool,
		    struct error *err)
{
	char made[PATH_ROOM];
	int result = 0;

	for (size_t i = 0; result == 0 && i < signed_count(archive); i++) {
		const struct release_package *package = signed_package(archive, i);
		const char *slash = strrchr(package->file, '/');

		if (as_pool && slash) {
			result = add_name(m, slash + 1, archive, i, err);
		} else if (!as_pool && deb_name(package, made)) {
			result = add_name(m, made, archive, i, err);
		}
	}
	return result;
}

static int add_deb(struct mirror *m, const char *file, const struct signed_archive *archive,
		   const struct release_package *package, struct error *err)
{
	struct mirror_deb *grown;

	if (m->count == MIRROR_DEBS_MAX) {
		return error_set(err, ERROR_CONFIG, 0, "%s: more than %u packages", m->options->dir,
				 MIRROR_DEBS_MAX);
	}
	if (m->count == m->room) {
		m->room = m->room ? 2 * m->room : 256;
		grown = realloc(m->debs, m->room * sizeof(*grown));
		if (!grown) {
			return no_memory(err);
		}
		m->debs = grown;
	}
	file = arena_string(&m->memory, file);
	if (!file) {
		return no_memory(err);
	}
	m->debs[m->count++] = (struct mirror_deb){file, archive, package};
	return 0;
}

static int match_folder(struct mirror *m, struct dirent **list, int count, struct error *err)
{
	char path[PATH_ROOM];

	for (size_t i = 0; i < 2 * m->archive_count; i++) {
		if (name_all(m, m->archives[i % m->archive_count], i >= m->archive_count, err) <
		    0) {
			return -1;
		}
	}
	for (int i = 0; i < count; i++) {
		const char *name = list[i]->d_name;
		struct named *named = NULL;

		if (!ends_with(name, ".deb") || !join(path, m->options->dir, name) ||
		    !is_kind(path, S_IFREG)) {
			continue;
		}
		HASH_FIND_STR(m->names, name, named);
		if (add_deb(m, path, named ? named->archive : NULL,
			    named ? signed_package(named->archive, named->index) : NULL, err) < 0) {
			return -1;
		}
	}
	return 0;
}

static int open_folder(struct mirror *m, struct error *err)
{
	struct dirent **list = NULL;
	char lists[PATH_ROOM];
	int count = 0, result;

	if (!find_lists(m->options, lists)) {
		return error_set(err, ERROR_CONFIG, 0,
				 "%s: neither a mirror (dists/ and pool/) nor a folder of .deb "
				 "files with apt's lists beside it",
				 m->options->dir);
	}
	if (list_folder(lists, &list, &count, err) < 0) {
		return -1;
	}
	result = read_lists(m, lists, list, count, err);
	free_list(list, count);
	if (result < 0 || list_folder(m->options->dir, &list, &count, err) < 0) {
		return -1;
	}
	result = match_folder(m, list, count, err);
	free_list(list, count);
	return result;
}

/* The .deb files that the signed Packages name and that are here. */
static int match_pool(struct mirror *m, struct error *err)
{
	char path[PATH_ROOM];

	for (size_t a = 0; a < m->archive_count; a++) {
		for (size_t i = 0; i < signed_count(m->archives[a]); i++) {
			const struct release_package *package = signed_package(m->archives[a], i);

			/* Those of all architectures stand in the Packages of each. */
			if (i > 0 && digest_equal(&package->sha256,
						  &signed_package(m->archives[a], i - 1)->sha256)) {
				continue;
			}
			if (package->file[0] != '\0' &&
			    join(path, m->options->dir, package->file) && is_kind(path, S_IFREG) &&
			    add_deb(m, path, m->archives[a], package, err) < 0) {
				return -1;
			}
		}
	}
	return 0;
}

static int open_mirror(struct mirror *m, const char *dists, struct error *err)
{
	return find_releases(m, dists, 0, err) < 0 || match_pool(m, err) < 0 ? -1 : 0;
}

int mirror_open(const struct mirror_options *options, mirror_tell *tell, void *context,
		struct mirror **mirror, struct error *err)
{
	struct mirror *m = calloc(1, sizeof(*m));
	char dists[PATH_ROOM];
	int result;

	if (!m) {
		return no_memory(err);
	}
	m->options = options;
	m->tell = tell;
	m->context = context;
	if (join(dists, options->dir, "dists") && is_kind(dists, S_IFDIR)) {
		result = open_mirror(m, dists, err);
	} else {
		result = open_folder(m, err);
	}
	if (result == 0 && m->archive_count == 0) {
		result = error_set(err, ERROR_CONFIG, 0, "%s: %s", options->dir,
				   m->left_out > 0 ? "no Release is signed by a key of the keyring"
						   : "no InRelease or Release");
	}
	if (result < 0) {
		mirror_free(m);
		return -1;
	}
	*mirror = m;
	return 0;
}

void mirror_free(struct mirror *mirror)
{
	if (!mirror) {
		return;
	}
	HASH_CLEAR(hh, mirror->names);
	for (size_t i = 0; i < mirror->archive_count; i++) {
		signed_free(mirror->archives[i]);
	}
	arena_clear(&mirror->memory);
	free(mirror->debs);
	free(mirror);
}

size_t mirror_count(const struct mirror *mirror)
{
	return mirror->count;
}

const struct mirror_deb *mirror_deb(const struct mirror *mirror, size_t index)
{
	return &mirror->debs[index];
}

size_t mirror_archives(const struct mirror *mirror)
{
	return mirror->archive_count;
}

const struct signed_archive *mirror_archive(const struct mirror *mirror, size_t index)
{
	return mirror->archives[index];
}
