// SPDX-License-Identifier: MIT
#ifndef MUSTER_PAYLOADS_NAMES_H
#define MUSTER_PAYLOADS_NAMES_H

/*
 * Owner and group by name, from /etc/passwd and /etc/group alone (their own bytes, no NSS): the
 * name where it is one-to-one, else "#N". Id 0 is always "root". Bounded in entries and text; what
 * exceeds a bound or makes no sense is left out, so that it shows as a number.
 */

#include <stddef.h>
#include <stdint.h>

#include "schema/bytes.h"

#define NAMES_MAX 32768
#define NAMES_TEXT_MAX (1U << 20)
#define NAMES_NUMBER_SIZE 12 /* "#4294967295" and a NUL */

struct name {
	uint32_t id;
	uint32_t at; /* in text; the name ends with a NUL there */
	uint8_t len; /* 0: not one-to-one */
};

struct names {
	struct name *list; /* by id, one an id, after names_finish */
	char *text;        /* as FACT_USERS has it (schema/record.h) */
	size_t count;
	size_t text_len;
	size_t left_out;
	char number[NAMES_NUMBER_SIZE];
};

/* Memory by mmap, touched only as far as it is used. -ENOMEM or 0. */
int names_init(struct names *names);
void names_clear(struct names *names);

/* Takes the text of a passwd(5) or group(5) file: name:password:id:... */
void names_parse(struct names *names, struct bytes text);
/* Reads the whole open file in pieces and parses it. 0 or -errno. */
int names_load(struct names *names, int fd);
/* Sorts and drops what is not one-to-one. Once, after the last parse. */
void names_finish(struct names *names);

/* Borrowed until the next lookup. */
struct bytes names_lookup(struct names *names, uint32_t id);

#endif
