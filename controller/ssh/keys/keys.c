// SPDX-License-Identifier: MIT
#include "controller/ssh/keys/keys.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "controller/ssh/helper.h"
#include "controller/ssh/keys/agent.h"
#include "controller/ssh/keys/privkey.h"
#include "controller/ssh/keys/pubkey.h"
#include "controller/ssh/wire.h"
#include "schema/escape.h"

#define CERTIFICATE_MAX 65536U

struct key {
	uint8_t *blob;
	size_t blob_len;
	EVP_PKEY *private; /* NULL: the agent has it */
	char name[256];
};

struct keys {
	bool agent_has_security;
	uv_loop_t *loop;
	struct agent *agent;
	struct key key[KEYS_MAX];
	size_t count;
};

struct waiting {
	keys_signed done;
	void *context;
};

int keys_new(uv_loop_t *loop, struct keys **keys, struct error *err)
{
	*keys = calloc(1, sizeof(**keys));
	if (!*keys) {
		return error_set(err, ERROR_NOMEM, ENOMEM, "no memory for keys");
	}
	(*keys)->loop = loop;
	return 0;
}

void keys_free(struct keys *keys)
{
	if (!keys) {
		return;
	}
	agent_free(keys->agent);
	for (size_t i = 0; i < keys->count; i++) {
		EVP_PKEY_free(keys->key[i].private);
		free(keys->key[i].blob);
	}
	free(keys);
}

size_t keys_count(const struct keys *keys)
{
	return keys->count;
}

struct bytes keys_blob(const struct keys *keys, size_t index)
{
	return bytes_make(keys->key[index].blob, keys->key[index].blob_len);
}

const char *keys_name(const struct keys *keys, size_t index)
{
	return keys->key[index].name;
}

bool keys_is_agents(const struct keys *keys, size_t index)
{
	return !keys->key[index].private;
}

size_t keys_find(const struct keys *keys, struct bytes blob)
{
	for (size_t i = 0; i < keys->count; i++) {
		if (bytes_equal(keys_blob(keys, i), blob)) {
			return i;
		}
	}
	return keys->count;
}

/* Takes a reference to `private` (may be NULL). There already: nothing happens. */
static int add(struct keys *keys, struct bytes blob, EVP_PKEY *private, struct bytes name,
	       struct error *err)
{
	struct key *key = &keys->key[keys->count < KEYS_MAX ? keys->count : 0];

	if (keys_find(keys, blob) < keys->count) {
		return 0;
	}
	if (keys->count == KEYS_MAX) {
		return error_set(err, ERROR_CONFIG, 0, "more than %d keys", KEYS_MAX);
	}
	key->blob = malloc(blob.len);
	if (!key->blob) {
		return error_set(err, ERROR_NOMEM, ENOMEM, "no memory for a key");
	}
	memcpy(key->blob, blob.data, blob.len);
	key->blob_len = blob.len;
	key->private = private;
	if (private) {
		(void)EVP_PKEY_up_ref(private);
	}
	escape_text(name, key->name, sizeof(key->name));
	keys->count++;
	return 0;
}

/* "TYPE BASE64 COMMENT", one line, into a blob for the caller to free. */
static int read_public(const char *path, uint8_t **blob, size_t *blob_len, struct error *err)
{
	uint8_t *text = NULL;
	size_t len = 0;
	char *word, *save = NULL;
	size_t word_len;
	int decoded, result = -1;

	*blob = NULL;
	if (helper_read(path, CERTIFICATE_MAX, &text, &len, err) < 0) {
		return -1;
	}
	(void)strtok_r((char *)text, " \t\n", &save);
	word = strtok_r(NULL, " \t\n", &save);
	word_len = word ? strlen(word) : 0;
	*blob = malloc(word_len + 4);
	decoded = *blob && word_len >= 16
			  ? EVP_DecodeBlock(*blob, (unsigned char *)word, (int)word_len)
			  : -1;
	if (decoded <= 0) {
		free(*blob);
		*blob = NULL;
		error_set(err, ERROR_CONFIG, 0, "%s: not a public key or certificate", path);
		goto out;
	}
	/* EVP_DecodeBlock counts the padding as zeros. */
	*blob_len = (size_t)decoded - (word[word_len - 1] == '=') - (word[word_len - 2] == '=');
	result = 0;
out:
	free(text);
	return result;
}

/*
 * The public key inside a certificate (PROTOCOL.certkeys of OpenSSH): after type and nonce come the
 * fields of the plain key, as many as its type has.
 */
static bool certifies(struct bytes certificate, struct bytes plain)
{
	struct wire_reader c = wire_reader_make(certificate);
	struct wire_reader p = wire_reader_make(plain);
	struct bytes type = wire_read_string(&c);
	struct bytes plain_type = wire_read_string(&p);

	(void)wire_read_string(&c); /* nonce */
	return !c.failed && !p.failed && bytes_has_prefix(type, plain_type) && p.left > 0 &&
	       c.left >= p.left && memcmp(c.at, p.at, p.left) == 0;
}

int keys_add_certificate(struct keys *keys, const char *path, struct error *err)
{
	struct bytes certificate;
	uint8_t *blob = NULL;
	size_t len = 0;
	int result = -1;

	if (read_public(path, &blob, &len, err) < 0) {
		return -1;
	}
	certificate = bytes_make(blob, len);
	if (!pubkey_is_certificate(certificate)) {
		error_set(err, ERROR_CONFIG, 0, "%s: not a certificate", path);
		goto out;
	}
	for (size_t i = 0; i < keys->count; i++) {
		/* The agent signs with a certificate's key under the plain key's blob too. */
		if (keys->key[i].private && certifies(certificate, keys_blob(keys, i))) {
			result = add(keys, certificate, keys->key[i].private,
				     bytes_from_string(path), err);
			goto out;
		}
	}
	error_set(err, ERROR_CONFIG, 0, "%s: certifies none of the keys at hand", path);
out:
	free(blob);
	return result;
}

static int add_own_certificate(struct keys *keys, EVP_PKEY *private, struct bytes plain,
			       const char *path, struct error *err)
{
	char name[4096];
	uint8_t *blob = NULL;
	size_t len = 0;
	int result = 0;

	if ((size_t)snprintf(name, sizeof(name), "%s-cert.pub", path) >= sizeof(name) ||
	    access(name, R_OK) < 0) {
		return 0;
	}
	if (read_public(name, &blob, &len, err) < 0) {
		return -1;
	}
	if (pubkey_is_certificate(bytes_make(blob, len)) &&
	    certifies(bytes_make(blob, len), plain)) {
		result = add(keys, bytes_make(blob, len), private, bytes_from_string(name), err);
	}
	free(blob);
	return result;
}

int keys_add_file(struct keys *keys, const char *path, size_t *first, size_t *count,
		  struct error *err)
{
	EVP_PKEY *private = NULL;
	uint8_t *blob = NULL;
	size_t len = 0, before = keys->count, added = 0;
	int result = -1;

	if (privkey_load(path, &private, err) < 0) {
		return -1;
	}
	if (pubkey_blob(private, &blob, &len, err) < 0) {
		error_prefix(err, "%s", path);
		goto out;
	}
	if (keys_find(keys, bytes_make(blob, len)) < keys->count) {
		before = keys_find(keys, bytes_make(blob, len));
		added = 1;
		result = 0;
	} else if (add_own_certificate(keys, private, bytes_make(blob, len), path, err) == 0 &&
		   add(keys, bytes_make(blob, len), private, bytes_from_string(path), err) == 0) {
		added = keys->count - before;
		result = 0;
	}
out:
	if (first) {
		*first = before;
	}
	if (count) {
		*count = added;
	}
	free(blob);
	EVP_PKEY_free(private);
	return result;
}

static void on_identity(void *context, struct bytes blob, struct bytes comment)
{
	struct keys *keys = context;
	struct bytes type = pubkey_type(blob);
	struct error err;

	if (pubkey_hostkey_algorithms(type) ||
	    (pubkey_is_certificate(blob) && !bytes_has_prefix(type, BYTES_LITERAL("sk-")) &&
	     !bytes_has_prefix(type, BYTES_LITERAL("ssh-dss")))) {
		(void)add(keys, blob, NULL, comment, &err);
	} else if (bytes_has_prefix(type, BYTES_LITERAL("sk-"))) {
		keys->agent_has_security = true;
	}
}

bool keys_agent_has_security(const struct keys *keys)
{
	return keys->agent_has_security;
}

bool keys_is_security_file(const char *path)
{
	uint8_t *blob = NULL;
	struct error ignored;
	char public[4096];
	size_t len = 0;
	bool is = false;

	if ((size_t)snprintf(public, sizeof(public), "%s.pub", path) < sizeof(public) &&
	    read_public(public, &blob, &len, &ignored) == 0) {
		is = bytes_has_prefix(pubkey_type(bytes_make(blob, len)), BYTES_LITERAL("sk-"));
	}
	free(blob);
	return is;
}

int keys_add_agent(struct keys *keys, const char *path, struct error *err)
{
	return keys->agent ? 0 : agent_new(keys->loop, path, on_identity, keys, &keys->agent, err);
}

static void on_agent_signed(void *context, uint64_t token, struct bytes signature)
{
	struct waiting waiting = *(struct waiting *)context;
	struct wire_reader r = wire_reader_make(signature);
	struct bytes value;

	free(context);
	(void)wire_read_string(&r); /* the algorithm's name */
	value = wire_read_string(&r);
	if (!wire_is_done(&r)) {
		value.len = 0;
	}
	waiting.done(waiting.context, token, value);
}

static int ask_agent(struct keys *keys, const struct key *key, struct bytes algorithm,
		     struct bytes data, keys_signed done, void *context, uint64_t token,
		     struct error *err)
{
	struct waiting *waiting = malloc(sizeof(*waiting));
	uint32_t flags = bytes_equal_string(algorithm, "rsa-sha2-512")   ? AGENT_RSA_SHA2_512
			 : bytes_equal_string(algorithm, "rsa-sha2-256") ? AGENT_RSA_SHA2_256
									 : 0;

	if (!waiting) {
		return error_set(err, ERROR_NOMEM, ENOMEM, "no memory to ask ssh-agent");
	}
	*waiting = (struct waiting){done, context};
	if (agent_sign(keys->agent, bytes_make(key->blob, key->blob_len), data, flags,
		       on_agent_signed, waiting, token, err) < 0) {
		free(waiting);
		return -1;
	}
	return 0;
}

void keys_sign(struct keys *keys, size_t index, struct bytes algorithm, struct bytes data,
	       keys_signed done, void *context, uint64_t token)
{
	const struct key *key = &keys->key[index];
	uint8_t *value = NULL;
	struct error err;
	size_t len = 0;

	if (!key->private) {
		if (!keys->agent || bytes_equal_string(algorithm, "ssh-rsa") ||
		    ask_agent(keys, key, algorithm, data, done, context, token, &err) < 0) {
			done(context, token, (struct bytes){NULL, 0});
		}
		return;
	}
	if (privkey_sign(key->private, algorithm, data, &value, &len, &err) < 0) {
		done(context, token, (struct bytes){NULL, 0});
		return;
	}
	done(context, token, bytes_make(value, len));
	free(value);
}
