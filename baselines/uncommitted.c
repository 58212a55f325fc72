// SPDX-License-Identifier: MIT
#include "baselines/uncommitted.h"

#include <git2.h>

#include "baselines/repository.h"
#include "schema/bytes.h"
#include "schema/escape.h"

struct counting {
	size_t count;
	char *first;
};

static int on_file(const char *path, unsigned flags, void *context)
{
	struct counting *counting = context;

	if (flags != GIT_STATUS_CURRENT && counting->count++ == 0) {
		(void)escape_text(bytes_from_string(path), counting->first, UNCOMMITTED_NAME_ROOM);
	}
	return 0;
}

int uncommitted_count(const char *path, size_t *count, char first[UNCOMMITTED_NAME_ROOM],
		      struct error *err)
{
	static char *places[] = {"muster.yaml", "acks", "groups", "hosts", "keys", "trees"};
	struct counting counting = {.first = first};
	git_status_options options;
	git_repository *git = NULL;
	int code;

	*count = 0;
	first[0] = '\0';
	code = git_libgit2_init();
	if (code < 0) {
		return repository_failed(err, code, "%s", path);
	}
	code = git_repository_open_ext(&git, path, GIT_REPOSITORY_OPEN_NO_SEARCH, NULL);
	if (code == 0) {
		code = git_status_options_init(&options, GIT_STATUS_OPTIONS_VERSION);
	}
	if (code == 0 && !git_repository_is_bare(git)) {
		options.show = GIT_STATUS_SHOW_INDEX_AND_WORKDIR;
		options.flags = GIT_STATUS_OPT_INCLUDE_UNTRACKED |
				GIT_STATUS_OPT_RECURSE_UNTRACKED_DIRS |
				GIT_STATUS_OPT_DISABLE_PATHSPEC_MATCH |
				GIT_STATUS_OPT_EXCLUDE_SUBMODULES;
		options.pathspec.strings = places;
		options.pathspec.count = sizeof(places) / sizeof(places[0]);
		code = git_status_foreach_ext(git, &options, on_file, &counting);
	}
	git_repository_free(git);
	if (code < 0) {
		(void)repository_failed(err, code, "%s", path);
	}
	(void)git_libgit2_shutdown();
	*count = counting.count;
	return code < 0 ? -1 : 0;
}
