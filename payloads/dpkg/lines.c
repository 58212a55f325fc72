// SPDX-License-Identifier: MIT
/* Lines of the database's files, with the faults found in them, and how files are named. */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "payloads/dpkg/dpkg.h"
#include "payloads/dpkg/status.h"

void dpkg_gap(const struct dpkg *dpkg, const char *subject, enum coverage_state state,
	      const char *reason, uint64_t count)
{
	if (dpkg->host.gap && !dpkg->is_quiet) {
		dpkg->host.gap(dpkg->host.context, bytes_from_string(subject), state, reason,
			       count);
	}
}

/* Cuts silently: only what is shown is made by it. */
static void append(char *to, size_t room, const char *text)
{
	size_t at = strlen(to);
	size_t len = strlen(text);

	if (len > room - 1 - at) {
		len = room - 1 - at;
	}
	memcpy(to + at, text, len);
	to[at + len] = '\0';
}

bool dpkg_lines_open(struct dpkg_lines *lines, struct dpkg *dpkg, int dir_fd, const char *dir,
		     const char *name, uint64_t most, bool is_needed)
{
	const struct package_file_access *access = dpkg->access;
	struct stat st;

	lines->dpkg = dpkg;
	lines->over_size = false;
	memset(lines->faults, 0, sizeof(lines->faults));
	lines->subject[0] = '\0';
	append(lines->subject, sizeof(lines->subject), dir);
	append(lines->subject, sizeof(lines->subject), "/");
	append(lines->subject, sizeof(lines->subject), name);
	lines->fd = access->open(access->context, dir_fd, name, &st);
	if (lines->fd < 0) {
		if (is_needed || errno != ENOENT) {
			dpkg_gap(dpkg, lines->subject, COVERAGE_PARTIAL, package_file_reason(errno),
				 1);
		}
		return false;
	}
	if (st.st_size < 0 || (uint64_t)st.st_size > most) {
		lines->over_size = true;
	} else {
		most = (uint64_t)st.st_size; /* saves the read that would say "end" */
	}
	line_reader_init(&lines->reader, access, lines->fd, most, dpkg->buffer, DPKG_LINE_MAX);
	return true;
}

bool dpkg_lines_next(struct dpkg_lines *lines, struct bytes *line)
{
	for (;;) {
		switch (line_reader_next(&lines->reader, line)) {
		case LINE_NONE:
			return false;
		case LINE_CUT:
			dpkg_lines_fault(lines, "line-long");
			continue;
		case LINE_UNENDED:
		case LINE_WHOLE:
			return true;
		}
	}
}

void dpkg_lines_fault(struct dpkg_lines *lines, const char *reason)
{
	for (size_t i = 0; i < DPKG_FAULTS_MAX; i++) {
		if (!lines->faults[i].reason) {
			lines->faults[i].reason = reason;
		}
		if (i == DPKG_FAULTS_MAX - 1 || strcmp(lines->faults[i].reason, reason) == 0) {
			lines->faults[i].count++;
			return;
		}
	}
}

void dpkg_lines_close(struct dpkg_lines *lines)
{
	const struct package_file_access *access = lines->dpkg->access;

	if (lines->reader.os_errno != 0) {
		dpkg_lines_fault(lines, package_file_reason(lines->reader.os_errno));
	}
	if (lines->over_size) {
		dpkg_lines_fault(lines, "size-limit");
	}
	for (size_t i = 0; i < DPKG_FAULTS_MAX && lines->faults[i].reason; i++) {
		dpkg_gap(lines->dpkg, lines->subject, COVERAGE_PARTIAL, lines->faults[i].reason,
			 lines->faults[i].count);
	}
	access->close(access->context, lines->fd);
	lines->fd = -1;
}

bool dpkg_file_name(const struct dpkg *dpkg, const struct dpkg_package *package,
		    const char *extension, char *name, size_t room)
{
	struct bytes base =
		dpkg_package_part(package, package->is_status_d ? DPKG_FILE : DPKG_NAME);
	struct bytes arch = dpkg_package_part(package, DPKG_ARCH);
	bool has_arch = package->is_multi_arch && !package->is_status_d && !dpkg->has_old_names;

	if (base.len + 1 + arch.len + 1 + strlen(extension) >= room) {
		return false;
	}
	memcpy(name, base.data, base.len);
	name += base.len;
	if (has_arch) {
		*name++ = ':';
		memcpy(name, arch.data, arch.len);
		name += arch.len;
	}
	*name++ = '.';
	memcpy(name, extension, strlen(extension) + 1);
	return true;
}

static bool open_of(struct dpkg_lines *lines, struct dpkg *dpkg, const struct dpkg_package *package,
		    const char *extension, uint64_t most, bool is_needed)
{
	char name[NAME_MAX + 1];
	int dir_fd = package->is_status_d ? dpkg->status_d_fd : dpkg->info_fd;

	if (!dpkg_file_name(dpkg, package, extension, name, sizeof(name))) {
		dpkg_gap(dpkg, DPKG_DIR "/info", COVERAGE_PARTIAL, "name-long", 1);
		return false;
	}
	if (dir_fd < 0) {
		return false; /* told once, at open */
	}
	return dpkg_lines_open(lines, dpkg, dir_fd,
			       package->is_status_d ? DPKG_DIR "/status.d" : DPKG_DIR "/info", name,
			       most, is_needed);
}

bool dpkg_lines_open_list(struct dpkg_lines *lines, struct dpkg *dpkg,
			  const struct dpkg_package *package)
{
	return !package->is_status_d && open_of(lines, dpkg, package, "list", DPKG_LIST_MAX, true);
}

bool dpkg_lines_open_sums(struct dpkg_lines *lines, struct dpkg *dpkg,
			  const struct dpkg_package *package)
{
	return open_of(lines, dpkg, package, "md5sums", DPKG_SUMS_MAX, package->is_status_d);
}

bool dpkg_sums_parse(struct bytes line, uint8_t md5[MD5_SIZE], struct bytes *path)
{
	const size_t digits = 2 * (size_t)MD5_SIZE;

	if (line.len <= digits + 2 || line.data[digits] != ' ' ||
	    (line.data[digits + 1] != ' ' && line.data[digits + 1] != '*') ||
	    !md5_parse(bytes_make(line.data, digits), md5)) {
		return false;
	}
	*path = bytes_make(line.data + digits + 2, line.len - digits - 2);
	return true;
}

enum path_fault dpkg_place(const struct dpkg *dpkg, struct bytes raw, bool rooted,
			   struct bytes package, struct dpkg_place *place)
{
	enum path_fault fault = path_clean(raw, rooted, place->path, &place->len);
	const struct diversion *diversion;
	bool is_alias;

	place->flags = 0;
	place->diversion = 0;
	if (fault != PATH_FINE) {
		return fault;
	}
	diversion =
		diversions_find(&dpkg->diversions, bytes_make(place->path, place->len), package);
	if (!path_map(&dpkg->aliases, place->path, &place->len, &is_alias)) {
		return PATH_TOO_LONG;
	}
	if (is_alias) {
		place->flags |= CLAIM_ALIAS;
	}
	if (diversion) {
		place->flags |= CLAIM_DIVERTED;
		place->diversion = 1U + (uint32_t)(diversion - dpkg->diversions.table);
	}
	return PATH_FINE;
}
