// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "payloads/file.h"
#include "tests/unit/payloads/tree.h"

#define SLOW 1000000U /* bytes a second, so that the reader waits in the midst of a file */

static struct tree tree;
static struct sys sys;
static struct reader reader;
static uint8_t data[3 * FILE_BUFFER_SIZE];

static int setup(void **state)
{
	(void)state;
	tree_make(&tree);
	sys_init(&sys);
	reader_init(&reader, &sys);
	for (size_t i = 0; i < sizeof(data); i++) {
		data[i] = (uint8_t)(i * 31 + (i >> 8));
	}
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	tree_remove(&tree);
	return 0;
}

static enum file_result open_it(const char *name, struct sys_stat *st, int *fd)
{
	*fd = -1;
	return file_open(&reader, tree.root_fd, name, fd, st);
}

static enum file_result hash_it(const char *name, struct file_job *job)
{
	struct sys_stat st;
	int fd;
	enum file_result result = open_it(name, &st, &fd);

	if (result != FILE_READ) {
		return result;
	}
	file_hash_begin(&reader, job, fd, &st, true);
	file_hash_finish(&reader, job);
	assert_int_equal(close(fd), 0);
	return job->result;
}

static void assert_content(const struct file_job *job, size_t len)
{
	struct digest digest;
	uint8_t md5[MD5_SIZE];
	struct sha256 sha;
	struct md5 sum;

	sha256_init(&sha);
	sha256_update(&sha, data, len);
	sha256_final(&sha, digest.bytes);
	md5_init(&sum);
	md5_update(&sum, data, len);
	md5_final(&sum, md5);
	assert_true(job->is_done);
	assert_int_equal(job->result, FILE_READ);
	assert_true(digest_equal(&digest, &job->content.sha256));
	assert_memory_equal(md5, job->content.md5, MD5_SIZE);
}

static void files_of_all_sizes_are_hashed_beside_each_other(void **state)
{
	static const size_t size[] = {
		0,
		1,
		63,
		64,
		65,
		3 * FILE_BUFFER_SIZE,
		FILE_BUFFER_SIZE - 1,
		FILE_BUFFER_SIZE,
		FILE_BUFFER_SIZE + 1,
		127,
		2 * FILE_BUFFER_SIZE + 65,
		0,
		4095,
	};
	enum { COUNT = sizeof(size) / sizeof(size[0]) };
	const uint32_t missing[] = {0, MISSING_PREADV2};
	struct file_job job[COUNT];
	struct sys_stat st[COUNT];
	char name[COUNT][16];
	int fd[COUNT];

	(void)state;
	for (size_t i = 0; i < COUNT; i++) {
		(void)snprintf(name[i], sizeof(name[i]), "/f%zu", i);
		tree_write_bytes(&tree, name[i], data, size[i]);
	}
	for (size_t way = 0; way < sizeof(missing) / sizeof(missing[0]); way++) {
		sys.missing = missing[way];
		sys.has_dontcache = sys.has_dontcache && way == 0;
		for (size_t i = 0; i < COUNT; i++) {
			assert_int_equal(open_it(name[i] + 1, &st[i], &fd[i]), FILE_READ);
			file_hash_begin(&reader, &job[i], fd[i], &st[i], true);
		}
		/* The last one first: finishing one may finish others, and none twice. */
		for (size_t i = COUNT; i-- > 0;) {
			file_hash_finish(&reader, &job[i]);
			assert_content(&job[i], size[i]);
			assert_int_equal(close(fd[i]), 0);
		}
		assert_int_equal(reader.files, COUNT * (way + 1));
	}
}

static void what_is_no_regular_file_is_not_opened(void **state)
{
	struct sys_stat st;
	int fd;

	(void)state;
	tree_write(&tree, "/file", "text");
	tree_link(&tree, "/link", "file");
	tree_dir(&tree, "/dir");
	assert_int_equal(mkfifo(tree_path(&tree, "/fifo"), 0600), 0);
	assert_int_equal(open_it("link", &st, &fd), FILE_OTHER_TYPE);
	assert_int_equal(open_it("dir", &st, &fd), FILE_OTHER_TYPE);
	assert_int_equal(open_it("fifo", &st, &fd), FILE_OTHER_TYPE);
	assert_int_equal(open_it("nothing", &st, &fd), FILE_GONE);
	assert_int_equal(open_it("file/below", &st, &fd), FILE_GONE);
	assert_int_equal(open_it("file", &st, &fd), FILE_READ);
	assert_int_equal(close(fd), 0);
}

/* What somebody else does while the reader waits for its rate. */
static unsigned meddled;
static unsigned meddle_most;
static void (*meddle_how)(void);

static void meddle(void *context, int wait_ms)
{
	(void)context;
	if (wait_ms > 0 && meddled < meddle_most) {
		meddled++;
		meddle_how();
	}
	usleep((useconds_t)wait_ms * 1000);
}

static void meddle_with(void (*how)(void), unsigned most)
{
	meddled = 0;
	meddle_most = most;
	meddle_how = how;
	reader.pulse = meddle;
	reader.rate_bytes_s = SLOW;
}

static void truncate_it(void)
{
	assert_int_equal(truncate(tree_path(&tree, "/file"), 100), 0);
}

static void write_it(void)
{
	int fd = open(tree_path(&tree, "/file"), O_WRONLY);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, "x", 1, sizeof(data) - 1), 1);
	assert_int_equal(close(fd), 0);
}

static void touch_it(void)
{
	write_it();
	assert_int_equal(truncate(tree_path(&tree, "/file"), (off_t)(sizeof(data) - meddled)), 0);
}

static void replace_by_link(void)
{
	assert_int_equal(unlink(tree_path(&tree, "/file")), 0);
	tree_link(&tree, "/file", "secret");
}

static void a_file_cut_short_meanwhile_is_read_once_more(void **state)
{
	struct file_job job;

	(void)state;
	tree_write_bytes(&tree, "/file", data, sizeof(data));
	meddle_with(truncate_it, 1);
	assert_int_equal(hash_it("file", &job), FILE_READ);
	assert_int_equal(meddled, 1);
	assert_true(job.is_second);
	assert_content(&job, 100);
	assert_int_equal(job.content.st.size, 100);
}

static void a_file_that_changes_again_and_again_is_told_as_changed(void **state)
{
	struct file_job job;

	(void)state;
	tree_write_bytes(&tree, "/file", data, sizeof(data));
	meddle_with(touch_it, 100);
	assert_int_equal(hash_it("file", &job), FILE_CHANGED);
	assert_true(meddled > 1);
	assert_string_equal(file_result_reason(job.result), "changed");
}

static void a_link_put_in_its_place_meanwhile_is_not_followed(void **state)
{
	struct sys_stat st;
	struct file_job job;
	int fd;

	(void)state;
	tree_write(&tree, "/secret", "of somebody else");
	tree_write_bytes(&tree, "/file", data, sizeof(data));
	meddle_with(replace_by_link, 1);
	/* The descriptor is the file's that was opened: its ctime tells that it lost its name. */
	assert_int_equal(hash_it("file", &job), FILE_READ);
	assert_int_equal(meddled, 1);
	assert_content(&job, sizeof(data));
	/* And by its name it is reached no more. */
	assert_int_equal(open_it("file", &st, &fd), FILE_OTHER_TYPE);
}

static void the_budget_holds_for_all_that_was_begun(void **state)
{
	struct file_job first;
	struct file_job second;
	struct sys_stat st;
	int fd[2];

	(void)state;
	tree_write_bytes(&tree, "/a", data, 1000);
	tree_write_bytes(&tree, "/b", data, 1001);
	reader.budget_bytes = 2000;
	assert_int_equal(open_it("a", &st, &fd[0]), FILE_READ);
	file_hash_begin(&reader, &first, fd[0], &st, true);
	assert_int_equal(open_it("b", &st, &fd[1]), FILE_READ);
	file_hash_begin(&reader, &second, fd[1], &st, false);
	assert_true(second.is_done);
	assert_int_equal(second.result, FILE_BUDGET_BYTES);
	file_hash_finish(&reader, &first);
	assert_content(&first, 1000);
	assert_int_equal(close(fd[0]), 0);
	assert_int_equal(close(fd[1]), 0);
	assert_int_equal(reader.bytes, 1000);
}

static void past_its_time_nothing_is_read(void **state)
{
	struct file_job job;

	(void)state;
	tree_write_bytes(&tree, "/file", data, sizeof(data));
	reader.deadline_ns = 1;
	assert_int_equal(hash_it("file", &job), FILE_BUDGET_TIME);
	assert_int_equal(reader.bytes, 0);
	/* Or in the midst of it. */
	reader.rate_bytes_s = SLOW / 10;
	reader.deadline_ns = sys_monotonic_ns() + 20000000;
	assert_int_equal(hash_it("file", &job), FILE_BUDGET_TIME);
	assert_in_range(reader.bytes, 1, sizeof(data) - 1);
}

static void the_first_bytes_tell_programs_from_the_rest(void **state)
{
	static const struct {
		const char *text;
		enum entry_magic magic;
	} rows[] = {
		{"\177ELF and more", ENTRY_MAGIC_ELF},
		{"#!/bin/sh\n", ENTRY_MAGIC_SCRIPT},
		{"#!", ENTRY_MAGIC_SCRIPT},
		{"#", ENTRY_MAGIC_NONE},
		{"\177EL", ENTRY_MAGIC_NONE},
		{"", ENTRY_MAGIC_NONE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		enum entry_magic magic;
		struct sys_stat st;
		int fd;

		tree_write(&tree, "/file", rows[i].text);
		assert_int_equal(open_it("file", &st, &fd), FILE_READ);
		assert_int_equal(file_peek(&reader, fd, &st, &magic), FILE_READ);
		assert_int_equal(magic, rows[i].magic);
		assert_int_equal(close(fd), 0);
	}
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(files_of_all_sizes_are_hashed_beside_each_other),
		TEST(what_is_no_regular_file_is_not_opened),
		TEST(a_file_cut_short_meanwhile_is_read_once_more),
		TEST(a_file_that_changes_again_and_again_is_told_as_changed),
		TEST(a_link_put_in_its_place_meanwhile_is_not_followed),
		TEST(the_budget_holds_for_all_that_was_begun),
		TEST(past_its_time_nothing_is_read),
		TEST(the_first_bytes_tell_programs_from_the_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
