// SPDX-License-Identifier: MIT
#include "payloads/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "payloads/collect.h"
#include "payloads/memory.h"

#define LOOK_EVERY 64 /* objects between two looks at the connection and the clock */

bool path_is_within(struct bytes path, struct bytes directory)
{
	return directory.len == 1 || bytes_equal(path, directory) ||
	       (bytes_has_prefix(path, directory) && path.data[directory.len] == '/');
}

struct bytes path_parent(struct bytes path)
{
	size_t len = path.len;

	while (len > 1 && path.data[len - 1] != '/') {
		len--;
	}
	return (struct bytes){path.data, len > 1 ? len - 1 : 1};
}

struct bytes path_cut(struct bytes path, unsigned depth)
{
	for (size_t i = 1; i < path.len; i++) {
		if (path.data[i] == '/' && --depth == 0) {
			return (struct bytes){path.data, i};
		}
	}
	return path;
}

unsigned path_depth(struct bytes path)
{
	unsigned depth = path.len > 1 ? 1 : 0;

	for (size_t i = 1; i < path.len; i++) {
		depth += path.data[i] == '/';
	}
	return depth;
}

bool path_in_list(const struct plan_list *list, struct bytes path)
{
	for (size_t i = 0; i < list->count; i++) {
		if (path_is_within(path, list->item[i])) {
			return true;
		}
	}
	return false;
}

bool path_list_init(struct path_list *paths, size_t text_room, size_t list_room)
{
	*paths = (struct path_list){.text_room = text_room, .list_room = list_room};
	paths->text = memory_take(text_room);
	paths->list = memory_take(list_room * sizeof(*paths->list));
	return paths->text && paths->list;
}

void path_list_clear(struct path_list *paths)
{
	if (paths->text) {
		memory_give(paths->text);
	}
	if (paths->list) {
		memory_give(paths->list);
	}
	*paths = (struct path_list){.text = NULL};
}

bool path_list_add(struct path_list *paths, struct bytes path)
{
	if (paths->count == paths->list_room || path.len > UINT16_MAX ||
	    path.len > paths->text_room - paths->text_len) {
		return false;
	}
	memcpy(paths->text + paths->text_len, path.data, path.len);
	paths->list[paths->count++] =
		(struct path_item){(uint32_t)paths->text_len, (uint16_t)path.len};
	paths->text_len += path.len;
	return true;
}

static int by_path(const void *a, const void *b, void *context)
{
	const struct path_item *x = a;
	const struct path_item *y = b;
	const uint8_t *text = context;

	return bytes_path_compare(bytes_make(text + x->at, x->len),
				  bytes_make(text + y->at, y->len));
}

void path_list_sort(struct path_list *paths)
{
	qsort_r(paths->list, paths->count, sizeof(*paths->list), by_path, paths->text);
}

static void pulse(void *context, int wait_ms)
{
	struct probe *probe = context;

	channel_pulse(&probe->channel, wait_ms);
}

enum status probe_init(struct probe *probe, const struct probe_host *host, int in_fd, int out_fd)
{
	memset(probe, 0, sizeof(*probe));
	probe->host = host;
	probe->start_ns = sys_monotonic_ns();
	channel_init(&probe->channel, in_fd, out_fd);
	sys_init(&probe->sys);
	place_init(&probe->place, &probe->sys, &probe->mounts, -1);
	probe->root_fd = open(host->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (probe->root_fd < 0) {
		return STATUS_ROOT;
	}
	reader_init(&probe->reader, &probe->sys);
	probe->reader.pulse = pulse;
	probe->reader.context = probe;
	probe->md5_buffer = memory_take(PROBE_MD5_SIZE);
	if (walk_init(&probe->walk) != 0 || catalog_init(&probe->catalog) != 0 ||
	    timeline_init(&probe->timeline) != 0 || object_init() != 0 ||
	    ring_init(&probe->ring, PROBE_RING_SIZE) != 0 || !probe->md5_buffer ||
	    !path_list_init(&probe->dirs, PROBE_DIRS_TEXT, PROBE_DIRS_MAX) ||
	    !path_list_init(&probe->found, PROBE_FOUND_TEXT, PROBE_FOUND_MAX)) {
		return STATUS_MEMORY;
	}
	return STATUS_DONE;
}

void probe_clear(struct probe *probe)
{
	while (probe->db_count > 0) {
		package_db_close(probe->db[--probe->db_count]);
	}
	if (probe->root_fd >= 0) {
		close(probe->root_fd);
	}
	if (probe->md5_buffer) {
		memory_give(probe->md5_buffer);
	}
	place_clear(&probe->place);
	table_clear(&probe->owned);
	table_clear(&probe->seen_dirs);
	mounts_clear(&probe->mounts);
	names_clear(&probe->users);
	names_clear(&probe->groups);
	walk_clear(&probe->walk);
	object_clear();
	catalog_clear(&probe->catalog);
	timeline_clear(&probe->timeline);
	ring_clear(&probe->ring);
	path_list_clear(&probe->dirs);
	path_list_clear(&probe->found);
}

bool probe_go_on(struct probe *probe)
{
	if (++probe->turns % LOOK_EVERY == 0) {
		channel_pulse(&probe->channel, 0);
		probe->is_late = reader_is_late(&probe->reader);
	}
	return !probe->is_late;
}

void probe_partial(struct probe *probe, const char *check, struct bytes subject, const char *reason,
		   uint64_t count)
{
	coverage_add(&probe->coverage, check, subject, COVERAGE_PARTIAL, reason, count);
}
