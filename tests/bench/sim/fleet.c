// SPDX-License-Identifier: MIT
#include "tests/bench/sim/fleet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schema/siphash.h"
#include "tests/bench/sim/content.h"

#define TREES 4 /* directories with unowned files, the same on all hosts */

struct build {
	struct fleet_section package;
	struct fleet_section claims;
	struct fleet_section config;
	bool made;
};

struct role {
	const struct fleet_section **section;
	size_t count;
	struct fleet_section own[3]; /* packages, dirs, the host's own /etc in its first state */
};

struct fleet {
	struct fleet_options options;
	struct content content;
	uint32_t builds;
	struct build *build; /* [package * FLEET_VERSIONS + version] */
	struct fleet_section tree[TREES];
	struct fleet_section plain[8];
	size_t plains;
	struct role *role;
};

uint64_t fleet_mix(uint64_t a, uint64_t b, uint64_t c)
{
	static const uint8_t key[SIPHASH_KEY_SIZE] = "muster simulator";
	uint64_t words[3] = {a, b, c};

	return siphash(key, bytes_make(words, sizeof(words)));
}

static void *must(void *memory)
{
	if (!memory) {
		(void)fprintf(stderr, "fleet_sim: out of memory\n");
		abort();
	}
	return memory;
}

static void set_key(struct fleet_section *section, enum section_kind kind, const char *name,
		    const char *version)
{
	bool package = section_kind_is_of_package(kind);
	struct section_key key = section_key_make(kind, bytes_from_string(package ? "dpkg" : name),
						  bytes_from_string(package ? name : ""),
						  bytes_from_string(version),
						  BYTES_LITERAL("amd64"));
	uint8_t room[SECTION_KEY_MAX], *copy;
	struct cbor_writer w;

	cbor_writer_init(&w, room, sizeof(room));
	section_key_encode(&w, &key);
	copy = must(malloc(w.len));
	memcpy(copy, room, w.len);
	section->key = bytes_make(copy, w.len);
	section->kind = kind;
}

static void digest(struct fleet *fleet, const struct fleet_snapshot *snapshot,
		   struct fleet_section *section)
{
	struct bytes content = fleet_content(fleet, snapshot, section, false);

	section->size = content.len;
	content_digest(content, &section->content);
	if (section->kind == SECTION_PACKAGE) {
		content = fleet_content(fleet, snapshot, section, true);
		section->md5_size = content.len;
		content_digest(content, &section->md5);
	}
}

static const struct build *build_of(struct fleet *fleet, uint32_t package, uint32_t version)
{
	struct build *build = &fleet->build[package * FLEET_VERSIONS + version];
	struct fleet_section *all[] = {&build->package, &build->claims, &build->config};
	static const enum section_kind kinds[] = {SECTION_PACKAGE, SECTION_CLAIMS, SECTION_CONFIG};
	char name[CONTENT_NAME_MAX], text[CONTENT_NAME_MAX];

	if (build->made) {
		return build;
	}
	for (size_t i = 0; i < 3; i++) {
		set_key(all[i], kinds[i], content_name(package, name),
			content_version(package, version, text));
		all[i]->item = package;
		all[i]->version = version;
		all[i]->always = package % 16 == 0;
		digest(fleet, NULL, all[i]);
	}
	build->made = true;
	return build;
}

/* The nth package of a role: most are everybody's. */
static uint32_t package_of(const struct fleet *fleet, uint32_t role, uint32_t n)
{
	uint32_t own = fleet->options.packages / 15;
	uint32_t shared = fleet->options.packages - own;

	return n < shared ? n : shared + role * own + (n - shared);
}

static int by_key(const void *a, const void *b)
{
	const struct fleet_section *const *x = a, *const *y = b;

	return bytes_compare((*x)->key, (*y)->key);
}

static void make_role(struct fleet *fleet, uint32_t number)
{
	struct role *role = &fleet->role[number];
	static const enum section_kind kinds[] = {SECTION_PACKAGES, SECTION_DIRS, SECTION_TREE};
	static const char *const names[] = {"dpkg", "", "/etc"};
	size_t room = 3 * (size_t)fleet->options.packages + TREES + 16;

	role->section = must(calloc(room, sizeof(*role->section)));
	for (uint32_t n = 0; n < fleet->options.packages; n++) {
		uint32_t package = package_of(fleet, number, n);
		const struct build *build = build_of(fleet, package, 0);

		role->section[role->count++] = &build->package;
		role->section[role->count++] = &build->claims;
		if (content_has_config(package)) {
			role->section[role->count++] = &build->config;
		}
	}
	for (size_t i = 0; i < 3; i++) {
		set_key(&role->own[i], kinds[i], names[i], "");
		role->own[i].item = number;
		role->own[i].always = kinds[i] == SECTION_TREE;
		if (kinds[i] != SECTION_TREE) {
			digest(fleet, NULL, &role->own[i]);
		}
		role->section[role->count++] = &role->own[i];
	}
	for (size_t i = 0; i < TREES; i++) {
		role->section[role->count++] = &fleet->tree[i];
	}
	for (size_t i = 0; i < fleet->plains; i++) {
		role->section[role->count++] = &fleet->plain[i];
	}
	qsort(role->section, role->count, sizeof(*role->section), by_key);
}

static void make_shared(struct fleet *fleet)
{
	static const struct {
		enum section_kind kind;
		const char *name;
	} plain[] = {
		{SECTION_EXCEPTIONS, "dpkg"},
		{SECTION_VOLATILE, "/tmp"},
		{SECTION_VOLATILE, "/var/tmp"},
		{SECTION_SETID, ""},
		{SECTION_FLAGS, ""},
		{SECTION_MOUNTS, ""},
		{SECTION_HOST, ""},
	};
	char name[CONTENT_NAME_MAX];

	for (uint32_t i = 0; i < TREES; i++) {
		set_key(&fleet->tree[i], SECTION_TREE, content_tree(i, name), "");
		fleet->tree[i].item = i;
		digest(fleet, NULL, &fleet->tree[i]);
	}
	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
		struct fleet_section *section = &fleet->plain[fleet->plains++];

		set_key(section, plain[i].kind, plain[i].name, "");
		section->always = plain[i].kind != SECTION_HOST;
		digest(fleet, NULL, section);
	}
}

struct fleet *fleet_new(const struct fleet_options *options)
{
	struct fleet *fleet = must(calloc(1, sizeof(*fleet)));

	fleet->options = *options;
	content_init(&fleet->content, options->files, must(malloc(FLEET_CONTENT_MAX)),
		     FLEET_CONTENT_MAX);
	fleet->builds = options->packages + options->roles * (options->packages / 15);
	fleet->build = must(calloc((size_t)fleet->builds * FLEET_VERSIONS, sizeof(*fleet->build)));
	fleet->role = must(calloc(options->roles, sizeof(*fleet->role)));
	make_shared(fleet);
	for (uint32_t i = 0; i < options->roles; i++) {
		make_role(fleet, i);
	}
	return fleet;
}

static void drop_key(struct fleet_section *section)
{
	free((void *)(uintptr_t)section->key.data);
}

void fleet_free(struct fleet *fleet)
{
	for (uint32_t i = 0; i < fleet->options.roles; i++) {
		for (size_t j = 0; j < 3; j++) {
			drop_key(&fleet->role[i].own[j]);
		}
		free(fleet->role[i].section);
	}
	for (size_t i = 0; i < (size_t)fleet->builds * FLEET_VERSIONS; i++) {
		drop_key(&fleet->build[i].package);
		drop_key(&fleet->build[i].claims);
		drop_key(&fleet->build[i].config);
	}
	for (size_t i = 0; i < TREES; i++) {
		drop_key(&fleet->tree[i]);
	}
	for (size_t i = 0; i < fleet->plains; i++) {
		drop_key(&fleet->plain[i]);
	}
	content_clear(&fleet->content);
	free(fleet->build);
	free(fleet->role);
	free(fleet);
}

/* Hosts in time */

static void upgrade(struct fleet_snapshot *snapshot, uint32_t package)
{
	for (size_t i = 0; i < snapshot->upgrades; i++) {
		struct fleet_upgrade *known = &snapshot->upgrade[i];

		if (known->package == package) {
			known->version += known->version + 1 < FLEET_VERSIONS;
			return;
		}
	}
	if (snapshot->upgrades < sizeof(snapshot->upgrade) / sizeof(snapshot->upgrade[0])) {
		snapshot->upgrade[snapshot->upgrades++] = (struct fleet_upgrade){package, 1};
	}
}

/* A patch is the same one for all hosts that get it in one night. */
static void live(const struct fleet *fleet, struct fleet_snapshot *snapshot, uint32_t night)
{
	const struct fleet_options *options = &fleet->options;
	uint32_t shared = options->packages - options->packages / 15;

	for (uint32_t n = 1; n <= night; n++) {
		uint64_t dice = fleet_mix('n', snapshot->host, n);

		if (dice % 1000 >= options->changed_permille) {
			continue;
		}
		if (dice >> 32 & 1) {
			snapshot->edits++;
		} else {
			upgrade(snapshot, (uint32_t)(fleet_mix('u', n, 0) % shared));
		}
	}
}

static void replace(struct fleet *fleet, struct fleet_snapshot *snapshot,
		    const struct fleet_upgrade *by)
{
	const struct build *build = build_of(fleet, by->package, by->version);

	/* The name comes before the version in a key: the place stays. */
	for (size_t i = 0; i < snapshot->count; i++) {
		const struct fleet_section *section = snapshot->section[i];

		if (section->item != by->package) {
			continue;
		}
		if (section->kind == SECTION_PACKAGE) {
			snapshot->section[i] = &build->package;
		} else if (section->kind == SECTION_CLAIMS) {
			snapshot->section[i] = &build->claims;
		} else if (section->kind == SECTION_CONFIG) {
			snapshot->section[i] = &build->config;
		}
	}
}

void fleet_snapshot_make(struct fleet *fleet, uint32_t host, uint32_t night,
			 struct fleet_snapshot *snapshot)
{
	const struct role *role;

	*snapshot = (struct fleet_snapshot){.host = host, .role = host % fleet->options.roles};
	role = &fleet->role[snapshot->role];
	live(fleet, snapshot, night);
	snapshot->count = role->count;
	snapshot->section = must(calloc(role->count, sizeof(*snapshot->section)));
	memcpy(snapshot->section, role->section, role->count * sizeof(*role->section));
	for (size_t i = 0; i < snapshot->upgrades; i++) {
		replace(fleet, snapshot, &snapshot->upgrade[i]);
	}
	snapshot->own[0] = role->own[0];
	snapshot->own[1] = role->own[2];
	for (size_t i = 0; i < role->count; i++) {
		if (snapshot->section[i] == &role->own[2]) {
			snapshot->section[i] = &snapshot->own[1];
		} else if (snapshot->section[i] == &role->own[0] && snapshot->upgrades > 0) {
			snapshot->section[i] = &snapshot->own[0];
		}
	}
	digest(fleet, snapshot, &snapshot->own[1]);
	if (snapshot->upgrades > 0) {
		digest(fleet, snapshot, &snapshot->own[0]);
	}
}

void fleet_snapshot_clear(struct fleet_snapshot *snapshot)
{
	free(snapshot->section);
	*snapshot = (struct fleet_snapshot){.count = 0};
}

static void list_packages(struct fleet *fleet, const struct fleet_snapshot *snapshot, uint32_t role)
{
	for (uint32_t n = 0; n < fleet->options.packages; n++) {
		uint32_t package = package_of(fleet, role, n), version = 0;

		for (size_t i = 0; snapshot && i < snapshot->upgrades; i++) {
			if (snapshot->upgrade[i].package == package) {
				version = snapshot->upgrade[i].version;
			}
		}
		content_add_package(&fleet->content, package, version);
	}
	content_end_packages(&fleet->content);
}

struct bytes fleet_content(struct fleet *fleet, const struct fleet_snapshot *snapshot,
			   const struct fleet_section *section, bool md5)
{
	struct content *c = &fleet->content;

	content_begin(c);
	switch (section->kind) {
	case SECTION_PACKAGE:
		if (md5) {
			content_md5(c, section->item, section->version);
		} else {
			content_files(c, section->item, section->version);
		}
		break;
	case SECTION_CLAIMS:
		content_claims(c, section->item, section->version);
		break;
	case SECTION_CONFIG:
		content_config(c, section->item);
		break;
	case SECTION_PACKAGES:
		list_packages(fleet, snapshot, section->item);
		break;
	case SECTION_DIRS:
		content_add_common_dirs(c);
		for (uint32_t n = 0; n < fleet->options.packages; n++) {
			content_add_dirs(c, package_of(fleet, section->item, n));
		}
		content_end_dirs(c);
		break;
	case SECTION_TREE:
		if (snapshot && section == &snapshot->own[1]) {
			content_own(c, snapshot->host, snapshot->edits);
		} else {
			content_unowned(c, section->item);
		}
		break;
	case SECTION_MOUNTS:
		content_mounts(c);
		break;
	case SECTION_HOST:
		content_host(c);
		break;
	case SECTION_MD5:
	case SECTION_LABEL:
	case SECTION_HEADER:
	case SECTION_INSTALLS:
	case SECTION_EXCEPTIONS:
	case SECTION_VOLATILE:
	case SECTION_SETID:
	case SECTION_FLAGS:
	case SECTION_KINDS:
		break; /* empty */
	}
	return content_end(c);
}

uint64_t fleet_stat(uint32_t host, const struct fleet_section *section)
{
	uint64_t word;

	memcpy(&word, section->content.bytes, sizeof(word));
	return fleet_mix('s', host, word) | 1;
}
