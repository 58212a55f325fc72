// SPDX-License-Identifier: MIT
#include "tests/unit/controller/judge/rpm_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "baselines/rpm/manifest.h"
#include "tests/unit/controller/judge/both_ways.h"

const struct build_package tool = {"tool", "0:1.0-1", "x86_64"};
const struct build_package other = {"other", "0:1.0-1", "x86_64"};
const struct build_package multilib = {"tool", "0:1.0-1", "i686"};
const struct build_package older = {"tool", "0:0.9-1", "x86_64"};

struct rpm_world t;

static struct rpm_file regular(const struct entry *entry, uint32_t flags, uint32_t verify)
{
	return (struct rpm_file){
		.path = entry->path,
		.mode = (uint16_t)((entry->type == ENTRY_DIR ? S_IFDIR : S_IFREG) | entry->mode),
		.mtime_s = (uint32_t)entry->mtime_s,
		.size = entry->size,
		.user = entry->owner,
		.group = entry->group,
		.digest = bytes_make(entry->sha256.bytes, DIGEST_SIZE),
		.flags = flags,
		.verify = verify,
	};
}

void make(struct made *made, struct build_package package, const char *content,
	  const struct entry *entries, size_t count)
{
	static const uint32_t verify[FILES] = {ALL, ALL, ALL & ~0x23U, ALL, ALL & ~0x27U, ALL, ALL};
	static const uint32_t flags[FILES] = {
		[FILE_DOC] = RPM_FILE_DOC, [FILE_GHOST_LOG] = RPM_FILE_GHOST};
	struct error err;

	made->content = content;
	for (size_t i = 0; i < count; i++) {
		made->file[i] = regular(&entries[i], flags[i], verify[i]);
	}
	made->header = (struct rpm_header){
		.name = bytes_from_string(package.name),
		.evr = bytes_from_string(package.version),
		.arch = bytes_from_string(package.arch),
		.digest_algorithm = RPM_DIGEST_SHA256,
		.columns = 0x7fff,
		.files = made->file,
		.file_count = count,
	};
	assert_int_equal(rpm_manifest_make(&made->header, "test", "Vendor", &made->manifest, &err),
			 0);
	made->proof = (struct rpm_proof){
		.verdict = RPM_PROOF_GOOD,
		.fingerprint = KEY,
		.origin = "Vendor",
		.reason = "",
		.header = &made->header,
		.manifest = made->manifest,
	};
}

static const struct observed_section *section_of(enum section_kind kind,
						 struct build_package package)
{
	struct section_key key = build_key(kind, package);
	uint8_t room[SECTION_KEY_MAX];
	struct cbor_writer w;

	key.part[1] = BYTES_LITERAL("rpm");
	cbor_writer_init(&w, room, sizeof(room));
	section_key_encode(&w, &key);
	return observation_find(&t.w->now.observation, bytes_make(room, w.len));
}

static int find(void *context, const struct digest *section, const struct rpm_proof **proof,
		struct error *err)
{
	const struct observed_section *of_tool = section_of(SECTION_HEADER, tool);
	const struct observed_section *of_other = section_of(SECTION_HEADER, other);

	(void)context;
	(void)err;
	of_other = of_other ? of_other : section_of(SECTION_HEADER, older);
	of_other = of_other ? of_other : section_of(SECTION_HEADER, multilib);
	*proof = of_tool && digest_equal(section, &of_tool->content)     ? &t.tool.proof
		 : of_other && digest_equal(section, &of_other->content) ? &t.other.proof
									 : NULL;
	return 0;
}

static const struct rpm_proof_source source = {NULL, find};

struct section_key rpm_key(enum section_kind kind, struct build_package package)
{
	struct section_key key = build_key(kind, package);

	key.part[1] = BYTES_LITERAL("rpm");
	return key;
}

static void put_item(struct cbor_writer *w, const char *part, uint32_t tag, uint8_t type,
		     struct bytes value)
{
	const uint8_t number[4] = {0, 0, (uint8_t)(tag >> 8), (uint8_t)tag};
	const struct record record = {
		.count = HEADER_FIELDS,
		.field = {bytes_from_string(part), bytes_make(number, 4), bytes_make(&type, 1),
			  bytes_make("\0\0\0\0", 4), value},
	};

	record_encode(w, &record);
}

/* States of the files of `tool`, and perhaps digests behind the region. */
void set_claims(const char states[FILES], bool overrides)
{
	struct build_section *section = side_section(&t.w->now, rpm_key(SECTION_CLAIMS, tool));
	struct cbor_writer w;

	cbor_writer_init(&w, t.claims, sizeof(t.claims));
	if (overrides) {
		put_item(&w, HEADER_OVERRIDE, 1028, 4, bytes_make("\0\0\0\1", 4));
		put_item(&w, HEADER_OVERRIDE, 1035, 8, bytes_make("aa", 3));
	}
	put_item(&w, HEADER_REST, 1008, 4, bytes_make("\145\0\0\0", 4));
	put_item(&w, HEADER_REST, 1029, 1, bytes_make(states, FILES));
	put_item(&w, HEADER_NUMBER, 0, 4, bytes_make("\0\0\0\7", 4));
	section->raw = (const char *)t.claims;
	section->raw_len = w.len;
}

void install(struct made *made, struct build_package package, const struct entry *entries,
	     size_t count)
{
	const char *row[] = {package.name, package.version, package.arch, "installed", "", NULL};
	struct build_section *header = side_section(&t.w->now, rpm_key(SECTION_HEADER, package));
	struct section_key packages = build_dir_key(SECTION_PACKAGES, "rpm");

	header->raw = made->content;
	header->raw_len = strlen(made->content);
	for (size_t i = 0; i < count; i++) {
		bool is_ghost = (made->file[i].flags & RPM_FILE_GHOST) != 0;
		struct section_key key =
			entries[i].type == ENTRY_DIR
				? build_dir_key(SECTION_DIRS, "")
				: rpm_key(is_ghost ? SECTION_CONFIG : SECTION_PACKAGE, package);
		struct entry *entry = side_add(&t.w->now, key, entries[i]);

		if (is_ghost) {
			entry->has_size = entry->has_sha256 = entry->has_mtime = false;
		}
	}
	side_record(&t.w->now, packages, row);
}

int setup(void **state)
{
	static struct entry entries[FILES];
	static const uint8_t users[] = "root\0\0\0\0\0daemon\0\0\0\0\1";
	const char *facts[] = {"users", "x", NULL};

	(void)state;
	memset(&t, 0, sizeof(t));
	entries[FILE_TOOL] = build_file("/usr/bin/tool", 04755, 50);
	entries[FILE_DATA] = build_file("/usr/share/tool", 0644, 51);
	entries[FILE_LOOSE] = build_file("/usr/share/tool.loose", 0644, 52);
	entries[FILE_DOC] = build_file("/usr/share/doc/tool", 0644, 53);
	entries[FILE_GHOST_LOG] = build_file("/var/log/tool", 0640, 54);
	entries[FILE_FOREIGN] = build_file("/usr/share/tool.foreign", 0644, 55);
	entries[FILE_DIR] = build_dir("/usr/lib/tool", 0755);
	t.w = world_new();
	world_standard(t.w);
	t.w->has_first = false;
	t.w->proofs = &source;
	make(&t.tool, tool, "header of tool", entries, FILES);
	t.tool.file[FILE_FOREIGN].user = BYTES_LITERAL("nobody-here");
	make(&t.other, other, "header of other", entries, 2);
	install(&t.tool, tool, entries, FILES);
	side_record(&t.w->now, build_dir_key(SECTION_HOST, ""), facts);
	side_find(&t.w->now, "/usr/bin/tool");
	side_section(&t.w->now, build_dir_key(SECTION_HOST, ""))->record[0].field[1] =
		bytes_make(users, sizeof(users) - 1);
	set_claims("\0\0\0\0\0\0", false);
	return 0;
}

int teardown(void **state)
{
	(void)state;
	manifest_free(t.tool.manifest);
	manifest_free(t.other.manifest);
	world_free(t.w);
	return 0;
}

void trojan(const char *path)
{
	struct entry *entry = side_find(&t.w->now, path);
	struct entry changed = build_file(path, entry->mode, 99);

	entry->sha256 = changed.sha256;
	entry->size = changed.size + 1;
}

/* Any other header has other bytes. */
static void write_header(struct made *made, struct build_package package, char *room)
{
	struct build_section *section = NULL;
	struct section_key key = rpm_key(SECTION_HEADER, package);
	size_t len = 0;

	for (size_t i = 0; i < t.w->now.count; i++) {
		if (t.w->now.section[i].key.kind == SECTION_HEADER &&
		    bytes_equal(t.w->now.section[i].key.part[2], key.part[2]) &&
		    bytes_equal(t.w->now.section[i].key.part[3], key.part[3]) &&
		    bytes_equal(t.w->now.section[i].key.part[4], key.part[4])) {
			section = &t.w->now.section[i];
		}
	}
	if (!section) {
		return;
	}
	len += (size_t)snprintf(room, 16384, "%s %.*s %u", made->content,
				(int)made->header.name.len, (const char *)made->header.name.data,
				made->header.digest_algorithm);
	for (size_t i = 0; i < made->header.file_count; i++) {
		const struct rpm_file *file = &made->file[i];

		len += (size_t)snprintf(
			room + len, 16384 - len, "\n%.*s %o %u %llu %u %u %u %.*s %.*s ",
			(int)file->path.len, (const char *)file->path.data, file->mode,
			file->mtime_s, (unsigned long long)file->size, file->flags, file->verify,
			file->color, (int)file->user.len, (const char *)file->user.data,
			(int)file->group.len, (const char *)file->group.data);
		for (size_t d = 0; d < file->digest.len; d++) {
			len += (size_t)snprintf(room + len, 16384 - len, "%02x",
						file->digest.data[d]);
		}
	}
	section->raw = room;
	section->raw_len = len;
}

void judge_rpm(void)
{
	write_header(&t.tool, tool, t.header[0]);
	write_header(&t.other, other, t.header[1]);
	write_header(&t.other, older, t.header[1]);
	write_header(&t.other, multilib, t.header[1]);
	judge_both_ways(t.w);
}

const struct finding *judged(enum rule rule, const char *subject)
{
	judge_rpm();
	return world_finding(t.w, rule, subject);
}

void assert_quiet(void)
{
	judge_rpm();
	if (world_count(t.w, SEVERITY_LOW) != 0) {
		world_print(t.w);
	}
	assert_int_equal(world_count(t.w, SEVERITY_LOW), 0);
}
