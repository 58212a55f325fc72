// SPDX-License-Identifier: MIT
#include "controller/cmd/verb.h"

#include <stdio.h>
#include <string.h>

#include "baselines/nearest.h"
#include "schema/bytes.h"
#include "schema/escape.h"

#define SHOWN 80
#define ANY SIZE_MAX

#define BIT(name) OPTION_BIT(OPTION_##name)
#define REACH                                                                         \
	(BIT(USER) | BIT(PORT) | BIT(IDENTITY) | BIT(KNOWN_HOSTS) | BIT(SSH_CONFIG) | \
	 BIT(TRANSPORT) | BIT(BECOME) | BIT(PARALLEL) | BIT(TIMEOUT) | BIT(CONNECT_TIMEOUT))
#define RUN                                                                                       \
	(REACH | BIT(INVENTORY) | BIT(BASELINE) | BIT(DB) | BIT(FULL) | BIT(DEADLINE) |           \
	 BIT(FULL_PARALLEL) | BIT(REHASH) | BIT(READ_RATE) | BIT(MAX_INCOMPLETE) | BIT(RETRIES) | \
	 BIT(FAIL_ON) | BIT(FORMAT) | BIT(OUTPUT) | BIT(JOURNAL) | BIT(FETCH) | BIT(NO_FETCH) |   \
	 BIT(ALL) | BIT(EXPLAINED))
#define READ (BIT(DB) | BIT(FORMAT))

static const struct verb verbs[] = {
	{
		"init",
		"[DIR]",
		"make a baseline repository with a commented policy",
		"Makes DIR (default: the current directory) a git repository with muster.yaml, the "
		"policy: what is checked, and how much it weighs. Nothing of a host is in it yet.\n"
		"\n"
		"A directory that holds a policy already is left as it is.",
		{{"muster init baseline", "make ./baseline"}},
		0,
		0,
		1,
		verb_init,
	},
	{
		"check",
		"HOST...",
		"look at hosts now and compare them with the baseline",
		"Connects to each host, runs the probe there, judges what it saw and keeps it as a "
		"run. HOST is a name, a range, a group, or several of these: web[001-040], @db, "
		"'@all!web007' (quoted, for the shell); USER@ in front and :PORT behind a name say "
		"how it is reached. The "
		"host "
		"localhost is looked at without SSH.\n"
		"\n"
		"Nothing stays on a host. Host keys must be known: see `muster hosts keys`.",
		{{"muster check localhost --become none", "this machine, with your own rights"},
		 {"muster check root@web017:2222", "another user, another port"},
		 {"muster check web[001-040] --user inspect --identity ~/.ssh/inspect",
		  "forty hosts by SSH"},
		 {"muster check @db --fail-on high --format ndjson", "for a program to read"}},
		RUN,
		1,
		ANY,
		verb_check,
	},
	{
		"sweep",
		"[HOST...]",
		"look at all hosts of the inventory",
		"The nightly run: as `check`, over every host of the inventory, or those named. "
		"Hosts "
		"that cannot be reached are told, grouped by cause, and make the run incomplete "
		"(exit 3), never clean.\n"
		"\n"
		"Without HOST it takes the hosts of the inventory that -i, MUSTER_INVENTORY or "
		"`inventory:` in muster.yaml names (our own formats, Ansible's or Rundeck's: man "
		"muster.yaml), and those of the `groups:` in muster.yaml. How "
		"it reaches them is set there too (parallel, timeout, become, ssh); what is "
		"checked, and "
		"how much it weighs, stands in the baseline. There is nothing else to a sweep: no "
		"profile, no name.\n"
		"\n"
		"Interrupted by ^C, or killed, it keeps every host that was finished; --resume RUN "
		"(latest: the newest) looks at the others, as the same run.\n"
		"\n"
		"-o writes the same run to a file too, once for each -o: the file is put there "
		"whole "
		"when the run has ended, and stays as it was where that fails (exit 2). --journal "
		"tells systemd's journal, or syslog, of the run and of each change that is new "
		"from "
		"--fail-on on.",
		{{"muster sweep -i hosts.yaml", "every host of that inventory"},
		 {"muster sweep @prod --parallel 200 --deadline 5h", "a group, within a night"},
		 {"muster sweep --resume latest", "go on with the run that was killed"},
		 {"muster sweep -o ndjson:night.json -o prom:muster.prom",
		  "with two more reports"}},
		RUN | BIT(RESUME),
		0,
		ANY,
		verb_sweep,
	},
	{
		"status",
		"[HOST...]",
		"what is open, as of the latest look at each host",
		"A verdict, then the hosts by state and the open findings, each change once with "
		"the "
		"hosts that have it. Asks no host.",
		{{"muster status", "everything"},
		 {"muster status @web --all", "web servers, with what is resolved or set aside"}},
		READ | BIT(INVENTORY) | BIT(BASELINE) | BIT(FAIL_ON) | BIT(MAX_INCOMPLETE) |
			BIT(ALL),
		0,
		ANY,
		verb_status,
	},
	{
		"show",
		"RUN|HOST|FINDING",
		"one run, host or finding in full",
		"A run by its name (20261121T020000Z-7f3a), `latest` or `previous`; a host by its "
		"name; a finding by its fingerprint. The beginning of a run's name or fingerprint "
		"is "
		"enough. Of a host, --rpm prints what rpm -Va would, --installed what rpm -qa "
		"--last would: names from the headers, times as the host's database has them; "
		"dpkg keeps no time, so that its packages stand by name. Of a run or host the exit "
		"code is the one that check or sweep would end with, by the same --fail-on and "
		"--max-incomplete.",
		{{"muster show latest", "the newest run"},
		 {"muster show web017", "a host: state, coverage, findings"},
		 {"muster show web017 --rpm", "as rpm -Va would print it"},
		 {"muster show 8c1d", "a finding: old and new value, hosts, what to do"}},
		READ | BIT(BASELINE) | BIT(OUTPUT) | BIT(ALL) | BIT(EXPLAINED) | BIT(RPM) |
			BIT(INSTALLED) | BIT(FAIL_ON) | BIT(MAX_INCOMPLETE),
		1,
		1,
		verb_show,
	},
	{
		"diff",
		"[HOST|RUN_A [RUN_B]]",
		"what differs between two runs",
		"Every object that changed, appeared or vanished between two runs, whether it is "
		"judged good or bad, each change once with the hosts that have it. Without RUN_B: "
		"against the latest run. Without both: the newest run that looked at a host which "
		"an "
		"earlier one looked at too, against that one; with HOST, or --hosts, of these "
		"hosts.",
		{{"muster diff", "since the last run"},
		 {"muster diff web017", "one host, between the last two looks at it"},
		 {"muster diff 20261114T0 latest --hosts @web", "a week on the web servers"}},
		READ | BIT(HOSTS) | BIT(INVENTORY),
		0,
		2,
		verb_diff,
	},
	{
		"timeline",
		"HOST",
		"what changed on a host, in order of time",
		"Objects by their change time as the kernel kept it, oldest first, package "
		"installations among them. Change times can be forged by root on the host; gaps "
		"are told by `muster show HOST`.",
		{{"muster timeline web017 --since 2d", "the last two days"},
		 {"muster timeline web017 --since 2026-11-20T22:00Z --until 2026-11-21T06:00Z",
		  "one night"}},
		READ | BIT(SINCE) | BIT(UNTIL),
		1,
		1,
		verb_timeline,
	},
	{
		"accept",
		"FINDING...",
		"make a change the accepted state",
		"Writes what was found into the baseline, as one commit, for the hosts that have "
		"exactly this change. A further change is a finding again. For what is right for a "
		"time only, see `ack`.",
		{{"muster accept 8c1d20aa", "for every host that has this change"},
		 {"muster accept 8c1d20aa --hosts web[001-003] -m 'CHG1234'", "for three of them"}},
		BIT(DB) | BIT(BASELINE) | BIT(HOSTS) | BIT(INVENTORY) | BIT(MESSAGE),
		1,
		ANY,
		verb_accept,
	},
	{
		"ack",
		"FINDING...",
		"set a finding aside for a time",
		"The finding stays on record and is counted, but fails no run until the date. "
		"Bound "
		"to the content that was found: a further change is a new finding.",
		{{"muster ack 8c1d20aa --reason 'CHG1234 NTP move' --until 30d",
		  "for thirty days"}},
		BIT(DB) | BIT(BASELINE) | BIT(REASON) | BIT(UNTIL) | BIT(HOSTS) | BIT(INVENTORY),
		1,
		ANY,
		verb_ack,
	},
	{
		"baseline import",
		"[FILE...]",
		"record packages from their .deb and .rpm files",
		"Reads each package file and commits a manifest of it: every path with type, mode, "
		"owner, size and digests. Take the files from where you trust them, not from a "
		"host.\n"
		"\n"
		"With --release and --packages each file is proved first: a key of the baseline's "
		"keys/keys.yaml (or of --keyring) must have signed the Release, which names "
		"Packages by "
		"its SHA-256, which names the .deb by its. A file that the chain does not name is "
		"refused, and nothing is committed. Without them manifests are marked unsigned; "
		"importing the same files again with --release makes them signed.\n"
		"\n"
		"With --mirror all of it is found: a mirror (dists/ and pool/), or a folder such "
		"as "
		"/var/cache/apt/archives with apt's lists beside it or named by --lists. What the "
		"baseline has is skipped; what no signature proves is left out and told (exit 3), "
		"or "
		"imported as unsigned with --unsigned.\n"
		"\n"
		"An .rpm needs no Release: its header carries the vendor's signature, which must "
		"be "
		"by a key of keys/keys.yaml that is listed for the package. A signature that is "
		"false, or by a key for other packages, is refused; a header that no listed key "
		"signed is imported as unsigned, and told.",
		{{"muster baseline import pool/*.deb --origin Debian", "unsigned, by your word"},
		 {"muster baseline import --release InRelease --packages Packages.xz *.deb",
		  "proved by the baseline's keys"},
		 {"muster baseline import --mirror /srv/mirror/debian --keyring debian.gpg",
		  "a whole mirror"},
		 {"muster baseline import --mirror /var/cache/apt/archives", "what apt fetched"},
		 {"muster baseline import Packages/*.rpm", "proved by what is in them"}},
		BIT(BASELINE) | BIT(ORIGIN) | BIT(MESSAGE) | BIT(RELEASE) | BIT(PACKAGES) |
			BIT(KEYRING) | BIT(FINGERPRINT) | BIT(MIRROR) | BIT(LISTS) | BIT(UNSIGNED),
		0,
		ANY,
		verb_baseline_import,
	},
	{
		"baseline capture",
		"HOST...",
		"accept what no manifest covers, as it is on a host",
		"Takes the latest look at the host and commits as its accepted state what neither "
		"a "
		"package manifest nor a tree of the baseline knows better. Says first how many "
		"files "
		"disagree with the host's own package database: review these, for a capture trusts "
		"the host as it is now.",
		{{"muster baseline capture web001", "after `muster check web001`"}},
		BIT(DB) | BIT(BASELINE) | BIT(INVENTORY) | BIT(MESSAGE),
		1,
		ANY,
		verb_baseline_capture,
	},
	{
		"baseline learn",
		"HOST...",
		"propose what packages' scripts set, from clean hosts",
		"Owners, modes, capabilities, alternatives and diversions that a package's scripts "
		"set after unpacking stand in no package file. From the open findings of clean "
		"hosts this proposes lines for packages/MANAGER/overrides.records, which then hold "
		"for every host; never a change of content. Freshly installed hosts are the ones "
		"to "
		"learn from.\n"
		"\n"
		"A host with any other open finding of medium or above is not clean: nothing is "
		"learned from it. What only one of several hosts says is shown with a warning, and "
		"so is what hosts dispute; --commit takes what at least two agree on, or all of "
		"one "
		"host that is named alone.",
		{{"muster baseline learn web[001-004]", "show what they agree on"},
		 {"muster baseline learn web[001-004] --commit -m 'after review'",
		  "and write it to the baseline"}},
		BIT(DB) | BIT(BASELINE) | BIT(INVENTORY) | BIT(COMMIT) | BIT(MESSAGE),
		1,
		ANY,
		verb_baseline_learn,
	},
	{
		"baseline fetch",
		"",
		"bring the baseline up to date from its origin",
		"Moves the branch of a bare baseline forward to what its origin has, if that is a "
		"descendant of the commit it stands at and, with baseline_signers, signed by one "
		"of "
		"them: what check and sweep do first with --fetch or baseline_fetch. Whatever "
		"fails, the branch stays where it was, and the exit code is 2.",
		{{"muster baseline fetch", "the baseline that the configuration names"},
		 {"muster baseline fetch --baseline /var/lib/muster/baseline.git", "this one"}},
		BIT(BASELINE),
		0,
		0,
		verb_baseline_fetch,
	},
	{
		"baseline list",
		"",
		"what the baseline holds",
		"Manifests by origin, captured hosts, trees and acknowledgements, at the commit "
		"that "
		"runs are judged by.",
		{{"muster baseline list", ""}},
		BIT(BASELINE),
		0,
		0,
		verb_baseline_list,
	},
	{
		"baseline verify",
		"",
		"read everything in the baseline and say what is wrong",
		"Parses the policy, every manifest, record and acknowledgement. A fault is named "
		"by "
		"file and line, and ends in exit 2.",
		{{"muster baseline verify", "before a merge"}},
		BIT(BASELINE),
		0,
		0,
		verb_baseline_verify,
	},
	{
		"hosts",
		"[HOST...]",
		"list hosts with address, groups and state",
		"The inventory as muster understands it, with what is known of each host.",
		{{"muster hosts -i hosts.yaml", "all of them"},
		 {"muster hosts '@web!web001'", "without one; a shell wants the quotes"}},
		BIT(INVENTORY) | READ,
		0,
		ANY,
		verb_hosts,
	},
	{
		"hosts forget",
		"HOST...",
		"take hosts out of what is known",
		"For a host that is no more, or whose name was wrong: from now on it is in no "
		"status. A host of the inventory is asked again in the next sweep, as one that was "
		"never seen. Runs that looked at it keep what they saw until they are pruned.",
		{{"muster hosts forget wbe017", "a name that was typed wrongly"},
		 {"muster hosts forget old[01-20]", "hosts that were taken down"}},
		BIT(DB) | BIT(INVENTORY),
		1,
		ANY,
		verb_hosts_forget,
	},
	{
		"hosts keys",
		"HOST...",
		"fetch host keys for review",
		"Asks each host for its key and prints it with its fingerprint. Nothing is trusted "
		"by "
		"this: with --import the keys are written to FILE, for you to compare with the "
		"hosts' consoles and to use by --known-hosts FILE.",
		{{"muster hosts keys web[001-003]", "show fingerprints"},
		 {"muster hosts keys web[001-003] --import known_hosts", "write them to a file"}},
		BIT(INVENTORY) | BIT(PORT) | BIT(KNOWN_HOSTS) | BIT(SSH_CONFIG) | BIT(PARALLEL) |
			BIT(CONNECT_TIMEOUT) | BIT(IMPORT),
		1,
		ANY,
		verb_hosts_keys,
	},
	{
		"doctor",
		"[HOST...]",
		"what would stop a scan, here and on each host",
		"Looks at what a scan needs here (programs, keys, database, baseline, limits), "
		"then goes "
		"to each host as far as a scan would: connects, checks its key, logs in, becomes "
		"root, "
		"brings the probe there and hears its greeting. Nothing is scanned, kept or left "
		"behind. Names what stops it with what to do, and hosts whose clock is off or "
		"whose "
		"machine-id another one has.\n"
		"\n"
		"Exit 0: all hosts are ready; 3: some are not, or not as root; 2: a fault here.",
		{{"muster doctor", "every host of the inventory"},
		 {"muster doctor web[001-003] --become none", "without sudo"}},
		REACH | BIT(INVENTORY) | BIT(BASELINE) | BIT(DB),
		0,
		ANY,
		verb_doctor,
	},
	{
		"sudoers",
		"",
		"a sudoers rule for the probe and nothing else",
		"Prints a rule for the user that logs in on the hosts (--user): it may run "
		"muster's "
		"probes as root without a password, and nothing else. Each probe is told by its "
		"SHA-256, its place and its arguments, so that no other program and no other use "
		"of "
		"the probe is allowed. The rule holds for this version of muster. Scans use it "
		"with "
		"--become pinned.\n"
		"\n"
		"The probe then stands in .muster-USER below /dev/shm, /var/tmp or /tmp, whichever "
		"can "
		"be written and executed from; it removes itself at its start as ever.",
		{{"muster sudoers --user inspect", "for /etc/sudoers.d/muster"}},
		BIT(USER),
		0,
		0,
		verb_sudoers,
	},
	{
		"prune",
		"",
		"drop old runs from the database",
		"Keeps the newest runs, every host's first and latest look, and all open findings. "
		"The "
		"timeline of a run goes with it.",
		{{"muster prune --keep 90", "three months of nights"}},
		BIT(DB) | BIT(KEEP),
		0,
		0,
		verb_prune,
	},
	{
		"version",
		"",
		"version of muster and of what it is made of",
		"Versions of the libraries in use, and the digests of the probes, for hosts that "
		"allow "
		"programs by digest.",
		{{"muster version", ""},
		 {"muster version --probes", "for fapolicyd, EDR consoles and sha256sum -c"}},
		BIT(PROBES),
		0,
		0,
		verb_version,
	},
};

const struct verb *verb_at(size_t index)
{
	return index < sizeof(verbs) / sizeof(verbs[0]) ? &verbs[index] : NULL;
}

static const char *verb_word(const void *words, size_t index)
{
	(void)words;
	return index < sizeof(verbs) / sizeof(verbs[0]) ? verbs[index].name : NULL;
}

/* Whether the verb's name is the first of the words; how many of them it takes. */
static size_t match(const struct verb *verb, const char *const *words, size_t count)
{
	const char *blank = strchr(verb->name, ' ');
	size_t first = blank ? (size_t)(blank - verb->name) : strlen(verb->name);

	if (count == 0 || strlen(words[0]) != first || memcmp(words[0], verb->name, first) != 0) {
		return 0;
	}
	if (!blank) {
		return 1;
	}
	return count > 1 && strcmp(words[1], blank + 1) == 0 ? 2 : 0;
}

/* The second word of a verb that begins with the word `words`, "" for others. */
static const char *second_word(const void *words, size_t index)
{
	size_t first = strlen(words);
	const char *name = verb_word(NULL, index);

	if (!name) {
		return NULL;
	}
	return strncmp(name, words, first) == 0 && name[first] == ' ' ? name + first + 1 : "";
}

/* "baseline" alone, or with a word that is none of its. */
static int incomplete_verb(const char *const *words, size_t count, struct error *err)
{
	char list[SHOWN] = "", shown[SHOWN];
	const char *near;

	for (size_t i = 0; second_word(words[0], i); i++) {
		size_t used = strlen(list);

		if (*second_word(words[0], i)) {
			(void)snprintf(list + used, sizeof(list) - used, "%s%s", used ? ", " : "",
				       second_word(words[0], i));
		}
	}
	if (!*list) {
		return 0;
	}
	if (count < 2) {
		return error_set(err, ERROR_CONFIG, 0, "%s: what of it? Known are %s", words[0],
				 list);
	}
	near = nearest_find(bytes_from_string(words[1]), second_word, words[0]);
	(void)escape_text(bytes_from_string(words[1]), shown, sizeof(shown));
	if (near) {
		return error_set(err, ERROR_CONFIG, 0,
				 "%s %s: unknown command: did you mean \"%s %s\"?", words[0], shown,
				 words[0], near);
	}
	return error_set(err, ERROR_CONFIG, 0, "%s %s: unknown command: known are %s", words[0],
			 shown, list);
}

int verb_find(const char *const *words, size_t count, const struct verb **verb, size_t *used,
	      struct error *err)
{
	char shown[SHOWN];
	const char *near;

	*verb = NULL;
	*used = 0;
	for (size_t i = 0; verb_at(i); i++) {
		size_t taken = match(&verbs[i], words, count);

		if (taken > *used) {
			*verb = &verbs[i];
			*used = taken;
		}
	}
	if (*verb) {
		return 0;
	}
	if (incomplete_verb(words, count, err) < 0) {
		return -1;
	}
	near = nearest_find(bytes_from_string(words[0]), verb_word, verbs);
	(void)escape_text(bytes_from_string(words[0]), shown, sizeof(shown));
	if (near) {
		return error_set(err, ERROR_CONFIG, 0, "%s: unknown command: did you mean \"%s\"?",
				 shown, near);
	}
	return error_set(err, ERROR_CONFIG, 0, "%s: unknown command", shown);
}
