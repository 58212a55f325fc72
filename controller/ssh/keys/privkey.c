// SPDX-License-Identifier: MIT
#include "controller/ssh/keys/privkey.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>

#include "controller/ssh/helper.h"
#include "controller/ssh/keys/pubkey.h"
#include "controller/ssh/wire.h"

#define FILE_MAX 65536U
#define OPENSSH_BEGIN "-----BEGIN OPENSSH PRIVATE KEY-----"
#define OPENSSH_END "-----END OPENSSH PRIVATE KEY-----"
#define OPENSSH_MAGIC "openssh-key-v1" /* and its NUL */
#define PASSPHRASE_HINT \
	"is protected by a passphrase: load it into ssh-agent (ssh-add) and run again"

static EVP_PKEY *from_params(const char *name, OSSL_PARAM_BLD *builder)
{
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(builder);
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, name, NULL);
	EVP_PKEY *key = NULL;

	if (params && context && EVP_PKEY_fromdata_init(context) == 1 &&
	    EVP_PKEY_fromdata(context, &key, EVP_PKEY_KEYPAIR, params) != 1) {
		key = NULL;
	}
	EVP_PKEY_CTX_free(context);
	OSSL_PARAM_free(params);
	return key;
}

static EVP_PKEY *read_ed25519(struct wire_reader *r)
{
	struct bytes point = wire_read_string(r);
	struct bytes seed = wire_read_string(r);

	return !r->failed && point.len == 32 && seed.len == 64
		       ? EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed.data, 32)
		       : NULL;
}

static BIGNUM *read_number(struct wire_reader *r)
{
	struct bytes number = wire_read_string(r);

	return r->failed || number.len > 4096 ? NULL
					      : BN_bin2bn(number.data, (int)number.len, NULL);
}

enum rsa_number { RSA_N, RSA_E, RSA_D, RSA_IQMP, RSA_P, RSA_Q, RSA_DMP1, RSA_DMQ1, RSA_NUMBERS };

/* d mod (p - 1) and d mod (q - 1): not in the file, and without them signing is four times slower. */
static bool make_exponents(BIGNUM *number[RSA_NUMBERS])
{
	BN_CTX *context = BN_CTX_new();
	BIGNUM *less = BN_new();
	bool ok;

	number[RSA_DMP1] = BN_new();
	number[RSA_DMQ1] = BN_new();
	ok = context && less && number[RSA_DMP1] && number[RSA_DMQ1] &&
	     BN_sub(less, number[RSA_P], BN_value_one()) == 1 && !BN_is_zero(less) &&
	     BN_mod(number[RSA_DMP1], number[RSA_D], less, context) == 1 &&
	     BN_sub(less, number[RSA_Q], BN_value_one()) == 1 && !BN_is_zero(less) &&
	     BN_mod(number[RSA_DMQ1], number[RSA_D], less, context) == 1;
	BN_clear_free(less);
	BN_CTX_free(context);
	return ok;
}

static EVP_PKEY *read_rsa(struct wire_reader *r)
{
	static const char *const names[RSA_NUMBERS] = {
		[RSA_N] = OSSL_PKEY_PARAM_RSA_N,
		[RSA_E] = OSSL_PKEY_PARAM_RSA_E,
		[RSA_D] = OSSL_PKEY_PARAM_RSA_D,
		[RSA_IQMP] = OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
		[RSA_P] = OSSL_PKEY_PARAM_RSA_FACTOR1,
		[RSA_Q] = OSSL_PKEY_PARAM_RSA_FACTOR2,
		[RSA_DMP1] = OSSL_PKEY_PARAM_RSA_EXPONENT1,
		[RSA_DMQ1] = OSSL_PKEY_PARAM_RSA_EXPONENT2,
	};
	BIGNUM *number[RSA_NUMBERS] = {NULL};
	OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	EVP_PKEY *key = NULL;
	bool ok = builder != NULL;

	for (size_t i = 0; i < RSA_DMP1; i++) {
		number[i] = read_number(r);
		ok = ok && number[i];
	}
	ok = ok && make_exponents(number);
	for (size_t i = 0; ok && i < RSA_NUMBERS; i++) {
		ok = OSSL_PARAM_BLD_push_BN(builder, names[i], number[i]) == 1;
	}
	if (ok) {
		key = from_params("RSA", builder);
	}
	for (size_t i = 0; i < RSA_NUMBERS; i++) {
		BN_clear_free(number[i]);
	}
	OSSL_PARAM_BLD_free(builder);
	return key;
}

static EVP_PKEY *read_ecdsa(struct wire_reader *r)
{
	struct bytes curve = wire_read_string(r);
	struct bytes point = wire_read_string(r);
	BIGNUM *secret = read_number(r);
	OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	const char *group = bytes_equal_string(curve, "nistp256")   ? "prime256v1"
			    : bytes_equal_string(curve, "nistp384") ? "secp384r1"
			    : bytes_equal_string(curve, "nistp521") ? "secp521r1"
								    : NULL;
	EVP_PKEY *key = NULL;

	if (secret && builder && group &&
	    OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, group, 0) == 1 &&
	    OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point.data,
					     point.len) == 1 &&
	    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_PRIV_KEY, secret) == 1) {
		key = from_params("EC", builder);
	}
	OSSL_PARAM_BLD_free(builder);
	BN_clear_free(secret);
	return key;
}

static int read_openssh(struct bytes blob, const char *name, EVP_PKEY **key, struct error *err)
{
	struct wire_reader r = wire_reader_make(blob);
	struct bytes magic = wire_read(&r, sizeof(OPENSSH_MAGIC));
	struct bytes cipher = wire_read_string(&r);
	struct bytes secret, type;
	uint32_t check;

	(void)wire_read_string(&r); /* kdf */
	(void)wire_read_string(&r); /* its options */
	if (r.failed || !bytes_equal(magic, bytes_make(OPENSSH_MAGIC, sizeof(OPENSSH_MAGIC))) ||
	    wire_read_u32(&r) != 1) {
		return error_set(err, ERROR_CONFIG, 0, "%s: not a private key", name);
	}
	if (!bytes_equal_string(cipher, "none")) {
		return error_set(err, ERROR_CONFIG, 0, "%s " PASSPHRASE_HINT, name);
	}
	(void)wire_read_string(&r); /* public key */
	secret = wire_read_string(&r);
	if (!wire_is_done(&r)) {
		return error_set(err, ERROR_CONFIG, 0, "%s: a damaged private key", name);
	}
	r = wire_reader_make(secret);
	check = wire_read_u32(&r);
	if (check != wire_read_u32(&r)) {
		return error_set(err, ERROR_CONFIG, 0, "%s: a damaged private key", name);
	}
	type = wire_read_string(&r);
	*key = NULL;
	if (bytes_equal_string(type, "ssh-ed25519")) {
		*key = read_ed25519(&r);
	} else if (bytes_equal_string(type, "ssh-rsa")) {
		*key = read_rsa(&r);
	} else if (bytes_has_prefix(type, BYTES_LITERAL("ecdsa-sha2-"))) {
		*key = read_ecdsa(&r);
	}
	return *key ? 0
		    : error_set(err, ERROR_CONFIG, 0,
				"%s: a key that is not used: ed25519, ecdsa and rsa are", name);
}

static int parse_openssh(struct bytes text, const char *name, EVP_PKEY **key, struct error *err)
{
	const uint8_t *from = text.data + sizeof(OPENSSH_BEGIN) - 1;
	const uint8_t *to = memmem(from, text.len - (sizeof(OPENSSH_BEGIN) - 1), OPENSSH_END,
				   sizeof(OPENSSH_END) - 1);
	EVP_ENCODE_CTX *context = EVP_ENCODE_CTX_new();
	unsigned char *blob = NULL;
	int len = 0, last = 0, result = -1;

	if (!to || !context) {
		error_set(err, ERROR_CONFIG, 0, "%s: a private key without its end", name);
		goto out;
	}
	blob = malloc((size_t)(to - from) + 1);
	if (!blob) {
		error_set(err, ERROR_NOMEM, ENOMEM, "%s: no memory", name);
		goto out;
	}
	EVP_DecodeInit(context);
	if (EVP_DecodeUpdate(context, blob, &len, from, (int)(to - from)) < 0 ||
	    EVP_DecodeFinal(context, blob + len, &last) < 0) {
		error_set(err, ERROR_CONFIG, 0, "%s: not base64", name);
		goto out;
	}
	result = read_openssh(bytes_make(blob, (size_t)(len + last)), name, key, err);
out:
	if (blob) {
		OPENSSL_cleanse(blob, (size_t)(to - from) + 1);
	}
	free(blob);
	EVP_ENCODE_CTX_free(context);
	return result;
}

static int no_passphrase(char *to, int size, int writing, void *context)
{
	bool *asked = context;

	(void)to;
	(void)size;
	(void)writing;
	*asked = true;
	return -1;
}

static int parse_pem(struct bytes text, const char *name, EVP_PKEY **key, struct error *err)
{
	BIO *bio = BIO_new_mem_buf(text.data, (int)text.len);
	bool asked = false;

	*key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, &asked) : NULL;
	BIO_free(bio);
	if (*key) {
		return 0;
	}
	return asked ? error_set(err, ERROR_CONFIG, 0, "%s " PASSPHRASE_HINT, name)
		     : error_set(err, ERROR_CONFIG, 0, "%s: not a private key", name);
}

int privkey_parse(struct bytes text, const char *name, EVP_PKEY **key, struct error *err)
{
	if (bytes_has_prefix(text, BYTES_LITERAL(OPENSSH_BEGIN))) {
		return parse_openssh(text, name, key, err);
	}
	return parse_pem(text, name, key, err);
}

int privkey_load(const char *path, EVP_PKEY **key, struct error *err)
{
	uint8_t *text = NULL;
	size_t len = 0;
	struct stat st;
	int result = -1;

	if (stat(path, &st) < 0) {
		return error_set(err, ERROR_CONFIG, errno, "%s: %s", path, strerror(errno));
	}
	if (st.st_uid == geteuid() && (st.st_mode & 077) != 0) {
		return error_set(err, ERROR_CONFIG, 0,
				 "%s: others may read this private key: chmod 600 %s", path, path);
	}
	if (helper_read(path, FILE_MAX, &text, &len, err) == 0) {
		result = privkey_parse(bytes_make(text, len), path, key, err);
		OPENSSL_cleanse(text, len);
		free(text);
	}
	return result;
}

/* The DER of OpenSSL as mpint r, mpint s (RFC 5656, section 3.1.2). */
static bool der_to_ecdsa(struct bytes der, struct wire_writer *w)
{
	const unsigned char *at = der.data;
	ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &at, (long)der.len);
	uint8_t number[66];
	bool ok = false;

	if (signature) {
		const BIGNUM *r = ECDSA_SIG_get0_r(signature);
		const BIGNUM *s = ECDSA_SIG_get0_s(signature);

		ok = BN_num_bytes(r) <= (int)sizeof(number) &&
		     BN_num_bytes(s) <= (int)sizeof(number);
		if (ok) {
			wire_write_mpint(w, bytes_make(number, (size_t)BN_bn2bin(r, number)));
			wire_write_mpint(w, bytes_make(number, (size_t)BN_bn2bin(s, number)));
		}
	}
	ECDSA_SIG_free(signature);
	return ok && !w->overflow;
}

static bool may_sign(const EVP_PKEY *key, struct bytes algorithm)
{
	bool rsa = bytes_has_prefix(algorithm, BYTES_LITERAL("rsa-sha2-"));
	bool ecdsa = bytes_has_prefix(algorithm, BYTES_LITERAL("ecdsa-sha2-"));

	switch (EVP_PKEY_get_base_id(key)) {
	case EVP_PKEY_RSA:
		return rsa;
	case EVP_PKEY_EC:
		return ecdsa;
	default:
		return !rsa && !ecdsa;
	}
}

int privkey_sign(EVP_PKEY *key, struct bytes algorithm, struct bytes data, uint8_t **value,
		 size_t *len, struct error *err)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	uint8_t raw[2048], ecdsa[160];
	struct wire_writer w = {.data = ecdsa, .room = sizeof(ecdsa)};
	struct bytes made;
	size_t raw_len = sizeof(raw);
	bool none;
	const EVP_MD *md = pubkey_digest(algorithm, &none);
	int result = -1;

	if (!context || (!md && !none) || !may_sign(key, algorithm)) {
		error_set(err, ERROR_AUTH, 0, "a signature of a kind that is not made");
		goto out;
	}
	if (EVP_DigestSignInit(context, NULL, md, NULL, key) != 1 ||
	    EVP_DigestSign(context, raw, &raw_len, data.data, data.len) != 1) {
		error_set(err, ERROR_SYSTEM, 0, "the key does not sign");
		goto out;
	}
	made = bytes_make(raw, raw_len);
	if (EVP_PKEY_get_base_id(key) == EVP_PKEY_EC) {
		if (!der_to_ecdsa(made, &w)) {
			error_set(err, ERROR_SYSTEM, 0, "the key does not sign");
			goto out;
		}
		made = bytes_make(ecdsa, w.len);
	}
	*value = malloc(made.len);
	if (!*value) {
		error_set(err, ERROR_NOMEM, ENOMEM, "no memory for a signature");
		goto out;
	}
	memcpy(*value, made.data, made.len);
	*len = made.len;
	result = 0;
out:
	EVP_MD_CTX_free(context);
	return result;
}
