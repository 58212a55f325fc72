// SPDX-License-Identifier: MIT
#ifndef MUSTER_PAYLOADS_DPKG_STATUS_H
#define MUSTER_PAYLOADS_DPKG_STATUS_H

/*
 * Stanzas of dpkg's status file, of its journal (updates/NNNN) and of status.d (deb822(5),
 * dpkg lib/dpkg/parse.c): a line goes in, a stanza comes out when it ends. Keeps only the fields
 * that muster uses. Bounded: one stanza's text in memory of the caller's.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/bytes.h"

#define STANZA_VALUE_MAX 300 /* of each field but Conffiles: section keys have 1,024 bytes */

enum stanza_field {
	STANZA_PACKAGE,
	STANZA_VERSION,
	STANZA_ARCHITECTURE,
	STANZA_STATUS,
	STANZA_SOURCE,
	STANZA_MULTI_ARCH,
	STANZA_CONFFILES, /* its lines, each with a newline, without the leading blank */
	STANZA_FIELDS
};

enum stanza_fault {
	STANZA_LONG_VALUE = 1, /* a field was cut to its limit */
	STANZA_MALFORMED = 2,  /* lines that are no field, or a field twice */
	STANZA_CONFFILES_CUT = 4,
};

struct stanza {
	struct bytes field[STANZA_FIELDS]; /* len 0: absent */
	uint32_t faults;                   /* enum stanza_fault */
};

struct status_parser {
	uint8_t *text; /* room for one stanza's kept values */
	size_t room;
	size_t used;
	int field; /* the one that continuation lines belong to, or -1 */
	bool any;  /* a line of this stanza was seen */
	struct stanza stanza;
};

void status_parser_init(struct status_parser *parser, uint8_t *text, size_t room);

/*
 * Takes a line without its newline. True where it ended a stanza, which is then in parser->stanza
 * until the next call.
 */
bool status_parser_line(struct status_parser *parser, struct bytes line);

/* The end of the file: true where it ended a stanza. */
bool status_parser_end(struct status_parser *parser);

/* The third word of Status: the state. */
enum status_word {
	STATUS_UNKNOWN,
	STATUS_NOT_INSTALLED,
	STATUS_CONFIG_FILES,
	STATUS_HALF_INSTALLED,
	STATUS_UNPACKED,
	STATUS_HALF_CONFIGURED,
	STATUS_TRIGGERS_AWAITED,
	STATUS_TRIGGERS_PENDING,
	STATUS_INSTALLED,
};
enum status_word status_word_of(struct bytes status);

/*
 * One line of Conffiles: path, then md5 or the word newconffile, then perhaps obsolete and
 * remove-on-upgrade; parsed from its end, because the path may hold blanks. False where malformed.
 */
struct conffile {
	struct bytes path;
	bool has_md5;
	uint8_t md5[MD5_SIZE];
	bool is_new;
	bool is_obsolete;
	bool is_removed;
};
bool conffile_parse(struct bytes line, struct conffile *conffile);

/* Takes one line off the front of a text of newline-ended lines. False at the end. */
bool text_line_next(struct bytes *text, struct bytes *line);

/* 32 hexadecimal digits. */
bool md5_parse(struct bytes text, uint8_t md5[MD5_SIZE]);

/* dpkg's rule for package names (pkg_name_is_illegal), which also makes them safe file names. */
bool package_name_is_valid(struct bytes name);

#endif
