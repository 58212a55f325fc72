// SPDX-License-Identifier: MIT
#include "controller/ssh/route/ssh_config.h"

#include <ctype.h>
#include <errno.h>
#include <glob.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <uthash.h>

#include "controller/ssh/helper.h"
#include "schema/escape.h"

#define SSH "/usr/bin/ssh"
#define RUNNING_MAX 4U
#define TIMEOUT_MS 20000U
#define OUTPUT_MAX 65536U
#define FILE_MAX (1U << 20)
/* Stands for every host where the files speak of none. A name that no host can have (RFC 1123). */
#define ANY "muster-asks-for-any-host"

struct asking {
	struct asking *next;
	char *host;
	ssh_config_done done;
	void *context;
	uint64_t token;
};

struct cached {
	char *text; /* ssh's output, not yet taken apart */
	UT_hash_handle hh;
	char host[];
};

struct query {
	struct ssh_config *config;
	struct asking *asking;
	uv_process_t process;
	uv_pipe_t out;
	uv_pipe_t err;
	uv_timer_t timer;
	unsigned handles;
	bool exited;
	unsigned open_pipes;
	int64_t exit_status;
	char *text;
	size_t len;
	char said[512];
	size_t said_len;
	char buffer[4096];
};

struct ssh_config {
	uv_loop_t *loop;
	char *file;
	bool installed;
	bool uniform;
	bool freed;
	struct asking *waiting;
	struct asking **waiting_tail;
	unsigned running;
	struct cached *cache;
};

/* --- text --- */

/* What decides who speaks with the host. */
static void parse_more(const char *keyword, const char *value, struct ssh_config_answer *answer)
{
	if (strcmp(keyword, "gssapiauthentication") == 0) {
		answer->gssapi = strcmp(value, "yes") == 0;
	} else if (strcmp(keyword, "pubkeyauthentication") == 0) {
		answer->no_pubkey = strcmp(value, "no") == 0 || strcmp(value, "false") == 0;
	} else if (strcmp(keyword, "preferredauthentications") == 0) {
		answer->preferred_authentications = value;
	} else if (strcmp(keyword, "revokedhostkeys") == 0) {
		answer->revoked_host_keys = value;
	} else if (strcmp(keyword, "pkcs11provider") == 0) {
		answer->pkcs11_provider = value;
	}
}

void ssh_config_parse(char *text, struct ssh_config_answer *answer)
{
	char *save = NULL;

	*answer = (struct ssh_config_answer){.port = 0};
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *value = strchr(line, ' ');

		if (!value) {
			continue;
		}
		*value++ = '\0';
		if (answer->line_count < SSH_CONFIG_LINES_MAX) {
			answer->line[answer->line_count++] = (struct ssh_config_line){line, value};
		}
		if (strcmp(line, "hostname") == 0) {
			answer->hostname = value;
		} else if (strcmp(line, "user") == 0) {
			answer->user = value;
		} else if (strcmp(line, "port") == 0) {
			long port = strtol(value, NULL, 10);

			answer->port = port > 0 && port <= UINT16_MAX ? (uint16_t)port : 0;
		} else if (strcmp(line, "identityfile") == 0) {
			if (answer->identity_count < SSH_CONFIG_LIST_MAX) {
				answer->identity[answer->identity_count++] = value;
			}
		} else if (strcmp(line, "certificatefile") == 0) {
			if (answer->certificate_count < SSH_CONFIG_LIST_MAX) {
				answer->certificate[answer->certificate_count++] = value;
			}
		} else if (strcmp(line, "userknownhostsfile") == 0) {
			answer->user_known_hosts = value;
		} else if (strcmp(line, "globalknownhostsfile") == 0) {
			answer->global_known_hosts = value;
		} else if (strcmp(line, "hostkeyalias") == 0) {
			answer->hostkey_alias = value;
		} else if (strcmp(line, "proxyjump") == 0) {
			answer->proxy_jump = strcmp(value, "none") == 0 ? NULL : value;
		} else if (strcmp(line, "proxycommand") == 0) {
			answer->proxy_command = strcmp(value, "none") == 0 ? NULL : value;
		} else if (strcmp(line, "identityagent") == 0) {
			answer->identity_agent = value;
		} else if (strcmp(line, "identitiesonly") == 0) {
			answer->identities_only = strcmp(value, "yes") == 0;
		} else {
			parse_more(line, value, answer);
		}
	}
}

static bool starts_with(struct bytes line, const char *word, struct bytes *rest)
{
	size_t len = strlen(word);

	if (line.len <= len || strncasecmp((const char *)line.data, word, len) != 0 ||
	    !strchr(" \t=", line.data[len])) {
		return false;
	}
	*rest = (struct bytes){line.data + len, line.len - len};
	while (rest->len > 0 && strchr(" \t=\"", rest->data[0])) {
		rest->data++;
		rest->len--;
	}
	while (rest->len > 0 && strchr(" \t\r\"", rest->data[rest->len - 1])) {
		rest->len--;
	}
	return true;
}

bool ssh_config_is_specific(struct bytes text)
{
	while (text.len > 0) {
		const uint8_t *end = memchr(text.data, '\n', text.len);
		struct bytes line = {text.data, end ? (size_t)(end - text.data) : text.len};
		size_t used = line.len + (end ? 1 : 0);
		struct bytes rest;

		text.data += used;
		text.len -= used;
		while (line.len > 0 && isspace(line.data[0])) {
			line.data++;
			line.len--;
		}
		if (starts_with(line, "Host", &rest)) {
			if (!bytes_equal_string(rest, "*")) {
				return true;
			}
		} else if (starts_with(line, "Match", &rest)) {
			if (!bytes_equal_string(rest, "all")) {
				return true;
			}
		} else if (starts_with(line, "Include", &rest)) {
			/* Debian's and Fedora's own, which is looked at. */
			if (!bytes_equal_string(rest, "/etc/ssh/ssh_config.d/*.conf")) {
				return true;
			}
		} else if (starts_with(line, "CanonicalizeHostname", &rest) ||
			   starts_with(line, "HostName", &rest)) {
			return true;
		}
	}
	return false;
}

static bool add_text(char **to, const char *end, const char *text)
{
	size_t len = strlen(text);

	if ((size_t)(end - *to) <= len) {
		return false;
	}
	memcpy(*to, text, len + 1);
	*to += len;
	return true;
}

bool ssh_config_expand(const char *path, const char *home, const char *host, const char *user,
		       char *to, size_t room)
{
	const char *end = to + room;

	if (strncmp(path, "~/", 2) == 0) {
		if (!add_text(&to, end, home)) {
			return false;
		}
		path++;
	}
	for (; *path; path++) {
		char plain[2] = {*path, '\0'};
		const char *text = plain;

		if (*path == '%') {
			path++;
			text = *path == 'd'                   ? home
			       : *path == 'h' || *path == 'n' ? host
			       : *path == 'r'                 ? user
			       : *path == '%'                 ? "%"
							      : NULL;
			if (!text) {
				return false;
			}
		}
		if (!add_text(&to, end, text)) {
			return false;
		}
	}
	return true;
}

/* --- asking --- */

static void run_more(struct ssh_config *config);

static void free_asking(struct asking *asking)
{
	if (asking) {
		free(asking->host);
		free(asking);
	}
}

static void answer_from(const char *output, const struct asking *asking, bool uniform)
{
	struct ssh_config_answer answer;
	char *text = strdup(output);

	if (!text) {
		asking->done(asking->context, asking->token, NULL, "no memory");
		return;
	}
	ssh_config_parse(text, &answer);
	if (uniform) {
		answer.hostname = asking->host;
	}
	asking->done(asking->context, asking->token, &answer, NULL);
	free(text);
}

static const char *name_to_ask(const struct ssh_config *config, const char *host)
{
	return config->uniform ? ANY : host;
}

static struct cached *find(struct ssh_config *config, const char *host)
{
	struct cached *cached = NULL;

	HASH_FIND_STR(config->cache, name_to_ask(config, host), cached);
	return cached;
}

static void keep(struct ssh_config *config, const char *host, const char *text)
{
	const char *name = name_to_ask(config, host);
	struct cached *cached = calloc(1, sizeof(*cached) + strlen(name) + 1);

	if (!cached) {
		return;
	}
	memcpy(cached->host, name, strlen(name));
	cached->text = strdup(text);
	if (!cached->text) {
		free(cached);
		return;
	}
	HASH_ADD_STR(config->cache, host, cached);
	if (!cached->hh.tbl) {
		free(cached->text);
		free(cached);
	}
}

static void maybe_free(struct ssh_config *config)
{
	struct cached *cached, *next;

	if (!config->freed || config->running > 0) {
		return;
	}
	HASH_ITER (hh, config->cache, cached, next) {
		/* The analyser does not see that the table forgets it. */
		HASH_DEL(config->cache, cached); /* NOLINT(clang-analyzer-unix.Malloc) */
		free(cached->text);
		free(cached);
	}
	free(config->file);
	free(config);
}

static void finish(struct query *query)
{
	struct ssh_config *config = query->config;
	struct asking *asking = query->asking;
	char said[4 * sizeof(query->said) + 1], why[400];

	config->running--;
	if (config->freed) {
		/* Nobody wants to know. */
	} else if (query->exit_status == 0 && query->len > 0) {
		if (!find(config, asking->host)) {
			keep(config, asking->host, query->text);
		}
		answer_from(query->text, asking, config->uniform);
	} else {
		while (query->said_len > 0 && query->said[query->said_len - 1] <= ' ') {
			query->said_len--;
		}
		escape_text(bytes_make(query->said, query->said_len), said, sizeof(said));
		(void)snprintf(why, sizeof(why), "ssh -G: %.300s", said[0] ? said : "no answer");
		asking->done(asking->context, asking->token, NULL, why);
	}
	free_asking(asking);
	free(query->text);
	free(query);
	if (config->freed) {
		maybe_free(config);
	} else {
		run_more(config);
	}
}

static void on_closed(uv_handle_t *handle)
{
	struct query *query = handle->data;

	if (--query->handles == 0) {
		finish(query);
	}
}

static void maybe_close(struct query *query)
{
	if (query->exited && query->open_pipes == 0 &&
	    !uv_is_closing((uv_handle_t *)&query->process)) {
		uv_close((uv_handle_t *)&query->process, on_closed);
		uv_close((uv_handle_t *)&query->out, on_closed);
		uv_close((uv_handle_t *)&query->err, on_closed);
		uv_close((uv_handle_t *)&query->timer, on_closed);
	}
}

static void on_exit_status(uv_process_t *process, int64_t exit_status, int term_signal)
{
	struct query *query = process->data;

	query->exited = true;
	query->exit_status = term_signal != 0 ? -1 : exit_status;
	maybe_close(query);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
	struct query *query = handle->data;

	(void)suggested;
	*buffer = uv_buf_init(query->buffer, sizeof(query->buffer));
}

static void end_pipe(struct query *query, uv_stream_t *stream)
{
	(void)uv_read_stop(stream);
	query->open_pipes--;
	maybe_close(query);
}

static void on_output(uv_stream_t *stream, ssize_t nread, const uv_buf_t *buffer)
{
	struct query *query = stream->data;

	if (nread < 0) {
		end_pipe(query, stream);
	} else if ((size_t)nread < OUTPUT_MAX - query->len) {
		memcpy(query->text + query->len, buffer->base, (size_t)nread);
		query->len += (size_t)nread;
	}
}

static void on_said(uv_stream_t *stream, ssize_t nread, const uv_buf_t *buffer)
{
	struct query *query = stream->data;
	size_t room = sizeof(query->said) - query->said_len;

	if (nread < 0) {
		end_pipe(query, stream);
		return;
	}
	room = (size_t)nread < room ? (size_t)nread : room;
	memcpy(query->said + query->said_len, buffer->base, room);
	query->said_len += room;
}

static void on_timeout(uv_timer_t *timer)
{
	struct query *query = timer->data;

	(void)uv_process_kill(&query->process, SIGKILL);
}

static int spawn(struct query *query)
{
	const struct ssh_config *config = query->config;
	char ssh[] = "ssh", resolve[] = "-G", from[] = "-F", no_more[] = "--";
	char name[256];
	char *args[7];
	size_t n = 0;
	uv_stdio_container_t stdio[3] = {
		{.flags = UV_IGNORE},
		{.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE,
		 .data.stream = (uv_stream_t *)&query->out},
		{.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE,
		 .data.stream = (uv_stream_t *)&query->err},
	};
	uv_process_options_t options = {
		.exit_cb = on_exit_status,
		.file = SSH,
		.args = args,
		.stdio_count = 3,
		.stdio = stdio,
	};
	int rc;

	(void)snprintf(name, sizeof(name), "%s", name_to_ask(config, query->asking->host));
	args[n++] = ssh;
	args[n++] = resolve;
	if (config->file) {
		args[n++] = from;
		args[n++] = config->file;
	}
	args[n++] = no_more;
	args[n++] = name;
	args[n] = NULL;
	rc = uv_spawn(config->loop, &query->process, &options);
	if (rc != 0) {
		query->exited = true;
		query->exit_status = -1;
		(void)snprintf(query->said, sizeof(query->said), "%s", uv_strerror(rc));
		query->said_len = strlen(query->said);
		return rc;
	}
	query->open_pipes = 2;
	(void)uv_read_start((uv_stream_t *)&query->out, on_alloc, on_output);
	(void)uv_read_start((uv_stream_t *)&query->err, on_alloc, on_said);
	(void)uv_timer_start(&query->timer, on_timeout, TIMEOUT_MS, 0);
	return 0;
}

static bool run(struct ssh_config *config, struct asking *asking)
{
	struct query *query = calloc(1, sizeof(*query));
	char *text = calloc(1, OUTPUT_MAX);

	if (!query || !text) {
		free(query);
		free(text);
		return false;
	}
	query->config = config;
	query->asking = asking;
	query->text = text;
	(void)uv_pipe_init(config->loop, &query->out, 0);
	(void)uv_pipe_init(config->loop, &query->err, 0);
	(void)uv_timer_init(config->loop, &query->timer);
	query->handles = 4;
	config->running++;
	(void)spawn(query);
	query->process.data = query;
	query->out.data = query;
	query->err.data = query;
	query->timer.data = query;
	maybe_close(query);
	return true;
}

static void run_more(struct ssh_config *config)
{
	/* One for all: the others wait for its answer. */
	unsigned most = config->uniform ? 1 : RUNNING_MAX;

	while (config->waiting && !config->freed) {
		struct asking *asking = config->waiting;
		const struct cached *cached = find(config, asking->host);

		if (!cached && config->running >= most) {
			return;
		}
		config->waiting = asking->next;
		if (!config->waiting) {
			config->waiting_tail = &config->waiting;
		}
		if (cached) {
			answer_from(cached->text, asking, config->uniform);
			free_asking(asking);
		} else if (!run(config, asking)) {
			asking->done(asking->context, asking->token, NULL, "no memory");
			free_asking(asking);
		}
	}
}

void ssh_config_ask(struct ssh_config *config, const char *host, ssh_config_done done,
		    void *context, uint64_t token)
{
	struct asking *asking;

	if (!config->installed) {
		done(context, token, NULL, NULL);
		return;
	}
	asking = calloc(1, sizeof(*asking));
	if (asking) {
		asking->host = strdup(host);
	}
	if (!asking || !asking->host) {
		free_asking(asking);
		done(context, token, NULL, "no memory");
		return;
	}
	asking->done = done;
	asking->context = context;
	asking->token = token;
	*config->waiting_tail = asking;
	config->waiting_tail = &asking->next;
	run_more(config);
}

/* --- life --- */

/* A file that cannot be read counts as one that speaks of hosts: ssh will say what it thinks of it. */
static bool file_is_specific(const char *path)
{
	uint8_t *text = NULL;
	struct error err;
	size_t len = 0;
	bool specific;

	if (access(path, F_OK) < 0) {
		return false;
	}
	if (helper_read(path, FILE_MAX, &text, &len, &err) < 0) {
		return true;
	}
	specific = ssh_config_is_specific(bytes_make(text, len));
	free(text);
	return specific;
}

static bool is_uniform(const char *file)
{
	/* ssh does not look at $HOME either. */
	const struct passwd *entry = getpwuid(geteuid());
	const char *home = entry ? entry->pw_dir : "/root";
	char own[4096];
	glob_t found = {0};
	bool specific = false;

	if (file) {
		if (file_is_specific(file)) {
			return false;
		}
	} else {
		(void)snprintf(own, sizeof(own), "%s/.ssh/config", home);
		if (file_is_specific(own) || file_is_specific("/etc/ssh/ssh_config")) {
			return false;
		}
	}
	/* Where nothing includes these, they are read for nothing. */
	if (glob("/etc/ssh/ssh_config.d/*.conf", 0, NULL, &found) == 0) {
		for (size_t i = 0; i < found.gl_pathc && !specific; i++) {
			specific = file_is_specific(found.gl_pathv[i]);
		}
		globfree(&found);
	}
	return !specific;
}

int ssh_config_new(uv_loop_t *loop, const char *file, struct ssh_config **config_out,
		   struct error *err)
{
	struct ssh_config *config = calloc(1, sizeof(*config));

	if (!config || (file && !(config->file = strdup(file)))) {
		free(config);
		return error_set(err, ERROR_NOMEM, ENOMEM, "no memory for ssh_config");
	}
	config->loop = loop;
	config->waiting_tail = &config->waiting;
	config->installed = access(SSH, X_OK) == 0;
	config->uniform = is_uniform(file);
	*config_out = config;
	return 0;
}

void ssh_config_free(struct ssh_config *config)
{
	if (!config) {
		return;
	}
	config->freed = true;
	while (config->waiting) {
		struct asking *next = config->waiting->next;

		free_asking(config->waiting);
		config->waiting = next;
	}
	maybe_free(config);
}
