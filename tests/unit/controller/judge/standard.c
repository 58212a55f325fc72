// SPDX-License-Identifier: MIT
#include "tests/unit/controller/judge/builder.h"

#include <assert.h>
#include <stdio.h>

#include "schema/record.h"

const struct build_package build_coreutils = {"coreutils", "9.1-1", "amd64"};
const struct build_package build_local = {"local", "1.0", "all"};

struct shipped {
	const char *path;
	uint32_t mode;
	unsigned seed; /* 0: a directory */
	uint32_t tags;
};

static const struct shipped coreutils[] = {
	{"/etc", 0755, 0, 0},
	{"/etc/default/coreutils", 0644, 8, MANIFEST_CONFIG},
	{"/etc/pam.d", 0755, 0, 0},
	{"/etc/pam.d/login", 0644, 7, MANIFEST_CONFIG},
	{"/usr/bin", 0755, 0, 0},
	{"/usr/bin/login", 0755, 3, 0},
	{"/usr/bin/ls", 0755, 1, 0},
	{"/usr/bin/ps", 0755, 2, 0},
	{"/usr/bin/su", 04755, 4, 0},
	{"/usr/lib/x86_64-linux-gnu/libc.so.6", 0755, 6, 0},
	{"/usr/share/doc/coreutils", 0755, 0, 0},
	{"/usr/share/doc/coreutils/copyright", 0644, 5, 0},
	{"/usr/share/coreutils/data", 0644, 9, 0},
};

static const struct shipped local[] = {
	{"/etc/local.conf", 0644, 12, MANIFEST_CONFIG},
	{"/usr/bin/localtool", 0755, 11, 0},
	{"/usr/share/local/data", 0644, 10, 0},
};

static void ship(struct side *side, struct build_manifest *manifest, struct build_package package,
		 const struct shipped *files, size_t count)
{
	side_package(side, package, "install ok installed");
	(void)side_section(side, build_key(SECTION_PACKAGE, package));
	for (size_t i = 0; i < count; i++) {
		bool config = files[i].tags & MANIFEST_CONFIG;
		struct entry entry =
			files[i].seed ? build_file(files[i].path, files[i].mode, files[i].seed)
				      : build_dir(files[i].path, files[i].mode);
		struct section_key key =
			entry.type == ENTRY_DIR
				? build_dir_key(SECTION_DIRS, "")
				: build_key(config ? SECTION_CONFIG : SECTION_PACKAGE, package);

		side_add(side, key, entry);
		side_claim(side, package, files[i].path, files[i].seed ? (int)files[i].seed : -1,
			   config ? "lc" : (files[i].seed ? "lm" : "l"));
		if (manifest) {
			manifest_put(manifest, entry, files[i].tags);
		}
	}
}

static void standard_records(struct side *side)
{
	static const char *const editor[] = {"alternative", "editor",      "/usr/bin/editor",
					     "auto",        "/usr/bin/ls", NULL};
	static const char *const root[] = {"/",        "ext4",    "/dev/sda1", "/",
					   "relatime", "entered", NULL};
	static const char *const proc[] = {"/proc", "proc", "proc", "/", "nosuid", "pseudo", NULL};
	const struct bytes none = {NULL, 0};
	struct section_key mounts = section_key_make(SECTION_MOUNTS, none, none, none, none);

	side_record(side,
		    section_key_make(SECTION_EXCEPTIONS, BYTES_LITERAL("dpkg"), none, none, none),
		    editor);
	side_record(side, mounts, root);
	side_record(side, mounts, proc);
	side_coverage(side, "packages", "dpkg", COVERAGE_DONE, "");
	side_coverage(side, "tree", "", COVERAGE_DONE, "");
	side_coverage(side, "setid", "", COVERAGE_DONE, "");
	side_coverage(side, "mounts", "", COVERAGE_DONE, "");
}

/* The built-in policy, and one file that nothing else explains. */
static void know_notes(struct policy *policy)
{
	static struct policy_known rows[512];
	static char kind[] = "unowned", path[] = "/usr/local/bin/notes", reason[] = "a test";

	assert(policy->known_count < sizeof(rows) / sizeof(rows[0]));
	memcpy(rows, policy->known, policy->known_count * sizeof(rows[0]));
	rows[policy->known_count++] = (struct policy_known){kind, path, reason};
	policy->known = rows;
}

void world_standard(struct world *w)
{
	struct build_manifest *manifest = world_manifest(w, build_coreutils, "Debian");
	struct section_key etc = build_dir_key(SECTION_TREE, "/etc");
	struct section_key alternatives = build_dir_key(SECTION_TREE, "/etc/alternatives");
	struct section_key bin = build_dir_key(SECTION_TREE, "/usr/bin");
	struct section_key local_bin = build_dir_key(SECTION_TREE, "/usr/local/bin");

	ship(&w->now, manifest, build_coreutils, coreutils,
	     sizeof(coreutils) / sizeof(coreutils[0]));
	side_add(&w->now, build_key(SECTION_PACKAGE, build_coreutils),
		 build_link("/usr/bin/dir", "ls"));
	manifest_put(manifest, build_link("/usr/bin/dir", "ls"), 0);
	side_claim(&w->now, build_coreutils, "/usr/bin/dir", -1, "l");
	ship(&w->now, NULL, build_local, local, sizeof(local) / sizeof(local[0]));
	side_add(&w->now, etc, build_file("/etc/motd", 0644, 20));
	side_add(&w->now, alternatives, build_link("/etc/alternatives/editor", "/usr/bin/ls"));
	side_add(&w->now, bin, build_link("/usr/bin/editor", "/etc/alternatives/editor"));
	side_add(&w->now, local_bin, build_file("/usr/local/bin/notes", 0644, 21));
	standard_records(&w->now);
	know_notes(&w->policy);
	w->first = w->now;
	w->has_first = true;
}

static void capture_record(struct world *w, const char *kind, const struct record *record,
			   size_t count)
{
	struct record plain = *record;
	char *line = w->record_text[w->record_count];
	size_t len;

	plain.count = count;
	len = records_line(kind, &plain, 0, line, sizeof(w->record_text[0]) - 1);
	line[len] = '\0';
	w->records[w->record_count++] = line;
}

static void capture_package(struct world *w, const struct section_key *key)
{
	uint8_t room[SECTION_KEY_MAX];
	struct cbor_writer writer;
	const struct observed_section *section;
	char hex[2 * DIGEST_SIZE + 1];
	struct record record = {.count = 5};

	cbor_writer_init(&writer, room, sizeof(room));
	section_key_encode(&writer, key);
	section = observation_find(&w->now.observation, bytes_make(room, writer.len));
	assert(section);
	for (size_t i = 0; i < DIGEST_SIZE; i++) {
		(void)snprintf(hex + 2 * i, 3, "%02x", section->content.bytes[i]);
	}
	memcpy(record.field, key->part + 1, sizeof(struct bytes) * 4);
	record.field[4] = bytes_make(hex, sizeof(hex) - 1);
	capture_record(w, "package", &record, 5);
}

void world_capture(struct world *w)
{
	world_judge(w);
	for (size_t s = 0; s < w->now.count; s++) {
		struct build_section *section = &w->now.section[s];

		switch (section->key.kind) {
		case SECTION_TREE:
		case SECTION_CONFIG:
		case SECTION_SETID:
		case SECTION_VOLATILE:
			for (size_t i = 0; i < section->count; i++) {
				world_accept(w, section->entry[i],
					     section->key.kind == SECTION_CONFIG ? MANIFEST_CONFIG
										 : 0);
			}
			break;
		case SECTION_PACKAGE:
			if (!bytes_equal_string(section->key.part[2], build_coreutils.name)) {
				capture_package(w, &section->key);
			}
			break;
		case SECTION_MOUNTS:
			for (size_t i = 0; i < section->count; i++) {
				capture_record(w, "mount", &section->record[i], MOUNT_STATE);
			}
			break;
		default:
			break;
		}
	}
	w->accepted.captured = true;
}
