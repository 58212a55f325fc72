// SPDX-License-Identifier: MIT
#include "baselines/verify.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "baselines/accepted.h"
#include "baselines/acks.h"
#include "baselines/file_name.h"
#include "baselines/mtree.h"
#include "baselines/overrides.h"
#include "baselines/packages.h"
#include "baselines/policy.h"
#include "baselines/repository.h"
#include "baselines/signature/keyring.h"
#include "baselines/signature/trust.h"
#include "baselines/signature/vendor_keys.h"
#include "baselines/trees.h"
#include "schema/escape.h"

#define DEPTH_MAX 8
#define PATH_ROOM 2048
#define POLICY_FILE_MAX ((size_t)4 << 20)

struct level {
	struct repository_tree *tree;
	size_t next;
	size_t path_len;
};

/*
 * One walk over the files that have a meaning, in git's order. What is done with each is the
 * walker's; folders of trees/ are not entered here.
 */
struct walk {
	struct repository *repository;
	struct level levels[DEPTH_MAX];
	size_t depth;
	char path[PATH_ROOM];
	char shown[PATH_ROOM]; /* the same, escaped: for messages */
	int (*file)(struct walk *walk, const struct repository_item *item, struct error *err);
	/* verify */
	verify_cb *callback;
	struct verify_counts *counts;
	/* list */
	verify_item_cb *item_callback;
	void *context;
	struct ack_list acks;
};

static int stopped(struct error *err)
{
	return error_set(err, ERROR_CONFIG, 0, "stopped");
}

static int no_memory(struct error *err)
{
	return error_set(err, ERROR_NOMEM, 0, "no memory to look through a baseline");
}

/* packages/MANAGER/ORIGIN/NAME, hosts, groups, acks and trees (whose members are whole groups). */
static bool is_entered(const struct walk *w)
{
	return strncmp(w->path, PACKAGES_FOLDER "/", strlen(PACKAGES_FOLDER) + 1) == 0 ||
	       strcmp(w->path, PACKAGES_FOLDER) == 0 || strcmp(w->path, ACCEPTED_HOSTS) == 0 ||
	       strcmp(w->path, ACCEPTED_GROUPS) == 0 || strcmp(w->path, ACKS_FOLDER) == 0 ||
	       strcmp(w->path, TREES_FOLDER) == 0 || strcmp(w->path, TRUST_FOLDER) == 0;
}

static int take_item(struct walk *w, struct error *err)
{
	struct level *level = &w->levels[w->depth - 1];
	struct repository_item item;
	size_t len;

	repository_tree_item(level->tree, level->next++, &item);
	len = (size_t)snprintf(w->path + level->path_len, PATH_ROOM - level->path_len, "%s%s",
			       level->path_len > 0 ? "/" : "", item.name) +
	      level->path_len;
	if (len >= PATH_ROOM) {
		w->path[level->path_len] = '\0';
		return error_set(err, ERROR_CONFIG, 0, "%s: a name is too long", w->path);
	}
	(void)escape_text(bytes_from_string(w->path), w->shown, sizeof(w->shown));
	if (item.kind != REPOSITORY_TREE || !is_entered(w) || w->depth == DEPTH_MAX) {
		return w->file(w, &item, err);
	}
	w->levels[w->depth] = (struct level){.path_len = len};
	if (repository_tree_open(w->repository, level->tree, item.name, &w->levels[w->depth].tree,
				 err) < 0) {
		return -1;
	}
	w->depth++;
	return 0;
}

static int walk_all(struct walk *w, struct error *err)
{
	int result = repository_tree_open(w->repository, NULL, "", &w->levels[0].tree, err);

	if (result < 0) {
		return -1;
	}
	w->depth = 1;
	while (result == 0 && w->depth > 0) {
		struct level *level = &w->levels[w->depth - 1];

		if (level->next == repository_tree_count(level->tree)) {
			repository_tree_close(level->tree);
			w->depth--;
		} else {
			result = take_item(w, err);
		}
	}
	while (w->depth > 0) {
		repository_tree_close(w->levels[--w->depth].tree);
	}
	return result;
}

/* What a path is by its place */

enum place {
	PLACE_OTHER,   /* at the top, or documentation: nobody's business */
	PLACE_UNKNOWN, /* where only files with a meaning belong */
	PLACE_POLICY,
	PLACE_PACKAGE,
	PLACE_OVERRIDES,
	PLACE_HOST,
	PLACE_HOST_RECORDS,
	PLACE_GROUP,
	PLACE_GROUP_RECORDS,
	PLACE_TREE,
	PLACE_ACK,
	PLACE_KEYS,
	PLACE_KEY_FILE, /* read where the list names it */
};

struct parts {
	enum place place;
	char manager[FILE_NAME_ROOM]; /* plain */
	char origin[FILE_NAME_ROOM];
	char name[FILE_NAME_ROOM];
	char version[FILE_NAME_ROOM];
	char arch[FILE_NAME_ROOM];
};

/* One component in its plain form. False where it is not what escaping makes, or holds a NUL. */
static bool plain(struct bytes component, char to[FILE_NAME_ROOM])
{
	long len = component.len < FILE_NAME_ROOM ? file_name_undo(component, (uint8_t *)to) : -1;

	if (len < 0 || memchr(to, '\0', (size_t)len)) {
		return false;
	}
	to[len] = '\0';
	return true;
}

/* Cuts "/next" off the front of *rest. */
static struct bytes component(struct bytes *rest)
{
	const uint8_t *slash = rest->len > 0 ? memchr(rest->data, '/', rest->len) : NULL;
	struct bytes first =
		bytes_make(rest->data, slash ? (size_t)(slash - rest->data) : rest->len);

	rest->data += first.len + (slash ? 1 : 0);
	rest->len -= first.len + (slash ? 1 : 0);
	return first;
}

static bool cut_suffix(struct bytes *name, const char *suffix)
{
	size_t len = strlen(suffix);

	if (name->len <= len || memcmp(name->data + name->len - len, suffix, len) != 0) {
		return false;
	}
	name->len -= len;
	return true;
}

static enum place package_place(struct bytes rest, struct parts *parts)
{
	struct bytes manager = component(&rest), origin = component(&rest);
	struct bytes name = component(&rest), file = component(&rest);
	const uint8_t *line = file.len > 0 ? memchr(file.data, '_', file.len) : NULL;
	struct bytes version;

	if (bytes_equal_string(origin, OVERRIDES_NAME) && name.len == 0) {
		return plain(manager, parts->manager) ? PLACE_OVERRIDES : PLACE_UNKNOWN;
	}
	if (rest.len > 0 || !line || !cut_suffix(&file, ".mtree") || line > file.data + file.len) {
		return PLACE_UNKNOWN;
	}
	version = bytes_make(file.data, (size_t)(line - file.data));
	return plain(manager, parts->manager) && plain(origin, parts->origin) &&
			       plain(name, parts->name) && plain(version, parts->version) &&
			       plain(bytes_make(line + 1, file.len - version.len - 1), parts->arch)
		       ? PLACE_PACKAGE
		       : PLACE_UNKNOWN;
}

static enum place accepted_place(struct bytes file, enum place manifest, enum place records,
				 struct parts *parts)
{
	enum place place = cut_suffix(&file, ".mtree")     ? manifest
			   : cut_suffix(&file, ".records") ? records
							   : PLACE_UNKNOWN;

	return place != PLACE_UNKNOWN && plain(file, parts->name) ? place : PLACE_UNKNOWN;
}

static void find_place(const char *path, struct parts *parts)
{
	struct bytes rest = bytes_from_string(path), top = component(&rest);

	memset(parts, 0, sizeof(*parts)); /* PLACE_OTHER */
	if (bytes_equal_string(rest, "README.md") || bytes_equal_string(rest, ".gitkeep")) {
		return;
	}
	if (rest.len == 0) {
		parts->place = bytes_equal_string(top, "muster.yaml") ? PLACE_POLICY : PLACE_OTHER;
	} else if (bytes_equal_string(top, PACKAGES_FOLDER)) {
		parts->place = package_place(rest, parts);
	} else if (bytes_equal_string(top, ACCEPTED_HOSTS)) {
		parts->place = accepted_place(rest, PLACE_HOST, PLACE_HOST_RECORDS, parts);
	} else if (bytes_equal_string(top, ACCEPTED_GROUPS)) {
		parts->place = accepted_place(rest, PLACE_GROUP, PLACE_GROUP_RECORDS, parts);
	} else if (bytes_equal_string(top, TREES_FOLDER)) {
		parts->place = plain(rest, parts->name) ? PLACE_TREE : PLACE_UNKNOWN;
	} else if (bytes_equal_string(top, ACKS_FOLDER)) {
		parts->place = cut_suffix(&rest, ".yaml") ? PLACE_ACK : PLACE_UNKNOWN;
	} else if (bytes_equal_string(top, TRUST_FOLDER)) {
		parts->place = bytes_equal_string(rest, "keys.yaml") ? PLACE_KEYS : PLACE_KEY_FILE;
	}
}

/* Verifying */

static int tell(struct walk *w, const char *fault, struct error *err)
{
	return w->callback && w->callback(w->context, fault) < 0 ? stopped(err) : 0;
}

/* The list, and that each file it names holds the key that it is named for. */
static int check_keys(struct walk *w, struct bytes content, struct error *err)
{
	struct vendor_keys *keys = NULL;
	struct keyring *ring = NULL;
	struct trust *trust = NULL;
	int result;

	if (trust_parse(w->shown, content, &trust, err) < 0) {
		return -1;
	}
	result = keyring_of_trust(trust, w->repository, &ring, err);
	if (result == 0) {
		result = vendor_keys_of_repository(w->repository, &keys, err);
	}
	w->counts->keys += trust->count;
	vendor_keys_free(keys);
	keyring_free(ring);
	trust_free(trust);
	return result;
}

static int check_content(struct walk *w, enum place place, struct bytes content, struct error *err)
{
	struct manifest *manifest = NULL;
	struct record_list *records = NULL;
	struct policy *policy = NULL;

	switch (place) {
	case PLACE_KEYS:
		return check_keys(w, content, err);
	case PLACE_POLICY:
		if (policy_parse(w->shown, content, &policy, err) < 0) {
			return -1;
		}
		policy_free(policy);
		return 0;
	case PLACE_OVERRIDES:
	case PLACE_HOST_RECORDS:
	case PLACE_GROUP_RECORDS:
		if ((place == PLACE_OVERRIDES ? overrides_parse : records_parse)(
			    w->shown, content, &records, err) < 0) {
			return -1;
		}
		w->counts->records += records->count;
		records_free(records);
		return 0;
	case PLACE_ACK:
		return acks_parse(w->shown, content, &w->acks, err);
	default:
		if (mtree_parse(w->shown, content, &manifest, err) < 0) {
			return -1;
		}
		w->counts->entries += manifest->count;
		w->counts->is_signed += manifest->trust == MANIFEST_SIGNED;
		w->counts->no_md5sums += manifest->no_md5sums;
		manifest_free(manifest);
		return 0;
	}
}

static int check_tree(struct walk *w, const char *group, struct error *err)
{
	struct manifest *manifest;

	if (trees_read(w->repository, group, &manifest, err) < 0) {
		return -1;
	}
	w->counts->entries += manifest ? manifest->count : 0;
	manifest_free(manifest);
	return 0;
}

static void count_place(struct verify_counts *counts, enum place place)
{
	counts->manifests += place == PLACE_PACKAGE;
	counts->hosts += place == PLACE_HOST;
	counts->groups += place == PLACE_GROUP;
	counts->trees += place == PLACE_TREE;
}

static int verify_file(struct walk *w, const struct repository_item *item, struct error *err)
{
	struct repository_blob blob = {0};
	struct error fault = {0};
	struct parts parts;
	char text[PATH_ROOM + 64];
	int result;

	find_place(w->path, &parts);
	if (parts.place == PLACE_OTHER || parts.place == PLACE_KEY_FILE) {
		return 0;
	}
	if (parts.place == PLACE_UNKNOWN) {
		w->counts->unknown++;
		(void)snprintf(text, sizeof(text), "%s: nothing reads a file of this name here",
			       w->shown);
		return tell(w, text, err);
	}
	count_place(w->counts, parts.place);
	if (parts.place == PLACE_TREE) {
		result = check_tree(w, parts.name, &fault);
	} else {
		result = repository_blob_open(w->repository, item, w->shown,
					      parts.place == PLACE_POLICY ? POLICY_FILE_MAX
									  : MTREE_SIZE_MAX,
					      &blob, &fault);
		if (result == 0) {
			result = check_content(w, parts.place, blob.content, &fault);
		}
		repository_blob_close(&blob);
	}
	if (result == 0) {
		return 0;
	}
	if (fault.kind != ERROR_CONFIG) {
		*err = fault;
		return -1;
	}
	w->counts->broken++;
	return tell(w, fault.msg, err);
}

int verify_repository(const char *path, const char *ref, verify_cb *callback, void *context,
		      struct verify_counts *counts, struct error *err)
{
	struct repository_item item;
	struct repository_tree *top = NULL;
	struct walk *w = calloc(1, sizeof(*w));
	int result = -1;

	memset(counts, 0, sizeof(*counts));
	if (!w) {
		return no_memory(err);
	}
	w->file = verify_file;
	w->callback = callback;
	w->context = context;
	w->counts = counts;
	if (repository_open(path, ref, &w->repository, err) < 0 ||
	    repository_tree_open(w->repository, NULL, "", &top, err) < 0) {
		goto out;
	}
	if (!repository_tree_find(top, "muster.yaml", &item)) {
		counts->broken++;
		if (tell(w, "muster.yaml: missing: not a baseline", err) < 0) {
			goto out;
		}
	}
	result = walk_all(w, err);
	counts->acks = w->acks.count;
out:
	repository_tree_close(top);
	acks_clear(&w->acks);
	repository_close(w->repository);
	free(w);
	return result;
}

/* Listing */

static int list_acks(struct walk *w, const struct repository_item *item, struct error *err)
{
	struct repository_blob blob = {0};
	size_t before = w->acks.count;
	int result;

	result = repository_blob_open(w->repository, item, w->shown, ACKS_FILE_MAX, &blob, err);
	if (result == 0) {
		result = acks_parse(w->shown, blob.content, &w->acks, err);
	}
	repository_blob_close(&blob);
	for (size_t i = before; result == 0 && i < w->acks.count; i++) {
		time_t last = (time_t)(w->acks.acks[i].until_s - 86400);
		char day[16] = "";
		struct tm tm;
		const struct verify_item listed = {.kind = VERIFY_ACK,
						   .name = w->acks.acks[i].id,
						   .manager = "",
						   .origin = "",
						   .version = day,
						   .arch = "",
						   .path = w->shown,
						   .signer = ""};

		if (gmtime_r(&last, &tm)) {
			(void)strftime(day, sizeof(day), "%Y-%m-%d", &tm);
		}
		result = w->item_callback(w->context, &listed) < 0 ? stopped(err) : 0;
	}
	return result;
}

/* Of a manifest whose comments are all that is read of it. */
static int list_package(struct walk *w, const struct repository_item *item,
			struct verify_item *listed, struct error *err)
{
	struct repository_blob blob = {0};
	struct mtree_comments comments = {0};
	int result;

	if (repository_blob_open(w->repository, item, w->shown, MTREE_SIZE_MAX, &blob, err) < 0) {
		return -1;
	}
	mtree_comments_read(blob.content, &comments);
	repository_blob_close(&blob);
	listed->is_signed = comments.is_signed;
	listed->signer = comments.signer;
	listed->no_md5sums = comments.no_md5sums;
	result = w->item_callback(w->context, listed);
	return result < 0 ? stopped(err) : 0;
}

static int list_file(struct walk *w, const struct repository_item *item, struct error *err)
{
	struct verify_item listed = {.kind = VERIFY_PACKAGE,
				     .manager = "",
				     .origin = "",
				     .version = "",
				     .arch = "",
				     .path = w->shown,
				     .signer = ""};
	struct parts parts;

	find_place(w->path, &parts);
	listed.name = parts.name;
	listed.manager = parts.manager;
	listed.origin = parts.origin;
	listed.version = parts.version;
	listed.arch = parts.arch;
	switch (parts.place) {
	case PLACE_PACKAGE:
		return list_package(w, item, &listed, err);
	case PLACE_OVERRIDES:
		listed.kind = VERIFY_OVERRIDES;
		listed.name = OVERRIDES_NAME;
		break;
	case PLACE_HOST:
		listed.kind = VERIFY_HOST;
		break;
	case PLACE_GROUP:
		listed.kind = VERIFY_GROUP;
		break;
	case PLACE_TREE:
		listed.kind = VERIFY_TREE;
		break;
	case PLACE_ACK:
		return list_acks(w, item, err);
	default:
		return 0;
	}
	return w->item_callback(w->context, &listed) < 0 ? stopped(err) : 0;
}

int verify_list(const char *path, const char *ref, verify_item_cb *callback, void *context,
		struct error *err)
{
	struct walk *w = calloc(1, sizeof(*w));
	int result = -1;

	if (!w) {
		return no_memory(err);
	}
	w->file = list_file;
	w->item_callback = callback;
	w->context = context;
	if (repository_open(path, ref, &w->repository, err) == 0) {
		result = walk_all(w, err);
	}
	acks_clear(&w->acks);
	repository_close(w->repository);
	free(w);
	return result;
}
