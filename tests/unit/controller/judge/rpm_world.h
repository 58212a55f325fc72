// SPDX-License-Identifier: MIT
#ifndef TESTS_UNIT_CONTROLLER_JUDGE_RPM_WORLD_H
#define TESTS_UNIT_CONTROLLER_JUDGE_RPM_WORLD_H

/*
 * The standard host with one signed rpm package, `tool`, and the header of another, `other`, which
 * has two of its paths. Judged with and without a cache that all hosts of the program share.
 */

#include "controller/judge/rpm_verify.h"
#include "tests/unit/controller/judge/builder.h"

#define ALL 0xffffffffU
#define KEY "F00DF00DF00DF00DF00DF00DF00DF00DF00DF00D"

enum { FILE_TOOL, FILE_DATA, FILE_LOOSE, FILE_DOC, FILE_GHOST_LOG, FILE_FOREIGN, FILE_DIR, FILES };

/* A header of the given package, and what is proved of it. */
struct made {
	struct rpm_header header;
	struct rpm_file file[FILES];
	struct rpm_proof proof;
	struct manifest *manifest;
	const char *content; /* of its section */
};

struct rpm_world {
	struct world *w;
	struct made tool;
	struct made other;
	uint8_t claims[4096];
	char header[2][16384]; /* what stands for the bytes of each header */
};

extern struct rpm_world t;
extern const struct build_package tool;
extern const struct build_package other;
extern const struct build_package multilib;
extern const struct build_package older;

int setup(void **state);
int teardown(void **state);
void make(struct made *made, struct build_package package, const char *content,
	  const struct entry *entries, size_t count);
void install(struct made *made, struct build_package package, const struct entry *entries,
	     size_t count);
struct section_key rpm_key(enum section_kind kind, struct build_package package);
/* States of the files of `tool`, and perhaps digests behind the region. */
void set_claims(const char states[FILES], bool overrides);
/* Another content. */
void trojan(const char *path);

void judge_rpm(void);
const struct finding *judged(enum rule rule, const char *subject);
void assert_quiet(void);

#endif
