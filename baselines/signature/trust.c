// SPDX-License-Identifier: MIT
#include "baselines/signature/trust.h"

#include <ctype.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "baselines/arena.h"
#include "baselines/yaml.h"

#define TRUST_FILE_MAX ((size_t)1 << 20)
#define LIST_MAX 1000U

enum field { FIELD_FINGERPRINT, FIELD_FILE, FIELD_ORIGINS, FIELD_PACKAGES, FIELDS };
static const char *const fields[] = {"fingerprint", "file", "origins", "packages", NULL};

struct reader {
	struct yaml_reader *yaml;
	const char *source;
	struct trust *trust;
};

static int no_memory(struct error *err)
{
	return error_set(err, ERROR_NOMEM, 0, "no memory for a list of keys");
}

/* Reads a scalar into the list's memory. */
static int read_text(struct reader *r, char **text, struct error *err)
{
	char *read = NULL;

	if (yaml_reader_text_new(r->yaml, &read, err) < 0) {
		return -1;
	}
	*text = arena_string(r->trust->memory, read);
	free(read);
	if (!*text) {
		return no_memory(err);
	}
	return **text != '\0' ? 0 : yaml_reader_fail(r->yaml, err, "is empty");
}

static int read_texts(struct reader *r, struct string_list *list, struct error *err)
{
	int more;

	if (yaml_reader_list(r->yaml, err) < 0) {
		return -1;
	}
	list->item = arena_alloc(r->trust->memory, LIST_MAX * sizeof(*list->item));
	if (!list->item) {
		return no_memory(err);
	}
	while ((more = yaml_reader_item(r->yaml, err)) > 0) {
		if (list->count == LIST_MAX) {
			return yaml_reader_fail(r->yaml, err, "more than %u", LIST_MAX);
		}
		if (read_text(r, &list->item[list->count++], err) < 0) {
			return -1;
		}
	}
	return more;
}

static int check_fingerprint(struct reader *r, char *text, struct error *err)
{
	size_t len = strlen(text);

	if ((len != 40 && len != 64) || strspn(text, "0123456789abcdefABCDEF") != len) {
		return yaml_reader_fail(r->yaml, err,
					"not a whole fingerprint: 40 hex digits without blanks "
					"(gpg --show-keys FILE)");
	}
	for (size_t i = 0; i < len; i++) {
		text[i] = (char)toupper((unsigned char)text[i]);
	}
	return trust_find(r->trust, text) ? yaml_reader_fail(r->yaml, err, "is listed already") : 0;
}

/* A plain name: the file stands beside the list. */
static int check_file(struct reader *r, const char *text, struct error *err)
{
	return strchr(text, '/') || text[0] == '.' || strcmp(text, "keys.yaml") == 0
		       ? yaml_reader_fail(r->yaml, err, "is no name of a file in " TRUST_FOLDER "/")
		       : 0;
}

static int read_field(struct reader *r, enum field field, struct trust_key *key, struct error *err)
{
	char *text = NULL;

	switch (field) {
	case FIELD_FINGERPRINT:
		if (read_text(r, &text, err) < 0 || check_fingerprint(r, text, err) < 0) {
			return -1;
		}
		key->fingerprint = text;
		return 0;
	case FIELD_FILE:
		if (read_text(r, &text, err) < 0 || check_file(r, text, err) < 0) {
			return -1;
		}
		key->file = text;
		return 0;
	case FIELD_ORIGINS:
		return read_texts(r, &key->origins, err);
	default:
		return read_texts(r, &key->packages, err);
	}
}

static int read_key(struct reader *r, struct error *err)
{
	struct trust_key *key = &r->trust->item[r->trust->count];
	size_t field, line, column;
	char place[400];
	int more;

	if (r->trust->count == TRUST_KEYS_MAX) {
		return yaml_reader_fail(r->yaml, err, "more than %u keys", TRUST_KEYS_MAX);
	}
	if (yaml_reader_map(r->yaml, err) < 0) {
		return -1;
	}
	yaml_reader_place(r->yaml, &line, &column);
	while ((more = yaml_reader_key(r->yaml, fields, &field, err)) > 0) {
		if (read_field(r, (enum field)field, key, err) < 0) {
			return -1;
		}
	}
	if (more < 0) {
		return -1;
	}
	(void)snprintf(place, sizeof(place), "%s:%zu", r->source, line);
	if (!key->fingerprint || !key->file || key->origins.count == 0) {
		return error_set(err, ERROR_CONFIG, 0, "%s: %s is missing", place,
				 !key->fingerprint ? "fingerprint"
				 : !key->file      ? "file"
						   : "origins (what the key may prove)");
	}
	key->source = arena_string(r->trust->memory, place);
	r->trust->count++;
	return key->source ? 0 : no_memory(err);
}

static int read_all(struct reader *r, struct error *err)
{
	enum yaml_value value;
	int more;

	if (yaml_reader_peek(r->yaml, &value, err) < 0) {
		return -1;
	}
	if (value == YAML_VALUE_NONE) {
		return 0;
	}
	if (yaml_reader_list(r->yaml, err) < 0) {
		return -1;
	}
	while ((more = yaml_reader_item(r->yaml, err)) > 0) {
		if (read_key(r, err) < 0) {
			return -1;
		}
	}
	return more < 0 ? -1 : yaml_reader_done(r->yaml, err);
}

static int trust_new(struct trust **trust, struct error *err)
{
	struct trust *k = calloc(1, sizeof(*k));

	if (k) {
		k->memory = calloc(1, sizeof(*k->memory));
		k->item = calloc(TRUST_KEYS_MAX + 1, sizeof(*k->item));
	}
	if (!k || !k->memory || !k->item) {
		trust_free(k);
		return no_memory(err);
	}
	*trust = k;
	return 0;
}

int trust_parse(const char *source, struct bytes text, struct trust **trust, struct error *err)
{
	struct reader r = {.source = source};
	int result;

	if (trust_new(&r.trust, err) < 0) {
		return -1;
	}
	result = yaml_reader_new(&r.yaml, source, text, err);
	if (result == 0) {
		result = read_all(&r, err);
	}
	yaml_reader_free(r.yaml);
	if (result < 0) {
		trust_free(r.trust);
		return -1;
	}
	*trust = r.trust;
	return 0;
}

int trust_read(struct repository *repository, struct trust **trust, struct error *err)
{
	struct repository_blob blob;
	bool found;
	int result;

	if (repository_read(repository, TRUST_FILE, TRUST_FILE_MAX, &blob, &found, err) < 0) {
		return -1;
	}
	if (!found) {
		return trust_new(trust, err);
	}
	result = trust_parse(TRUST_FILE, blob.content, trust, err);
	repository_blob_close(&blob);
	return result;
}

void trust_free(struct trust *trust)
{
	if (!trust) {
		return;
	}
	if (trust->memory) {
		arena_clear(trust->memory);
	}
	free(trust->memory);
	free(trust->item);
	free(trust);
}

const struct trust_key *trust_find(const struct trust *trust, const char *fingerprint)
{
	for (size_t i = 0; i < trust->count; i++) {
		if (strcasecmp(trust->item[i].fingerprint, fingerprint) == 0) {
			return &trust->item[i];
		}
	}
	return NULL;
}

bool trust_proves_origin(const struct trust_key *key, const char *origin)
{
	for (size_t i = 0; i < key->origins.count; i++) {
		if (strcmp(key->origins.item[i], origin) == 0) {
			return true;
		}
	}
	return false;
}

bool trust_proves(const struct trust_key *key, const char *origin, const char *package)
{
	if (!trust_proves_origin(key, origin)) {
		return false;
	}
	for (size_t i = 0; i < key->packages.count; i++) {
		if (fnmatch(key->packages.item[i], package, 0) == 0) {
			return true;
		}
	}
	return key->packages.count == 0;
}
