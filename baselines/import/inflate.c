// SPDX-License-Identifier: MIT
#include "baselines/import/inflate.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <archive.h>
#include <archive_entry.h>

#include "baselines/digests.h"
#include "schema/escape.h"

bool inflate_add_filter(struct archive *archive, const char *suffix)
{
	static const struct {
		const char *suffix;
		int (*add)(struct archive *archive);
	} filters[] = {
		{".gz", archive_read_support_filter_gzip},
		{".xz", archive_read_support_filter_xz},
		{".zst", archive_read_support_filter_zstd},
		{".bz2", archive_read_support_filter_bzip2},
		{".lzma", archive_read_support_filter_lzma},
		{".lz4", archive_read_support_filter_lz4},
	};

	if (suffix[0] == '\0') {
		return true;
	}
	for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++) {
		if (strcmp(suffix, filters[i].suffix) == 0) {
			/* It warns where it would start a program. */
			return filters[i].add(archive) == ARCHIVE_OK;
		}
	}
	return false;
}

static int no_memory(const char *file, struct error *err)
{
	return error_set(err, ERROR_NOMEM, 0, "%s: no memory", file);
}

static int hash(struct bytes data, struct digest *sha256, struct error *err)
{
	struct digests *digests = NULL;
	uint8_t md5[MD5_SIZE];
	int result = -1;

	if (digests_new(&digests, err) == 0 && digests_begin(digests, err) == 0 &&
	    digests_add(digests, data, err) == 0) {
		result = digests_end(digests, sha256, md5, err);
	}
	digests_free(digests);
	return result;
}

static int read_whole(const char *file, size_t most, uint8_t **data, size_t *len, struct error *err)
{
	FILE *opened = fopen(file, "rbe");
	struct stat st;
	int result = -1;

	*data = NULL;
	if (!opened || fstat(fileno(opened), &st) < 0) {
		(void)error_set(err, ERROR_CONFIG, errno, "%s: %s", file, strerror(errno));
		goto out;
	}
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size > most) {
		(void)error_set(err, ERROR_CONFIG, 0, "%s: no regular file of at most %zu MiB",
				file, most >> 20);
		goto out;
	}
	*len = (size_t)st.st_size;
	*data = malloc(*len + 1);
	if (!*data) {
		(void)no_memory(file, err);
		goto out;
	}
	if (fread(*data, 1, *len, opened) != *len) {
		(void)error_set(err, ERROR_CONFIG, errno, "%s: cannot be read whole", file);
		goto out;
	}
	result = 0;
out:
	if (opened) {
		(void)fclose(opened);
	}
	return result;
}

static int archive_fault(const char *file, struct archive *archive, struct error *err)
{
	const char *what = archive_error_string(archive);
	char shown[300];

	return error_set(err, ERROR_CONFIG, 0, "%s: %s", file,
			 what ? escape_text(bytes_from_string(what), shown, sizeof(shown))
			      : "cannot be inflated");
}

static int append_all(const char *file, struct archive *archive, size_t most, struct inflated *to,
		      struct error *err)
{
	static const size_t step = (size_t)1 << 20;
	size_t room = 0;

	for (;;) {
		la_ssize_t got;

		if (room - to->len < step) {
			uint8_t *grown;

			if (to->len > most) {
				return error_set(err, ERROR_CONFIG, 0,
						 "%s: inflates beyond %zu MiB", file, most >> 20);
			}
			room = 2 * room + step;
			grown = realloc(to->data, room);
			if (!grown) {
				return no_memory(file, err);
			}
			to->data = grown;
		}
		got = archive_read_data(archive, to->data + to->len, step);
		if (got < 0) {
			return archive_fault(file, archive, err);
		}
		if (got == 0) {
			return 0;
		}
		to->len += (size_t)got;
	}
}

static int inflate(const char *file, const char *suffix, struct bytes from, size_t most,
		   struct inflated *to, struct error *err)
{
	struct archive *archive = archive_read_new();
	struct archive_entry *entry;
	int result = -1;

	if (!archive) {
		return no_memory(file, err);
	}
	(void)archive_read_support_format_raw(archive);
	if (!inflate_add_filter(archive, suffix)) {
		(void)error_set(err, ERROR_CONFIG, 0, "%s: compression %s is not known", file,
				suffix);
	} else if (archive_read_open_memory(archive, from.data, from.len) != ARCHIVE_OK ||
		   archive_read_next_header(archive, &entry) != ARCHIVE_OK) {
		(void)archive_fault(file, archive, err);
	} else {
		result = append_all(file, archive, most, to, err);
	}
	archive_read_free(archive);
	return result;
}

int inflate_read(const char *file, size_t most, struct inflated *inflated, struct error *err)
{
	memset(inflated, 0, sizeof(*inflated));
	if (read_whole(file, most, &inflated->data, &inflated->len, err) < 0 ||
	    hash(bytes_make(inflated->data, inflated->len), &inflated->sha256, err) < 0) {
		inflated_clear(inflated);
		return -1;
	}
	inflated->file_sha256 = inflated->sha256;
	inflated->file_size = inflated->len;
	return 0;
}

/* apt's lists have names full of dots (HOST_dists_..._Packages): a suffix is a short word. */
static const char *suffix_of(const char *file)
{
	const char *slash = strrchr(file, '/'), *dot = strrchr(slash ? slash : file, '.');

	return dot && strlen(dot) <= strlen(".lzma") ? dot : "";
}

int inflate_file(const char *file, size_t most, struct inflated *inflated, struct error *err)
{
	const char *suffix = suffix_of(file);
	uint8_t *data = NULL;
	size_t len = 0;
	int result = -1;

	memset(inflated, 0, sizeof(*inflated));
	if (read_whole(file, most, &data, &len, err) < 0 ||
	    hash(bytes_make(data, len), &inflated->file_sha256, err) < 0) {
		goto out;
	}
	inflated->file_size = len;
	if (suffix[0] == '\0') {
		inflated->data = data;
		inflated->len = len;
		inflated->sha256 = inflated->file_sha256;
		data = NULL;
		result = 0;
		goto out;
	}
	if (inflate(file, suffix, bytes_make(data, len), most, inflated, err) == 0) {
		result = hash(bytes_make(inflated->data, inflated->len), &inflated->sha256, err);
	}
out:
	free(data);
	if (result < 0) {
		inflated_clear(inflated);
	}
	return result;
}

void inflated_clear(struct inflated *inflated)
{
	free(inflated->data);
	memset(inflated, 0, sizeof(*inflated));
}
