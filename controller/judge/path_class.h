// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_JUDGE_PATH_CLASS_H
#define MUSTER_CONTROLLER_JUDGE_PATH_CLASS_H

/*
 * What a path is to whoever would take a host over: the table behind the severities. Data, not
 * code: a row is a folder or file and, where needed, a pattern for what stands below it.
 */

#include <stdbool.h>
#include <stdint.h>

#include "baselines/policy.h"
#include "schema/bytes.h"

enum path_class {
	PATH_BIN = 1,          /* commands: bin, sbin, libexec */
	PATH_LIB = 2,          /* libraries, modules of programs */
	PATH_PAM = 4,          /* PAM, NSS, accounts */
	PATH_SSH = 8,          /* sshd, authorized_keys */
	PATH_SUDO = 16,        /* sudo, doas, polkit */
	PATH_LOADER = 32,      /* ld.so.preload, ld.so.conf */
	PATH_KERNEL = 64,      /* kernel, its modules, boot loader */
	PATH_INIT = 128,       /* init, systemd units, udev rules */
	PATH_CRON = 256,       /* cron, at, anacron */
	PATH_SHELL = 512,      /* what shells read at start */
	PATH_PACKAGING = 1024, /* apt, dpkg: hooks, sources, keys */
	PATH_ETC = 2048,
	PATH_LOCAL = 4096, /* /usr/local, /opt: the administrator's own */
	PATH_DOC = 8192,   /* documentation, translations */
	PATH_TEMP = 16384, /* /tmp, /var/tmp, /dev/shm */
};

/* One of these decides who gets in or what runs. */
#define PATH_TELLING                                                                           \
	(PATH_PAM | PATH_SSH | PATH_SUDO | PATH_LOADER | PATH_KERNEL | PATH_INIT | PATH_CRON | \
	 PATH_SHELL | PATH_PACKAGING)

/* Bits of enum path_class. */
uint32_t path_class(struct bytes path);

/* The same for all that a shell pattern may match: `*` alone is everything. */
uint32_t path_class_of_pattern(struct bytes pattern);

/* A name no honest program makes: control bytes, "...", blanks at an end, bidi marks. */
bool path_name_is_odd(struct bytes path);

/* Some component starts with a dot. */
bool path_is_hidden(struct bytes path);

/* `path` is `dir` or stands below it. */
bool path_is_below(struct bytes path, struct bytes dir);

/* /bin/x for /usr/bin/x and the like: whether the first component is one that usrmerge moved. */
bool path_is_alias(struct bytes path);

struct bytes path_parent(struct bytes path);
struct bytes path_basename(struct bytes path);

#endif
