// SPDX-License-Identifier: MIT
/* doctor: what would stop a scan, here and host by host, without scanning. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <uthash.h>

#include "controller/cmd/fetching.h"
#include "controller/cmd/open.h"
#include "controller/cmd/reach.h"
#include "controller/fleet/visit.h"
#include "controller/inventory/fold.h"
#include "controller/report/groups.h"
#include "controller/report/line.h"
#include "controller/report/print.h"
#include "controller/ssh/helper.h"
#include "schema/escape.h"

#define SHOWN 300
#define SKEW_MAX_NS (INT64_C(60) * 1000000000) /* more, and the timeline's hours mislead */
#define SPARE_FILES 64U

/* Hosts by what stands in /etc/machine-id: clones are told apart by nothing else. */
struct machine {
	UT_hash_handle hh;
	char *host; /* the first one */
	char id[];
};

struct doctor {
	struct call *call;
	FILE *out;
	size_t faults; /* here: no scan at all would come to a good end */
	size_t hosts, ready, stopped, limited;
	struct groups *stops; /* hosts by state and reason */
	struct machine *machines;
	struct error error; /* of a callback */
};

static void say(struct doctor *doctor, const char *state, const char *what, const char *detail)
{
	enum line_color color = strcmp(state, "ok") == 0     ? LINE_GREEN
				: strcmp(state, "stop") == 0 ? LINE_RED
							     : LINE_YELLOW;
	char padded[8];

	(void)snprintf(padded, sizeof(padded), "%-4s", state);
	(void)fputs("  ", doctor->out);
	line_paint(doctor->out, doctor->call->color, color, padded);
	(void)fprintf(doctor->out, "  %-12s ", what);
	(void)print_escaped(doctor->out, bytes_from_string(detail));
	(void)fputc('\n', doctor->out);
	doctor->faults += strcmp(state, "stop") == 0;
}

/* Here */

static void look_at_programs(struct doctor *doctor)
{
	static const char *const names[] = {"muster-ssh", "probe-x86_64", "probe-aarch64",
					    "muster-run-ssh"};
	char path[4096];
	struct error err;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (helper_path(names[i], path, sizeof(path), &err) == 0) {
			say(doctor, "ok", names[i], path);
		} else {
			say(doctor, i == 0 ? "stop" : "note", names[i],
			    i == 0   ? err.msg
			    : i == 3 ? "missing: hosts that only OpenSSH's ssh can reach are "
				       "internal"
				     : "missing: hosts of that machine are arch-unknown");
		}
	}
}

static void look_at_file(struct doctor *doctor, enum config_key key, const char *what,
			 const char *without)
{
	const char *path = config_text(doctor->call->config, key);
	char text[SHOWN], shown[SHOWN];

	if (!path) {
		say(doctor, "note", what, without);
		return;
	}
	(void)escape_text(bytes_from_string(path), shown, sizeof(shown));
	if (strcmp(path, "none") != 0 && access(path, R_OK) != 0) {
		(void)snprintf(text, sizeof(text), "%.200s: %s (named by %.60s)", shown,
			       strerror(errno), config_origin(doctor->call->config, key));
		say(doctor, "stop", what, text);
	} else {
		say(doctor, "ok", what, shown);
	}
}

static void look_at_database(struct doctor *doctor)
{
	const char *path = config_text(doctor->call->config, CONFIG_DB);
	char text[SHOWN + 64], shown[SHOWN];
	struct store *store = NULL;
	struct error err;

	if (!path) {
		say(doctor, "stop", "database", "no place for it: --db FILE");
		return;
	}
	(void)escape_text(bytes_from_string(path), shown, sizeof(shown));
	if (access(path, F_OK) != 0) {
		(void)snprintf(text, sizeof(text), "%s: none yet, the first run makes it", shown);
		say(doctor, "ok", "database", text);
	} else if (store_open(path, STORE_WRITE, &store, &err) < 0) {
		say(doctor, "stop", "database", err.msg);
	} else {
		say(doctor, "ok", "database", shown);
	}
	store_close(store);
}

static void look_at_baseline(struct doctor *doctor, struct inventory *inventory)
{
	const struct nodeset_groups groups = inventory_nodeset_groups(inventory);
	struct baseline *baseline = NULL;
	struct acks *acks = NULL;
	char text[SHOWN];
	struct error err;
	const char *fault;

	if (open_baseline(doctor->call, &baseline, &err) < 0) {
		doctor->call->advice[0] = '\0';
		say(doctor, "stop", "baseline", err.msg);
		return;
	}
	if (!baseline) {
		say(doctor, "note", "baseline",
		    "none: hosts are judged by first sight and their own word");
		return;
	}
	(void)snprintf(text, sizeof(text), "%.200s at commit %.12s", baseline_path(baseline),
		       baseline_commit(baseline));
	if (fetching_check_signed(doctor->call, baseline, &err) < 0) {
		doctor->call->advice[0] = '\0';
		say(doctor, "stop", "baseline", err.msg);
	} else {
		say(doctor, "ok", "baseline", text);
	}
	if (acks_new(&acks, baseline, &groups, &err) < 0) {
		say(doctor, "stop", "baseline", err.msg);
	}
	for (size_t i = 0; acks && (fault = acks_fault(acks, i)); i++) {
		say(doctor, "note", "baseline", fault);
	}
	acks_free(acks);
	baseline_close(baseline);
}

static void look_at_limits(struct doctor *doctor)
{
	uint64_t parallel = config_number(doctor->call->config, CONFIG_PARALLEL);
	struct rlimit files;
	char text[SHOWN];

	if (getrlimit(RLIMIT_NOFILE, &files) < 0) {
		return;
	}
	(void)snprintf(text, sizeof(text), "%llu open files, %llu hosts at once",
		       (unsigned long long)files.rlim_cur, (unsigned long long)parallel);
	/* Only the hard one counts: muster-ssh raises its own. */
	say(doctor, files.rlim_max < parallel + SPARE_FILES ? "note" : "ok", "limits", text);
}

/* There */

static void clear_machines(struct doctor *doctor)
{
	struct machine *machine = doctor->machines, *next;

	HASH_CLEAR(hh, doctor->machines);
	for (; machine; machine = next) {
		next = machine->hh.next;
		free(machine->host);
		free(machine);
	}
}

/* The host that has this id already, or NULL. */
static const char *note_machine(struct doctor *doctor, const char *host, struct bytes id)
{
	struct machine *machine = NULL;

	if (id.len == 0 || strcmp(host, "localhost") == 0) {
		return NULL;
	}
	HASH_FIND(hh, doctor->machines, id.data, id.len, machine);
	if (machine) {
		return machine->host;
	}
	machine = calloc(1, sizeof(*machine) + id.len + 1);
	if (!machine) {
		return NULL;
	}
	machine->host = strdup(host);
	memcpy(machine->id, id.data, id.len);
	if (!machine->host) {
		free(machine);
		return NULL;
	}
	HASH_ADD_KEYPTR(hh, doctor->machines, machine->id, id.len, machine);
	if (!machine->hh.tbl) {
		free(machine->host);
		free(machine);
	}
	return NULL;
}

static void say_ready(struct doctor *doctor, const struct visit_result *result)
{
	const struct hello *hello = result->hello;
	bool is_root = hello->uid == 0;
	int64_t skew = result->clock_offset_ns;
	const char *twin = note_machine(doctor, result->host, hello->machine_id);
	FILE *out = doctor->out;

	doctor->ready++;
	doctor->limited += is_root ? 0 : 1;
	(void)fputs("  ", out);
	line_paint(out, doctor->call->color, is_root ? LINE_GREEN : LINE_YELLOW,
		   is_root ? "ok  " : "note");
	(void)fprintf(out, "  %-12s uid %u, ", result->host, hello->uid);
	(void)print_bytes(out, hello->machine);
	(void)fputs(", Linux ", out);
	(void)print_bytes(out, hello->kernel);
	(void)fprintf(out, ", %llu ms", (unsigned long long)result->took_ms);
	if (result->transport) {
		(void)fprintf(out, ", transport: %s", result->transport);
	}
	(void)fputs(is_root ? "\n"
			    : ": not root, so that a scan will be partial (--become, muster "
			      "sudoers)\n",
		    out);
	if (skew > SKEW_MAX_NS || skew < -SKEW_MAX_NS) {
		(void)fprintf(out, "        its clock is %lld s %s\n",
			      (long long)((skew < 0 ? -skew : skew) / 1000000000),
			      skew < 0 ? "behind" : "ahead");
	}
	if (hello->tracer != 0) {
		(void)fputs("        the probe is traced by another process there\n", out);
	}
	if (twin) {
		(void)fprintf(out, "        it has the machine-id of %s: a clone?\n", twin);
	}
}

static void on_visit(void *context, const struct visit_result *result)
{
	struct doctor *doctor = context;
	char key[1024 + 100];

	doctor->hosts++;
	if (result->hello) {
		say_ready(doctor, result);
		return;
	}
	doctor->stopped++;
	(void)snprintf(key, sizeof(key), "%s\n%s%s%s", outcome_name(result->outcome),
		       result->reason, result->transport ? "; transport: " : "",
		       result->transport ? result->transport : "");
	if (doctor->error.kind == ERROR_NONE && groups_add(doctor->stops, key, (int)result->outcome,
							   result->host, 0, &doctor->error) < 0) {
		return; /* told at the end */
	}
}

static int say_stops(struct doctor *doctor, struct error *err)
{
	const struct group *group;
	FILE *out = doctor->out;

	groups_sort(doctor->stops);
	for (size_t i = 0; (group = groups_at(doctor->stops, i)); i++) {
		const char *newline = strchr(group->key, '\n');
		const char *advice = outcome_advice((enum outcome)group->rank);
		char *hosts = NULL;

		if (fold_names(group->hosts, group->host_count, &hosts, err) < 0) {
			return -1;
		}
		(void)fputs("  ", out);
		line_paint(out, doctor->call->color, LINE_RED, "stop");
		(void)fputs("  ", out);
		(void)line_hosts(out, hosts, group->host_count);
		(void)fprintf(out, "  %.*s  ", (int)(newline - group->key), group->key);
		(void)print_escaped(out, bytes_from_string(newline + 1));
		(void)fputc('\n', out);
		if (*advice) {
			(void)fprintf(out, "        try: %s\n", advice);
		}
		free(hosts);
	}
	return 0;
}

static int visit_hosts(struct doctor *doctor, struct inventory *inventory, struct nodeset *hosts,
		       struct error *err)
{
	struct reach reach = {0};
	uv_loop_t loop;
	int status = -1;

	if (uv_loop_init(&loop) != 0) {
		return error_set(err, ERROR_SYSTEM, 0, "no event loop");
	}
	(void)fputs("There:\n", doctor->out);
	if (reach_open(doctor->call, &loop, inventory, hosts, &reach, err) == 0 &&
	    visit_run(&loop, reach.hosts, reach.host_count,
		      (size_t)config_number(doctor->call->config, CONFIG_PARALLEL), on_visit,
		      doctor, err) == 0) {
		status = 0;
	}
	reach_close(&reach, &loop);
	(void)uv_loop_close(&loop);
	if (status == 0 && doctor->error.kind != ERROR_NONE) {
		*err = doctor->error;
		return -1;
	}
	return status < 0 ? -1 : say_stops(doctor, err);
}

static void look_here(struct doctor *doctor, struct inventory *inventory)
{
	(void)fputs("Here:\n", doctor->out);
	look_at_programs(doctor);
	look_at_file(doctor, CONFIG_IDENTITY, "identity",
		     "none named: ssh_config, the usual files, ssh-agent");
	look_at_file(doctor, CONFIG_KNOWN_HOSTS, "known_hosts",
		     "none named: the user's and the system's");
	look_at_database(doctor);
	look_at_baseline(doctor, inventory);
	look_at_limits(doctor);
}

int verb_doctor(struct call *call, struct error *err)
{
	struct doctor doctor = {.call = call, .out = call->out};
	struct inventory *inventory = NULL;
	struct nodeset *hosts = NULL;
	int code = -1;

	if (call_inventory(call, &inventory, err) < 0 ||
	    call_hosts(call, inventory, 0, &hosts, err) < 0 || groups_new(&doctor.stops, err) < 0) {
		goto out;
	}
	look_here(&doctor, inventory);
	if (nodeset_count(hosts) > 0 && visit_hosts(&doctor, inventory, hosts, err) < 0) {
		goto out;
	}
	if (nodeset_count(hosts) == 0) {
		(void)fprintf(call->out,
			      "%zu fault%s here; no host was asked.\n"
			      "  try: muster doctor HOST, or name an inventory: -i FILE\n",
			      doctor.faults, doctor.faults == 1 ? "" : "s");
		code = doctor.faults > 0 ? EXIT_FATAL : EXIT_CLEAN;
		goto out;
	}
	(void)fprintf(call->out,
		      "%zu of %zu host%s ready, %zu of them without root; %zu fault%s here.\n",
		      doctor.ready, doctor.hosts, doctor.hosts == 1 ? "" : "s", doctor.limited,
		      doctor.faults, doctor.faults == 1 ? "" : "s");
	code = doctor.faults > 0                     ? EXIT_FATAL
	       : doctor.stopped + doctor.limited > 0 ? EXIT_INCOMPLETE
						     : EXIT_CLEAN;
out:
	clear_machines(&doctor);
	groups_free(doctor.stops);
	nodeset_free(hosts);
	inventory_free(inventory);
	return code;
}
