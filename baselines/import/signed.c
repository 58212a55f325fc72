// SPDX-License-Identifier: MIT
#include "baselines/import/signed.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>

#include "baselines/import/inflate.h"
#include "baselines/signature/gpgv.h"
#include "schema/escape.h"

struct signed_archive {
	struct release *release;
	struct release_packages packages;
	const struct trust_key *key; /* of the trust, borrowed; NULL: any key counts */
	char fingerprint[GPGV_FINGERPRINT_SIZE];
};

static bool is_wanted(const char *fingerprint, const struct signed_source *source)
{
	for (size_t i = 0; i < source->fingerprint_count; i++) {
		if (strcasecmp(fingerprint, source->fingerprints[i]) == 0) {
			return true;
		}
	}
	return source->fingerprint_count == 0;
}

/* The first good signer that is wanted and listed for the origin. */
static int choose_signer(struct signed_archive *a, const struct gpgv_result *result,
			 const struct signed_source *source, struct error *err)
{
	const struct trust_key *other = NULL;
	bool wanted = false;

	for (size_t i = 0; i < result->count; i++) {
		const struct trust_key *key = NULL;

		if (!is_wanted(result->signer[i], source) &&
		    !is_wanted(result->primary[i], source)) {
			continue;
		}
		wanted = true;
		if (source->trust) {
			key = trust_find(source->trust, result->signer[i]);
			key = key ? key : trust_find(source->trust, result->primary[i]);
			if (!key || !trust_proves_origin(key, a->release->origin)) {
				other = key ? key : other;
				continue;
			}
		}
		a->key = key;
		memcpy(a->fingerprint, result->signer[i], sizeof(a->fingerprint));
		return 0;
	}
	if (!wanted) {
		return error_set(err, ERROR_CONFIG, 0,
				 "signed by %s, which is none of the keys named",
				 result->signer[0]);
	}
	if (other) {
		return error_set(err, ERROR_CONFIG, 0,
				 "signed by %s, which %s does not list for origin \"%s\"",
				 other->fingerprint, other->source, a->release->origin);
	}
	return error_set(err, ERROR_CONFIG, 0, "signed by %s, which " TRUST_FILE " does not list",
			 result->signer[0]);
}

static int check_date(const struct signed_archive *a, int64_t now_s, struct error *err)
{
	time_t until = (time_t)a->release->valid_until_s;
	char day[32] = "";
	struct tm tm;

	if (until == 0 || until >= now_s) {
		return 0;
	}
	if (gmtime_r(&until, &tm)) {
		(void)strftime(day, sizeof(day), "%Y-%m-%d %H:%M", &tm);
	}
	return error_set(err, ERROR_CONFIG, 0,
			 "its Valid-Until is over (%s UTC): fetch a newer one, it may hold back "
			 "updates",
			 day);
}

/* A detached signature is over the bytes that are parsed, read once. */
static int check_detached(const struct signed_source *source, struct gpgv_result *result,
			  struct error *err)
{
	struct inflated release = {0}, signature = {0};
	int code = -1;

	if (inflate_read(source->release, SIGNED_RELEASE_MAX, &release, err) < 0 ||
	    inflate_read(source->signature, SIGNED_RELEASE_MAX, &signature, err) < 0) {
		goto out;
	}
	if (gpgv_detached(source->keyring, bytes_make(signature.data, signature.len),
			  bytes_make(release.data, release.len), result, err) < 0) {
		(void)error_prefix(err, "%s", source->signature);
		goto out;
	}
	result->text = malloc(release.len + 1);
	if (!result->text) {
		(void)error_set(err, ERROR_NOMEM, 0, "no memory for an archive's index");
		goto out;
	}
	memcpy(result->text, release.data, release.len);
	result->len = release.len;
	code = 0;
out:
	inflated_clear(&release);
	inflated_clear(&signature);
	return code;
}

/* The key that is not there may be one that this gpgv does not read. */
static void add_put_back(const struct signed_source *source, struct error *err)
{
	struct error was;

	if (err && source->put_back && source->put_back[0] != '\0') {
		was = *err;
		(void)error_set(err, was.kind, was.os_errno,
				"%s (%s, which gpgv may not know: keys up to version 4 are tried "
				"first)",
				was.msg, source->put_back);
	}
}

int signed_open(const struct signed_source *source, struct signed_archive **archive,
		bool *only_unknown, struct error *err)
{
	struct signed_archive *a = calloc(1, sizeof(*a));
	struct gpgv_result result = {0};
	int code = -1;

	if (!a) {
		return error_set(err, ERROR_NOMEM, 0, "no memory for an archive's index");
	}
	if ((source->signature
		     ? check_detached(source, &result, err)
		     : gpgv_inline(source->keyring, source->release, &result, err)) == 0) {
		code = release_parse(bytes_make(result.text, result.len), &a->release, err);
		if (code == 0) {
			code = choose_signer(a, &result, source, err);
		}
		if (code == 0) {
			code = check_date(a, source->now_s, err);
		}
		if (code < 0) {
			(void)error_prefix(err, "%s", source->release);
		}
	}
	if (code < 0 && result.only_unknown) {
		add_put_back(source, err);
	}
	if (only_unknown) {
		*only_unknown = code < 0 && result.only_unknown;
	}
	gpgv_result_clear(&result);
	if (code < 0) {
		signed_free(a);
		return -1;
	}
	*archive = a;
	return 0;
}

int signed_add_packages(struct signed_archive *a, const char *file, struct error *err)
{
	struct inflated inflated;
	int result = -1;

	if (inflate_file(file, SIGNED_PACKAGES_MAX, &inflated, err) < 0) {
		return -1;
	}
	if (!release_find(a->release, &inflated.file_sha256, inflated.file_size) &&
	    !release_find(a->release, &inflated.sha256, inflated.len)) {
		char hex[2 * DIGEST_SIZE + 1];

		for (size_t i = 0; i < DIGEST_SIZE; i++) {
			(void)snprintf(hex + 2 * i, 3, "%02x", inflated.file_sha256.bytes[i]);
		}
		(void)error_set(err, ERROR_CONFIG, 0,
				"%s: the signed Release names no such file (SHA-256 %.16s...): "
				"another one, or changed; fetch Release and Packages together",
				file, hex);
	} else if (release_packages_add(&a->packages, bytes_make(inflated.data, inflated.len),
					err) < 0) {
		(void)error_prefix(err, "%s", file);
	} else {
		release_packages_sort(&a->packages);
		result = 0;
	}
	inflated_clear(&inflated);
	return result;
}

void signed_free(struct signed_archive *archive)
{
	if (archive) {
		release_free(archive->release);
		release_packages_clear(&archive->packages);
		free(archive);
	}
}

const char *signed_origin(const struct signed_archive *archive)
{
	return archive->release->origin;
}

const char *signed_fingerprint(const struct signed_archive *archive)
{
	return archive->fingerprint;
}

const struct release *signed_release(const struct signed_archive *archive)
{
	return archive->release;
}

size_t signed_count(const struct signed_archive *archive)
{
	return archive->packages.count;
}

const struct release_package *signed_package(const struct signed_archive *archive, size_t index)
{
	return &archive->packages.item[index];
}

int signed_check(const struct signed_archive *archive, const struct deb *deb, struct error *err)
{
	const struct release_package *package =
		release_packages_find(&archive->packages, &deb->sha256);

	if (!package) {
		return error_set(err, ERROR_CONFIG, 0,
				 "%s %s: no signed Packages names a .deb with this SHA-256",
				 deb->package, deb->version);
	}
	/* The digest alone proves the bytes; that the names agree too shows that nothing is confused. */
	if (strcmp(package->package, deb->package) != 0 ||
	    strcmp(package->version, deb->version) != 0 || strcmp(package->arch, deb->arch) != 0) {
		return error_set(err, ERROR_CONFIG, 0, "%s %s: Packages calls the same bytes %s %s",
				 deb->package, deb->version, package->package, package->version);
	}
	if (archive->key && !trust_proves(archive->key, archive->release->origin, deb->package)) {
		return error_set(err, ERROR_CONFIG, 0,
				 "%s %s: signed by %s, which %s does not list for this package",
				 deb->package, deb->version, archive->fingerprint,
				 archive->key->source);
	}
	return 0;
}
