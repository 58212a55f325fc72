// SPDX-License-Identifier: MIT
#include "controller/cmd/outputs.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "baselines/nearest.h"
#include "schema/escape.h"

#define SHOWN 200

struct output {
	char *path;
	char *temporary; /* NULL: nothing to take away */
	bool direct;     /* a device or a pipe: written as it stands */
	FILE *file;
};

struct outputs {
	struct output *item;
	size_t count;
};

/* What -o takes: the journal is no file. */
static const enum report_format formats[] = {REPORT_TEXT, REPORT_NDJSON, REPORT_RUNDECK,
					     REPORT_PROM};
#define FORMATS (sizeof(formats) / sizeof(formats[0]))

static const char *format_word(const void *words, size_t index)
{
	(void)words;
	return index < FORMATS ? report_format_name(formats[index]) : NULL;
}

static int fault(const struct output *output, const char *what, struct error *err)
{
	char shown[SHOWN];
	int number = errno;

	return error_set(err, ERROR_CONFIG, number, "-o %s: %s: %s",
			 escape_text(bytes_from_string(output->path), shown, sizeof(shown)), what,
			 strerror(number));
}

static int parse_format(const char *value, enum report_format *format, const char **path,
			struct error *err)
{
	const char *colon = strchr(value, ':'), *near;
	struct bytes word = bytes_make(value, colon ? (size_t)(colon - value) : strlen(value));
	char shown[SHOWN];

	for (size_t i = 0; i < FORMATS; i++) {
		if (colon && bytes_equal_string(word, report_format_name(formats[i]))) {
			*format = formats[i];
			*path = colon + 1;
			return **path ? 0
				      : error_set(err, ERROR_CONFIG, 0, "-o %s: FILE is missing",
						  report_format_name(formats[i]));
		}
	}
	near = nearest_find(word, format_word, NULL);
	(void)escape_text(bytes_from_string(value), shown, sizeof(shown));
	if (near && colon) {
		return error_set(err, ERROR_CONFIG, 0, "-o %s: unknown format: did you mean %s?",
				 shown, near);
	}
	return error_set(err, ERROR_CONFIG, 0,
			 "-o %s: expected FORMAT:FILE, with text, ndjson, rundeck or prom", shown);
}

/* A pipe that nobody reads is refused rather than waited for. */
static int open_direct(struct output *output, struct error *err)
{
	int fd = open(output->path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	int flags = fd < 0 ? -1 : fcntl(fd, F_GETFL);
	struct stat status;

	output->direct = true;
	/* What is open is what counts: it may be another object by now. */
	if (flags < 0 || fstat(fd, &status) < 0 || fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) < 0 ||
	    !(S_ISCHR(status.st_mode) || S_ISFIFO(status.st_mode)) ||
	    !(output->file = fdopen(fd, "w"))) {
		(void)fault(output, "it cannot be written", err);
		if (fd >= 0) {
			(void)close(fd);
		}
		return -1;
	}
	return 0;
}

/* A file beside the place, as readable as any other new file: textfile collectors are other users. */
static int open_one(struct output *output, struct error *err)
{
	mode_t mask;
	int fd = -1;

	if (output->direct) {
		return open_direct(output, err);
	}
	mask = umask(0);
	(void)umask(mask);
	if (asprintf(&output->temporary, "%s.XXXXXX", output->path) < 0) {
		output->temporary = NULL;
		return error_set(err, ERROR_NOMEM, 0, "out of memory");
	}
	fd = mkostemp(output->temporary, O_CLOEXEC);
	if (fd < 0) {
		(void)fault(output, "no file can be made beside it", err);
		free(output->temporary);
		output->temporary = NULL;
		return -1;
	}
	if (fchmod(fd, 0666 & ~mask) < 0 || !(output->file = fdopen(fd, "w"))) {
		(void)fault(output, "it cannot be written", err);
		(void)close(fd);
		return -1;
	}
	return 0;
}

/* A rename would put a file in the place of a device, and of a link wherever it leads. */
static int refuse_place(struct output *output, struct error *err)
{
	struct stat status;

	if (lstat(output->path, &status) < 0) {
		return 0; /* made anew, or told why not */
	}
	if (S_ISLNK(status.st_mode)) {
		if (stat(output->path, &status) < 0 || S_ISREG(status.st_mode)) {
			errno = ELOOP;
			return fault(output, "name the file itself", err);
		}
	}
	if (S_ISDIR(status.st_mode)) {
		errno = EISDIR;
		return fault(output, "not a file", err);
	}
	output->direct = S_ISCHR(status.st_mode) || S_ISFIFO(status.st_mode);
	if (!output->direct && !S_ISREG(status.st_mode)) {
		errno = EINVAL;
		return fault(output, "not a file", err);
	}
	return 0;
}

static int refuse_twice(const struct outputs *outputs, struct error *err)
{
	const struct output *last = &outputs->item[outputs->count - 1];
	for (size_t i = 0; i + 1 < outputs->count; i++) {
		if (strcmp(outputs->item[i].path, last->path) == 0) {
			errno = EEXIST;
			return fault(last, "named twice", err);
		}
	}
	return 0;
}

int outputs_open(struct call *call, struct report *report, struct outputs **outputs,
		 struct error *err)
{
	const struct options *options = call->options;
	struct outputs *made = calloc(1, sizeof(*made));

	*outputs = NULL;
	if (made) {
		made->item = calloc(options->output_count + 1, sizeof(*made->item));
	}
	if (!made || !made->item) {
		free(made);
		return error_set(err, ERROR_NOMEM, 0, "out of memory");
	}
	for (size_t i = 0; i < options->output_count; i++) {
		struct output *output = &made->item[i];
		enum report_format format = REPORT_TEXT;
		const char *path;

		if (parse_format(options->output[i], &format, &path, err) < 0) {
			goto failed;
		}
		output->path = strdup(path);
		if (!output->path) {
			(void)error_set(err, ERROR_NOMEM, 0, "out of memory");
			goto failed;
		}
		made->count++;
		if (refuse_twice(made, err) < 0 || refuse_place(output, err) < 0 ||
		    open_one(output, err) < 0 ||
		    report_add(report, format, output->file, err) < 0) {
			goto failed;
		}
	}
	*outputs = made;
	return 0;
failed:
	outputs_free(made);
	return -1;
}

/* The rename itself survives a power loss only where the folder was synced. */
static void sync_folder(const char *path)
{
	char *copy = strdup(path);
	int fd = copy ? open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	if (fd >= 0) {
		(void)fsync(fd);
		(void)close(fd);
	}
	free(copy);
}

static int commit_one(struct output *output, struct error *err)
{
	bool written = fflush(output->file) == 0 && !ferror(output->file) &&
		       (output->direct || fsync(fileno(output->file)) == 0);
	int number = errno;

	if (fclose(output->file) != 0 && written) {
		number = errno;
		written = false;
	}
	output->file = NULL;
	errno = number;
	if (!written) {
		return fault(output,
			     output->direct ? "it cannot be written"
					    : "it cannot be written, what was there is kept",
			     err);
	}
	if (output->direct) {
		return 0;
	}
	if (rename(output->temporary, output->path) < 0) {
		return fault(output, "it cannot be put there, what was there is kept", err);
	}
	free(output->temporary);
	output->temporary = NULL;
	sync_folder(output->path);
	return 0;
}

int outputs_commit(struct outputs *outputs, struct error *err)
{
	struct error later;
	int status = 0;

	for (size_t i = 0; i < outputs->count; i++) {
		if (commit_one(&outputs->item[i], status == 0 ? err : &later) < 0) {
			status = -1;
		}
	}
	return status;
}

void outputs_free(struct outputs *outputs)
{
	if (!outputs) {
		return;
	}
	for (size_t i = 0; i < outputs->count; i++) {
		struct output *output = &outputs->item[i];

		if (output->file) {
			(void)fclose(output->file);
		}
		if (output->temporary) {
			(void)unlink(output->temporary);
		}
		free(output->temporary);
		free(output->path);
	}
	free(outputs->item);
	free(outputs);
}
