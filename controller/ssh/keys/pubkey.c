// SPDX-License-Identifier: MIT
#include "controller/ssh/keys/pubkey.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/sha.h>

#include "controller/ssh/wire.h"

#define CERT_SUFFIX "-cert-v01@openssh.com"
#define RSA_BITS_MIN 2048 /* OpenSSH's RequiredRSASize has been 1024 and is 2048 in Fedora */
#define RSA_BITS_MAX 16384

struct curve {
	const char *type;    /* of the key and of its signatures */
	const char *name;    /* in the blob, RFC 5656 section 10.1 */
	const char *openssl; /* group name */
	size_t field;        /* bytes of a coordinate */
};

static const struct curve curves[] = {
	{"ecdsa-sha2-nistp256", "nistp256", "prime256v1", 32},
	{"ecdsa-sha2-nistp384", "nistp384", "secp384r1", 48},
	{"ecdsa-sha2-nistp521", "nistp521", "secp521r1", 66},
};
#define CURVES (sizeof(curves) / sizeof(curves[0]))

struct bytes pubkey_type(struct bytes blob)
{
	struct wire_reader r = wire_reader_make(blob);
	struct bytes type = wire_read_string(&r);

	for (size_t i = 0; i < type.len; i++) {
		if (type.data[i] <= ' ' || type.data[i] > '~') {
			return (struct bytes){NULL, 0};
		}
	}
	return type;
}

static bool ends_with(struct bytes text, const char *suffix)
{
	size_t len = strlen(suffix);

	return text.len >= len && memcmp(text.data + text.len - len, suffix, len) == 0;
}

bool pubkey_is_certificate(struct bytes blob)
{
	return ends_with(pubkey_type(blob), CERT_SUFFIX);
}

const char *pubkey_hostkey_algorithms(struct bytes type)
{
	if (bytes_equal_string(type, "ssh-ed25519")) {
		return "ssh-ed25519";
	}
	if (bytes_equal_string(type, "ssh-rsa")) {
		return "rsa-sha2-512,rsa-sha2-256";
	}
	for (size_t i = 0; i < CURVES; i++) {
		if (bytes_equal_string(type, curves[i].type)) {
			return curves[i].type;
		}
	}
	return NULL;
}

void pubkey_fingerprint(struct bytes blob, char to[PUBKEY_FINGERPRINT_SIZE])
{
	uint8_t digest[SHA256_DIGEST_LENGTH];
	char text[64];
	size_t len;

	(void)SHA256(blob.len > 0 ? blob.data : (const uint8_t *)"", blob.len, digest);
	len = (size_t)EVP_EncodeBlock((unsigned char *)text, digest, sizeof(digest));
	while (len > 0 && text[len - 1] == '=') {
		len--;
	}
	(void)snprintf(to, PUBKEY_FINGERPRINT_SIZE, "SHA256:%.*s", (int)len, text);
}

static EVP_PKEY *from_params(const char *name, OSSL_PARAM_BLD *builder)
{
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(builder);
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, name, NULL);
	EVP_PKEY *key = NULL;

	if (params && context && EVP_PKEY_fromdata_init(context) == 1 &&
	    EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params) != 1) {
		key = NULL;
	}
	EVP_PKEY_CTX_free(context);
	OSSL_PARAM_free(params);
	return key;
}

static EVP_PKEY *open_rsa(struct wire_reader *r)
{
	struct bytes e = wire_read_string(r);
	struct bytes n = wire_read_string(r);
	OSSL_PARAM_BLD *builder = NULL;
	BIGNUM *exponent = NULL, *modulus = NULL;
	EVP_PKEY *key = NULL;

	if (!wire_is_done(r) || e.len == 0 || e.len > 8 || n.len > RSA_BITS_MAX / 8 + 1) {
		return NULL;
	}
	exponent = BN_bin2bn(e.data, (int)e.len, NULL);
	modulus = BN_bin2bn(n.data, (int)n.len, NULL);
	builder = OSSL_PARAM_BLD_new();
	if (exponent && modulus && builder && BN_num_bits(modulus) >= RSA_BITS_MIN &&
	    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, modulus) == 1 &&
	    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, exponent) == 1) {
		key = from_params("RSA", builder);
	}
	OSSL_PARAM_BLD_free(builder);
	BN_free(exponent);
	BN_free(modulus);
	return key;
}

static EVP_PKEY *open_ec(struct wire_reader *r, const struct curve *curve)
{
	struct bytes name = wire_read_string(r);
	struct bytes point = wire_read_string(r);
	OSSL_PARAM_BLD *builder = NULL;
	EVP_PKEY *key = NULL;

	if (!wire_is_done(r) || !bytes_equal_string(name, curve->name) ||
	    point.len != 2 * curve->field + 1) {
		return NULL;
	}
	builder = OSSL_PARAM_BLD_new();
	if (builder &&
	    OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, curve->openssl,
					    0) == 1 &&
	    OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point.data,
					     point.len) == 1) {
		key = from_params("EC", builder);
	}
	OSSL_PARAM_BLD_free(builder);
	return key;
}

EVP_PKEY *pubkey_open(struct bytes blob)
{
	struct wire_reader r = wire_reader_make(blob);
	struct bytes type = wire_read_string(&r);

	if (bytes_equal_string(type, "ssh-ed25519")) {
		struct bytes point = wire_read_string(&r);

		return wire_is_done(&r) && point.len == 32
			       ? EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, point.data, 32)
			       : NULL;
	}
	if (bytes_equal_string(type, "ssh-rsa")) {
		return open_rsa(&r);
	}
	for (size_t i = 0; i < CURVES; i++) {
		if (bytes_equal_string(type, curves[i].type)) {
			return open_ec(&r, &curves[i]);
		}
	}
	return NULL;
}

static bool write_rsa(const EVP_PKEY *key, struct wire_writer *w)
{
	BIGNUM *n = NULL, *e = NULL;
	uint8_t number[RSA_BITS_MAX / 8];
	bool ok = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n) == 1 &&
		  EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e) == 1 &&
		  (size_t)BN_num_bytes(n) <= sizeof(number);

	if (ok) {
		wire_write_string(w, BYTES_LITERAL("ssh-rsa"));
		wire_write_mpint(w, bytes_make(number, (size_t)BN_bn2bin(e, number)));
		wire_write_mpint(w, bytes_make(number, (size_t)BN_bn2bin(n, number)));
	}
	BN_free(n);
	BN_free(e);
	return ok;
}

static bool write_ec(const EVP_PKEY *key, struct wire_writer *w)
{
	char group[64];
	uint8_t point[256];
	size_t len = 0;

	if (EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof(group),
					   NULL) != 1 ||
	    EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point),
					    &len) != 1) {
		return false;
	}
	for (size_t i = 0; i < CURVES; i++) {
		if (strcmp(group, curves[i].openssl) == 0 && len == 2 * curves[i].field + 1) {
			wire_write_string(w, bytes_from_string(curves[i].type));
			wire_write_string(w, bytes_from_string(curves[i].name));
			wire_write_string(w, bytes_make(point, len));
			return true;
		}
	}
	return false;
}

int pubkey_blob(const EVP_PKEY *key, uint8_t **blob, size_t *len, struct error *err)
{
	uint8_t room[RSA_BITS_MAX / 8 + 64];
	struct wire_writer w = {.data = room, .room = sizeof(room)};
	uint8_t point[32];
	size_t point_len = sizeof(point);
	bool ok = false;

	switch (EVP_PKEY_get_base_id(key)) {
	case EVP_PKEY_ED25519:
		ok = EVP_PKEY_get_raw_public_key(key, point, &point_len) == 1;
		wire_write_string(&w, BYTES_LITERAL("ssh-ed25519"));
		wire_write_string(&w, bytes_make(point, point_len));
		break;
	case EVP_PKEY_RSA:
		ok = write_rsa(key, &w);
		break;
	case EVP_PKEY_EC:
		ok = write_ec(key, &w);
		break;
	default:
		break;
	}
	if (!ok || w.overflow) {
		return error_set(err, ERROR_CONFIG, 0,
				 "a key of a kind that is not used: ed25519, ecdsa and rsa are");
	}
	*blob = malloc(w.len);
	if (!*blob) {
		return error_set(err, ERROR_NOMEM, ENOMEM, "no memory for a key");
	}
	memcpy(*blob, room, w.len);
	*len = w.len;
	return 0;
}

const EVP_MD *pubkey_digest(struct bytes algorithm, bool *none)
{
	*none = bytes_equal_string(algorithm, "ssh-ed25519");
	if (bytes_equal_string(algorithm, "rsa-sha2-512") ||
	    bytes_equal_string(algorithm, "ecdsa-sha2-nistp521")) {
		return EVP_sha512();
	}
	if (bytes_equal_string(algorithm, "rsa-sha2-256") ||
	    bytes_equal_string(algorithm, "ecdsa-sha2-nistp256")) {
		return EVP_sha256();
	}
	return bytes_equal_string(algorithm, "ecdsa-sha2-nistp384") ? EVP_sha384() : NULL;
}

/* mpint r, mpint s as OpenSSL wants them. */
static int ecdsa_to_der(struct bytes value, unsigned char **der)
{
	struct wire_reader r = wire_reader_make(value);
	struct bytes first = wire_read_string(&r);
	struct bytes second = wire_read_string(&r);
	ECDSA_SIG *signature = ECDSA_SIG_new();
	BIGNUM *a = NULL, *b = NULL;
	int len = -1;

	if (!wire_is_done(&r) || !signature || first.len > 67 || second.len > 67) {
		goto out;
	}
	a = BN_bin2bn(first.data, (int)first.len, NULL);
	b = BN_bin2bn(second.data, (int)second.len, NULL);
	if (!a || !b || ECDSA_SIG_set0(signature, a, b) != 1) {
		goto out;
	}
	a = NULL; /* now the signature's */
	b = NULL;
	len = i2d_ECDSA_SIG(signature, der);
out:
	BN_free(a);
	BN_free(b);
	ECDSA_SIG_free(signature);
	return len;
}

static bool algorithm_fits(struct bytes type, struct bytes algorithm)
{
	if (bytes_equal_string(type, "ssh-rsa")) {
		return bytes_equal_string(algorithm, "rsa-sha2-256") ||
		       bytes_equal_string(algorithm, "rsa-sha2-512");
	}
	return bytes_equal(type, algorithm);
}

bool pubkey_verify(struct bytes blob, struct bytes signature, struct bytes data)
{
	struct wire_reader r = wire_reader_make(signature);
	struct bytes algorithm = wire_read_string(&r);
	struct bytes value = wire_read_string(&r);
	EVP_MD_CTX *context = NULL;
	unsigned char *der = NULL;
	EVP_PKEY *key = NULL;
	const EVP_MD *md;
	bool none, good = false;

	if (!wire_is_done(&r) || !algorithm_fits(pubkey_type(blob), algorithm)) {
		return false;
	}
	md = pubkey_digest(algorithm, &none);
	key = pubkey_open(blob);
	context = EVP_MD_CTX_new();
	if (!key || !context || (!md && !none)) {
		goto out;
	}
	if (EVP_PKEY_get_base_id(key) == EVP_PKEY_EC) {
		int len = ecdsa_to_der(value, &der);

		if (len <= 0) {
			goto out;
		}
		value = bytes_make(der, (size_t)len);
	}
	good = EVP_DigestVerifyInit(context, NULL, md, NULL, key) == 1 &&
	       EVP_DigestVerify(context, value.data, value.len, data.data, data.len) == 1;
out:
	OPENSSL_free(der);
	EVP_MD_CTX_free(context);
	EVP_PKEY_free(key);
	return good;
}
