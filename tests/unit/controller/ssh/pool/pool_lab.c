// SPDX-License-Identifier: MIT
#include "tests/unit/controller/ssh/pool/pool_lab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <cmocka.h>

#include "controller/ssh/keys/privkey.h"
#include "controller/ssh/keys/pubkey.h"
#include "controller/ssh/wire.h"

static char folder[] = "/tmp/muster-pool.XXXXXX";

const char *pool_lab_file(const char *name)
{
	static char path[4][256];
	static unsigned next;
	char *to = path[next++ % 4];

	(void)snprintf(to, sizeof(path[0]), "%s/%s", folder, name);
	return to;
}

static bool write_file(const char *name, const void *data, size_t len)
{
	FILE *out = fopen(pool_lab_file(name), "w");
	bool ok = out && fwrite(data, 1, len, out) == len;

	return out && fclose(out) == 0 && ok;
}

/* A host key, and its signature over the session id that the fake sends. */
static bool make_hostkey(const char *key_name, const char *signature_name, char *known, size_t room)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	uint8_t session[32], *blob = NULL, *value = NULL, signature[256], text[256];
	struct wire_writer w = {.data = signature, .room = sizeof(signature)};
	struct error err;
	size_t len = 0, value_len = 0;
	bool ok;

	memset(session, 's', sizeof(session));
	ok = key && pubkey_blob(key, &blob, &len, &err) == 0 &&
	     privkey_sign(key, BYTES_LITERAL("ssh-ed25519"), bytes_make(session, sizeof(session)),
			  &value, &value_len, &err) == 0;
	if (ok) {
		wire_write_string(&w, BYTES_LITERAL("ssh-ed25519"));
		wire_write_string(&w, bytes_make(value, value_len));
		(void)EVP_EncodeBlock(text, blob, (int)len);
		(void)snprintf(known, room, "127.0.0.1 ssh-ed25519 %s\n", (const char *)text);
		ok = write_file(key_name, blob, len) &&
		     write_file(signature_name, signature, w.len);
	}
	free(blob);
	free(value);
	EVP_PKEY_free(key);
	return ok;
}

int pool_lab_set_up(void **state)
{
	char known[512], ignored[512], command[1024];
	EVP_PKEY *key = NULL;
	FILE *out = NULL;
	bool ok;

	(void)state;
	if (!mkdtemp(folder)) {
		return -1;
	}
	(void)snprintf(command, sizeof(command), "cp %s %s", FAKE_MUSTER_SSH,
		       pool_lab_file("muster-ssh"));
	ok = system(command) == 0 && // NOLINT(cert-env33-c): fixed paths
	     make_hostkey("hostkey", "signature", known, sizeof(known)) &&
	     make_hostkey("otherkey", "othersignature", ignored, sizeof(ignored)) &&
	     write_file("known_hosts", known, strlen(known)) && write_file("probe-x", "x", 1);
	key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	out = fopen(pool_lab_file("id"), "w");
	ok = ok && key && out && PEM_write_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL) == 1;
	if (out) {
		ok = fclose(out) == 0 && ok;
	}
	EVP_PKEY_free(key);
	return ok && chmod(pool_lab_file("id"), 0600) == 0 ? 0 : -1;
}

int pool_lab_tear_down(void **state)
{
	static const char *const names[] = {
		"muster-ssh",     "hostkey",     "signature", "otherkey",
		"othersignature", "known_hosts", "probe-x",   "id"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)unlink(pool_lab_file(names[i]));
	}
	return rmdir(folder);
}

static void on_frame(void *context, struct bytes payload)
{
	(void)context;
	(void)payload;
	fail_msg("no frame was due");
}

static void on_closed(void *context, const struct channel_close *close)
{
	struct pool_lab *lab = context;

	lab->closed++;
	lab->clean += close->outcome == OUTCOME_CLEAN;
	lab->last = *close;
	(void)snprintf(lab->by, sizeof(lab->by), "%s", close->transport ? close->transport : "");
}

void pool_lab_open_of(struct pool_lab *lab, size_t jump_channels)
{
	const char *identity = pool_lab_file("id"), *known = pool_lab_file("known_hosts"),
		   *probe = pool_lab_file("probe-x");
	struct pool_options options = {
		.children = 1,
		.identities = &identity,
		.identity_count = 1,
		.no_agent = true,
		.known_hosts = &known,
		.known_hosts_count = 1,
		.no_ssh_config = true,
		.helper = pool_lab_file("muster-ssh"),
		.guard = "/bin/false", /* ssh never begins */
		.probes = &probe,
		.probe_count = 1,
		.jump_channels = jump_channels,
	};
	struct error err = {0};

	*lab = (struct pool_lab){.closed = 0};
	assert_int_equal(uv_loop_init(&lab->loop), 0);
	if (pool_new(&lab->loop, &options, &lab->transport, &err) < 0) {
		fail_msg("%s", err.msg);
	}
}

void pool_lab_open(struct pool_lab *lab)
{
	pool_lab_open_of(lab, 0);
}

void pool_lab_close(struct pool_lab *lab)
{
	lab->transport->free(lab->transport);
	assert_int_equal(uv_run(&lab->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&lab->loop), 0);
}

struct channel *pool_lab_target(struct pool_lab *lab, const struct target *target)
{
	static const struct channel_handler handler = {.frame = on_frame, .closed = on_closed};
	struct channel *channel = NULL;
	struct error err = {0};

	assert_int_equal(
		lab->transport->open(lab->transport, target, &handler, lab, &channel, &err), 0);
	return channel;
}

struct channel *pool_lab_host(struct pool_lab *lab, const char *name, const char *user)
{
	return pool_lab_target(lab, &(struct target){.name = name, .user = user});
}
