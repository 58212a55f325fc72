// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "schema/entry.h"
#include "schema/record.h"
#include "tests/unit/controller/store/host_maker.h"

#define NIGHT 86400
#define T0 1760000000

static struct host_maker maker;

static void put(struct store *store, const struct store_run *run)
{
	struct error err = {0};

	if (host_maker_put(&maker, store, run, &err)) {
		fail_msg("%s", err.msg);
	}
}

struct lines {
	size_t count;
	char line[64][400];
};

static int note(void *context, const struct store_diff_row *row)
{
	static const char sign[] = {'+', '-', '*'};
	struct lines *lines = context;

	assert_true(lines->count < 64);
	(void)snprintf(lines->line[lines->count++], sizeof(lines->line[0]),
		       "%s %c %s %.*s [%.*s] [%.*s]", row->host, sign[row->change],
		       section_kind_name(row->key->kind), (int)row->subject.len,
		       (const char *)row->subject.data, (int)row->old_value.len,
		       (const char *)row->old_value.data, (int)row->new_value.len,
		       (const char *)row->new_value.data);
	return 0;
}

static struct lines diff(struct store *store, int64_t a, int64_t b, const char *host)
{
	struct lines lines = {0};
	struct error err = {0};

	if (store_diff(store, a, b, host, note, &lines, &err)) {
		fail_msg("%s", err.msg);
	}
	return lines;
}

static void assert_line(const struct lines *lines, const char *start)
{
	for (size_t i = 0; i < lines->count; i++) {
		if (strncmp(lines->line[i], start, strlen(start)) == 0) {
			return;
		}
	}
	for (size_t i = 0; i < lines->count; i++) {
		print_message("%s\n", lines->line[i]);
	}
	fail_msg("no line `%s`", start);
}

static uint8_t room[65536];
static struct cbor_writer writer;

static void begin(void)
{
	cbor_writer_init(&writer, room, sizeof(room));
}

static void entry(const char *path, uint32_t mode)
{
	struct entry e = {.path = bytes_from_string(path),
			  .type = ENTRY_FILE,
			  .mode = mode,
			  .owner = BYTES_LITERAL("root"),
			  .group = BYTES_LITERAL("root"),
			  .has_size = true,
			  .size = 5,
			  .has_mtime = true,
			  .mtime_s = 7};

	entry_encode(&writer, &e);
}

static void record(size_t count, const char *a, const char *b, const char *c, const char *d,
		   const char *e)
{
	struct record r = {.count = count,
			   .field = {bytes_from_string(a), bytes_from_string(b),
				     bytes_from_string(c), bytes_from_string(d),
				     bytes_from_string(e)}};

	record_encode(&writer, &r);
}

static struct bytes done(void)
{
	assert_false(writer.overflow);
	return bytes_make(room, writer.len);
}

static void diff_names_entries_that_differ(void **state)
{
	struct store_run run[2];
	struct store *store;
	struct place place;
	struct lines lines;

	(void)state;
	place_make(&place);
	store = open_store(place.path, STORE_WRITE);
	for (int night = 0; night < 2; night++) {
		run[night] = begin_run(store, T0 + night * NIGHT);
		host_maker_start(&maker, "web001", T0 + night * NIGHT);
		begin();
		if (night == 0) {
			entry("/etc/gone", 0644);
		}
		entry("/etc/motd", night == 0 ? 0644 : 0666);
		if (night == 1) {
			entry("/etc/new", 04755);
		}
		entry("/etc/same", 0644);
		host_maker_section(&maker, SECTION_TREE, "/etc", "", "", "", done());
		host_maker_text(&maker, SECTION_VOLATILE, "/tmp", ""); /* empty, and stays so */
		put(store, &run[night]);
	}
	lines = diff(store, run[0].id, run[1].id, NULL);
	assert_int_equal(lines.count, 3);
	assert_line(&lines, "web001 - tree /etc/gone [type=file ");
	assert_line(&lines, "web001 * tree /etc/motd [type=file ");
	assert_line(&lines, "web001 + tree /etc/new [] [type=file ");
	assert_non_null(strstr(lines.line[1], "0666"));
	assert_int_equal(diff(store, run[1].id, run[0].id, "web001").count, 3);
	assert_int_equal(diff(store, run[0].id, run[0].id, NULL).count, 0);
	assert_int_equal(diff(store, run[0].id, run[1].id, "web002").count, 0);
	store_close(store);
	place_remove(&place);
}

static void package(const char *name, const char *version, uint32_t mode)
{
	begin();
	entry("/usr/bin/x", mode);
	host_maker_section(&maker, SECTION_PACKAGE, "dpkg", name, version, "amd64", done());
	begin();
	record(3, "/usr/bin/x", version, "lm", "", "");
	host_maker_section(&maker, SECTION_CLAIMS, "dpkg", name, version, "amd64", done());
	begin();
	entry("/etc/x.conf", 0644);
	host_maker_section(&maker, SECTION_CONFIG, "dpkg", name, version, "amd64", done());
}

static void upgrade_is_one_line_and_hides_no_configuration(void **state)
{
	struct store_run run[2];
	struct store *store;
	struct place place;
	struct lines lines;

	(void)state;
	place_make(&place);
	store = open_store(place.path, STORE_WRITE);
	for (int night = 0; night < 2; night++) {
		run[night] = begin_run(store, T0 + night * NIGHT);
		host_maker_start(&maker, "web001", T0 + night * NIGHT);
		package("bash", night ? "5.2-2" : "5.2-1", 0755);
		package("same", "1", 0755);
		package("touched", "1", night ? 0777 : 0755);
		package(night ? "come" : "gone", "3", 0755);
		/* Upgraded, and its configuration edited too. */
		begin();
		entry("/etc/sshd_config", night ? 0666 : 0644);
		host_maker_section(&maker, SECTION_CONFIG, "dpkg", "sshd", night ? "9" : "8",
				   "amd64", done());
		host_maker_section(&maker, SECTION_PACKAGE, "dpkg", "sshd", night ? "9" : "8",
				   "amd64", BYTES_LITERAL(""));
		begin();
		record(5, "bash", night ? "5.2-2" : "5.2-1", "amd64", "install ok installed", "");
		record(5, "torn", "1", "amd64",
		       night ? "install ok half-installed" : "install ok installed", "");
		host_maker_section(&maker, SECTION_PACKAGES, "dpkg", "", "", "", done());
		put(store, &run[night]);
	}
	lines = diff(store, run[0].id, run[1].id, NULL);
	assert_line(&lines, "web001 * package bash [5.2-1] [5.2-2]");
	assert_line(&lines, "web001 * package sshd [8] [9]");
	assert_line(&lines, "web001 * config /etc/sshd_config [type=file ");
	assert_line(&lines, "web001 * package /usr/bin/x [type=file ");
	assert_line(&lines, "web001 + package come [] [3]");
	assert_line(&lines, "web001 - package gone [3] []");
	assert_line(&lines, "web001 * packages torn [torn 1 amd64 install\\040ok\\040installed ");
	assert_int_equal(lines.count, 7);
	store_close(store);
	place_remove(&place);
}

static void records_and_damaged_content_are_compared_too(void **state)
{
	struct store_run run[2];
	struct store *store;
	struct place place;
	struct lines lines;

	(void)state;
	place_make(&place);
	store = open_store(place.path, STORE_WRITE);
	for (int night = 0; night < 2; night++) {
		run[night] = begin_run(store, T0 + night * NIGHT);
		host_maker_start(&maker, "web001", T0 + night * NIGHT);
		begin();
		record(4, "/", "ext4", "/dev/sda1", "entered", "");
		record(4, "/mnt", "tmpfs", "a", "entered", "");
		if (night) {
			record(4, "/mnt", "tmpfs", "b", "entered", "");
		}
		record(4, "/home", "nfs", night ? "y" : "x", "network", "");
		host_maker_section(&maker, SECTION_MOUNTS, "", "", "", "", done());
		host_maker_section(&maker, SECTION_FLAGS, "", "", "", "",
				   night ? BYTES_LITERAL("\xff\x01") : BYTES_LITERAL("\x81"));
		begin();
		record(3, "/a", night ? "\001\002" : "\003\004", "", "", "");
		host_maker_section(&maker, SECTION_MD5, "dpkg", "p", "1", "amd64", done());
		put(store, &run[night]);
	}
	lines = diff(store, run[0].id, run[1].id, NULL);
	assert_line(&lines, "web001 + mounts /mnt [] [/mnt tmpfs b entered]");
	assert_line(&lines, "web001 * mounts /home [/home nfs x network] [/home nfs y network]");
	assert_line(&lines, "web001 * flags  [sha256=");
	assert_line(&lines, "web001 * md5 /a [/a 0304 ] [/a 0102 ]");
	assert_int_equal(lines.count, 4);
	store_close(store);
	place_remove(&place);
}

/* Of an rpm header, in four bytes each. */
static void header_record(const char *part, struct bytes tag, struct bytes value)
{
	const struct record r = {.count = HEADER_FIELDS,
				 .field = {bytes_from_string(part), tag, BYTES_LITERAL("\4"),
					   BYTES_LITERAL("\0\0\0\0"), value}};

	record_encode(&writer, &r);
}

static void install(const char *name, struct bytes time, struct bytes number)
{
	const struct record r = {.count = INSTALLS_FIELDS,
				 .field = {bytes_from_string(name), BYTES_LITERAL("0:1-1"),
					   BYTES_LITERAL("x86_64"), time, time, number}};

	record_encode(&writer, &r);
}

/* What protocol 3 had in [claims] is in [installs] since: that is no change of the host. */
static void installs_tell_other_times_and_nothing_else(void **state)
{
	struct store_run run[3];
	struct store *store;
	struct place place;
	struct lines lines;

	(void)state;
	place_make(&place);
	store = open_store(place.path, STORE_WRITE);
	for (int night = 0; night < 3; night++) {
		run[night] = begin_run(store, T0 + night * NIGHT);
		host_maker_start(&maker, "web001", T0 + night * NIGHT);
		begin();
		if (night == 0) {
			header_record("rest", BYTES_LITERAL("\0\0\3\360"),
				      BYTES_LITERAL("\1\1\1\1"));
		}
		header_record("rest", BYTES_LITERAL("\0\0\4\5"), BYTES_LITERAL("\0"));
		if (night == 0) {
			header_record("rest", BYTES_LITERAL("\0\0\4\150"),
				      BYTES_LITERAL("\2\2\2\2"));
			header_record("number", BYTES_LITERAL("\0\0\0\0"),
				      BYTES_LITERAL("\0\0\0\1"));
		}
		host_maker_section(&maker, SECTION_CLAIMS, "rpm", "a", "0:1-1", "x86_64", done());
		if (night > 0) {
			begin();
			install("a", BYTES_LITERAL("\1\1\1\1"), BYTES_LITERAL("\0\0\0\1"));
			/* Installed again: another time and number. */
			install("b",
				night == 1 ? BYTES_LITERAL("\1\1\1\2") : BYTES_LITERAL("\1\1\1\3"),
				night == 1 ? BYTES_LITERAL("\0\0\0\2") : BYTES_LITERAL("\0\0\0\4"));
			/* The database was built anew: another number. */
			install("c", BYTES_LITERAL("\1\1\1\1"),
				night == 1 ? BYTES_LITERAL("\0\0\0\3") : BYTES_LITERAL("\0\0\0\2"));
			if (night == 2) {
				install("d", BYTES_LITERAL("\1\1\1\1"), BYTES_LITERAL("\0\0\0\3"));
			}
			host_maker_section(&maker, SECTION_INSTALLS, "rpm", "", "", "", done());
		}
		put(store, &run[night]);
	}
	lines = diff(store, run[0].id, run[1].id, NULL);
	assert_int_equal(lines.count, 0);
	lines = diff(store, run[1].id, run[2].id, NULL);
	assert_line(&lines, "web001 * installs b [b 0:1-1 x86_64 01010102 01010102 00000002] [b ");
	assert_int_equal(lines.count, 1);
	store_close(store);
	place_remove(&place);
}

static struct timeline_item item(const char *path, int64_t ctime_ns)
{
	return (struct timeline_item){.path = bytes_from_string(path),
				      .mode = 0100644,
				      .uid = 1,
				      .ctime_ns = ctime_ns,
				      .mtime_ns = ctime_ns - 5};
}

struct order {
	size_t count;
	int64_t ctime_ns[16];
};

static int note_item(void *context, const struct timeline_item *i)
{
	struct order *order = context;

	assert_true(order->count < 16);
	assert_int_equal(i->mtime_ns, i->ctime_ns - 5);
	order->ctime_ns[order->count++] = i->ctime_ns;
	return 0;
}

static size_t items_of(struct store *store, const char *host)
{
	struct order order = {0};
	struct error err = {0};

	assert_int_equal(store_timeline(store, host, 0, 0, note_item, &order, &err), 0);
	return order.count;
}

/* Pruned runs take their timeline along, but for what a host with something open did since. */
static void timeline_since_an_open_finding_outlives_its_runs(void **state)
{
	struct finding open = {.rule = RULE_FILE_CHANGED,
			       .severity = SEVERITY_HIGH,
			       .subject = BYTES_LITERAL("/usr/bin/tool")};
	struct findings findings = {0};
	struct timeline_item told;
	struct store_pruned pruned;
	struct error err = {0};
	struct store *store;
	struct place place;

	(void)state;
	place_make(&place);
	store = open_store(place.path, STORE_WRITE);
	assert_int_equal(findings_add(&findings, &open, &err), 0);
	for (int night = 0; night < 4; night++) {
		struct store_run run = begin_run(store, T0 + night * NIGHT);

		for (int h = 0; h < 2; h++) {
			host_maker_start(&maker, h ? "web002" : "web001", T0 + night * NIGHT);
			told = item("/a", 10 + night);
			maker.observation.timeline = &told;
			maker.observation.timeline_count = 1;
			/* Of the first one something is open from the second night on. */
			if (h == 0 && night > 0) {
				maker.host.findings = &findings;
				maker.host.acks = NULL;
				maker.host.outcome = OUTCOME_FINDINGS;
			}
			put(store, &run);
		}
		end_run(store, &run, run.started_s + 60);
	}
	assert_int_equal(items_of(store, "web001"), 4);
	assert_int_equal(store_prune(store, 1, &pruned, &err), 0);
	assert_int_equal(pruned.runs, 3);
	assert_int_equal(items_of(store, "web001"), 3);
	assert_int_equal(items_of(store, "web002"), 1);
	findings_clear(&findings);
	store_close(store);
	place_remove(&place);
}

static void timeline_is_in_order_and_bounded(void **state)
{
	struct timeline_item items[3];
	struct order order = {0};
	struct error err = {0};
	struct store_run run;
	struct store *store;
	struct place place;

	(void)state;
	place_make(&place);
	store = open_store(place.path, STORE_WRITE);
	for (int night = 0; night < 2; night++) {
		run = begin_run(store, T0 + night * NIGHT);
		host_maker_start(&maker, "web001", T0 + night * NIGHT);
		items[0] = item("/b", 20);
		items[1] = item("/a", 10 + night * 25); /* 10, then 35 */
		items[2] = item("/c", 30);
		maker.observation.timeline = items;
		maker.observation.timeline_count = 3;
		put(store, &run);
	}
	assert_int_equal(store_timeline(store, "web001", 0, 0, note_item, &order, &err), 0);
	assert_int_equal(order.count, 4); /* what both nights told comes once */
	for (size_t i = 1; i < order.count; i++) {
		assert_true(order.ctime_ns[i - 1] < order.ctime_ns[i]);
	}
	order.count = 0;
	assert_int_equal(store_timeline(store, "web001", 20, 30, note_item, &order, &err), 0);
	assert_int_equal(order.count, 2);
	order.count = 0;
	assert_int_equal(store_timeline(store, "web002", 0, 0, note_item, &order, &err), 0);
	assert_int_equal(order.count, 0);
	store_close(store);
	place_remove(&place);
}

static void night(struct store *store, int n, const char *content, bool finding)
{
	struct store_run run = begin_run(store, T0 + n * NIGHT);
	char own[32];

	host_maker_start(&maker, "web001", T0 + n * NIGHT);
	host_maker_text(&maker, SECTION_TREE, "/etc", content);
	host_maker_text(&maker, SECTION_FLAGS, "", "same");
	(void)snprintf(own, sizeof(own), "p%d", n);
	host_maker_text(&maker, SECTION_PACKAGE, own, content);
	if (finding) {
		host_maker_finding(&maker, "00000000000000a1", "/etc/x");
	}
	put(store, &run);
	end_run(store, &run, T0 + n * NIGHT + 1);
}

static int count_run(void *context, const struct store_run *run)
{
	(void)run;
	++*(int *)context;
	return 0;
}

static void prune_keeps_first_sight_and_latest(void **state)
{
	struct store_pruned pruned;
	struct observation *kept = NULL;
	struct error err = {0};
	struct store *store;
	struct place place;
	struct digest gone;
	int runs = 0;

	(void)state;
	place_make(&place);
	store = open_store(place.path, STORE_WRITE);
	night(store, 0, "first", true);
	night(store, 1, "second", false);
	gone = maker.objects[0].digest;
	night(store, 2, "third", false);
	night(store, 3, "fourth", false);
	assert_true(store_has_object(store, &gone));
	assert_int_equal(store_prune(store, 9, &pruned, &err), 0);
	assert_int_equal(pruned.runs, 0);
	assert_int_equal(store_prune(store, 0, &pruned, &err), -1);
	assert_int_equal(store_prune(store, 2, &pruned, &err), 0);
	assert_int_equal(pruned.runs, 2);
	assert_int_equal(pruned.objects, 1); /* of the second night; the first sight stays */
	assert_int_equal(store_runs(store, 0, count_run, &runs, &err), 0);
	assert_int_equal(runs, 2);
	assert_int_equal(store_observation_load(store, "web001", STORE_FIRST, &kept, &err), 0);
	assert_int_equal(kept->section_count, 3);
	store_observation_free(kept);
	night(store, 4, "fifth", true);
	assert_false(store_has_object(store, &gone));
	store_close(store);
	assert_int_equal(ask_number(place.path, "SELECT count(*) FROM host_run"), 4);
	assert_int_equal(ask_number(place.path, "SELECT count(*) FROM finding"), 1);
	assert_int_equal(ask_number(place.path, "SELECT count(*) FROM v_packages"), 1);
	assert_int_equal(ask_number(place.path, "PRAGMA freelist_count"), 0);
	assert_sound(place.path);
	place_remove(&place);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(diff_names_entries_that_differ),
		cmocka_unit_test(upgrade_is_one_line_and_hides_no_configuration),
		cmocka_unit_test(records_and_damaged_content_are_compared_too),
		cmocka_unit_test(installs_tell_other_times_and_nothing_else),
		cmocka_unit_test(timeline_is_in_order_and_bounded),
		cmocka_unit_test(timeline_since_an_open_finding_outlives_its_runs),
		cmocka_unit_test(prune_keeps_first_sight_and_latest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
