// SPDX-License-Identifier: MIT
#include "controller/judge/packages.h"

#include <stdio.h>

#include "controller/judge/rpm_asked.h"
#include "schema/escape.h"

/* What a good signature over digests of another kind than SHA-256 is worth; once a host. */

#define NAMES_MAX 3U

struct weak {
	size_t count;
	struct bytes names[NAMES_MAX];
};

void rpm_note_weak(struct judge *j, const struct one_package *one)
{
	const struct rpm_header *header = one->proof->header;

	if (header->digest_algorithm == RPM_DIGEST_SHA256 || header->file_count == 0) {
		return;
	}
	rpm_note(j,
		 header->digest_algorithm == RPM_DIGEST_MD5 ? RPM_NOTE_WEAK_MD5
							    : RPM_NOTE_WEAK_OTHER,
		 (struct bytes){NULL, 0}, one->text);
}

static struct weak collect(const struct judge *j, enum rpm_note_kind kind)
{
	struct weak weak = {.count = 0};

	for (size_t i = 0; i < j->note_count; i++) {
		if (j->note[i].kind != kind) {
			continue;
		}
		if (weak.count < NAMES_MAX) {
			weak.names[weak.count] = j->note[i].package;
		}
		weak.count++;
	}
	return weak;
}

static int tell(struct judge *j, const struct weak *weak, const char *subject, const char *words,
		struct error *err)
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

int rpm_tell_weak(struct judge *j, struct error *err)
{
	const struct weak md5 = collect(j, RPM_NOTE_WEAK_MD5);
	const struct weak other = collect(j, RPM_NOTE_WEAK_OTHER);

	if (md5.count > 0 && tell(j, &md5, "md5",
				  "Their signatures cover MD5 of the files: whoever chose a file's "
				  "first content can have made a second one with the same MD5.",
				  err) < 0) {
		return -1;
	}
	return other.count == 0
		       ? 0
		       : tell(j, &other, "not-compared",
			      "Their signatures cover digests that are neither SHA-256 nor MD5: "
			      "the "
			      "content of their files is not compared with what was signed.",
			      err);
}
