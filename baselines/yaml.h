// SPDX-License-Identifier: MIT
#ifndef MUSTER_BASELINES_YAML_H
#define MUSTER_BASELINES_YAML_H

/*
 * A strict reader of YAML for configuration, inventories, policies and acknowledgements: the caller
 * pulls what it expects, value by value, and every fault names file:line:column and, for a word
 * that is wrong, the nearest right one. One document; no anchors, aliases, tags or merge keys; every
 * key of a fixed mapping is known and stands once. Never recursive: depth, size and number of values
 * are bounded before anything is kept. After a failure only yaml_reader_free may follow.
 *
 *	yaml_reader_map(r, err)
 *	while ((more = yaml_reader_key(r, keys, &key, err)) > 0) {
 *		switch (key) {
 *		case KEY_PORT: failed = yaml_reader_number(r, 1, 65535, &port, err); ...
 *		case KEY_SSH: failed = yaml_reader_map(r, err); (a loop of its own) ...
 *	yaml_reader_done(r, err)
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/bytes.h"
#include "schema/error.h"

#define YAML_SIZE_MAX ((size_t)16 << 20) /* bytes of a text */
#define YAML_DEPTH_MAX 16
#define YAML_KEYS_MAX 64 /* of one fixed mapping */
#define YAML_TEXT_MAX 65536

struct yaml_reader;

enum yaml_value {
	YAML_VALUE_NULL, /* nothing, ~ or null, unquoted */
	YAML_VALUE_SCALAR,
	YAML_VALUE_MAP,
	YAML_VALUE_LIST,
	YAML_VALUE_NONE, /* the mapping, list or document has no further value */
};

/* `name` (for messages) is copied, `text` borrowed until free. An empty document is NONE. */
int yaml_reader_new(struct yaml_reader **reader, const char *name, struct bytes text,
		    struct error *err) MUST_CHECK;
/* Reads a whole file of at most YAML_SIZE_MAX bytes. ENOENT is in err->os_errno. */
int yaml_reader_open(struct yaml_reader **reader, const char *path, struct error *err) MUST_CHECK;
void yaml_reader_free(struct yaml_reader *reader);

/* What comes next, without taking it. */
int yaml_reader_peek(struct yaml_reader *reader, enum yaml_value *value,
		     struct error *err) MUST_CHECK;

/* Enters a mapping; then keys until one of the two returns 0, each followed by its value. */
int yaml_reader_map(struct yaml_reader *reader, struct error *err) MUST_CHECK;
/* 1: *index of the key in `keys` (ends in NULL); 0: the mapping ended; -1: unknown or twice. */
int yaml_reader_key(struct yaml_reader *reader, const char *const *keys, size_t *index,
		    struct error *err) MUST_CHECK;
/* The same where keys are names: copied to `key`. Repetition is the caller's to refuse. */
int yaml_reader_any_key(struct yaml_reader *reader, char *key, size_t room,
			struct error *err) MUST_CHECK;
/* Enters a list; then yaml_reader_item: 1 before each value, 0 when the list ended. */
int yaml_reader_list(struct yaml_reader *reader, struct error *err) MUST_CHECK;
int yaml_reader_item(struct yaml_reader *reader, struct error *err) MUST_CHECK;

/* Scalars. Text is NUL-terminated and holds no NUL; null and too long are faults. */
int yaml_reader_text(struct yaml_reader *reader, char *text, size_t room,
		     struct error *err) MUST_CHECK;
/* The same in memory of the caller's (free). */
int yaml_reader_text_new(struct yaml_reader *reader, char **text, struct error *err) MUST_CHECK;
int yaml_reader_number(struct yaml_reader *reader, uint64_t least, uint64_t most, uint64_t *number,
		       struct error *err) MUST_CHECK;
/* true, false, yes, no, on, off. */
int yaml_reader_bool(struct yaml_reader *reader, bool *value, struct error *err) MUST_CHECK;
/* One of `words` (ends in NULL), or a fault that names the nearest. */
int yaml_reader_word(struct yaml_reader *reader, const char *const *words, size_t *index,
		     struct error *err) MUST_CHECK;
/* A time such as 90, 90s, 15m, 6h, 30d, 2w, in seconds. */
int yaml_reader_duration(struct yaml_reader *reader, uint64_t least_s, uint64_t most_s,
			 uint64_t *seconds, struct error *err) MUST_CHECK;
int yaml_reader_null(struct yaml_reader *reader, struct error *err) MUST_CHECK;

/* Nothing may follow: neither a value nor a second document. */
int yaml_reader_done(struct yaml_reader *reader, struct error *err) MUST_CHECK;

/* Where the last key or value stood, counted from 1. */
void yaml_reader_place(const struct yaml_reader *reader, size_t *line, size_t *column);
/* "file:line:column: ..." at that place, for what only the caller can judge. Returns -1. */
int yaml_reader_fail(const struct yaml_reader *reader, struct error *err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
#ifdef __clang_analyzer__
#define yaml_reader_fail(...) (yaml_reader_fail(__VA_ARGS__), -1) /* as in schema/error.h */
#endif

/* "90", "15m" ... as yaml_reader_duration reads it: also for options. False: no such time. */
bool yaml_parse_duration(const char *text, uint64_t *seconds);

#endif
