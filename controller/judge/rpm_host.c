// SPDX-License-Identifier: MIT
#include "controller/judge/rpm_host.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "baselines/rpm/section.h"
#include "baselines/usrmerge.h"
#include "controller/judge/packages.h"
#include "controller/judge/rpm_claims.h"
#include "controller/judge/rpm_verify.h"
#include "schema/siphash.h"

#define LINE_MAX_BYTES (ENTRY_PATH_MAX + 64)

/* One package: its sections, by index into the observation. */
struct member {
	struct section_key key; /* borrows from the observation */
	const struct observed_section *header;
	uint32_t number;
	int64_t install_s;
};

struct rpm_host {
	const struct observation *seen;
	const struct object_source *objects;
	struct member *members; /* in rpm's order */
	size_t count;
	size_t unread;
	uint64_t *paths; /* hashes of every file's path, ascending */
	size_t path_count;
	size_t path_room;
	struct buffer dirs_bytes;
	struct entry_list dirs;
	struct buffer names_bytes;
	struct rpm_names names;
	struct buffer installs_bytes;
	struct row_list installs; /* as they come: by name, version, architecture */
	bool has_old_rpm;
};

/* What is needed while one package is looked at. */
struct look {
	struct rpm_host *host;
	struct rpm_header *header;
	struct rpm_claims claims;
	struct buffer bytes[3];
	struct entry_list files;
	struct entry_list config;
	struct row_list measured; /* MD5, of packages that have no better digest */
	struct buffer tree_bytes;
	struct entry_list tree;
};

static const uint8_t path_key[SIPHASH_KEY_SIZE] = "rpm paths shared";

static int no_memory(struct error *err)
{
	return error_set(err, ERROR_NOMEM, 0, "no memory to look at rpm packages");
}

/* Copies: a load ends what the one before gave. *found false where the section is not there. */
static int load(const struct rpm_host *host, const struct section_key *key, struct buffer *to,
		bool *found, struct error *err)
{
	uint8_t room[SECTION_KEY_MAX];
	const struct observed_section *section = observation_find(host->seen, judge_key(key, room));
	struct bytes content = {NULL, 0};

	to->len = 0;
	*found = section != NULL;
	if (!section) {
		return 0;
	}
	if (host->objects->load(host->objects->context, &section->content, &content, err) < 0) {
		return -1;
	}
	if (content.len > to->room) {
		uint8_t *data = realloc(to->data, content.len);

		if (!data) {
			return no_memory(err);
		}
		to->data = data;
		to->room = content.len;
	}
	if (content.len > 0) {
		memcpy(to->data, content.data, content.len);
	}
	to->len = content.len;
	return 0;
}

static int load_entries(const struct rpm_host *host, const struct section_key *key,
			struct buffer *bytes, struct entry_list *list, struct error *err)
{
	bool found;

	list->count = 0;
	if (load(host, key, bytes, &found, err) < 0) {
		return -1;
	}
	switch (entries_decode(buffer_bytes(bytes), list)) {
	case NO_MEMORY:
		return no_memory(err);
	case TOO_MANY:
		return error_set(err, ERROR_LIMIT, 0,
				 "a section has more objects than one may have");
	case MALFORMED:
		list->count = 0; /* told when it was judged */
		return 0;
	case DECODED:
		return 0;
	}
	return 0;
}

static struct section_key key_of(const struct member *member, enum section_kind kind)
{
	const struct bytes *part = member->key.part;

	return section_key_make(kind, part[1], part[2], part[3], part[4]);
}

/* *header is NULL where it cannot be read. */
static int load_header(const struct rpm_host *host, const struct member *member,
		       struct buffer *bytes, struct rpm_header **header, struct error *err)
{
	struct section_key key = key_of(member, SECTION_HEADER);
	struct rpm_section section = {.count = 0};
	const struct rpm_item *region;
	struct error ignored;
	bool found;

	*header = NULL;
	if (load(host, &key, bytes, &found, err) < 0) {
		return -1;
	}
	if (found && rpm_section_read(buffer_bytes(bytes), &section, &ignored) == 0) {
		region = rpm_section_find(&section, RPM_ITEM_REGION, 63);
		if (region && rpm_header_parse(region->value, header, &ignored) < 0) {
			*header = NULL;
		}
	}
	rpm_section_clear(&section);
	return 0;
}

static int load_claims(const struct rpm_host *host, const struct member *member,
		       struct buffer *bytes, struct rpm_claims *claims, struct error *err)
{
	struct section_key key = key_of(member, SECTION_CLAIMS);
	bool found;

	if (load(host, &key, bytes, &found, err) < 0) {
		return -1;
	}
	return rpm_claims_read(buffer_bytes(bytes), claims, err);
}

/* The spelling that two packages share: a host without merged /usr loses nothing by it. */
static uint64_t hash_path(const struct rpm_file *file)
{
	struct bytes path = file->path;
	uint8_t longer[ENTRY_PATH_MAX + 8];

	if (usrmerge_moves(path, S_ISDIR(file->mode)) && path.len <= ENTRY_PATH_MAX) {
		memcpy(longer, "/usr", 4);
		memcpy(longer + 4, path.data, path.len);
		path = bytes_make(longer, path.len + 4);
	}
	return siphash(path_key, path);
}

static int add_paths(struct rpm_host *host, const struct rpm_header *header, struct error *err)
{
	if (host->path_count + header->file_count > host->path_room) {
		size_t room = 2 * (host->path_count + header->file_count) + 1024;
		uint64_t *paths = reallocarray(host->paths, room, sizeof(*paths));

		if (!paths) {
			return no_memory(err);
		}
		host->paths = paths;
		host->path_room = room;
	}
	for (size_t i = 0; i < header->file_count; i++) {
		host->paths[host->path_count++] = hash_path(&header->files[i]);
	}
	return 0;
}

static int compare_hashes(const void *left, const void *right)
{
	const uint64_t *a = left, *b = right;

	return (*a > *b) - (*a < *b);
}

static bool is_shared(const struct rpm_host *host, const struct rpm_file *file)
{
	uint64_t hash = hash_path(file);
	const uint64_t *found = host->path_count == 0
					? NULL
					: bsearch(&hash, host->paths, host->path_count,
						  sizeof(hash), compare_hashes);

	return found && ((found > host->paths && found[-1] == hash) ||
			 (found + 1 < host->paths + host->path_count && found[1] == hash));
}

static int compare_numbers(const void *left, const void *right)
{
	const struct member *a = left, *b = right;

	return (a->number > b->number) - (a->number < b->number);
}

/* In the order of keys, where shorter strings go first. */
static int compare_part(struct bytes a, struct bytes b)
{
	return a.len != b.len ? (a.len < b.len ? -1 : 1) : bytes_compare(a, b);
}

static int compare_install(const void *left, const void *right)
{
	const struct record *a = left, *b = right;
	int order = 0;

	for (size_t i = INSTALLS_NAME; order == 0 && i <= INSTALLS_ARCH; i++) {
		order = compare_part(a->field[i], b->field[i]);
	}
	return order;
}

static int read_installs(struct rpm_host *host, struct error *err)
{
	const struct bytes none = {NULL, 0};
	struct section_key key =
		section_key_make(SECTION_INSTALLS, BYTES_LITERAL("rpm"), none, none, none);
	bool found;

	if (load(host, &key, &host->installs_bytes, &found, err) < 0) {
		return -1;
	}
	switch (records_decode(buffer_bytes(&host->installs_bytes), INSTALLS_FIELDS, ROWS_ANY,
			       &host->installs)) {
	case NO_MEMORY:
		return no_memory(err);
	case MALFORMED:
	case TOO_MANY:
		host->installs.count = 0; /* of a host that says nonsense nothing is known */
		return 0;
	case DECODED:
		break;
	}
	if (host->installs.count > 1) {
		qsort(host->installs.item, host->installs.count, sizeof(struct record),
		      compare_install);
	}
	return 0;
}

static uint32_t number_of(struct bytes value)
{
	return value.len != 4 ? 0
			      : (uint32_t)value.data[0] << 24 | (uint32_t)value.data[1] << 16 |
					(uint32_t)value.data[2] << 8 | value.data[3];
}

/* What this host noted of the package; up to protocol 3 it stood in [claims]. */
static void note_install(const struct rpm_host *host, struct member *member,
			 const struct rpm_claims *claims)
{
	const struct record wanted = {
		.field = {member->key.part[2], member->key.part[3], member->key.part[4]}};
	const struct record *found = host->installs.count > 0
					     ? bsearch(&wanted, host->installs.item,
						       host->installs.count, sizeof(wanted),
						       compare_install)
					     : NULL;

	member->number = found ? number_of(found->field[INSTALLS_NUMBER]) : claims->number;
	member->install_s = found ? number_of(found->field[INSTALLS_TIME]) : claims->install_s;
}

static int read_member(struct rpm_host *host, struct member *member, struct buffer *bytes,
		       struct error *err)
{
	struct rpm_header *header = NULL;
	struct rpm_claims claims = {.count = 0};
	int result = -1;

	if (load_header(host, member, bytes, &header, err) < 0) {
		goto out;
	}
	if (!header) {
		host->unread++;
		result = 0;
		goto out;
	}
	if (load_claims(host, member, bytes, &claims, err) < 0 ||
	    add_paths(host, header, err) < 0) {
		goto out;
	}
	note_install(host, member, &claims);
	/* Whose rules it would be judged by: those of the rpm that is installed beside it. */
	if (bytes_equal_string(header->name, "rpm")) {
		host->has_old_rpm =
			judge_rpm_version_compare(header->version, BYTES_LITERAL("4.13")) < 0;
	}
	host->members[host->count++] = *member;
	result = 0;
out:
	rpm_header_free(header);
	rpm_claims_clear(&claims);
	return result;
}

static int read_members(struct rpm_host *host, struct error *err)
{
	const struct observation *seen = host->seen;
	struct buffer bytes = {NULL, 0, 0};
	int result = 0;

	host->members = calloc(seen->section_count + 1, sizeof(*host->members));
	if (!host->members) {
		return no_memory(err);
	}
	for (size_t i = 0; result == 0 && i < seen->section_count; i++) {
		struct member member = {.header = &seen->sections[i]};

		if (section_key_decode(seen->sections[i].key, &member.key) &&
		    member.key.kind == SECTION_HEADER) {
			result = read_member(host, &member, &bytes, err);
		}
	}
	free(bytes.data);
	if (host->count > 1) {
		qsort(host->members, host->count, sizeof(*host->members), compare_numbers);
	}
	if (host->path_count > 1) {
		qsort(host->paths, host->path_count, sizeof(*host->paths), compare_hashes);
	}
	return result;
}

int rpm_host_new(const struct observation *seen, const struct object_source *objects,
		 struct rpm_host **host, struct error *err)
{
	const struct bytes none = {NULL, 0};
	struct section_key dirs = section_key_make(SECTION_DIRS, none, none, none, none);
	struct section_key facts = section_key_make(SECTION_HOST, none, none, none, none);
	struct rpm_host *made = calloc(1, sizeof(*made));
	bool found;

	*host = NULL;
	if (!made) {
		return no_memory(err);
	}
	made->seen = seen;
	made->objects = objects;
	if (read_installs(made, err) < 0 || read_members(made, err) < 0 ||
	    load_entries(made, &dirs, &made->dirs_bytes, &made->dirs, err) < 0 ||
	    load(made, &facts, &made->names_bytes, &found, err) < 0) {
		rpm_host_free(made);
		return -1;
	}
	rpm_names_read(buffer_bytes(&made->names_bytes), &made->names);
	*host = made;
	return 0;
}

void rpm_host_free(struct rpm_host *host)
{
	if (host) {
		free(host->members);
		free(host->paths);
		entries_clear(&host->dirs);
		free(host->dirs_bytes.data);
		free(host->names_bytes.data);
		rows_clear(&host->installs);
		free(host->installs_bytes.data);
		free(host);
	}
}

size_t rpm_host_count(const struct rpm_host *host)
{
	return host->count;
}

size_t rpm_host_unread(const struct rpm_host *host)
{
	return host->unread;
}

/* As the header spells it, or below /usr where this host has merged the two. */
static const struct entry *find_object(const struct look *look, const struct rpm_file *file)
{
	const struct entry_list *const lists[] = {&look->files, &look->config, &look->host->dirs};
	uint8_t longer[ENTRY_PATH_MAX + 8];
	struct bytes path = file->path;
	const struct entry *found = NULL;
	bool moves = usrmerge_moves(path, S_ISDIR(file->mode)) && path.len <= ENTRY_PATH_MAX;

	for (unsigned i = 0; i < 3 && !found; i++) {
		found = entry_list_find(lists[i], path);
	}
	if (!found && moves) {
		memcpy(longer, "/usr", 4);
		memcpy(longer + 4, path.data, path.len);
		path = bytes_make(longer, path.len + 4);
		for (unsigned i = 0; i < 3 && !found; i++) {
			found = entry_list_find(lists[i], path);
		}
	}
	return found;
}

static int load_measured(struct look *look, const struct member *member, struct error *err)
{
	struct section_key key = key_of(member, SECTION_MD5);
	enum decoded decoded;
	bool found;

	look->measured.count = 0;
	if (!look->header || look->header->digest_algorithm != RPM_DIGEST_MD5) {
		return 0;
	}
	if (load(look->host, &key, &look->bytes[2], &found, err) < 0) {
		return -1;
	}
	decoded = records_decode(buffer_bytes(&look->bytes[2]), MD5_FIELDS, ROWS_BY_PATH,
				 &look->measured);
	if (decoded != DECODED) {
		look->measured.count = 0;
	}
	return decoded == NO_MEMORY ? no_memory(err) : 0;
}

/* Where a link leads, by its text alone: `..` takes a component off. */
static struct bytes resolve(const struct entry *link, uint8_t *to, size_t room)
{
	struct bytes text = link->link, from = link->path;
	size_t len = 0;

	if (text.len == 0 || from.len + text.len + 2 > room) {
		return (struct bytes){NULL, 0};
	}
	if (text.data[0] != '/') {
		len = from.len;
		memcpy(to, from.data, len);
		while (len > 0 && to[--len] != '/') {
		}
	}
	for (size_t at = 0; at < text.len;) {
		const uint8_t *part = text.data + at;
		const uint8_t *end = memchr(part, '/', text.len - at);
		size_t n = end ? (size_t)(end - part) : text.len - at;

		at += n + 1;
		if (n == 2 && part[0] == '.' && part[1] == '.') {
			while (len > 0 && to[--len] != '/') {
			}
		} else if (n > 0 && !(n == 1 && part[0] == '.')) {
			to[len++] = '/';
			memcpy(to + len, part, n);
			len += n;
		}
	}
	return bytes_make(to, len);
}

/* The section of unowned objects below the parent of `path`. */
static struct section_key tree_key(struct bytes path)
{
	const struct bytes none = {NULL, 0};
	unsigned depth = 0;
	size_t len = 0;

	for (size_t i = 0; i < path.len; i++) {
		if (path.data[i] == '/' && i > 0 && depth < TREE_KEY_DEPTH) {
			depth++;
			len = i;
		}
	}
	return section_key_make(SECTION_TREE,
				len > 0 ? bytes_make(path.data, len) : BYTES_LITERAL("/"), none,
				none, none);
}

static int find_target(struct look *look, const struct entry *link, const struct entry **target,
		       struct error *err)
{
	uint8_t room[2 * ENTRY_PATH_MAX];
	struct bytes path = resolve(link, room, sizeof(room));
	struct section_key key = tree_key(path);
	const struct entry *found = entry_list_find(&look->host->dirs, path);

	*target = NULL;
	if (!found && path.len > 0) {
		if (load_entries(look->host, &key, &look->tree_bytes, &look->tree, err) < 0) {
			return -1;
		}
		found = entry_list_find(&look->tree, path);
	}
	*target = found && found->type == ENTRY_DIR ? found : NULL;
	return 0;
}

/* ENOTDIR rather than ENOENT, as far as this package and the directories of all know. */
static bool is_below_file(const struct look *look, struct bytes path)
{
	while (path.len > 1) {
		struct rpm_file parent = {.mode = S_IFDIR};
		const struct entry *found;

		while (path.len > 0 && path.data[path.len - 1] != '/') {
			path.len--;
		}
		path.len -= path.len > 0;
		parent.path = path;
		found = find_object(look, &parent);
		if (found) {
			return found->type != ENTRY_DIR && found->type != ENTRY_LINK;
		}
	}
	return false;
}

/* A state is believed where it hides nothing. */
static enum rpm_state believed(const struct look *look, size_t index, const struct entry *now)
{
	enum rpm_state state = rpm_claims_state(&look->claims, index);

	switch (state) {
	case RPM_STATE_NOT_INSTALLED:
	case RPM_STATE_NET_SHARED:
		return now ? RPM_STATE_NORMAL : state;
	case RPM_STATE_REPLACED:
	case RPM_STATE_WRONG_COLOR:
		return is_shared(look->host, &look->header->files[index]) ? state
									  : RPM_STATE_NORMAL;
	default:
		return state;
	}
}

static int verify_files(struct look *look, int (*line)(void *context, struct bytes text),
			void *context, struct error *err)
{
	char text[LINE_MAX_BYTES];

	for (size_t i = 0; i < look->header->file_count; i++) {
		const struct rpm_file *file = &look->header->files[i];
		struct rpm_verify_input input = {
			.header = look->header,
			.file = file,
			.now = find_object(look, file),
			.names = &look->host->names,
			.is_shared = is_shared(look->host, file),
			.is_old = look->host->has_old_rpm,
		};
		struct rpm_verify_result result;
		size_t len;

		if (S_ISDIR(file->mode) && input.now && input.now->type == ENTRY_LINK &&
		    find_target(look, input.now, &input.target, err) < 0) {
			return -1;
		}
		input.md5 = input.now ? package_measured(&look->measured, input.now) : NULL;
		input.is_below_file = !input.now && is_below_file(look, file->path);
		input.state = believed(look, i, input.now);
		rpm_verify(&input, &result);
		len = rpm_verify_line(&input, &result, text, sizeof(text));
		if (len > 0 && line(context, bytes_make(text, len)) < 0) {
			return -1;
		}
	}
	return 0;
}

static int verify_member(struct look *look, const struct member *member,
			 int (*line)(void *context, struct bytes text), void *context,
			 struct error *err)
{
	struct section_key files = key_of(member, SECTION_PACKAGE);
	struct section_key config = key_of(member, SECTION_CONFIG);
	int result = -1;

	if (load_header(look->host, member, &look->bytes[0], &look->header, err) < 0 ||
	    load_claims(look->host, member, &look->bytes[0], &look->claims, err) < 0 ||
	    load_entries(look->host, &files, &look->bytes[0], &look->files, err) < 0 ||
	    load_entries(look->host, &config, &look->bytes[1], &look->config, err) < 0 ||
	    load_measured(look, member, err) < 0) {
		goto out;
	}
	result = look->header ? verify_files(look, line, context, err) : 0;
out:
	rpm_header_free(look->header);
	look->header = NULL;
	rpm_claims_clear(&look->claims);
	return result;
}

static int tell_package(struct look *look, const struct member *member,
			int (*package)(void *context, const struct rpm_host_package *package),
			void *context, struct error *err)
{
	struct rpm_host_package told;
	int result = 0;

	if (load_header(look->host, member, &look->bytes[0], &look->header, err) < 0) {
		return -1;
	}
	if (look->header) {
		told = (struct rpm_host_package){look->header->name, look->header->version,
						 look->header->release, look->header->arch,
						 member->install_s};
		result = package(context, &told);
	}
	rpm_header_free(look->header);
	look->header = NULL;
	return result;
}

int rpm_host_packages(struct rpm_host *host,
		      int (*package)(void *context, const struct rpm_host_package *package),
		      void *context, struct error *err)
{
	struct look look = {.host = host};
	int result = 0;

	for (size_t i = 0; result == 0 && i < host->count; i++) {
		result = tell_package(&look, &host->members[i], package, context, err);
	}
	free(look.bytes[0].data);
	return result;
}

int rpm_host_verify(struct rpm_host *host, int (*line)(void *context, struct bytes text),
		    void *context, struct error *err)
{
	struct look look = {.host = host};
	int result = 0;

	for (size_t i = 0; result == 0 && i < host->count; i++) {
		result = verify_member(&look, &host->members[i], line, context, err);
	}
	entries_clear(&look.files);
	entries_clear(&look.config);
	entries_clear(&look.tree);
	rows_clear(&look.measured);
	for (size_t i = 0; i < sizeof(look.bytes) / sizeof(look.bytes[0]); i++) {
		free(look.bytes[i].data);
	}
	free(look.tree_bytes.data);
	return result;
}
