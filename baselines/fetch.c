// SPDX-License-Identifier: MIT
#include "baselines/fetch.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <git2.h>

#include "baselines/git_child.h"
#include "baselines/repository.h"
#include "schema/bytes.h"
#include "schema/escape.h"

#define FETCH_TIMEOUT_S 120
#define VERIFY_TIMEOUT_S 60
#define FETCHED "refs/muster/fetched"
#define HEADS "refs/heads/"
#define REMOTE "origin"
#define SHORT 12
#define SHOWN 160
#define BRANCH_MAX 512

struct fetch {
	const char *path;
	const char *signers;
	git_repository *git;
	char branch[BRANCH_MAX]; /* refs/heads/... */
	git_oid had, got;
};

static int open_git(const char *path, git_repository **git, struct error *err)
{
	int code;

	(void)git_libgit2_init();
	(void)git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
	code = git_repository_open_ext(git, path, GIT_REPOSITORY_OPEN_NO_SEARCH, NULL);
	if (code < 0) {
		*git = NULL;
		(void)repository_failed(err, code, "%s", path);
		(void)git_libgit2_shutdown();
		return -1;
	}
	return 0;
}

static void close_git(git_repository *git)
{
	git_repository_free(git);
	(void)git_libgit2_shutdown();
}

/* A helper's address (ext::sh -c ...) would start a program; -x would be an option of one. */
static bool is_plain_url(const char *url)
{
	size_t scheme = strspn(url, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789+.-_");

	return url[0] != '\0' && url[0] != '-' && strncmp(url + scheme, "::", 2) != 0;
}

/*
 * For a message that says more than git's would; what git makes of the address is bounded by
 * GIT_ALLOW_PROTOCOL. Not by git_remote_lookup, which leaks where libgit2 has pcre2.
 */
static int check_remote(const struct fetch *fetch, struct error *err)
{
	git_config *config = NULL;
	const char *url = NULL;
	char shown[SHOWN];
	int code = git_repository_config_snapshot(&config, fetch->git), result = -1;

	if (code == 0) {
		code = git_config_get_string(&url, config, "remote." REMOTE ".url");
	}
	if (code < 0 || !url) {
		(void)error_set(err, ERROR_CONFIG, 0,
				"%s: no remote " REMOTE " to fetch from (git clone --bare sets it)",
				fetch->path);
	} else if (!is_plain_url(url)) {
		(void)error_set(err, ERROR_CONFIG, 0, "%s: remote " REMOTE ": \"%s\" is no address",
				fetch->path,
				escape_text(bytes_from_string(url), shown, sizeof(shown)));
	} else {
		result = 0;
	}
	git_config_free(config);
	return result;
}

/* The branch that HEAD names, and its commit. */
static int find_branch(struct fetch *fetch, struct error *err)
{
	git_reference *head = NULL;
	const char *name = NULL;
	int code = git_reference_lookup(&head, fetch->git, "HEAD"), result = -1;

	if (code == 0 && git_reference_type(head) == GIT_REFERENCE_SYMBOLIC) {
		name = git_reference_symbolic_target(head);
	}
	if (code < 0) {
		(void)repository_failed(err, code, "%s: HEAD", fetch->path);
	} else if (!name || strncmp(name, HEADS, strlen(HEADS)) != 0 ||
		   name[strlen(HEADS)] == '-' || strlen(name) >= sizeof(fetch->branch) ||
		   git_reference_is_valid_name(name) != 1) {
		(void)error_set(err, ERROR_CONFIG, 0, "%s: HEAD names no branch to fetch",
				fetch->path);
	} else {
		(void)snprintf(fetch->branch, sizeof(fetch->branch), "%s", name);
		code = git_reference_name_to_id(&fetch->had, fetch->git, name);
		result = code < 0 ? repository_failed(err, code, "%s: HEAD has no commit yet",
						      fetch->path)
				  : 0;
	}
	git_reference_free(head);
	return result;
}

static int run_fetch(const struct fetch *fetch, struct error *err)
{
	char where[PATH_MAX + 16], what[BRANCH_MAX + 32], said[GIT_CHILD_SAID];
	const char *const arguments[] = {
		"-c", "fetch.recurseSubmodules=false", "-c", "fetch.writeCommitGraph=false", where,
		"fetch", "--quiet",
		/* Of remote.origin.uploadpack the first counts, so that -c is no help. */
		"--upload-pack=git-upload-pack", "--no-tags", "--no-prune",
		"--no-recurse-submodules", "--no-write-fetch-head", "--refmap=", "--", REMOTE, what,
		NULL};
	int status;

	(void)snprintf(where, sizeof(where), "--git-dir=%s", git_repository_path(fetch->git));
	(void)snprintf(what, sizeof(what), "+%s:" FETCHED, fetch->branch);
	if (git_child_run(arguments, FETCH_TIMEOUT_S, &status, said, err) < 0) {
		return -1;
	}
	return status == 0 ? 0
			   : error_set(err, ERROR_NET, 0, "git fetch: %s",
				       said[0] ? said : "it failed and does not say why");
}

/* A fault on the way, after which the run goes on with the commit it has. */
static int not_fetched(int code, const char *what, struct error *err)
{
	(void)repository_failed(err, code, "%s", what);
	if (err) {
		err->kind = ERROR_NET;
	}
	return -1;
}

static int check_descendant(struct fetch *fetch, struct error *err)
{
	char had[SHORT + 1], got[SHORT + 1];
	git_commit *commit = NULL;
	int code = git_reference_name_to_id(&fetch->got, fetch->git, FETCHED);

	if (code < 0) {
		return not_fetched(code, FETCHED, err);
	}
	(void)git_oid_tostr(had, sizeof(had), &fetch->had);
	(void)git_oid_tostr(got, sizeof(got), &fetch->got);
	if (git_commit_lookup(&commit, fetch->git, &fetch->got) < 0) {
		return error_set(err, ERROR_AUTH, 0, "what was fetched (%s) is no commit", got);
	}
	git_commit_free(commit);
	if (git_oid_equal(&fetch->had, &fetch->got)) {
		return 0;
	}
	code = git_graph_descendant_of(fetch->git, &fetch->got, &fetch->had);
	if (code < 0) {
		return not_fetched(code, "whether what was fetched is a descendant", err);
	}
	return code == 1 ? 0
			 : error_set(err, ERROR_AUTH, 0,
				     "%s was fetched, which is not a descendant of %s: was it "
				     "force-pushed?",
				     got, had);
}

/* Whether `file` stands in or below `folder`; both are whole names. */
static bool is_below(const char *file, const char *folder)
{
	char whole[PATH_MAX];
	size_t len;

	if (!folder || !realpath(folder, whole)) {
		return false;
	}
	len = strlen(whole);
	return strncmp(file, whole, len) == 0 && (file[len] == '/' || file[len] == '\0');
}

/* Whoever may write to the repository must not say who may sign. */
static int check_signers(git_repository *git, const char *signers, char whole[PATH_MAX],
			 struct error *err)
{
	struct stat st;

	if (!realpath(signers, whole) || stat(whole, &st) < 0 || access(whole, R_OK) < 0) {
		return error_set(err, ERROR_CONFIG, errno, "%s: %s", signers, strerror(errno));
	}
	if (!S_ISREG(st.st_mode)) {
		return error_set(err, ERROR_CONFIG, 0, "%s: no file of signers", signers);
	}
	if (is_below(whole, git_repository_path(git)) ||
	    is_below(whole, git_repository_workdir(git))) {
		return error_set(err, ERROR_CONFIG, 0,
				 "%s: the signers must not be named within the repository",
				 signers);
	}
	return 0;
}

/*
 * git decides by the signature, not by gpg.format, which program looks at it: an OpenPGP signature by
 * any key of the account's keyring would do, were gpg not taken away.
 */
static int verify(git_repository *git, const char *commit, const char *signers, struct error *err)
{
	char where[PATH_MAX + 16], whole[PATH_MAX], allowed[PATH_MAX + 32], said[GIT_CHILD_SAID];
	const char *const arguments[] = {
		"-c",  "safe.directory=*", /* it runs nothing of the repository's */
		"-c",  "gpg.format=ssh",
		"-c",  "gpg.ssh.program=ssh-keygen",
		"-c",  "gpg.program=false",
		"-c",  "gpg.openpgp.program=false",
		"-c",  "gpg.x509.program=false",
		"-c",  "gpg.minTrustLevel=fully",
		"-c",  allowed,
		where, "verify-commit",
		"--",  commit,
		NULL};
	int status;

	if (check_signers(git, signers, whole, err) < 0) {
		return -1;
	}
	(void)snprintf(where, sizeof(where), "--git-dir=%s", git_repository_path(git));
	(void)snprintf(allowed, sizeof(allowed), "gpg.ssh.allowedSignersFile=%s", whole);
	if (git_child_run(arguments, VERIFY_TIMEOUT_S, &status, said, err) < 0) {
		return -1;
	}
	return status == 0 ? 0
			   : error_set(err, ERROR_AUTH, 0,
				       "commit %.12s is not signed by one of %.150s%s%s", commit,
				       signers, said[0] ? ": " : "", said);
}

/* Only from the commit that was judged: whoever moved it meanwhile wins. */
static int move_branch(const struct fetch *fetch, struct error *err)
{
	git_reference *made = NULL;
	int code = git_reference_create_matching(&made, fetch->git, fetch->branch, &fetch->got, 1,
						 &fetch->had, "muster: fast-forward");

	git_reference_free(made);
	return code < 0 ? not_fetched(code, "the branch could not be moved", err) : 0;
}

static int fetch_opened(struct fetch *fetch, bool *moved, struct error *err)
{
	char commit[GIT_OID_HEXSZ + 1], whole[PATH_MAX];

	if (!git_repository_is_bare(fetch->git)) {
		return error_set(err, ERROR_CONFIG, 0,
				 "%s: only a bare repository is fetched into (git clone --bare): a "
				 "work tree would not follow",
				 fetch->path);
	}
	if (check_remote(fetch, err) < 0 || find_branch(fetch, err) < 0 ||
	    (fetch->signers && check_signers(fetch->git, fetch->signers, whole, err) < 0) ||
	    run_fetch(fetch, err) < 0 || check_descendant(fetch, err) < 0) {
		return -1;
	}
	if (git_oid_equal(&fetch->had, &fetch->got)) {
		return 0;
	}
	(void)git_oid_tostr(commit, sizeof(commit), &fetch->got);
	if ((fetch->signers && verify(fetch->git, commit, fetch->signers, err) < 0) ||
	    move_branch(fetch, err) < 0) {
		return -1;
	}
	*moved = true;
	return 0;
}

int fetch_baseline(const char *path, const char *signers, bool *moved, struct error *err)
{
	struct fetch fetch = {.path = path, .signers = signers};
	int result;

	*moved = false;
	if (open_git(path, &fetch.git, err) < 0) {
		return -1;
	}
	result = fetch_opened(&fetch, moved, err);
	close_git(fetch.git);
	return result;
}

int fetch_verify(const char *path, const char *commit, const char *signers, struct error *err)
{
	git_repository *git = NULL;
	int result;

	if (open_git(path, &git, err) < 0) {
		return -1;
	}
	result = verify(git, commit, signers, err);
	close_git(git);
	return result;
}

bool fetch_commit_time(const char *path, const char *commit, int64_t *made_s)
{
	git_repository *git = NULL;
	git_commit *object = NULL;
	struct error ignored;
	bool found = false;
	git_oid id;

	if (open_git(path, &git, &ignored) < 0) {
		return false;
	}
	if (git_oid_fromstr(&id, commit) == 0 && git_commit_lookup(&object, git, &id) == 0) {
		*made_s = git_commit_time(object);
		git_commit_free(object);
		found = true;
	}
	close_git(git);
	return found;
}
