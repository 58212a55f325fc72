// SPDX-License-Identifier: MIT
#include "baselines/signed.h"

#include <stdlib.h>
#include <strings.h>

#include "baselines/gpgv.h"
#include "baselines/inflate.h"
#include "baselines/release.h"
#include "schema/escape.h"

struct signed_archive {
	struct release *release;
	struct release_packages packages;
	char fingerprint[GPGV_FINGERPRINT_SIZE];
};

static bool is_wanted(const char *fingerprint, const char *const *wanted, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (strcasecmp(fingerprint, wanted[i]) == 0) {
			return true;
		}
	}
	return count == 0;
}

/* Keeps the first signer that is wanted. */
static int choose_signer(struct signed_archive *a, const struct gpgv_result *result,
			 const char *const *fingerprints, size_t count, struct error *err)
{
	for (size_t i = 0; i < result->count; i++) {
		if (is_wanted(result->signer[i], fingerprints, count) ||
		    is_wanted(result->primary[i], fingerprints, count)) {
			memcpy(a->fingerprint, result->signer[i], sizeof(a->fingerprint));
			return 0;
		}
	}
	return error_set(err, ERROR_CONFIG, 0, "signed by %s, which is none of the keys named",
			 result->signer[0]);
}

static int read_release(struct signed_archive *a, const char *file, const char *keyring,
			const char *const *fingerprints, size_t count, int64_t now_s,
			struct error *err)
{
	struct gpgv_result result;
	int code = -1;

	if (gpgv_inline(keyring, file, &result, err) < 0) {
		return -1;
	}
	if (choose_signer(a, &result, fingerprints, count, err) < 0 ||
	    release_parse(bytes_make(result.text, result.len), &a->release, err) < 0) {
		(void)error_prefix(err, "%s", file);
	} else if (a->release->valid_until_s != 0 && a->release->valid_until_s < now_s) {
		(void)error_set(err, ERROR_CONFIG, 0,
				"%s: its Valid-Until is over: fetch a newer one", file);
	} else {
		code = 0;
	}
	gpgv_result_clear(&result);
	return code;
}

static int read_packages(struct signed_archive *a, const char *file, struct error *err)
{
	struct inflated inflated;
	int result = -1;

	if (inflate_file(file, SIGNED_PACKAGES_MAX, &inflated, err) < 0) {
		return -1;
	}
	if (!release_find(a->release, &inflated.file_sha256, inflated.file_size) &&
	    !release_find(a->release, &inflated.sha256, inflated.len)) {
		(void)error_set(err, ERROR_CONFIG, 0, "%s: the signed Release names no such file",
				file);
	} else if (release_packages_add(&a->packages, bytes_make(inflated.data, inflated.len),
					err) < 0) {
		(void)error_prefix(err, "%s", file);
	} else {
		result = 0;
	}
	inflated_clear(&inflated);
	return result;
}

int signed_open(const char *in_release, const char *const *packages, size_t package_count,
		const char *keyring, const char *const *fingerprints, size_t fingerprint_count,
		int64_t now_s, struct signed_archive **archive, struct error *err)
{
	struct signed_archive *a = calloc(1, sizeof(*a));

	if (!a) {
		return error_set(err, ERROR_NOMEM, 0, "no memory for an archive's index");
	}
	if (read_release(a, in_release, keyring, fingerprints, fingerprint_count, now_s, err) < 0) {
		signed_free(a);
		return -1;
	}
	for (size_t i = 0; i < package_count; i++) {
		if (read_packages(a, packages[i], err) < 0) {
			signed_free(a);
			return -1;
		}
	}
	release_packages_sort(&a->packages);
	*archive = a;
	return 0;
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

size_t signed_count(const struct signed_archive *archive)
{
	return archive->packages.count;
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
	return 0;
}
