// SPDX-License-Identifier: MIT
/* init, fetch, and what only reads a baseline: list, verify. */
#include <string.h>
#include <time.h>

#include "baselines/edit.h"
#include "baselines/fetch.h"
#include "baselines/verify.h"
#include "controller/cmd/fetching.h"
#include "controller/cmd/open.h"
#include "controller/cmd/rules.h"
#include "controller/report/print.h"
#include "schema/escape.h"

int verb_init(struct call *call, struct error *err)
{
	const char *dir = call->word_count > 0 ? call->words[0] : ".";
	char commit[EDIT_COMMIT_SIZE], shown[512];

	if (edit_init(dir, NULL, commit, err) < 0) {
		call_advise(call,
			    "git config --global user.name NAME (and user.email), if git does "
			    "not know you");
		call_advise(call, "an empty or new directory: muster init baseline");
		return -1;
	}
	(void)escape_text(bytes_from_string(dir), shown, sizeof(shown));
	(void)fprintf(call->out,
		      "Made a baseline in %s (commit %.12s): the policy is muster.yaml.\n", shown,
		      commit);
	if (!call->quiet) {
		(void)fprintf(call->out,
			      "\nNext:\n"
			      "  muster baseline import FILE.deb... --baseline %s\n"
			      "  muster check HOST --baseline %s\n"
			      "  muster baseline capture HOST --baseline %s\n",
			      shown, shown, shown);
	}
	return EXIT_CLEAN;
}

static int on_item(void *context, const struct verify_item *item)
{
	static const char *const kinds[] = {
		[VERIFY_PACKAGE] = "package", [VERIFY_HOST] = "host",
		[VERIFY_GROUP] = "group",     [VERIFY_TREE] = "tree",
		[VERIFY_ACK] = "ack",         [VERIFY_OVERRIDES] = "records"};
	const char *const words[] = {item->name, item->version, item->arch, item->manager,
				     item->origin};
	FILE *out = context;

	(void)fprintf(out, "%-8s", kinds[item->kind]);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (words[i] && *words[i]) {
			(void)fputc(' ', out);
			(void)print_bytes(out, bytes_from_string(words[i]));
		}
	}
	if (item->kind == VERIFY_PACKAGE) {
		(void)fputs(item->is_signed ? " signed " : " unsigned", out);
		(void)print_bytes(out, bytes_from_string(item->signer));
		(void)fputs(item->no_md5sums ? " no-md5sums" : "", out);
	}
	(void)fputc('\n', out);
	return 0;
}

int verb_baseline_list(struct call *call, struct error *err)
{
	const char *path;

	if (open_baseline_path(call, &path, err) < 0 ||
	    verify_list(path, NULL, on_item, call->out, err) < 0) {
		return -1;
	}
	return EXIT_CLEAN;
}

int verb_baseline_fetch(struct call *call, struct error *err)
{
	const char *signers = config_text(call->config, CONFIG_BASELINE_SIGNERS), *path;
	struct baseline *baseline = NULL;
	char age[PRINT_NUMBER_ROOM];
	int64_t made_s, now_s = (int64_t)time(NULL);
	bool moved;

	if (open_baseline_path(call, &path, err) < 0 ||
	    fetch_baseline(path, signers, &moved, err) < 0 ||
	    baseline_open(path, NULL, &baseline, err) < 0) {
		return -1;
	}
	if (fetching_check_signed(call, baseline, err) < 0) {
		baseline_close(baseline);
		return -1;
	}
	(void)fputs(moved ? "Fetched: " : "Up to date: ", call->out);
	(void)print_escaped(call->out, bytes_from_string(path));
	(void)fprintf(call->out, " stands at %.12s", baseline_commit(baseline));
	if (fetch_commit_time(path, baseline_commit(baseline), &made_s)) {
		(void)fprintf(call->out, ", made %s ago",
			      print_age(now_s > made_s ? (uint64_t)(now_s - made_s) : 0, age));
	}
	(void)fputs(".\n", call->out);
	baseline_close(baseline);
	return EXIT_CLEAN;
}

static int on_fault(void *context, const char *fault)
{
	FILE *out = context;

	(void)print_escaped(out, bytes_from_string(fault));
	(void)fputc('\n', out);
	return 0;
}

/* What only the judge knows: whether the rules that the policy names exist. */
static int verify_rules(FILE *out, const char *path, struct verify_counts *counts,
			struct error *err)
{
	struct baseline *baseline = NULL;
	struct error fault;
	int status = 0;

	if (counts->broken > 0 || baseline_open(path, NULL, &baseline, &fault) < 0) {
		return 0; /* told already */
	}
	if (rules_check_policy(baseline_policy(baseline), &fault) < 0) {
		counts->broken++;
		status = fault.kind == ERROR_CONFIG
				 ? on_fault(out, fault.msg)
				 : error_set(err, fault.kind, 0, "%s", fault.msg);
	}
	baseline_close(baseline);
	return status;
}

int verb_baseline_verify(struct call *call, struct error *err)
{
	struct verify_counts counts = {0};
	const char *path;

	if (open_baseline_path(call, &path, err) < 0 ||
	    verify_repository(path, NULL, on_fault, call->out, &counts, err) < 0 ||
	    verify_rules(call->out, path, &counts, err) < 0) {
		return -1;
	}
	(void)fprintf(call->out,
		      "%zu manifests, %zu hosts, %zu groups, %zu trees, %zu acknowledgements: %zu "
		      "entries and %zu records; %zu broken files, %zu that nothing reads.\n",
		      counts.manifests, counts.hosts, counts.groups, counts.trees, counts.acks,
		      counts.entries, counts.records, counts.broken, counts.unknown);
	if (counts.manifests > 0) {
		(void)fprintf(call->out,
			      "%zu manifests are signed, %zu unsigned; %zu of packages that ship "
			      "no md5sums.\n",
			      counts.is_signed, counts.manifests - counts.is_signed,
			      counts.no_md5sums);
	}
	if (counts.manifests > counts.is_signed && !call->quiet) {
		(void)fprintf(call->log,
			      "muster: an unsigned manifest becomes signed when its package is "
			      "imported again with its proof: muster baseline import --release "
			      "InRelease --packages Packages FILE.deb, or --mirror DIR.\n");
	}
	return counts.broken > 0 ? EXIT_FATAL : EXIT_CLEAN;
}
