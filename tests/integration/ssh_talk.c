// SPDX-License-Identifier: MIT
/*
 * Opens an SSH channel to each host named, says something to the (fake) probe, and prints one line a
 * host: NAME OUTCOME FRAMES SENT RECEIVED REASON. What tests/integration/test_ssh.sh and the bench
 * drive.
 */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <uv.h>

#include "controller/ssh/pool/pool.h"

#define LIST_MAX 8

struct settings {
	struct pool_options pool;
	const char *identities[LIST_MAX];
	const char *known_hosts[LIST_MAX];
	const char *probes[LIST_MAX];
	struct pool_jump_limit limits[LIST_MAX];
	struct target target;
	const char *say;
	unsigned parallel;
	unsigned hold_ms; /* keep sessions open after hello */
	bool fetch;
	bool verbose;
	bool figures;
	bool quiet;
};

struct run {
	struct settings *settings;
	struct transport *transport;
	uv_loop_t *loop;
	char **host;
	int host_count;
	int next;
	unsigned open;
	unsigned failed;
};

struct talk {
	struct run *run;
	const char *name;
	struct channel *channel;
	unsigned frames;
	uv_timer_t hold;
	bool holding;
};

static void open_more(struct run *run);

static void say(struct talk *talk, const char *text)
{
	struct error err = {0};

	if (talk->run->transport->send(talk->channel, bytes_from_string(text), &err) < 0) {
		(void)fprintf(stderr, "%s: %s\n", talk->name, err.msg);
	}
}

static void on_held(uv_timer_t *timer)
{
	struct talk *talk = timer->data;

	say(talk, "!quit");
}

static void on_frame(void *context, struct bytes payload)
{
	struct talk *talk = context;
	const struct settings *settings = talk->run->settings;

	(void)payload;
	talk->frames++;
	if (talk->frames == 1 && settings->say) {
		say(talk, settings->say);
	} else if (settings->hold_ms == 0) {
		say(talk, "!quit");
	} else if (!talk->holding) {
		talk->holding = true;
		(void)uv_timer_start(&talk->hold, on_held, settings->hold_ms, 0);
	}
}

static void on_progress(void *context, const char *stage)
{
	const struct talk *talk = context;

	if (talk->run->settings->verbose) {
		(void)fprintf(stderr, "%s: %s\n", talk->name, stage);
	}
}

static void on_timer_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void on_closed(void *context, const struct channel_close *close)
{
	struct talk *talk = context;
	struct run *run = talk->run;

	if (!run->settings->quiet || close->outcome != OUTCOME_CLEAN) {
		(void)printf("%s %s frames=%u sent=%llu received=%llu probe=%llu %s\n", talk->name,
			     outcome_name(close->outcome), talk->frames,
			     (unsigned long long)close->sent_bytes,
			     (unsigned long long)close->received_bytes,
			     (unsigned long long)close->probe_bytes, close->reason);
	}
	run->failed += close->outcome != OUTCOME_CLEAN;
	uv_close((uv_handle_t *)&talk->hold, on_timer_closed);
	run->open--;
	open_more(run);
}

static void on_hostkeys(void *context, const char *host, const struct pool_hostkey *key,
			size_t count, enum outcome outcome, const char *reason)
{
	struct run *run = context;

	for (size_t i = 0; i < count; i++) {
		(void)printf("%s %.*s %s %s\n", host, (int)key[i].type.len,
			     (const char *)key[i].type.data, key[i].fingerprint, key[i].known);
	}
	if (count == 0) {
		(void)printf("%s %s %s\n", host, outcome_name(outcome), reason);
		run->failed++;
	}
	run->open--;
	open_more(run);
}

static void open_one(struct run *run, const char *name)
{
	static const struct channel_handler handler = {
		.frame = on_frame, .closed = on_closed, .progress = on_progress};
	struct target target = run->settings->target;
	struct error err = {0};
	struct talk *talk;
	int rc;

	target.name = name;
	if (run->settings->fetch) {
		rc = pool_fetch_hostkeys(run->transport, &target, on_hostkeys, run, &err);
	} else {
		talk = calloc(1, sizeof(*talk));
		if (!talk) {
			exit(1);
		}
		talk->run = run;
		talk->name = name;
		(void)uv_timer_init(run->loop, &talk->hold);
		talk->hold.data = talk;
		rc = run->transport->open(run->transport, &target, &handler, talk, &talk->channel,
					  &err);
	}
	if (rc < 0) {
		(void)fprintf(stderr, "%s: %s\n", name, err.msg);
		exit(1);
	}
	run->open++;
}

static void open_more(struct run *run)
{
	while (run->next < run->host_count && run->open < run->settings->parallel) {
		open_one(run, run->host[run->next++]);
	}
}

static double seconds(struct timeval tv)
{
	return (double)tv.tv_sec + (double)tv.tv_usec / 1e6;
}

static void print_figures(int hosts)
{
	struct rusage self, children;

	/* The pool does not wait for its children; their CPU counts when somebody does. */
	while (wait(NULL) > 0) {
	}
	(void)getrusage(RUSAGE_SELF, &self);
	(void)getrusage(RUSAGE_CHILDREN, &children);
	(void)printf("parent: %.3f ms CPU a host, peak %ld KiB\n",
		     1000 * (seconds(self.ru_utime) + seconds(self.ru_stime)) / hosts,
		     self.ru_maxrss);
	(void)printf("children: %.3f ms CPU a host, peak %ld KiB\n",
		     1000 * (seconds(children.ru_utime) + seconds(children.ru_stime)) / hosts,
		     children.ru_maxrss);
}

/* JUMP=N: at most so many at once through this jump host. */
static void read_limit(struct settings *s, char *text)
{
	char *equals = strchr(text, '=');

	if (!equals || s->pool.jump_limit_count == LIST_MAX) {
		exit(2);
	}
	*equals = '\0';
	s->limits[s->pool.jump_limit_count++] =
		(struct pool_jump_limit){text, (size_t)atoi(equals + 1)};
}

static void read_options(struct settings *s, int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "C:F:G:H:I:J:L:O:P:SV:X:ac:fhi:k:m:n:p:qs:t:u:vz")) != -1) {
		switch (c) {
		case 'C':
			s->target.connect_timeout_ms = (uint32_t)atoi(optarg);
			break;
		case 'F':
			s->pool.ssh_config = optarg;
			s->pool.no_ssh_config = false;
			break;
		case 'G':
			s->pool.guard = optarg;
			break;
		case 'O':
			s->target.speaker = strcmp(optarg, "ssh") == 0       ? SPEAKER_SSH
					    : strcmp(optarg, "libssh2") == 0 ? SPEAKER_LIBSSH2
									     : SPEAKER_AUTO;
			break;
		case 'H':
			s->hold_ms = (unsigned)atoi(optarg);
			break;
		case 'I':
			s->target.identity = optarg;
			break;
		case 'V':
			s->target.jump = optarg;
			break;
		case 'J':
			s->pool.jump_channels = (size_t)atoi(optarg);
			break;
		case 'L':
			read_limit(s, optarg);
			break;
		case 'P':
			s->probes[s->pool.probe_count++] = optarg;
			break;
		case 'S':
			s->target.become = BECOME_SUDO;
			break;
		case 'X':
			s->pool.helper = optarg;
			break;
		case 'a':
			s->pool.no_agent = false;
			break;
		case 'c':
			s->target.cap_bytes = (uint64_t)atoll(optarg);
			break;
		case 'f':
			s->fetch = true;
			break;
		case 'i':
			s->identities[s->pool.identity_count++] = optarg;
			break;
		case 'k':
			s->known_hosts[s->pool.known_hosts_count++] = optarg;
			break;
		case 'm':
			s->pool.children = (unsigned)atoi(optarg);
			break;
		case 'n':
			s->parallel = (unsigned)atoi(optarg);
			break;
		case 'p':
			s->pool.port = (uint16_t)atoi(optarg);
			break;
		case 'q':
			s->quiet = true;
			break;
		case 's':
			s->say = optarg;
			break;
		case 't':
			s->target.timeout_ms = (uint32_t)atoi(optarg);
			break;
		case 'u':
			s->pool.user = optarg;
			break;
		case 'v':
			s->verbose = true;
			break;
		case 'z':
			s->figures = true;
			break;
		default:
			exit(2);
		}
	}
}

int main(int argc, char **argv)
{
	static struct settings settings = {.parallel = 50,
					   .pool = {.no_agent = true, .no_ssh_config = true}};
	struct run run = {.settings = &settings};
	struct error err = {0};
	uv_loop_t loop;

	settings.pool.identities = settings.identities;
	settings.pool.known_hosts = settings.known_hosts;
	settings.pool.probes = settings.probes;
	settings.pool.jump_limits = settings.limits;
	read_options(&settings, argc, argv);
	run.host = argv + optind;
	run.host_count = argc - optind;
	(void)uv_loop_init(&loop);
	run.loop = &loop;
	if (pool_new(&loop, &settings.pool, &run.transport, &err) < 0) {
		(void)fprintf(stderr, "ssh_talk: %s\n", err.msg);
		(void)uv_run(&loop, UV_RUN_DEFAULT);
		(void)uv_loop_close(&loop);
		return 2;
	}
	open_more(&run);
	(void)uv_run(&loop, UV_RUN_DEFAULT);
	run.transport->free(run.transport);
	(void)uv_run(&loop, UV_RUN_DEFAULT);
	if (uv_loop_close(&loop) != 0) {
		(void)fprintf(stderr, "ssh_talk: the loop is not empty\n");
		return 2;
	}
	if (settings.figures) {
		print_figures(run.host_count);
	}
	return run.failed ? 1 : 0;
}
