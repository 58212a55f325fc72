// SPDX-License-Identifier: MIT
#include "controller/ssh/bootstrap.h"

#include <stdio.h>
#include <string.h>

#include "controller/ssh/pinned.h"

#define MARKER "MUSTER"
#define MARKER_LEN (sizeof(MARKER) - 1 + BOOTSTRAP_TAG_SIZE)

/*
 * Runs under the target user. It stands in single quotes for login shells of every kind, so it has
 * no single quote, no newline, and no exclamation mark (csh expands that even there): \041 is one.
 *
 * - uname comes first, with nothing redirected: where no process can be started, it says so.
 * - mkdir without -p fails on whatever stands there already, a symlink included, and the name is
 *   random: nobody can have put it there. umask makes it 0700.
 * - The test file is a script that is padded to the probe's size: it shows at once that the folder
 *   can be written, has the room, and is not mounted noexec. The probe is then written into the same
 *   file, which keeps its mode.
 * - Whether gzip works is tried, not guessed: what cannot be unpacked would not start.
 * - Nothing is sent after the probe's bytes until it speaks, so a head that reads ahead (busybox)
 *   swallows nothing.
 * - By a pinned rule the name is not random: who made it first stands in the way, and no more. The
 *   shell stays, to clean up where sudo refuses.
 * - exec leaves the trap behind; where it fails, or the connection dies, the trap cleans up.
 */
#define SCRIPT_HEAD \
	"umask 077; PATH=/usr/bin:/bin:/usr/sbin:/sbin:$PATH; export PATH; m=" MARKER "%.16s; "
#define SCRIPT_BODY                                                                               \
	"a=$(uname -m); c() { cd /; rm -rf \"$t\"; }; "                                           \
	"for d in %s; do "                                                                        \
	"case $d in U) d=${XDG_RUNTIME_DIR:-/run/user/$(id -u)};; /*) ;; *) continue;; esac; "    \
	"t=$d/.muster-$r; mkdir \"$t\" 2>/dev/null || { t=; continue; }; "                        \
	"trap c 0; trap \"exit 1\" 1 2 13 15; p=$t/probe; "                                       \
	"{ printf \"#\\041/bin/sh\\nexit 0\\n%%0%zud\" 0 >\"$p\" && chmod 700 \"$p\" && \"$p\"; " \
	"} "                                                                                      \
	"2>/dev/null && break; rm -rf \"$t\"; t=; done; "                                         \
	"if [ -z \"$t\" ]; then echo \"$m$k e no-place\"; exit 0; fi; "                           \
	"z=a; [ x = \"$({ echo x|gzip|gzip -d; } 2>/dev/null)\" ] && z=z; "                       \
	"echo \"$m$k $z $a\"; read s h n || exit 1; "                                             \
	"if [ \"$n\" ]; then head -c \"$n\"|gzip -d; else head -c \"$s\"; fi >\"$p\"; "           \
	"if [ \"$(wc -c <\"$p\")\" -ne \"$s\" ]; then echo \"$m$k e short\"; exit 0; fi; "        \
	"%s\"$p\" --stdio --self \"$p\" --size \"$s\" --sha256 \"$h\""
#define PLACES "/run /dev/shm /var/tmp /tmp U \"$HOME\""
void bootstrap_init(struct bootstrap *bootstrap, const char *tag)
{
	*bootstrap = (struct bootstrap){.noise = 0};
	(void)snprintf(bootstrap->marker, sizeof(bootstrap->marker), MARKER "%.*s",
		       BOOTSTRAP_TAG_SIZE, tag);
}

size_t bootstrap_command(const char *tag, enum become become, size_t room_bytes, char *to,
			 size_t room)
{
	const char *half = tag + BOOTSTRAP_TAG_SIZE / 2;
	int len = 0;

	/* The marker's halves stand apart: an echo of this command is not the marker. */
	switch (become) {
	case BECOME_SUDO:
		len = snprintf(to, room,
			       "exec /bin/sh -c 'm=" MARKER "%.16s; k=%.16s; echo \"$m$k s\"; "
			       "exec sudo -n /bin/sh -c \"$0\"' '" SCRIPT_HEAD
			       "k=%.16s; r=%.16s; " SCRIPT_BODY "'",
			       tag, half, tag, half, tag, PLACES, room_bytes, "exec ");
		break;
	case BECOME_PINNED:
		len = snprintf(to, room,
			       "exec /bin/sh -c '" SCRIPT_HEAD "k=%.16s; r=$(id -un); " SCRIPT_BODY
			       "'",
			       tag, half, PINNED_PLACES, room_bytes, "sudo -n ");
		break;
	case BECOME_NONE:
		len = snprintf(to, room,
			       "exec /bin/sh -c '" SCRIPT_HEAD "k=%.16s; r=%.16s; " SCRIPT_BODY "'",
			       tag, half, tag, PLACES, room_bytes, "exec ");
		break;
	}
	return len > 0 && (size_t)len < room ? (size_t)len : 0;
}

static bool is_word(const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		uint8_t c = data[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		      c == '_' || c == '-' || c == '.')) {
			return false;
		}
	}
	return len > 0 && len < BOOTSTRAP_WORD_MAX;
}

/* `rest` is what follows the marker: " a x86_64", " z x86_64", " e no-place", " s". */
static enum bootstrap_event read_line(struct bootstrap *bootstrap, const uint8_t *rest, size_t len)
{
	if (len == 2 && memcmp(rest, " s", 2) == 0) {
		return BOOTSTRAP_SHELL;
	}
	if (len < 4 || rest[0] != ' ' || rest[2] != ' ' || !memchr("aez", rest[1], 3) ||
	    !is_word(rest + 3, len - 3)) {
		return BOOTSTRAP_TOO_MUCH;
	}
	memcpy(bootstrap->word, rest + 3, len - 3);
	bootstrap->word[len - 3] = '\0';
	if (rest[1] == 'e') {
		return BOOTSTRAP_FAILED;
	}
	bootstrap->unpacks = rest[1] == 'z';
	bootstrap->ready = true;
	return BOOTSTRAP_READY;
}

static enum bootstrap_event end_line(struct bootstrap *bootstrap)
{
	const uint8_t *line = bootstrap->line;
	size_t len = bootstrap->line_len;
	const uint8_t *found = memmem(line, len, bootstrap->marker, MARKER_LEN);

	bootstrap->line_len = 0;
	if (!found) {
		bootstrap->noise += len + 1;
		return bootstrap->noise > BOOTSTRAP_PREAMBLE_MAX ? BOOTSTRAP_TOO_MUCH
								 : BOOTSTRAP_MORE;
	}
	len -= (size_t)(found - line) + MARKER_LEN;
	if (len > 0 && found[MARKER_LEN + len - 1] == '\r') {
		len--;
	}
	return read_line(bootstrap, found + MARKER_LEN, len);
}

static enum bootstrap_event add_byte(struct bootstrap *bootstrap, uint8_t byte)
{
	size_t half = sizeof(bootstrap->line) / 2;

	if (byte == '\n') {
		return end_line(bootstrap);
	}
	if (bootstrap->line_len == sizeof(bootstrap->line)) {
		/* A marker line is shorter than half: only noise is lost. */
		memmove(bootstrap->line, bootstrap->line + half, half);
		bootstrap->line_len = half;
		bootstrap->noise += half;
		if (bootstrap->noise > BOOTSTRAP_PREAMBLE_MAX) {
			return BOOTSTRAP_TOO_MUCH;
		}
	}
	bootstrap->line[bootstrap->line_len++] = byte;
	return BOOTSTRAP_MORE;
}

enum bootstrap_event bootstrap_feed(struct bootstrap *bootstrap, struct bytes *input)
{
	while (input->len > 0) {
		enum bootstrap_event event;

		/* A frame begins with its length, the first byte of which is zero. */
		if (bootstrap->ready && bootstrap->line_len == 0 && input->data[0] != MARKER[0]) {
			bootstrap->streaming = true;
			return BOOTSTRAP_STREAM;
		}
		event = add_byte(bootstrap, input->data[0]);
		input->data++;
		input->len--;
		if (event != BOOTSTRAP_MORE) {
			return event;
		}
	}
	return BOOTSTRAP_MORE;
}
