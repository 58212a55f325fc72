// SPDX-License-Identifier: MIT
/*
 * A muster-ssh that a host has taken over: speaks the control protocol on descriptor 3 and tries what
 * the name of the user in `start` says. What a pool must not fall for. Ends each host with `closed`,
 * the reason of which tells what the pool answered: "signed" or "refused".
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controller/ssh/control.h"
#include "controller/ssh/wire.h"

static uint8_t in[FRAME_HEAD + CONTROL_MAX], out[FRAME_HEAD + CONTROL_MAX];

static bool read_all(uint8_t *to, size_t len)
{
	while (len > 0) {
		ssize_t n = read(CONTROL_FD, to, len);

		if (n <= 0) {
			return false;
		}
		to += n;
		len -= (size_t)n;
	}
	return true;
}

static bool receive(struct control_message *m)
{
	size_t len;

	if (!read_all(in, FRAME_HEAD)) {
		return false;
	}
	len = (size_t)in[0] << 24 | (size_t)in[1] << 16 | (size_t)in[2] << 8 | in[3];
	return len <= CONTROL_MAX && read_all(in + FRAME_HEAD, len) &&
	       control_decode(bytes_make(in + FRAME_HEAD, len), m);
}

static void send_raw(const void *data, size_t len)
{
	if (write(CONTROL_FD, data, len) != (ssize_t)len) {
		exit(1);
	}
}

static void send_message(const struct control_message *m)
{
	size_t len = control_encode(m, out + FRAME_HEAD, CONTROL_MAX);

	frame_head((uint32_t)len, out);
	send_raw(out, FRAME_HEAD + len);
}

static void send_closed(uint64_t id, const char *reason)
{
	struct control_message m = {.type = CONTROL_CLOSED};

	m.closed = (struct control_closed){
		.id = id, .outcome = OUTCOME_AUTH_FAILED, .reason = bytes_from_string(reason)};
	send_message(&m);
}

/* The host's own key pair is a file, so that a session id can really be signed: see the test. */
static size_t read_file(const char *path, uint8_t *to, size_t room)
{
	FILE *file = fopen(path, "r");
	size_t len = file ? fread(to, 1, room, file) : 0;

	if (file) {
		(void)fclose(file);
	}
	return len;
}

struct try_out {
	const char *user;   /* in the request */
	struct bytes key;   /* in the request */
	bool other_session; /* not the one that the host has signed */
	bool other_hostkey; /* one that is not pinned */
	bool no_login;      /* data of another kind */
	bool twice;         /* a second session id after the first */
};

static void ask(const struct control_start *start, const char *folder, const struct try_out *try)
{
	static uint8_t data[4096], hostkey[1024], signature[1024], session[64];
	struct wire_writer w = {.data = data, .room = sizeof(data)};
	struct control_message m = {.type = CONTROL_SIGN};
	char path[512];
	size_t hostkey_len, signature_len;

	(void)snprintf(path, sizeof(path), "%s/%s", folder,
		       try->other_hostkey ? "otherkey" : "hostkey");
	hostkey_len = read_file(path, hostkey, sizeof(hostkey));
	(void)snprintf(path, sizeof(path), "%s/%s", folder,
		       try->other_hostkey ? "othersignature" : "signature");
	signature_len = read_file(path, signature, sizeof(signature));
	memset(session, try->other_session ? 'x' : 's', 32);
	wire_write_string(&w, bytes_make(session, 32));
	wire_write_byte(&w, try->no_login ? 98 : 50);
	wire_write_string(&w, bytes_from_string(try->user));
	wire_write_string(&w, BYTES_LITERAL("ssh-connection"));
	wire_write_string(&w, BYTES_LITERAL("publickey"));
	wire_write_byte(&w, 1);
	wire_write_string(&w, BYTES_LITERAL("ssh-ed25519"));
	wire_write_string(&w, try->key.len > 0 ? try->key : start->key[0]);
	m.sign = (struct control_sign){.id = start->id,
				       .data = bytes_make(data, w.len),
				       .hostkey = bytes_make(hostkey, hostkey_len),
				       .signature = bytes_make(signature, signature_len)};
	send_message(&m);
}

/* --- jump hosts --- */

#define CROWD 5U

static unsigned sessions; /* of jump hosts, so far */
static unsigned starts;   /* by way of one */
static uint64_t held[CROWD];
static unsigned held_count;

static void send_stage(uint64_t id, enum control_stage stage)
{
	struct control_message m = {.type = CONTROL_STAGE};

	m.stage.id = id;
	m.stage.stage = stage;
	send_message(&m);
}

static void send_end(uint64_t id, enum outcome outcome, enum control_via via)
{
	struct control_message m = {.type = CONTROL_CLOSED};
	char reason[64];

	(void)snprintf(reason, sizeof(reason), "sessions=%u starts=%u", sessions, starts);
	m.closed = (struct control_closed){
		.id = id, .outcome = outcome, .reason = bytes_from_string(reason), .via = via};
	send_message(&m);
}

static void send_beyond(uint64_t id)
{
	struct control_message m = {.type = CONTROL_CLOSED};
	char reason[64];

	(void)snprintf(reason, sizeof(reason), "sessions=%u starts=%u", sessions, starts);
	m.closed = (struct control_closed){
		.id = id,
		.outcome = OUTCOME_KEX_FAILED,
		.reason = bytes_from_string(reason),
		.excerpt = BYTES_LITERAL("sntrup761x25519-sha512@openssh.com")};
	send_message(&m);
}

static void act_as_jump(const struct control_start *start)
{
	sessions++;
	if (bytes_equal_string(start->user, "beyond")) {
		send_beyond(start->id);
		return;
	}
	if (bytes_equal_string(start->user, "denied")) {
		send_end(start->id, OUTCOME_AUTH_FAILED, VIA_FINE);
	} else if (!bytes_equal_string(start->user, "never")) {
		send_stage(start->id, STAGE_CARRYING);
	}
}

/* One that goes through a jump host: ends as its user's name says. */
static void act_via(const struct control_start *start)
{
	static const struct {
		const char *user;
		enum control_via via;
	} faults[] = {{"lost", VIA_LOST},
		      {"full", VIA_FULL},
		      {"forbidden", VIA_FORBIDDEN},
		      {"refused", VIA_REFUSED},
		      {"slow", VIA_SLOW}};
	/* "full" is so only where somebody else is carried by the same session. */
	static uint64_t busy;

	starts++;
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		if (bytes_equal_string(start->user, faults[i].user) &&
		    (faults[i].via != VIA_FULL || start->via == busy)) {
			send_end(start->id, OUTCOME_JUMP_FAILED, faults[i].via);
			return;
		}
	}
	send_stage(start->id, STAGE_HANDSHAKE);
	if (bytes_equal_string(start->user, "stay")) {
		busy = start->via;
	} else if (bytes_equal_string(start->user, "crowd")) {
		held[held_count++] = start->id;
		while (held_count == CROWD || (held_count > 0 && starts > CROWD)) {
			send_end(held[--held_count], OUTCOME_CLEAN, VIA_FINE);
			starts = held_count > 0 ? CROWD + 1 : CROWD;
		}
	} else {
		send_end(start->id, OUTCOME_CLEAN, VIA_FINE);
	}
}

static void act(const struct control_start *start, const char *folder)
{
	char user[64];
	struct try_out try = {.user = user};
	struct control_message m;
	uint64_t id = start->id;
	static uint8_t key[256];

	(void)snprintf(user, sizeof(user), "%.*s", (int)start->user.len,
		       (const char *)start->user.data);
	if (strcmp(user, "die") == 0) {
		abort();
	} else if (strcmp(user, "garbage") == 0) {
		send_raw("\0\0\0\4abcd", 8);
		return;
	} else if (strcmp(user, "foreign") == 0) {
		send_closed(id + 1000, "another child's host");
		send_closed(0, "nobody's host");
		send_closed(id, "mine");
		return;
	} else if (strcmp(user, "escape") == 0) {
		send_closed(id, "\033[31mred \\033 \xe2\x80\xae");
		return;
	}
	try.other_session = strcmp(user, "session") == 0;
	try.other_hostkey = strcmp(user, "hostkey") == 0;
	try.no_login = strcmp(user, "nologin") == 0;
	if (strcmp(user, "user") == 0) {
		try.user = "root";
	}
	if (strcmp(user, "key") == 0) {
		try.key = BYTES_LITERAL("\0\0\0\3key");
	}
	if (strcmp(user, "twice") == 0 && start->key[0].len <= sizeof(key)) {
		/* `start` is borrowed from what the next message overwrites. */
		memcpy(key, start->key[0].data, start->key[0].len);
		try.key = bytes_make(key, start->key[0].len);
		ask(start, folder, &try);
		(void)receive(&m);
		try.other_session = true;
	}
	ask(start, folder, &try);
	while (receive(&m) && m.type != CONTROL_SIGNED) {
	}
	send_closed(id, m.type == CONTROL_SIGNED && m.data.payload.len > 0 ? "signed" : "refused");
}

int main(void)
{
	struct control_message m = {.type = CONTROL_READY};
	char folder[512];
	ssize_t len = readlink("/proc/self/exe", folder, sizeof(folder) - 1);

	if (len <= 0) {
		return 1;
	}
	/* Files of the test lie beside its copy of this program. */
	folder[len] = '\0';
	*strrchr(folder, '/') = '\0';
	m.ready = BYTES_LITERAL("fake");
	send_message(&m);
	while (receive(&m)) {
		if (m.type == CONTROL_START) {
			struct control_start start = m.start;

			if (start.jump) {
				act_as_jump(&start);
			} else if (start.via != 0) {
				act_via(&start);
			} else {
				act(&start, folder);
			}
		} else if (m.type == CONTROL_ABORT) {
			send_end(m.abort_id, OUTCOME_NOT_ASKED, VIA_FINE);
		}
	}
	return 0;
}
