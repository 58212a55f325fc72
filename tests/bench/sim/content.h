// SPDX-License-Identifier: MIT
#ifndef TESTS_BENCH_SIM_CONTENT_H
#define TESTS_BENCH_SIM_CONTENT_H

/*
 * The bytes of simulated sections, made of numbers alone: the same number is the same package, file
 * and digest at every start. One buffer, one section at a time: begin, one of the makers, end.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/bytes.h"
#include "schema/cbor.h"

#define CONTENT_NAME_MAX 64

struct content_item {
	struct bytes encoded;
	struct bytes path; /* empty: ordered by its encoding */
};

struct content {
	uint32_t files;
	struct cbor_writer w;
	uint8_t *data;
	size_t room;
	struct content_item *item; /* what is still to be sorted */
	size_t items, item_room;
};

/* Takes over `data`. */
void content_init(struct content *content, uint32_t files, uint8_t *data, size_t room);
void content_clear(struct content *content);

const char *content_name(uint32_t package, char name[CONTENT_NAME_MAX]);
const char *content_version(uint32_t package, uint32_t version, char text[CONTENT_NAME_MAX]);
const char *content_tree(uint32_t tree, char name[CONTENT_NAME_MAX]);
bool content_has_config(uint32_t package);

void content_begin(struct content *content);
/* Aborts where it did not fit. */
struct bytes content_end(struct content *content);

void content_files(struct content *content, uint32_t package, uint32_t version);
void content_md5(struct content *content, uint32_t package, uint32_t version);
void content_claims(struct content *content, uint32_t package, uint32_t version);
void content_config(struct content *content, uint32_t package);
void content_add_package(struct content *content, uint32_t package, uint32_t version);
void content_end_packages(struct content *content);
void content_add_common_dirs(struct content *content);
void content_add_dirs(struct content *content, uint32_t package);
void content_end_dirs(struct content *content);
void content_unowned(struct content *content, uint32_t tree);
void content_own(struct content *content, uint32_t host, uint32_t edits);
void content_mounts(struct content *content);
void content_host(struct content *content);

void content_digest(struct bytes data, struct digest *digest);

#endif
