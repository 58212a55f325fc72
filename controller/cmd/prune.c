// SPDX-License-Identifier: MIT
#include "controller/cmd/open.h"
#include "controller/report/print.h"

int verb_prune(struct call *call, struct error *err)
{
	char runs[PRINT_NUMBER_ROOM], objects[PRINT_NUMBER_ROOM], size[PRINT_NUMBER_ROOM];
	struct store_pruned pruned = {0};
	struct store *store = NULL;
	uint64_t keep;
	int code = -1;

	if (!call_has(call, OPTION_KEEP)) {
		call_advise(call, "muster prune --keep 90");
		return error_set(err, ERROR_CONFIG, 0, "prune: --keep N is missing");
	}
	if (call_number(call, OPTION_KEEP, 1, 1000000, 0, &keep, err) < 0) {
		return -1;
	}
	/* Pruning what is not there must not make it. */
	if (open_store(call, STORE_READ, &store, err) < 0) {
		return -1;
	}
	store_close(store);
	store = NULL;
	if (open_store(call, STORE_WRITE, &store, err) == 0 &&
	    store_prune(store, (size_t)keep, &pruned, err) == 0) {
		(void)fprintf(call->out, "Dropped %s run%s and %s object%s, %s.\n",
			      print_count(pruned.runs, runs), pruned.runs == 1 ? "" : "s",
			      print_count(pruned.objects, objects), pruned.objects == 1 ? "" : "s",
			      print_size(pruned.bytes, size));
		code = EXIT_CLEAN;
	}
	store_close(store);
	return code;
}
