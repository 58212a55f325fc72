// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "payloads/collect.h"

#define OS_RELEASE_MAX 16384

/* Keeps what restricts a mount, in the order the kernel says it. */
static struct bytes telling_options(struct bytes options, char *to, size_t room)
{
	static const char *const words[] = {"ro", "nosuid", "nodev", "noexec"};
	size_t len = 0;
	size_t at = 0;

	while (at < options.len) {
		const uint8_t *comma = memchr(options.data + at, ',', options.len - at);
		size_t end = comma ? (size_t)(comma - options.data) : options.len;
		struct bytes word = {options.data + at, end - at};

		for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
			if (bytes_equal_string(word, words[i]) && len + word.len + 1 < room) {
				if (len > 0) {
					to[len++] = ',';
				}
				memcpy(to + len, word.data, word.len);
				len += word.len;
			}
		}
		at = end + 1;
	}
	return bytes_make(to, len);
}

/* A local file system is entered where a check goes there at all. */
static const char *mount_state(const struct probe *probe, const struct mount *mount)
{
	const uint32_t checks = probe->plan.checks;

	if (!mount_class_is_local(mount->class) || checks & CHECK_SETID ||
	    (checks & CHECK_TREE && path_in_list(&probe->roots, mount->point)) ||
	    (checks & CHECK_VOLATILE && path_in_list(&probe->volatiles, mount->point))) {
		return mount_class_name(mount->class);
	}
	for (size_t i = 0; i < probe->roots.count; i++) {
		if (path_is_within(probe->roots.item[i], mount->point)) {
			return mount_class_name(mount->class);
		}
	}
	return "outside";
}

static void collect_mount(void *context, const struct mount *mount)
{
	struct collection *collection = context;
	struct record record = {.count = MOUNT_FIELDS};
	char options[64];

	record.field[MOUNT_POINT] = mount->point;
	record.field[MOUNT_TYPE] = mount->type;
	record.field[MOUNT_SOURCE] = mount->source;
	record.field[MOUNT_ROOT] = mount->root;
	record.field[MOUNT_OPTIONS] = telling_options(mount->options, options, sizeof(options));
	record.field[MOUNT_STATE] = bytes_from_string(mount_state(collection->probe, mount));
	if (!sink_record(collection->sink, &record)) {
		probe_partial(collection->probe, "mounts", mount->point, "too-large", 1);
	}
}

void collect_mounts(struct collection *collection)
{
	struct probe *probe = collection->probe;
	int fd = open(probe->host->mountinfo, O_RDONLY | O_CLOEXEC);
	int left_out = fd < 0 ? -1 : mounts_read(fd, collect_mount, collection);

	if (fd >= 0) {
		close(fd);
	}
	if (left_out != 0) {
		coverage_tell(&probe->coverage, "mounts", BYTES_LITERAL(""), COVERAGE_PARTIAL,
			      left_out < 0 ? "error" : "malformed",
			      left_out < 0 ? 1 : (uint64_t)left_out);
	}
}

static void collect_names(struct collection *collection, struct bytes name,
			  const struct names *names)
{
	const struct record record = {.count = FACT_FIELDS,
				      .field = {name, bytes_make(names->text, names->text_len)}};

	(void)sink_record(collection->sink, &record);
}

void collect_host(struct collection *collection)
{
	static char text[OS_RELEASE_MAX];
	static const char *const paths[] = {"etc/os-release", "usr/lib/os-release"};
	struct record record = {.count = FACT_FIELDS};

	collect_names(collection, BYTES_LITERAL(FACT_USERS), &collection->probe->users);
	collect_names(collection, BYTES_LITERAL(FACT_GROUPS), &collection->probe->groups);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		int fd = openat(collection->probe->root_fd, paths[i],
				O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
		struct stat st;
		ssize_t len = -1;

		if (fd < 0) {
			continue;
		}
		if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
			len = pread(fd, text, sizeof(text), 0);
		}
		close(fd);
		if (len >= 0) {
			record.field[FACT_NAME] = BYTES_LITERAL(FACT_OS_RELEASE);
			record.field[FACT_VALUE] = bytes_make(text, (size_t)len);
			(void)sink_record(collection->sink, &record);
			return;
		}
	}
}
