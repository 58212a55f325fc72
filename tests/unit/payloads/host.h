// SPDX-License-Identifier: MIT
#ifndef TESTS_UNIT_PAYLOADS_HOST_H
#define TESTS_UNIT_PAYLOADS_HOST_H

/*
 * A small host in a temporary directory (dpkg database, passwd, mountinfo) and a probe that runs on
 * it in a child of the test, spoken to over pipes. Test code: any surprise ends the test.
 */

#include "payloads/probe.h"
#include "tests/fake/probe_talk.h"
#include "tests/unit/payloads/tree.h"

extern struct tree host_tree;

/* Filters that the child installs before it becomes a probe. */
enum host_refusal { HOST_REFUSES_NOTHING, HOST_REFUSES_ENOSYS, HOST_REFUSES_EPERM };
extern enum host_refusal host_refusal;

/* A package "alpha" 1.0 all with /usr/bin/alpha, a link, a directory and a conffile. */
void host_make(void);
void host_remove(void);
/* Replaces the fake mountinfo, of which the first line stays: "/" is ext4. */
void host_mounts(const char *lines);

/* A plan for the roots /usr /etc, with all checks. */
void host_plan(struct plan *plan);
void host_start(struct talk *talk);
/* hello to end, everything fetched; ends with status 0 or the test fails. */
void host_run(struct talk *talk, const struct plan *plan, bool md5);

/* The entry of the path in the section; false where there is none. */
bool host_entry(const struct talk_section *section, const char *path, struct entry *entry);
size_t host_item_count(const struct talk_section *section);

#endif
