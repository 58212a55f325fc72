// SPDX-License-Identifier: MIT
#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "controller/cmd/call.h"
#include "controller/cmd/reach.h"
#include "controller/report/print.h"
#include "controller/ssh/pool.h"
#include "schema/escape.h"

struct fetching {
	struct call *call;
	struct inventory *inventory;
	struct nodeset *hosts;
	struct transport *ssh;
	FILE *import; /* NULL: only show */
	size_t next, running;
	size_t failed, unsafe;
	struct error *err;
	bool broken;
};

/* A line of a known_hosts file (sshd(8)); other ports than 22 stand as [host]:port. */
static void write_line(FILE *out, const char *host, uint16_t port, const struct pool_hostkey *key)
{
	size_t room = 4 * ((key->blob.len + 2) / 3) + 1;
	unsigned char *text = malloc(room);

	if (!text || key->blob.len > INT32_MAX) {
		free(text);
		return;
	}
	(void)EVP_EncodeBlock(text, key->blob.data, (int)key->blob.len);
	if (port != 0 && port != 22) {
		(void)fprintf(out, "[%s]:%u ", host, port);
	} else {
		(void)fprintf(out, "%s ", host);
	}
	(void)print_bytes(out, key->type);
	(void)fprintf(out, " %s\n", (const char *)text);
	free(text);
}

static void start_more(struct fetching *fetching);

static void on_keys(void *context, const char *host, const struct pool_hostkey *key, size_t count,
		    enum outcome outcome, const char *reason)
{
	struct fetching *fetching = context;
	struct target target = reach_target(fetching->call, fetching->inventory, host);
	FILE *out = fetching->call->out;

	fetching->running--;
	if (count == 0) {
		fetching->failed++;
		(void)fprintf(out, "%s  %s  ", host, outcome_name(outcome));
		(void)print_escaped(out, bytes_from_string(reason));
		(void)fputc('\n', out);
	}
	for (size_t i = 0; i < count; i++) {
		bool is_safe = strcmp(key[i].known, "same") == 0 ||
			       strcmp(key[i].known, "unknown") == 0;

		(void)fprintf(out, "%s  ", host);
		(void)print_bytes(out, key[i].type);
		(void)fprintf(out, "  %s  %s\n", key[i].fingerprint, key[i].known);
		fetching->unsafe += is_safe ? 0 : 1;
		/* What contradicts a known key is for people to look at, not for a file. */
		if (fetching->import && is_safe) {
			write_line(fetching->import, target.address ? target.address : host,
				   target.port ? target.port
					       : (uint16_t)config_number(fetching->call->config,
									 CONFIG_PORT),
				   &key[i]);
		}
	}
	start_more(fetching);
}

static void start_more(struct fetching *fetching)
{
	size_t most = (size_t)config_number(fetching->call->config, CONFIG_PARALLEL);

	while (!fetching->broken && fetching->running < most &&
	       fetching->next < nodeset_count(fetching->hosts)) {
		const char *name = nodeset_name(fetching->hosts, fetching->next++);
		struct target target = reach_target(fetching->call, fetching->inventory, name);

		target.timeout_ms = target.connect_timeout_ms;
		fetching->running++;
		if (pool_fetch_hostkeys(fetching->ssh, &target, on_keys, fetching, fetching->err) <
		    0) {
			fetching->running--;
			fetching->broken = true;
		}
	}
}

static int fetch(struct fetching *fetching, struct error *err)
{
	uv_loop_t loop;

	if (uv_loop_init(&loop) != 0) {
		return error_set(err, ERROR_SYSTEM, 0, "no event loop");
	}
	if (reach_ssh(fetching->call, &loop, &fetching->ssh, err) < 0) {
		(void)uv_run(&loop, UV_RUN_DEFAULT);
		(void)uv_loop_close(&loop);
		return -1;
	}
	start_more(fetching);
	while (fetching->running > 0) {
		(void)uv_run(&loop, UV_RUN_ONCE);
	}
	fetching->ssh->free(fetching->ssh);
	(void)uv_run(&loop, UV_RUN_DEFAULT);
	(void)uv_loop_close(&loop);
	return fetching->broken ? -1 : 0;
}

static void print_next(const struct fetching *fetching, const char *file)
{
	char shown[512];
	FILE *out = fetching->call->out;

	if (fetching->unsafe > 0) {
		(void)fputs(
			"\nA key that is `other` or `revoked` contradicts known_hosts: rebuilt or "
			"intercepted? It was not written.\n",
			out);
	}
	if (fetching->call->quiet) {
		return;
	}
	if (file) {
		(void)fprintf(
			out,
			"\nNext: compare the fingerprints with the hosts' consoles (ssh-keygen "
			"-lf /etc/ssh/ssh_host_ed25519_key.pub), then\n  muster check HOST "
			"--known-hosts %s\n",
			escape_text(bytes_from_string(file), shown, sizeof(shown)));
	} else {
		(void)fputs(
			"\nNothing is trusted by this. --import FILE writes the keys for review.\n",
			out);
	}
}

static int open_import(struct call *call, FILE **import, struct error *err)
{
	const char *path = call_value(call, OPTION_IMPORT);
	char shown[512];

	*import = NULL;
	if (!path) {
		return 0;
	}
	*import = fopen(path, "ae");
	if (!*import) {
		return error_set(err, ERROR_CONFIG, errno, "--import: %s: %s",
				 escape_text(bytes_from_string(path), shown, sizeof(shown)),
				 strerror(errno));
	}
	return 0;
}

int verb_hosts_keys(struct call *call, struct error *err)
{
	struct fetching fetching = {.call = call, .err = err};
	int code = -1;

	if (call_inventory(call, &fetching.inventory, err) < 0 ||
	    call_hosts(call, fetching.inventory, 0, &fetching.hosts, err) < 0 ||
	    open_import(call, &fetching.import, err) < 0 || fetch(&fetching, err) < 0) {
		goto out;
	}
	print_next(&fetching, call_value(call, OPTION_IMPORT));
	code = fetching.unsafe > 0   ? EXIT_FINDINGS
	       : fetching.failed > 0 ? EXIT_INCOMPLETE
				     : EXIT_CLEAN;
out:
	if (fetching.import && fclose(fetching.import) != 0 && code >= 0) {
		code = error_set(err, ERROR_SYSTEM, errno, "--import: %s", strerror(errno));
	}
	nodeset_free(fetching.hosts);
	inventory_free(fetching.inventory);
	return code;
}
