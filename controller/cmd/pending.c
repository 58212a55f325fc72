// SPDX-License-Identifier: MIT
/* Verbs whose libraries have not landed. */
#include "controller/cmd/call.h"

static int pending(const struct call *call, struct error *err)
{
	return error_set(err, ERROR_CONFIG, 0, "muster %s: not built into this version",
			 call->verb->name);
}

int verb_init(struct call *call, struct error *err)
{
	return pending(call, err);
}

int verb_accept(struct call *call, struct error *err)
{
	return pending(call, err);
}

int verb_ack(struct call *call, struct error *err)
{
	return pending(call, err);
}

int verb_baseline_import(struct call *call, struct error *err)
{
	return pending(call, err);
}

int verb_baseline_capture(struct call *call, struct error *err)
{
	return pending(call, err);
}

int verb_baseline_list(struct call *call, struct error *err)
{
	return pending(call, err);
}

int verb_baseline_verify(struct call *call, struct error *err)
{
	return pending(call, err);
}

int verb_hosts_keys(struct call *call, struct error *err)
{
	return pending(call, err);
}
