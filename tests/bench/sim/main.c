// SPDX-License-Identifier: MIT
/*
 * fleet_sim: plays a fleet for benches and tests (server.h, fleet.h).
 *
 *	fleet_sim --port N --key FILE [options]
 *
 * Says "ready" when it listens. SIGUSR1: the next night falls. SIGUSR2, SIGTERM: its figures, one line;
 * SIGTERM also ends it, and so does the end of its standard input, so that none is left behind.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/bench/sim/server.h"

static volatile sig_atomic_t nights, telling, ending;

static void on_signal(int number)
{
	if (number == SIGUSR1) {
		nights++;
	} else {
		telling = 1;
		ending |= number != SIGUSR2;
	}
}

enum { OPTION_NUMBER = 0, OPTION_KEY = 'k', OPTION_OTHER_KEY = 'o', OPTION_SHOW = 's' };

struct settings {
	struct fleet_options fleet;
	struct server_options server;
	uint32_t night;
	uint32_t slow, dead, hostile; /* of a thousand hosts */
	bool show;
};

static int usage(void)
{
	(void)fputs("usage: fleet_sim --port N --key FILE [--other-key FILE] [--hosts N] "
		    "[--packages N]\n"
		    "	[--files N] [--roles N] [--changed PERMILLE] [--night N] [--slow "
		    "PERMILLE]\n"
		    "	[--dead PERMILLE] [--hostile PERMILLE] [--latency MS] [--show]\n"
		    "--show prints `address behaviour` of every host and ends\n",
		    stderr);
	return 2;
}

static bool read_arguments(int argc, char **argv, struct settings *s)
{
	uint32_t port = 0, latency = 1000;
	const struct {
		const char *name;
		uint32_t *number;
	} numbers[] = {
		{"port", &port},
		{"hosts", &s->fleet.hosts},
		{"packages", &s->fleet.packages},
		{"files", &s->fleet.files},
		{"roles", &s->fleet.roles},
		{"changed", &s->fleet.changed_permille},
		{"night", &s->night},
		{"slow", &s->slow},
		{"dead", &s->dead},
		{"hostile", &s->hostile},
		{"latency", &latency},
	};
	enum { NUMBERS = sizeof(numbers) / sizeof(numbers[0]) };
	struct option options[NUMBERS + 4] = {
		{"key", required_argument, NULL, OPTION_KEY},
		{"other-key", required_argument, NULL, OPTION_OTHER_KEY},
		{"show", no_argument, NULL, OPTION_SHOW},
	};
	int which, at = 0;

	for (size_t i = 0; i < NUMBERS; i++) {
		options[3 + i] = (struct option){numbers[i].name, required_argument, NULL, 0};
	}
	while ((which = getopt_long(argc, argv, "", options, &at)) != -1) {
		if (which == OPTION_KEY) {
			s->server.host_key = optarg;
		} else if (which == OPTION_OTHER_KEY) {
			s->server.other_key = optarg;
		} else if (which == OPTION_SHOW) {
			s->show = true;
		} else if (which == OPTION_NUMBER) {
			*numbers[at - 3].number = (uint32_t)strtoul(optarg, NULL, 10);
		} else {
			return false;
		}
	}
	s->server.port = (uint16_t)port;
	s->server.latency_ms = latency;
	return optind == argc && s->fleet.hosts > 0 && s->fleet.packages >= 15 &&
	       s->fleet.roles > 0 && (s->show || (port > 0 && s->server.host_key));
}

/* By its number alone, so that a host behaves the same at every start. */
static enum behaviour behaviour_of(const struct settings *s, uint32_t host)
{
	static const enum behaviour dead[] = {BEHAVE_MUTE, BEHAVE_HANG_UP};
	uint32_t dice = (uint32_t)(fleet_mix('b', host, 0) % 1000);
	uint32_t kinds = BEHAVIOURS - BEHAVE_OTHER_KEY;

	if (dice < s->hostile) {
		return (enum behaviour)(BEHAVE_OTHER_KEY + fleet_mix('k', host, 0) % kinds);
	}
	dice -= s->hostile;
	if (dice < s->dead) {
		return dead[fleet_mix('d', host, 0) % 2];
	}
	return dice - s->dead < s->slow ? BEHAVE_SLOW : BEHAVE_WELL;
}

static void show(const struct settings *s)
{
	for (uint32_t i = 0; i < s->fleet.hosts; i++) {
		uint32_t address = SERVER_FIRST_ADDRESS + i;

		(void)printf("%u.%u.%u.%u %s\n", address >> 24, address >> 16 & 255,
			     address >> 8 & 255, address & 255, behaviour_name(behaviour_of(s, i)));
	}
}

static void tell(const struct server *server)
{
	const struct server_stats *stats = server_stats(server);
	struct rusage use;

	(void)getrusage(RUSAGE_SELF, &use);
	(void)printf(
		"sessions=%llu uploads=%llu conversations=%llu broken=%llu commands=%llu open=%zu "
		"most_open=%zu cpu_ms=%ld rss_kib=%ld\n",
		(unsigned long long)stats->sessions, (unsigned long long)stats->uploads,
		(unsigned long long)stats->conversations, (unsigned long long)stats->broken,
		(unsigned long long)stats->commands, stats->open, stats->most_open,
		use.ru_utime.tv_sec * 1000 + use.ru_utime.tv_usec / 1000 +
			use.ru_stime.tv_sec * 1000 + use.ru_stime.tv_usec / 1000,
		use.ru_maxrss);
	(void)fflush(stdout);
}

/* As many sessions as the system lets us have. */
static void raise_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static bool is_orphaned(void)
{
	struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
	char byte;

	return poll(&input, 1, 0) > 0 && read(STDIN_FILENO, &byte, 1) == 0;
}

static void serve(const struct settings *s, struct server *server)
{
	uint32_t night = s->night;

	(void)puts("ready");
	(void)fflush(stdout);
	while (!ending && !is_orphaned()) {
		if (s->night + (uint32_t)nights != night) {
			night = s->night + (uint32_t)nights;
			server_night(server, night);
		}
		if (telling) {
			telling = 0;
			tell(server);
		}
		for (unsigned i = 0; i < 64 && !telling && !ending; i++) {
			server_step(server, 50);
		}
	}
	tell(server);
}

int main(int argc, char **argv)
{
	struct settings s = {.fleet = {.hosts = 100,
				       .packages = 1500,
				       .files = 60,
				       .roles = 20,
				       .changed_permille = 10}};
	struct sigaction action = {.sa_handler = on_signal};
	static const int numbers[] = {SIGUSR1, SIGUSR2, SIGTERM, SIGINT};
	struct server *server;
	struct fleet *fleet;
	uint8_t *behaviour;

	if (!read_arguments(argc, argv, &s)) {
		return usage();
	}
	if (s.show) {
		show(&s);
		return 0;
	}
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		(void)sigaction(numbers[i], &action, NULL);
	}
	(void)signal(SIGPIPE, SIG_IGN);
	raise_limit();
	behaviour = calloc(s.fleet.hosts, 1);
	if (!behaviour) {
		return 1;
	}
	for (uint32_t i = 0; i < s.fleet.hosts; i++) {
		behaviour[i] = (uint8_t)behaviour_of(&s, i);
	}
	fleet = fleet_new(&s.fleet);
	server = server_new(&s.server, fleet, s.fleet.hosts);
	server_behaviours(server, behaviour);
	server_night(server, s.night);
	serve(&s, server);
	server_free(server);
	fleet_free(fleet);
	free(behaviour);
	return 0;
}
