// SPDX-License-Identifier: MIT
#include "tests/unit/payloads/tree.h"

#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

void text_add(char *text, size_t room, const char *format, ...)
{
	size_t at = strlen(text);
	va_list args;

	va_start(args, format);
	assert_true((size_t)vsnprintf(text + at, room - at, format, args) < room - at);
	va_end(args);
}

static void note_gap(void *context, struct bytes subject, enum coverage_state state,
		     const char *reason, uint64_t count)
{
	struct tree *tree = context;

	assert_int_equal(state, COVERAGE_PARTIAL);
	text_add(tree->gaps, sizeof(tree->gaps), "%.*s %s %llu\n", (int)subject.len,
		 (const char *)subject.data, reason, (unsigned long long)count);
}

void tree_make(struct tree *tree)
{
	memset(tree, 0, sizeof(*tree));
	(void)snprintf(tree->root, sizeof(tree->root), "/tmp/muster-test-XXXXXX");
	assert_non_null(mkdtemp(tree->root));
	tree->root_fd = open(tree->root, O_RDONLY | O_DIRECTORY);
	assert_true(tree->root_fd >= 0);
	tree->host.root_fd = tree->root_fd;
	tree->host.context = tree;
	tree->host.gap = note_gap;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void tree_remove(struct tree *tree)
{
	assert_int_equal(close(tree->root_fd), 0);
	assert_int_equal(nftw(tree->root, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

const char *tree_path(const struct tree *tree, const char *path)
{
	static char full[8192];

	assert_true((size_t)snprintf(full, sizeof(full), "%s%s", tree->root, path) < sizeof(full));
	return full;
}

/* Makes the directories above the last component. */
static const char *path_with_dirs(const struct tree *tree, const char *path)
{
	static char part[8192];
	const char *full = tree_path(tree, path);

	for (const char *slash = full + strlen(tree->root) + 1;
	     (slash = strchr(slash, '/')) != NULL; slash++) {
		memcpy(part, full, (size_t)(slash - full));
		part[slash - full] = '\0';
		(void)mkdir(part, 0755);
	}
	return full;
}

void tree_write_bytes(struct tree *tree, const char *path, const void *data, size_t len)
{
	FILE *file = fopen(path_with_dirs(tree, path), "wb");

	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

void tree_write(struct tree *tree, const char *path, const char *text)
{
	tree_write_bytes(tree, path, text, strlen(text));
}

void tree_link(struct tree *tree, const char *path, const char *target)
{
	assert_int_equal(symlink(target, path_with_dirs(tree, path)), 0);
}

void tree_dir(struct tree *tree, const char *path)
{
	assert_int_equal(mkdir(path_with_dirs(tree, path), 0755), 0);
}
