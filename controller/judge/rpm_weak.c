// SPDX-License-Identifier: MIT
#include "controller/judge/packages.h"

#include <stdio.h>

#include "schema/escape.h"

/* What a good signature over digests of another kind than SHA-256 is worth; once a host. */

#define NAMES_MAX 3U

struct rpm_weak {
	size_t count;
	struct bytes names[NAMES_MAX];
};

enum { WEAK_MD5, WEAK_OTHER, WEAK_KINDS };

void rpm_note_weak(struct judge *j, struct packages *p, const struct one_package *one)
{
	const struct rpm_header *header = one->proof->header;
	struct rpm_weak *weak;

	if (header->digest_algorithm == RPM_DIGEST_SHA256 || header->file_count == 0) {
		return;
	}
	if (!p->weak) {
		p->weak = judge_alloc(j, WEAK_KINDS, sizeof(*p->weak));
	}
	if (!p->weak) {
		return;
	}
	weak = &p->weak[header->digest_algorithm == RPM_DIGEST_MD5 ? WEAK_MD5 : WEAK_OTHER];
	if (weak->count < NAMES_MAX) {
		weak->names[weak->count] = one->text;
	}
	weak->count++;
}

static int tell(struct judge *j, const struct rpm_weak *weak, const char *subject,
		const char *words, struct error *err)
{
	char detail[1024], line[64], name[256];
	struct change change = {
		.rule = RULE_HEADER_WEAK,
		.witness = WITNESS_SIGNATURE,
		.path = bytes_from_string(subject),
		.detail = detail,
	};
	size_t len = (size_t)snprintf(detail, sizeof(detail), "%zu packages:", weak->count);

	for (size_t i = 0; i < weak->count && i < NAMES_MAX; i++) {
		len += (size_t)snprintf(detail + len, sizeof(detail) - len, "%s %s",
					i > 0 ? "," : "",
					escape_text(weak->names[i], name, sizeof(name)));
	}
	(void)snprintf(detail + len, sizeof(detail) - len, "%s. %s",
		       weak->count > NAMES_MAX ? " ..." : "", words);
	(void)snprintf(line, sizeof(line), "weak %s", subject);
	change.new_line = bytes_from_string(line);
	return judge_emit(j, &change, err);
}

int rpm_tell_weak(struct judge *j, const struct packages *p, struct error *err)
{
	if (!p->weak) {
		return 0;
	}
	if (p->weak[WEAK_MD5].count > 0 && tell(j, &p->weak[WEAK_MD5], "md5",
						"Their signatures cover MD5 of the files: whoever "
						"chose a file's first content can "
						"have made a second one with the same MD5.",
						err) < 0) {
		return -1;
	}
	return p->weak[WEAK_OTHER].count == 0
		       ? 0
		       : tell(j, &p->weak[WEAK_OTHER], "not-compared",
			      "Their signatures cover digests that are neither SHA-256 nor MD5: "
			      "the "
			      "content of their files is not compared with what was signed.",
			      err);
}
