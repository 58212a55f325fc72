// SPDX-License-Identifier: MIT
#include "tests/bench/sim/content.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schema/entry.h"
#include "schema/record.h"
#include "tests/bench/sim/fleet.h"

#define PATH_ROOM 160
#define T0 1700000000
#define TREE_FILES 12

void content_init(struct content *content, uint32_t files, uint8_t *data, size_t room)
{
	*content = (struct content){.files = files, .data = data, .room = room};
}

void content_clear(struct content *content)
{
	free(content->data);
	free(content->item);
}

void content_begin(struct content *content)
{
	cbor_writer_init(&content->w, content->data, content->room);
}

struct bytes content_end(struct content *content)
{
	if (content->w.overflow) {
		(void)fprintf(stderr, "fleet_sim: a section does not fit\n");
		abort();
	}
	return bytes_make(content->w.data, content->w.len);
}

void content_digest(struct bytes data, struct digest *digest)
{
	if (EVP_Digest(data.data, data.len, digest->bytes, NULL, EVP_sha256(), NULL) != 1) {
		abort();
	}
}

/* Names */

const char *content_name(uint32_t package, char name[CONTENT_NAME_MAX])
{
	static const char *const words[] = {"lib", "python3-", "fonts-", "gir1.2-", "x11-", ""};
	uint64_t dice = fleet_mix('p', package, 0);

	(void)snprintf(name, CONTENT_NAME_MAX, "%s%c%csim%u", words[dice % 6],
		       'a' + (int)(dice >> 8 & 15), 'a' + (int)(dice >> 16 & 15), package);
	return name;
}

const char *content_version(uint32_t package, uint32_t version, char text[CONTENT_NAME_MAX])
{
	uint64_t dice = fleet_mix('v', package, 0);

	(void)snprintf(text, CONTENT_NAME_MAX, "%u.%u.%u-%u", (unsigned)(dice % 7),
		       (unsigned)(dice >> 8 & 31), (unsigned)(dice >> 16 & 15), 1 + version);
	return text;
}

const char *content_tree(uint32_t tree, char name[CONTENT_NAME_MAX])
{
	(void)snprintf(name, CONTENT_NAME_MAX, "/usr/local/share/site%02u", tree);
	return name;
}

bool content_has_config(uint32_t package)
{
	return package % 4 == 0;
}

/* Files of packages, in canonical order: a program, modules, the copyright. */

static uint32_t file_count(const struct content *content, uint32_t package)
{
	uint32_t half = content->files / 2;

	return 2 + half + (uint32_t)(fleet_mix('f', package, 0) % (content->files + 1));
}

static const char *file_path(const char *name, uint32_t file, uint32_t count, char path[PATH_ROOM])
{
	if (file == 0) {
		(void)snprintf(path, PATH_ROOM, "/usr/bin/%s", name);
	} else if (file + 1 == count) {
		(void)snprintf(path, PATH_ROOM, "/usr/share/doc/%s/copyright", name);
	} else {
		(void)snprintf(path, PATH_ROOM, "/usr/lib/%s/module-%04u.so", name, file);
	}
	return path;
}

static void numbers(uint8_t *to, size_t len, uint64_t a, uint64_t b, uint64_t c)
{
	for (size_t at = 0; at < len; at += 8) {
		uint64_t word = fleet_mix(a + at, b, c);

		memcpy(to + at, &word, len - at < 8 ? len - at : 8);
	}
}

static struct entry file_entry(const char *path, uint64_t a, uint64_t b)
{
	struct entry entry = {
		.path = bytes_from_string(path),
		.type = ENTRY_FILE,
		.mode = 0644,
		.owner = BYTES_LITERAL("root"),
		.group = BYTES_LITERAL("root"),
		.has_size = true,
		.size = 1000 + fleet_mix('z', a, b) % 100000,
		.has_sha256 = true,
		.has_mtime = true,
		.mtime_s = T0 + (int64_t)(b & 0xffff),
	};

	numbers(entry.sha256.bytes, DIGEST_SIZE, 'h', a, b);
	return entry;
}

void content_files(struct content *content, uint32_t package, uint32_t version)
{
	uint32_t count = file_count(content, package);
	char name[CONTENT_NAME_MAX], path[PATH_ROOM];

	(void)content_name(package, name);
	for (uint32_t i = 0; i < count; i++) {
		struct entry entry = file_entry(file_path(name, i, count, path),
						(uint64_t)package << 32 | i, version);

		entry.mode = i == 0 ? 0755 : 0644;
		entry_encode(&content->w, &entry);
	}
}

static void config_path(uint32_t package, char path[PATH_ROOM])
{
	char name[CONTENT_NAME_MAX];

	(void)content_name(package, name);
	(void)snprintf(path, PATH_ROOM, "/etc/%s/%s.conf", name, name);
}

static void md5_of(uint32_t package, uint32_t file, uint32_t version, uint8_t md5[MD5_SIZE])
{
	numbers(md5, MD5_SIZE, '5', (uint64_t)package << 32 | file, version);
}

static void claim(struct content *content, const char *path, const uint8_t md5[MD5_SIZE],
		  const char *flags)
{
	struct record record = {.count = CLAIM_FIELDS};

	record.field[CLAIM_PATH] = bytes_from_string(path);
	record.field[CLAIM_MD5] = bytes_make(md5, MD5_SIZE);
	record.field[CLAIM_FLAGS] = bytes_from_string(flags);
	record_encode(&content->w, &record);
}

void content_claims(struct content *content, uint32_t package, uint32_t version)
{
	uint32_t count = file_count(content, package);
	char name[CONTENT_NAME_MAX], path[PATH_ROOM];
	uint8_t md5[MD5_SIZE];

	(void)content_name(package, name);
	if (content_has_config(package)) {
		config_path(package, path);
		md5_of(package, UINT32_MAX, 0, md5);
		claim(content, path, md5, "lc");
	}
	for (uint32_t i = 0; i < count; i++) {
		md5_of(package, i, version, md5);
		claim(content, file_path(name, i, count, path), md5, "lm");
	}
}

void content_md5(struct content *content, uint32_t package, uint32_t version)
{
	uint32_t count = file_count(content, package);
	char name[CONTENT_NAME_MAX], path[PATH_ROOM];

	(void)content_name(package, name);
	for (uint32_t i = 0; i < count; i++) {
		struct record record = {.count = MD5_FIELDS};
		uint8_t md5[MD5_SIZE];
		struct entry entry = file_entry(file_path(name, i, count, path),
						(uint64_t)package << 32 | i, version);

		md5_of(package, i, version, md5);
		record.field[MD5_PATH] = entry.path;
		record.field[MD5_SHA256] = bytes_make(entry.sha256.bytes, DIGEST_SIZE);
		record.field[MD5_VALUE] = bytes_make(md5, MD5_SIZE);
		record_encode(&content->w, &record);
	}
}

void content_config(struct content *content, uint32_t package)
{
	char path[PATH_ROOM];
	struct entry entry;

	if (content_has_config(package)) {
		config_path(package, path);
		entry = file_entry(path, (uint64_t)package << 32 | UINT32_MAX, 0);
		entry_encode(&content->w, &entry);
	}
}

/* Lists that must be sorted first */

static void keep_item(struct content *content, size_t from, struct bytes path)
{
	if (content->items == content->item_room) {
		content->item_room = content->item_room ? 2 * content->item_room : 1024;
		content->item =
			reallocarray(content->item, content->item_room, sizeof(*content->item));
		if (!content->item) {
			abort();
		}
	}
	content->item[content->items++] = (struct content_item){
		.encoded = bytes_make(content->data + from, content->w.len - from),
		.path = path,
	};
}

static int by_order(const void *a, const void *b)
{
	const struct content_item *x = a, *y = b;

	return x->path.len > 0 ? bytes_path_compare(x->path, y->path)
			       : bytes_compare(x->encoded, y->encoded);
}

/* Writes the sorted items behind the unsorted ones, then moves them to the front. */
static void sort_items(struct content *content)
{
	size_t unsorted = content->w.len;

	qsort(content->item, content->items, sizeof(*content->item), by_order);
	for (size_t i = 0; i < content->items; i++) {
		cbor_write_raw(&content->w, content->item[i].encoded);
	}
	content->items = 0;
	memmove(content->data, content->data + unsorted, content->w.len - unsorted);
	content->w.len -= unsorted;
}

void content_add_package(struct content *content, uint32_t package, uint32_t version)
{
	char name[CONTENT_NAME_MAX], text[CONTENT_NAME_MAX];
	struct record record = {.count = PACKAGES_FIELDS};
	size_t from = content->w.len;

	record.field[PACKAGES_NAME] = bytes_from_string(content_name(package, name));
	record.field[PACKAGES_VERSION] = bytes_from_string(content_version(package, version, text));
	record.field[PACKAGES_ARCH] = BYTES_LITERAL("amd64");
	record.field[PACKAGES_STATE] = BYTES_LITERAL("install ok installed");
	record_encode(&content->w, &record);
	keep_item(content, from, (struct bytes){NULL, 0});
}

void content_end_packages(struct content *content)
{
	sort_items(content);
}

static void add_dir(struct content *content, const char *path)
{
	struct entry entry =
			     {
				     .path = bytes_from_string(path),
				     .type = ENTRY_DIR,
				     .mode = 0755,
				     .owner = BYTES_LITERAL("root"),
				     .group = BYTES_LITERAL("root"),
			     },
		     copy;
	size_t from = content->w.len;
	struct cbor_reader r;

	entry_encode(&content->w, &entry);
	/* The path as it stands in the buffer, which lives as long as the item. */
	cbor_reader_init(&r, bytes_make(content->data + from, content->w.len - from));
	if (!entry_decode(&r, &copy)) {
		abort();
	}
	keep_item(content, from, copy.path);
}

void content_add_common_dirs(struct content *content)
{
	static const char *const common[] = {"/etc",     "/usr",       "/usr/bin",
					     "/usr/lib", "/usr/share", "/usr/share/doc"};

	for (size_t i = 0; i < sizeof(common) / sizeof(common[0]); i++) {
		add_dir(content, common[i]);
	}
}

void content_add_dirs(struct content *content, uint32_t package)
{
	char name[CONTENT_NAME_MAX], path[PATH_ROOM];

	(void)content_name(package, name);
	(void)snprintf(path, sizeof(path), "/usr/lib/%s", name);
	add_dir(content, path);
	(void)snprintf(path, sizeof(path), "/usr/share/doc/%s", name);
	add_dir(content, path);
	if (content_has_config(package)) {
		(void)snprintf(path, sizeof(path), "/etc/%s", name);
		add_dir(content, path);
	}
}

void content_end_dirs(struct content *content)
{
	sort_items(content);
}

/* What no package owns */

void content_unowned(struct content *content, uint32_t tree)
{
	char name[CONTENT_NAME_MAX], path[PATH_ROOM];

	(void)content_tree(tree, name);
	for (uint32_t i = 0; i < TREE_FILES; i++) {
		struct entry entry;

		(void)snprintf(path, sizeof(path), "%s/page-%02u.html", name, i);
		entry = file_entry(path, (uint64_t)tree << 32 | i, 99);
		entry_encode(&content->w, &entry);
	}
}

void content_own(struct content *content, uint32_t host, uint32_t edits)
{
	static const char *const paths[] = {"/etc/hostname", "/etc/hosts", "/etc/machine-id",
					    "/etc/resolv.conf", "/etc/site.conf"};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct entry entry =
			file_entry(paths[i], (uint64_t)host << 8 | i, i == 4 ? 1000 + edits : 1000);

		entry_encode(&content->w, &entry);
	}
}

void content_mounts(struct content *content)
{
	static const char *const mounts[][MOUNT_FIELDS] = {
		{"/", "ext4", "/dev/vda1", "/", "", "entered"},
		{"/proc", "proc", "proc", "/", "nosuid,nodev,noexec", "pseudo"},
		{"/tmp", "tmpfs", "tmpfs", "/", "nosuid,nodev", "entered"},
	};

	for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
		struct record record = {.count = MOUNT_FIELDS};

		for (size_t j = 0; j < MOUNT_FIELDS; j++) {
			record.field[j] = bytes_from_string(mounts[i][j]);
		}
		record_encode(&content->w, &record);
	}
}

void content_host(struct content *content)
{
	struct record record = {.count = FACT_FIELDS};

	record.field[FACT_NAME] = BYTES_LITERAL(FACT_OS_RELEASE);
	record.field[FACT_VALUE] =
		BYTES_LITERAL("PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nID=debian\n"
			      "VERSION_ID=\"12\"\nVERSION_CODENAME=bookworm\n");
	record_encode(&content->w, &record);
}
