// SPDX-License-Identifier: MIT
/* baseline import: packages from their files, one by one or from a whole mirror. */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "baselines/edit.h"
#include "baselines/import/import.h"
#include "baselines/import/mirror.h"
#include "baselines/signature/vendor_keys.h"
#include "controller/cmd/open.h"
#include "controller/cmd/signers.h"
#include "controller/report/print.h"
#include "controller/report/progress.h"
#include "schema/escape.h"

#define NAMED_MAX 5 /* files that are left out and named without being asked to */

struct importing {
	struct call *call;
	struct edit *edit;
	struct signers signers;
	struct vendor_keys *keys; /* of .rpm headers; NULL: not read yet */
	struct progress progress;
	size_t total, done;
	size_t outcomes[IMPORT_REPLACED + 1];
	size_t is_signed; /* of what was imported now */
	size_t no_md5sums;
	size_t left_out;
	char origin[256]; /* the last one's */
	bool many_origins;
};

static uint64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void tell_archive(const struct importing *i, const struct signed_archive *archive)
{
	const struct release *release = signed_release(archive);

	if (i->call->quiet) {
		return;
	}
	(void)fputs("muster: ", i->call->log);
	(void)print_bytes(i->call->log, bytes_from_string(release->origin));
	(void)fputc(' ', i->call->log);
	(void)print_bytes(i->call->log,
			  bytes_from_string(release->codename ? release->codename : ""));
	(void)fprintf(i->call->log, ": signed by %s, names %zu package%s%s.\n",
		      signed_fingerprint(archive), signed_count(archive),
		      signed_count(archive) == 1 ? "" : "s",
		      release->valid_until_s ? "" : ", no Valid-Until");
}

/* Progress */

static void step(struct importing *i)
{
	struct progress_state state = {.total = i->total, .done = ++i->done};

	progress_update(&i->progress, &state, now_ms(), false);
}

static void note_origin(struct importing *i, const char *origin)
{
	i->many_origins = i->many_origins || (i->origin[0] && strcmp(i->origin, origin) != 0);
	(void)snprintf(i->origin, sizeof(i->origin), "%s", origin);
}

static void note(struct importing *i, const struct import_report *report)
{
	static const char *const outcomes[] = {[IMPORT_NEW] = "",
					       [IMPORT_HAD] = ", there already",
					       [IMPORT_PROVED] = ", now signed",
					       [IMPORT_REPLACED] = ", other bytes than before"};
	struct call *call = i->call;
	char size[PRINT_NUMBER_ROOM];

	i->outcomes[report->outcome]++;
	if (report->outcome != IMPORT_HAD) {
		i->is_signed += report->is_signed;
		i->no_md5sums += report->no_md5sums && report->files > 0;
	}
	if (report->md5_wrong > 0 || report->outcome == IMPORT_REPLACED || report->unproved[0] ||
	    call->verbose) {
		progress_clear(&i->progress);
	}
	if (report->unproved[0] && !call->quiet) {
		(void)fprintf(call->log, "muster: %s %s: imported as unsigned: %s\n",
			      report->package, report->version, report->unproved);
	}
	if (report->md5_wrong > 0) {
		(void)fprintf(call->log,
			      "muster: %s %s: %zu lines of its own md5sums contradict its files, "
			      "first %s\n",
			      report->package, report->version, report->md5_wrong,
			      report->md5_path);
	}
	if (report->outcome == IMPORT_REPLACED) {
		(void)fprintf(call->log,
			      "muster: %s %s: the baseline had this version with other bytes; "
			      "review the commit\n",
			      report->package, report->version);
	}
	if (call->verbose) {
		(void)fprintf(
			call->out, "%s %s %s: %zu entries, %s, %s%s%s\n", report->package,
			report->version, report->arch, report->entries,
			print_size(report->bytes, size), report->is_signed ? "signed" : "unsigned",
			report->no_md5sums ? ", ships no md5sums" : "", outcomes[report->outcome]);
	}
}

/* Files that are named */

static int open_archive(struct importing *i, const char *baseline, struct signed_archive **archive,
			struct error *err)
{
	struct call *call = i->call;
	const char *packages = call_value(call, OPTION_PACKAGES), *list[SIGNERS_LIST_MAX];
	struct signed_source source;
	char *copy = NULL, signature[4096];
	size_t count = 0, len = strlen(call_value(call, OPTION_RELEASE));
	int result = -1;

	if (!packages) {
		call_advise(call, "--packages FILE[,FILE...]: what the Release signs, and what "
				  "names the .deb files");
		return error_set(err, ERROR_CONFIG, 0, "--release without --packages");
	}
	if (signers_open(call, baseline, &i->signers, err) < 0) {
		return -1;
	}
	source = i->signers.source;
	source.release = call_value(call, OPTION_RELEASE);
	/* One that is signed inline may have any name. */
	if (len < strlen("InRelease") ||
	    strcmp(source.release + len - strlen("InRelease"), "InRelease") != 0) {
		(void)snprintf(signature, sizeof(signature), "%s.gpg", source.release);
		source.signature = access(signature, F_OK) == 0 ? signature : NULL;
	}
	copy = strdup(packages);
	if (!copy) {
		(void)error_set(err, ERROR_NOMEM, 0, "out of memory");
		goto out;
	}
	if (signers_split(copy, list, &count, OPTION_PACKAGES, err) < 0 ||
	    signed_open(&source, archive, NULL, err) < 0) {
		goto out;
	}
	for (size_t n = 0; n < count; n++) {
		if (signed_add_packages(*archive, list[n], err) < 0) {
			goto out;
		}
	}
	tell_archive(i, *archive);
	result = 0;
out:
	free(copy);
	return result;
}

static bool is_rpm(const char *file)
{
	size_t len = strlen(file);

	return len > 4 && strcmp(file + len - 4, ".rpm") == 0;
}

/* An .rpm is proved by its own header and the baseline's keys, whatever --release says of .debs. */
static int import_one_rpm(struct importing *i, const char *baseline, const char *file,
			  struct import_report *report, struct error *err)
{
	struct repository *repository = NULL;
	int result = 0;

	if (!i->keys) {
		result = repository_open(baseline, NULL, &repository, err) < 0
				 ? -1
				 : vendor_keys_of_repository(repository, &i->keys, err);
		repository_close(repository);
	}
	if (result == 0) {
		result = import_rpm(i->edit, file, call_value(i->call, OPTION_ORIGIN), i->keys,
				    report, err);
	}
	return result;
}

static int import_file(struct importing *i, const char *baseline,
		       const struct signed_archive *archive, const char *file, struct error *err)
{
	const char *origin = call_value(i->call, OPTION_ORIGIN);
	struct import_report report;
	int result = is_rpm(file) ? import_one_rpm(i, baseline, file, &report, err)
		     : archive    ? import_deb_signed(i->edit, file, archive, &report, err)
				  : import_deb(i->edit, file, origin, &report, err);

	if (result == 0) {
		note_origin(i, is_rpm(file) ? report.origin
			       : archive    ? signed_origin(archive)
			       : origin     ? origin
					    : IMPORT_ORIGIN);
		note(i, &report);
	}
	return result;
}

static int import_files(struct importing *i, const char *baseline, struct error *err)
{
	struct call *call = i->call;
	struct signed_archive *archive = NULL;
	int result = -1;

	if (call_has(call, OPTION_RELEASE) && open_archive(i, baseline, &archive, err) < 0) {
		call_advise(call, "fetch Release and Packages anew, and compare the keys with what "
				  "the archive publishes; nothing was committed");
		goto out;
	}
	i->total = call->word_count;
	for (size_t n = 0; n < call->word_count; n++) {
		if (import_file(i, baseline, archive, call->words[n], err) < 0) {
			call_advise(call, "leave it out; nothing was committed");
			goto out;
		}
		step(i);
	}
	result = 0;
out:
	signed_free(archive);
	return result;
}

/* A whole mirror */

static void tell_left_out(void *context, const char *what)
{
	struct importing *i = context;

	progress_clear(&i->progress);
	(void)fputs("muster: ", i->call->log);
	(void)print_escaped(i->call->log, bytes_from_string(what));
	(void)fputs(": it proves nothing here\n", i->call->log);
}

static void leave_out(struct importing *i, const char *file, const char *why)
{
	if (++i->left_out > NAMED_MAX && !i->call->verbose) {
		return;
	}
	progress_clear(&i->progress);
	(void)fputs("muster: left out: ", i->call->log);
	(void)print_bytes(i->call->log, bytes_from_string(file));
	(void)fprintf(i->call->log, ": %s\n", why);
}

/* Without a word of any signed Packages. */
static int import_unproved(struct importing *i, const char *file, const char *why,
			   struct error *err)
{
	const char *origin = call_value(i->call, OPTION_ORIGIN);
	struct import_report report;

	if (!call_has(i->call, OPTION_UNSIGNED)) {
		leave_out(i, file, why);
		return 0;
	}
	if (import_deb(i->edit, file, origin, &report, err) < 0) {
		return -1;
	}
	note_origin(i, origin ? origin : IMPORT_ORIGIN);
	note(i, &report);
	return 0;
}

static int import_one(struct importing *i, const struct mirror_deb *deb, struct error *err)
{
	struct import_report report;
	bool has = false;

	if (!deb->archive) {
		return import_unproved(i, deb->file, "no signed Packages names it", err);
	}
	if (import_has(i->edit, signed_origin(deb->archive), deb->package, &has, err) < 0) {
		return -1;
	}
	if (has) {
		i->outcomes[IMPORT_HAD]++;
		return 0;
	}
	if (import_deb_signed(i->edit, deb->file, deb->archive, &report, err) < 0) {
		return -1;
	}
	note_origin(i, signed_origin(deb->archive));
	note(i, &report);
	return 0;
}

static int import_mirror(struct importing *i, const char *baseline, struct error *err)
{
	struct mirror_options options = {.dir = call_value(i->call, OPTION_MIRROR),
					 .lists = call_value(i->call, OPTION_LISTS)};
	struct mirror *mirror = NULL;
	int result = 0;

	if (signers_open(i->call, baseline, &i->signers, err) < 0) {
		return -1;
	}
	options.source = i->signers.source;
	if (mirror_open(&options, tell_left_out, i, &mirror, err) < 0) {
		call_advise(i->call, "name apt's lists by --lists DIR, and keys by --keyring FILE; "
				     "what is signed wrongly, fetch anew; nothing was committed");
		return -1;
	}
	for (size_t n = 0; n < mirror_archives(mirror); n++) {
		tell_archive(i, mirror_archive(mirror, n));
	}
	i->total = mirror_count(mirror);
	for (size_t n = 0; result == 0 && n < i->total; n++) {
		result = import_one(i, mirror_deb(mirror, n), err);
		step(i);
	}
	if (result < 0) {
		call_advise(i->call, "remove that file, or fetch it anew; nothing was committed");
	}
	mirror_free(mirror);
	return result;
}

/* What was done */

static void describe(const struct importing *i, size_t count, char *to, size_t room)
{
	char origin[80] = "several archives";

	if (i->origin[0] && !i->many_origins) {
		(void)escape_text(bytes_from_string(i->origin), origin, sizeof(origin));
	}
	(void)snprintf(to, room, "packages: import %zu %spackage%s from %.60s", count,
		       i->is_signed == count ? "signed "
		       : i->is_signed == 0   ? "unsigned "
					     : "",
		       count == 1 ? "" : "s", origin);
}

static void tell_result(const struct importing *i, size_t count, const char *commit)
{
	FILE *out = i->call->out;
	size_t had = i->outcomes[IMPORT_HAD];

	if (*commit) {
		(void)fprintf(out, "Imported %zu package%s, commit %.12s.\n", count,
			      count == 1 ? "" : "s", commit);
	} else {
		(void)fprintf(out, "Nothing new: the baseline has %zu package%s already.\n",
			      had + count, had + count == 1 ? "" : "s");
	}
	if (*commit && (count > i->is_signed || i->is_signed > 0)) {
		(void)fprintf(out, "%zu signed, %zu unsigned; %zu there already.\n", i->is_signed,
			      count - i->is_signed, had);
	}
	if (i->no_md5sums > 0 && i->call->verbose) {
		(void)fprintf(out,
			      "%zu ship no md5sums: what a host's dpkg says of their files it "
			      "computed itself.\n",
			      i->no_md5sums);
	}
	if (i->left_out > 0) {
		(void)fprintf(i->call->log,
			      "muster: %zu file%s left out, proved by no signature (-v names all; "
			      "--unsigned imports them, marked so).\n",
			      i->left_out, i->left_out == 1 ? "" : "s");
	}
}

static int check_words(struct call *call, struct error *err)
{
	if (!call_has(call, OPTION_MIRROR) && call->word_count == 0) {
		call_advise(call, "muster baseline import FILE.deb FILE.rpm..., or --mirror DIR");
		return error_set(err, ERROR_CONFIG, 0, "baseline import: FILE is missing");
	}
	if (call_has(call, OPTION_MIRROR) &&
	    (call->word_count > 0 || call_has(call, OPTION_RELEASE))) {
		return error_set(err, ERROR_CONFIG, 0,
				 "--mirror finds packages and releases itself: it goes with "
				 "neither files nor --release");
	}
	return 0;
}

int verb_baseline_import(struct call *call, struct error *err)
{
	const char *message = call_value(call, OPTION_MESSAGE), *path;
	struct importing i = {.call = call};
	char commit[EDIT_COMMIT_SIZE], text[160];
	size_t count;
	int code = -1;

	if (check_words(call, err) < 0 || open_baseline_path(call, &path, err) < 0 ||
	    edit_open(path, NULL, &i.edit, err) < 0) {
		goto out;
	}
	progress_init(&i.progress, call->quiet ? NULL : call->log, isatty(fileno(call->log)) == 1,
		      now_ms());
	if ((call_has(call, OPTION_MIRROR) ? import_mirror(&i, path, err)
					   : import_files(&i, path, err)) < 0) {
		progress_clear(&i.progress);
		goto out;
	}
	progress_clear(&i.progress);
	count = i.outcomes[IMPORT_NEW] + i.outcomes[IMPORT_PROVED] + i.outcomes[IMPORT_REPLACED];
	describe(&i, count, text, sizeof(text));
	if (edit_commit(i.edit, message ? message : text, commit, err) < 0) {
		goto out;
	}
	tell_result(&i, count, commit);
	code = i.left_out > 0 ? EXIT_INCOMPLETE : EXIT_CLEAN;
out:
	edit_free(i.edit);
	signers_clear(&i.signers);
	vendor_keys_free(i.keys);
	return code;
}
