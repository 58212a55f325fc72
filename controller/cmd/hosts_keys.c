// SPDX-License-Identifier: MIT
#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "controller/cmd/call.h"
#include "controller/cmd/reach.h"
#include "controller/inventory/fold.h"
#include "controller/report/print.h"
#include "controller/ssh/keys/known_hosts.h"
#include "controller/ssh/keys/pubkey.h"
#include "controller/ssh/pool/pool.h"
#include "schema/escape.h"

#define IMPORTED_MAX 64

struct fetching {
	struct call *call;
	struct inventory *inventory;
	struct nodeset *hosts;
	struct transport *ssh;
	FILE *import;                 /* NULL: only show */
	struct known_hosts *imported; /* what stood in it before; NULL likewise */
	size_t next, running;
	size_t failed, unsafe, fresh, written;
	struct error *err;
	bool broken;
};

/* A line of a known_hosts file (sshd(8)); other ports than 22 stand as [host]:port. */
static void write_line(FILE *out, const struct pool_hostkey *key)
{
	size_t room = 4 * ((key->blob.len + 2) / 3) + 1;
	unsigned char *text = malloc(room);

	if (!text || key->blob.len > INT32_MAX) {
		free(text);
		return;
	}
	(void)EVP_EncodeBlock(text, key->blob.data, (int)key->blob.len);
	if (key->port != 0 && key->port != 22) {
		(void)fprintf(out, "[%s]:%u ", key->name, key->port);
	} else {
		(void)fprintf(out, "%s ", key->name);
	}
	(void)print_bytes(out, key->type);
	(void)fprintf(out, " %s\n", (const char *)text);
	free(text);
}

/*
 * "same", "other" or "unknown" in the file that is written to: one that it contradicts must not get in
 * beside the one that was reviewed.
 */
static const char *word_of_import(struct fetching *fetching, const struct pool_hostkey *key)
{
	struct known_host known[IMPORTED_MAX];
	const char *word = "unknown";
	size_t count = 0;

	if (fetching->imported) {
		count = known_hosts_find(fetching->imported, key->name, key->port, known,
					 IMPORTED_MAX);
	}
	for (size_t i = 0; i < count; i++) {
		if (bytes_equal(known[i].blob, key->blob)) {
			return known[i].kind == KNOWN_REVOKED ? "revoked" : "same";
		}
		if (known[i].kind == KNOWN_KEY &&
		    bytes_equal(pubkey_type(known[i].blob), key->type)) {
			word = "other";
		}
	}
	return word;
}

static void start_more(struct fetching *fetching);

static void on_keys(void *context, const char *host, const struct pool_hostkey *key, size_t count,
		    enum outcome outcome, const char *reason)
{
	struct fetching *fetching = context;
	FILE *out = fetching->call->out;

	fetching->running--;
	if (count == 0) {
		fetching->failed++;
		(void)fprintf(out, "%s  %s  ", host, outcome_name(outcome));
		(void)print_escaped(out, bytes_from_string(reason));
		(void)fputc('\n', out);
	}
	for (size_t i = 0; i < count; i++) {
		const char *import = word_of_import(fetching, &key[i]);
		const char *word = strcmp(key[i].known, "unknown") == 0 ? import : key[i].known;
		bool is_safe = (strcmp(word, "same") == 0 || strcmp(word, "unknown") == 0) &&
			       (strcmp(import, "same") == 0 || strcmp(import, "unknown") == 0);

		(void)fprintf(out, "%s  ", host);
		(void)print_bytes(out, key[i].type);
		(void)fprintf(out, "  %s  %s\n", key[i].fingerprint,
			      is_safe                     ? word
			      : strcmp(word, "same") == 0 ? import
							  : word);
		fetching->unsafe += is_safe ? 0 : 1;
		fetching->fresh += strcmp(word, "unknown") == 0 ? 1 : 0;
		/* What contradicts a known key is for people to look at, not for a file. */
		if (fetching->import && is_safe && strcmp(import, "unknown") == 0) {
			write_line(fetching->import, &key[i]);
			fetching->written++;
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

static void print_unsafe(const struct fetching *fetching)
{
	if (fetching->unsafe > 0) {
		(void)fputs("\nA key that is `other` or `revoked` contradicts what is known: "
			    "rebuilt or "
			    "intercepted? It was not written.\n",
			    fetching->call->out);
	}
}

/* Commands that work when they are pasted. */
static int print_next(struct fetching *fetching, const char *file, struct error *err)
{
	char again[AGAIN_ROOM], word[AGAIN_ROOM], names[AGAIN_ROOM];
	const struct call *call = fetching->call;
	char *folded = NULL;
	FILE *out = call->out;

	/* What contradicts is to be looked into before anything else. */
	if (call->quiet || fetching->unsafe > 0 || (!file && fetching->fresh == 0)) {
		return 0;
	}
	if (fold_nodeset(fetching->hosts, &folded, err) < 0) {
		return -1;
	}
	(void)again_word(folded, names);
	free(folded);
	if (file) {
		(void)fprintf(out,
			      "\n%zu key%s written. Next: compare the fingerprints with the hosts' "
			      "consoles (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub), then\n"
			      "  muster check %s --known-hosts %s%s\n",
			      fetching->written, fetching->written == 1 ? "" : "s",
			      names[0] ? names : "HOST", again_word(file, word),
			      again_to_check(call, false, again));
	} else {
		(void)fprintf(out,
			      "\nNothing is trusted by this. Next: write the keys for review\n"
			      "  muster hosts keys %s --import FILE%s\n",
			      names[0] ? names : "HOST", again_to_reach(call, again));
	}
	return 0;
}

static int open_import(struct fetching *fetching, struct error *err)
{
	struct call *call = fetching->call;
	const char *path = call_value(call, OPTION_IMPORT);
	char shown[512];

	if (!path) {
		return 0;
	}
	if (known_hosts_new(&fetching->imported, err) < 0 ||
	    known_hosts_load(fetching->imported, path, false, err) < 0) {
		return -1;
	}
	fetching->import = fopen(path, "ae");
	if (!fetching->import) {
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
	    open_import(&fetching, err) < 0 || fetch(&fetching, err) < 0) {
		goto out;
	}
	print_unsafe(&fetching);
	if (print_next(&fetching, call_value(call, OPTION_IMPORT), err) < 0) {
		goto out;
	}
	code = fetching.unsafe > 0   ? EXIT_FINDINGS
	       : fetching.failed > 0 ? EXIT_INCOMPLETE
				     : EXIT_CLEAN;
out:
	if (fetching.import && fclose(fetching.import) != 0 && code >= 0) {
		code = error_set(err, ERROR_SYSTEM, errno, "--import: %s", strerror(errno));
	}
	known_hosts_free(fetching.imported);
	nodeset_free(fetching.hosts);
	inventory_free(fetching.inventory);
	return code;
}
