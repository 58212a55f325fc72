// SPDX-License-Identifier: MIT
#include "baselines/signature/vendor_keys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "baselines/signature/armour.h"

#define NAME_ROOM 4096

struct vendor_keys {
	struct trust *trust;
	uint8_t (*ids)[OPENPGP_ID_SIZE];
	size_t id_count;
	uint8_t *ring;
	size_t ring_len;
	size_t usual_len; /* of the version 4 keys, which stand first */
	struct digest digest;
};

/* Where key files stand: in a repository's keys/, or in a folder. */
struct source {
	struct repository *repository; /* or NULL */
	const char *folder;
};

static int no_memory(struct error *err)
{
	return error_set(err, ERROR_NOMEM, 0, "no memory for keys");
}

/* Files */

static int read_file(const char *path, uint8_t **data, size_t *len, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), result = -1;
	struct stat st;
	ssize_t got = 0;

	*data = NULL;
	*len = 0;
	if (fd < 0 || fstat(fd, &st) < 0) {
		(void)error_set(err, ERROR_CONFIG, errno, "%s: %s", path, strerror(errno));
		goto out;
	}
	if (!S_ISREG(st.st_mode) || st.st_size > (off_t)VENDOR_KEY_FILE_MAX) {
		(void)error_set(err, ERROR_CONFIG, 0, "%s: no regular file of at most %zu bytes",
				path, VENDOR_KEY_FILE_MAX);
		goto out;
	}
	*data = malloc((size_t)st.st_size + 1);
	if (!*data) {
		(void)no_memory(err);
		goto out;
	}
	while (*len < (size_t)st.st_size &&
	       ((got = read(fd, *data + *len, (size_t)st.st_size - *len)) > 0 ||
		(got < 0 && errno == EINTR))) {
		*len += got > 0 ? (size_t)got : 0;
	}
	if (got < 0) {
		(void)error_set(err, ERROR_CONFIG, errno, "%s: %s", path, strerror(errno));
		goto out;
	}
	result = 0;
out:
	if (fd >= 0) {
		(void)close(fd);
	}
	if (result < 0) {
		free(*data);
		*data = NULL;
	}
	return result;
}

/* In memory of the caller's. */
static int read_beside(const struct source *source, const char *name, uint8_t **data, size_t *len,
		       struct error *err)
{
	struct repository_blob blob;
	char path[NAME_ROOM];
	bool found;

	*data = NULL;
	*len = 0;
	(void)snprintf(path, sizeof(path), "%s/%s", source->folder, name);
	if (!source->repository) {
		return read_file(path, data, len, err);
	}
	if (repository_read(source->repository, path, VENDOR_KEY_FILE_MAX, &blob, &found, err) <
	    0) {
		return -1;
	}
	if (!found) {
		return error_set(err, ERROR_CONFIG, 0,
				 "%s is not in the baseline: put the key there and commit it",
				 path);
	}
	*data = malloc(blob.content.len + 1);
	if (*data && blob.content.len > 0) {
		memcpy(*data, blob.content.data, blob.content.len);
	}
	*len = blob.content.len;
	repository_blob_close(&blob);
	return *data ? 0 : no_memory(err);
}

/* Keys of a file */

static int add_id(struct vendor_keys *keys, const uint8_t id[OPENPGP_ID_SIZE], struct error *err)
{
	uint8_t(*grown)[OPENPGP_ID_SIZE] =
		realloc(keys->ids, (keys->id_count + 1) * sizeof(*keys->ids));

	if (!grown) {
		return no_memory(err);
	}
	keys->ids = grown;
	memcpy(keys->ids[keys->id_count++], id, OPENPGP_ID_SIZE);
	return 0;
}

/*
 * gpgv gives up its search at the first key of a version that it does not know ("keydb_search
 * failed"), and would find none of those behind it: what every gpgv knows goes first.
 */
static int add_to_ring(struct vendor_keys *keys, struct bytes packets, bool is_usual,
		       struct error *err)
{
	uint8_t *grown = realloc(keys->ring, keys->ring_len + packets.len);
	size_t at = is_usual ? keys->usual_len : keys->ring_len;

	if (!grown) {
		return no_memory(err);
	}
	memmove(grown + at + packets.len, grown + at, keys->ring_len - at);
	memcpy(grown + at, packets.data, packets.len);
	keys->ring = grown;
	keys->ring_len += packets.len;
	keys->usual_len += is_usual ? packets.len : 0;
	return 0;
}

/* Whether the key or one of its subkeys is the one that is meant. */
static bool holds(struct bytes block, const char *fingerprint)
{
	char text[OPENPGP_FINGERPRINT_SIZE];
	uint8_t id[OPENPGP_ID_SIZE];
	struct openpgp_packet packet;

	while (openpgp_next(&block, &packet) > 0) {
		if (openpgp_key_read(&packet, text, id) && strcmp(text, fingerprint) == 0) {
			return true;
		}
	}
	return false;
}

static int add_block(struct vendor_keys *keys, struct bytes block, struct error *err)
{
	char text[OPENPGP_FINGERPRINT_SIZE];
	uint8_t id[OPENPGP_ID_SIZE];
	struct openpgp_packet packet;
	struct bytes rest = block;
	bool is_usual = true;

	while (openpgp_next(&rest, &packet) > 0) {
		if (openpgp_key_read(&packet, text, id)) {
			is_usual = is_usual && packet.body.data[0] == 4;
			if (add_id(keys, id, err) < 0) {
				return -1;
			}
		}
	}
	return add_to_ring(keys, block, is_usual, err);
}

static int take_key(struct vendor_keys *keys, const struct trust_key *key, struct bytes packets,
		    struct error *err)
{
	struct bytes block;
	int next;

	while ((next = openpgp_next_key(&packets, &block)) > 0) {
		if (holds(block, key->fingerprint)) {
			return add_block(keys, block, err);
		}
	}
	return next < 0 ? error_set(err, ERROR_CONFIG, 0, "%s: %s holds no whole OpenPGP packets",
				    key->source, key->file)
			: error_set(err, ERROR_CONFIG, 0, "%s: %s holds no key %s", key->source,
				    key->file, key->fingerprint);
}

static int read_key(struct vendor_keys *keys, const struct source *source,
		    const struct trust_key *key, struct error *err)
{
	uint8_t *data = NULL, *plain = NULL;
	struct bytes packets;
	size_t len = 0;
	int result = -1;

	if (read_beside(source, key->file, &data, &len, err) < 0) {
		return error_prefix(err, "%s", key->source);
	}
	packets = bytes_make(data, len);
	if (armour_is(packets)) {
		plain = malloc(len + 1);
		if (!plain) {
			(void)no_memory(err);
			goto out;
		}
		if (!armour_undo(packets, plain, &len)) {
			(void)error_set(err, ERROR_CONFIG, 0, "%s: %s: its armour is broken",
					key->source, key->file);
			goto out;
		}
		packets = bytes_make(plain, len);
	}
	result = take_key(keys, key, packets, err);
out:
	free(plain);
	free(data);
	return result;
}

/* Each string with its NUL, each list with its count: no two lists have the same bytes. */
static bool hash_words(EVP_MD_CTX *context, const char *const *words, size_t count)
{
	uint32_t number = (uint32_t)count;
	uint8_t head[4] = {(uint8_t)(number >> 24), (uint8_t)(number >> 16), (uint8_t)(number >> 8),
			   (uint8_t)number};
	bool ok = EVP_DigestUpdate(context, head, sizeof(head)) == 1;

	for (size_t i = 0; ok && i < count; i++) {
		ok = EVP_DigestUpdate(context, words[i], strlen(words[i]) + 1) == 1;
	}
	return ok;
}

static int make_digest(struct vendor_keys *keys, struct error *err)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool ok = context && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1;

	for (size_t i = 0; ok && i < keys->trust->count; i++) {
		const struct trust_key *key = &keys->trust->item[i];

		ok = hash_words(context, &key->fingerprint, 1) &&
		     hash_words(context, (const char *const *)key->origins.item,
				key->origins.count) &&
		     hash_words(context, (const char *const *)key->packages.item,
				key->packages.count);
	}
	ok = ok && hash_words(context, NULL, 0) &&
	     EVP_DigestUpdate(context, keys->ring ? keys->ring : (const uint8_t *)"",
			      keys->ring_len) == 1 &&
	     EVP_DigestFinal_ex(context, keys->digest.bytes, NULL) == 1;
	EVP_MD_CTX_free(context);
	return ok ? 0 : error_set(err, ERROR_SYSTEM, 0, "OpenSSL computes no SHA-256");
}

/*
 * To see where a key ends gpgv reads on, and gives that key up as well where what follows is of a version
 * that it does not know: the first key stands once more behind the last of those that it knows.
 */
static int part_ring(struct vendor_keys *keys, struct error *err)
{
	struct bytes rest = bytes_make(keys->ring, keys->usual_len), first;
	uint8_t *copy;
	int result;

	if (keys->usual_len == keys->ring_len || openpgp_next_key(&rest, &first) <= 0) {
		return 0;
	}
	copy = malloc(first.len);
	if (!copy) {
		return no_memory(err);
	}
	memcpy(copy, first.data, first.len);
	result = add_to_ring(keys, bytes_make(copy, first.len), true, err);
	free(copy);
	return result;
}

/* Takes over the list. */
static int make(struct trust *trust, const struct source *source, struct vendor_keys **keys,
		struct error *err)
{
	struct vendor_keys *made = calloc(1, sizeof(*made));
	int result = 0;

	if (!made) {
		trust_free(trust);
		return no_memory(err);
	}
	made->trust = trust;
	for (size_t i = 0; result == 0 && i < trust->count; i++) {
		result = read_key(made, source, &trust->item[i], err);
	}
	if (result < 0 || part_ring(made, err) < 0 || make_digest(made, err) < 0) {
		vendor_keys_free(made);
		return -1;
	}
	*keys = made;
	return 0;
}

int vendor_keys_of_repository(struct repository *repository, struct vendor_keys **keys,
			      struct error *err)
{
	const struct source source = {.repository = repository, .folder = TRUST_FOLDER};
	struct trust *trust = NULL;

	return trust_read(repository, &trust, err) < 0 ? -1 : make(trust, &source, keys, err);
}

int vendor_keys_of_folder(const char *folder, struct vendor_keys **keys, struct error *err)
{
	const struct source source = {.folder = folder};
	struct trust *trust = NULL;
	char name[NAME_ROOM];
	uint8_t *data = NULL;
	size_t len;
	int result;

	(void)snprintf(name, sizeof(name), "%s/keys.yaml", folder);
	if (read_file(name, &data, &len, err) < 0) {
		return -1;
	}
	result = trust_parse(name, bytes_make(data, len), &trust, err);
	free(data);
	return result < 0 ? -1 : make(trust, &source, keys, err);
}

int vendor_keys_none(struct vendor_keys **keys, struct error *err)
{
	const struct source nowhere = {.folder = ""};
	struct trust *trust = NULL;

	return trust_parse("no keys", bytes_make("", 0), &trust, err) < 0
		       ? -1
		       : make(trust, &nowhere, keys, err);
}

void vendor_keys_free(struct vendor_keys *keys)
{
	if (keys) {
		trust_free(keys->trust);
		free(keys->ids);
		free(keys->ring);
		free(keys);
	}
}

const struct trust *vendor_keys_trust(const struct vendor_keys *keys)
{
	return keys->trust;
}

size_t vendor_keys_count(const struct vendor_keys *keys)
{
	return keys->trust->count;
}

const struct trust_key *vendor_keys_find(const struct vendor_keys *keys, const char *primary,
					 const char *signer)
{
	const struct trust_key *key = trust_find(keys->trust, primary);

	return key ? key : trust_find(keys->trust, signer);
}

bool vendor_keys_has_id(const struct vendor_keys *keys, const uint8_t id[OPENPGP_ID_SIZE])
{
	for (size_t i = 0; i < keys->id_count; i++) {
		if (memcmp(keys->ids[i], id, OPENPGP_ID_SIZE) == 0) {
			return true;
		}
	}
	return false;
}

bool vendor_keys_may_prove(const struct trust_key *key, struct bytes package)
{
	char name[NAME_ROOM];

	if (package.len >= sizeof(name)) {
		return false;
	}
	memcpy(name, package.data, package.len);
	name[package.len] = '\0';
	return trust_proves(key, vendor_keys_origin(key), name);
}

const char *vendor_keys_origin(const struct trust_key *key)
{
	return key->origins.item[0];
}

const struct digest *vendor_keys_digest(const struct vendor_keys *keys)
{
	return &keys->digest;
}

struct bytes vendor_keys_ring(const struct vendor_keys *keys)
{
	return bytes_make(keys->ring, keys->ring_len);
}
