// SPDX-License-Identifier: MIT
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "baselines/policy.h"

/* What holds without a baseline, as data with a reason each, and the commented text made of it. */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define LIST(array)                   \
	{                             \
		(array), COUNT(array) \
	}

static char *roots[] = {"/boot", "/etc", "/usr",   "/opt",   "/root",   "/var/spool/cron", "/bin",
			"/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/libo32"};
static char *volatiles[] = {"/tmp", "/var/tmp", "/dev/shm"};
static char *web_roots[] = {"/var/www", "/srv/www"};

static char *always[] = {
	/* set-uid programs */
	"/usr/bin/su",
	"/usr/bin/sudo",
	"/usr/bin/passwd",
	"/usr/bin/chsh",
	"/usr/bin/newgrp",
	"/usr/bin/mount",
	"/usr/bin/pkexec",
	"/usr/bin/fusermount3",
	"/usr/bin/crontab",
	"/usr/lib/dbus-1.0/dbus-daemon-launch-helper",
	"/usr/lib/polkit-1/polkit-agent-helper-1",
	/* logging in */
	"/usr/bin/login",
	"/usr/sbin/agetty",
	"/usr/lib/*/security/pam_*.so",
	"/usr/lib64/security/pam_*.so",
	"/usr/sbin/unix_chkpwd",
	"/etc/pam.d/*",
	"/usr/sbin/sshd",
	"/etc/ssh/*",
	"/root/.ssh/*",
	"/etc/sudoers",
	"/etc/sudoers.d/*",
	"/etc/passwd",
	"/etc/shadow",
	/* what every program loads */
	"/etc/ld.so.preload",
	"/etc/ld.so.conf.d/*",
	"/usr/lib/*/libc.so.6",
	"/usr/lib64/libc.so.6",
	"/etc/profile.d/*",
	/* init and its units */
	"/usr/lib/systemd/systemd",
	"/usr/sbin/init",
	"/etc/systemd/system/*",
	"/etc/init.d/*",
	"/etc/rc.local",
	"/etc/udev/rules.d/*",
	/* kernel and its modules */
	"/boot/vmlinuz-*",
	"/usr/lib/modules/*/vmlinuz",
	"/usr/lib/modules/*/modules.dep",
	"/etc/modules-load.d/*",
	"/etc/modprobe.d/*",
	/* cron */
	"/etc/crontab",
	"/etc/cron.d/*",
	"/etc/cron.*/*",
	"/var/spool/cron/*",
	"/var/spool/cron/crontabs/*",
	/* what people and we look at the host with */
	"/usr/bin/ps",
	"/usr/bin/ls",
	"/usr/bin/ss",
	"/usr/bin/dpkg",
	"/usr/bin/rpm",
	"/etc/apt/*",
};

static char *generated[] = {
	"/etc/ld.so.cache",
	"/etc/ssl/certs/*.pem",
	"/etc/ssl/certs/*.[0-9]",
	"/etc/mailcap",
	"/etc/xml/*",
	"/etc/sgml/*",
	"/etc/adjtime",
	"/etc/udev/hwdb.bin",
	"/usr/lib/udev/hwdb.bin",
	"/boot/initrd.img-*",
	"/boot/initramfs-*",
	"/boot/grub/grubenv",
	"/boot/grub2/grubenv",
	"/usr/lib/modules/*/modules.alias",
	"/usr/lib/modules/*/modules.alias.bin",
	"/usr/lib/modules/*/modules.builtin.alias.bin",
	"/usr/lib/modules/*/modules.builtin.bin",
	"/usr/lib/modules/*/modules.dep",
	"/usr/lib/modules/*/modules.dep.bin",
	"/usr/lib/modules/*/modules.devname",
	"/usr/lib/modules/*/modules.softdep",
	"/usr/lib/modules/*/modules.symbols",
	"/usr/lib/modules/*/modules.symbols.bin",
	"/usr/lib/modules/*/modules.weakdep",
	"/usr/lib/locale/locale-archive",
	"/usr/share/info/dir",
	"/usr/share/info/dir.old",
	"/usr/share/mime/**",
	"/usr/share/applications/mimeinfo.cache",
	"/usr/share/glib-2.0/schemas/gschemas.compiled",
	"/usr/share/icons/*/icon-theme.cache",
	"/usr/share/icons/*/.icon-theme.cache",
	"/usr/lib/*/gdk-pixbuf-2.0/*/loaders.cache",
	"/usr/lib/*/gio/modules/giomodule.cache",
	"/usr/lib/*/gtk-*/*/immodules.cache",
	"/usr/lib/jvm/*/lib/server/classes*.jsa",
	"/usr/share/vim/*/doc/tags",
	"/var/cache/man/**",
	"/usr/lib/python3/dist-packages/__pycache__/*.pyc",
	"/usr/lib/python3/dist-packages/*/__pycache__/*.pyc",
	"/usr/lib/python3/dist-packages/*/*/__pycache__/*.pyc",
	"/usr/lib/python3/dist-packages/*/*/*/__pycache__/*.pyc",
	"/usr/lib/python3/dist-packages/*/*/*/*/__pycache__/*.pyc",
	"/usr/lib/python3/dist-packages/*/*/*/*/*/__pycache__/*.pyc",
	"/usr/lib/python3.*/__pycache__/*.pyc",
	"/usr/lib/python3.*/*/__pycache__/*.pyc",
	"/usr/lib/python3.*/*/*/__pycache__/*.pyc",
	"/usr/lib/python3.*/*/*/*/__pycache__/*.pyc",
	"/usr/share/*/__pycache__/*.pyc",
	"/usr/share/*/*/__pycache__/*.pyc",
	"/usr/share/*/*/*/__pycache__/*.pyc",
	"/usr/share/*/*/*/*/__pycache__/*.pyc",
};

/* Row by row what makes them. */
static char *generated_reasons[] = {
	"ldconfig, after every library",
	"update-ca-certificates: links to certificates",
	"update-ca-certificates: links by hash",
	"update-mime",
	"update-xmlcatalog",
	"update-catalog",
	"hwclock, at shutdown",
	"systemd-hwdb",
	"systemd-hwdb",
	"update-initramfs, on each host with its own content",
	"dracut, on each host with its own content",
	"grub writes it at boot",
	"grub writes it at boot",
	"depmod",
	"depmod",
	"depmod",
	"depmod",
	"depmod",
	"depmod",
	"depmod",
	"depmod",
	"depmod",
	"depmod",
	"depmod",
	"locale-gen",
	"install-info",
	"install-info",
	"update-mime-database",
	"update-desktop-database",
	"glib-compile-schemas",
	"gtk-update-icon-cache",
	"gtk-update-icon-cache",
	"gdk-pixbuf-query-loaders",
	"gio-querymodules",
	"gtk-query-immodules",
	"java -Xshare:dump, at installation",
	"vim: helptags",
	"mandb",
	"py3compile",
	"py3compile",
	"py3compile",
	"py3compile",
	"py3compile",
	"py3compile",
	"py3compile",
	"py3compile",
	"py3compile",
	"py3compile",
	"py3compile",
	"py3compile",
	"py3compile",
	"py3compile",
};
_Static_assert(COUNT(generated) == COUNT(generated_reasons), "each has a reason");

static struct policy_weight weights[] = {
	{"/etc/ld.so.preload", SEVERITY_CRITICAL},
	{"/usr/sbin/sshd", SEVERITY_CRITICAL},
	{"/usr/bin/login", SEVERITY_CRITICAL},
	{"/usr/bin/su", SEVERITY_CRITICAL},
	{"/usr/bin/sudo", SEVERITY_CRITICAL},
	{"/usr/lib/*/security/pam_*.so", SEVERITY_CRITICAL},
	{"/usr/lib64/security/pam_*.so", SEVERITY_CRITICAL},
	{"/usr/lib/systemd/systemd", SEVERITY_CRITICAL},
	{"/etc/sudoers", SEVERITY_HIGH},
	{"/etc/sudoers.d/**", SEVERITY_HIGH},
	{"/etc/pam.d/**", SEVERITY_HIGH},
	{"/etc/ssh/**", SEVERITY_HIGH},
	{"/root/.ssh/**", SEVERITY_HIGH},
	{"/etc/ld.so.conf", SEVERITY_HIGH},
	{"/etc/ld.so.conf.d/**", SEVERITY_HIGH},
	{"/var/spool/cron/**", SEVERITY_HIGH},
	{"/usr/lib/modules/*/kernel/**", SEVERITY_HIGH},
};

static struct policy_known known[] = {
	{"diversion", "/bin/sh /bin/sh.distrib dash", "dash is sh by a diversion of its own"},
	{"diversion", "/usr/bin/sh /usr/bin/sh.distrib dash", "the same, on merged /usr"},
	{"diversion", "/usr/share/man/man1/sh.1.gz /usr/share/man/man1/sh.distrib.1.gz dash",
	 "its manual page"},
	{"diversion", "/bin /bin.usr-is-merged base-files", "the link of merged /usr"},
	{"diversion", "/sbin /sbin.usr-is-merged base-files", "the link of merged /usr"},
	{"diversion", "/lib /lib.usr-is-merged base-files", "the link of merged /usr"},
	{"diversion", "/lib32 /lib32.usr-is-merged base-files", "the link of merged /usr"},
	{"diversion", "/lib64 /lib64.usr-is-merged base-files", "the link of merged /usr"},
	{"diversion", "/libx32 /libx32.usr-is-merged base-files", "the link of merged /usr"},
	{"diversion", "/libo32 /libo32.usr-is-merged base-files", "the link of merged /usr"},
	{"diversion", "/lib*/ld-linux* /lib*/ld-linux*.usr-is-merged libc6*",
	 "the loader keeps its path while /usr is merged"},
	{"diversion", "/usr/share/vim/*/doc/* /usr/share/vim/*/doc/*.vim-tiny vim-runtime",
	 "vim-runtime has the full help"},
	{"diversion", "/usr/bin/pg_config /usr/bin/pg_config.libpq-dev postgresql-common",
	 "postgresql-common chooses between versions"},
	{"diversion", "/usr/share/* /usr/share/* linux-perf",
	 "linux-perf brings what a wrapper did before"},
	{"diversion", "/usr/bin/perf /usr/bin/perf.wrapper linux-perf", "the same, the program"},
	{"diversion", "/usr/sbin/update-icon-caches /usr/sbin/update-icon-caches.* libgtk*",
	 "one icon cache for all versions"},
	{"diversion", "/usr/share/dict/words* *", "wordlists under a common name"},

	{"statoverride", "/etc/ssl/private root ssl-cert 710", "ssl-cert, at installation"},
	{"statoverride", "/usr/lib/dbus-1.0/dbus-daemon-launch-helper root messagebus 4754",
	 "dbus, at installation"},
	{"statoverride", "/usr/bin/crontab root crontab 2755", "cron, at installation"},
	{"statoverride", "/var/spool/cron/crontabs root crontab 1730", "cron, at installation"},
	{"statoverride", "/etc/sudoers root root 440", "sudo, at installation"},
	{"statoverride", "/var/cache/apt/archives/partial * root 700", "apt, when first used"},
	{"statoverride", "/var/lib/apt/lists/partial * root 700", "apt, when first used"},
	{"statoverride", "/usr/bin/ssh-agent root _ssh 2755", "openssh-client"},
	{"statoverride", "/usr/bin/ssh-agent root ssh 2755", "openssh-client, older"},
	{"statoverride", "/var/log/exim4 Debian-exim adm 2750", "exim4, at installation"},
	{"statoverride", "/usr/sbin/postdrop root postdrop 2555", "postfix, at installation"},
	{"statoverride", "/usr/sbin/postqueue root postdrop 2555", "postfix, at installation"},

	{"link", "/var/run /run", "base-files, at installation"},
	{"link", "/var/lock /run/lock", "base-files, at installation"},
	{"link", "/var/mail spool/mail", "base-files, at installation"},

	{"path-exclude", "/usr/share/doc/* *", "images leave documentation out"},
	{"path-exclude", "/usr/share/man/* *", "images leave manual pages out"},
	{"path-exclude", "/usr/share/info/* *", "images leave info pages out"},
	{"path-exclude", "/usr/share/groff/* *", "images leave documentation out"},
	{"path-exclude", "/usr/share/locale/* *", "images leave translations out"},
	{"path-exclude", "/usr/share/lintian/* *", "images leave packaging data out"},
	{"path-exclude", "/usr/share/linda/* *", "images leave packaging data out"},
	{"path-include", "/usr/share/doc/* *", "takes licences back in"},
	{"path-include", "/usr/share/locale/* *", "takes some translations back in"},
	{"path-include", "/usr/share/man/* *", "takes some manual pages back in"},

	{"alternative", "* /usr/* auto /usr/*", "chosen by packages' priorities"},
	{"alternative", "* /usr/* auto /bin/*", "chosen by packages' priorities"},
	{"alternative", "* /etc/* auto /etc/*", "chosen by packages' priorities"},
	{"alternative", "* /etc/* auto /usr/*", "chosen by packages' priorities"},
	{"alternative-slave", "* /usr/* auto /usr/*", "follows its alternative"},
	{"alternative-slave", "* /usr/* auto =", "not shipped by the chosen package"},

	{"mount", "/proc proc *", "the kernel's"},
	{"mount", "/sys sysfs *", "the kernel's"},
	{"mount", "/dev devtmpfs *", "the kernel's"},
	{"mount", "/dev tmpfs *", "a container's"},
	{"mount", "/dev/pts devpts *", "the kernel's"},
	{"mount", "/dev/shm tmpfs *", "systemd"},
	{"mount", "/dev/mqueue mqueue *", "systemd"},
	{"mount", "/dev/hugepages hugetlbfs *", "systemd"},
	{"mount", "/run tmpfs *", "systemd"},
	{"mount", "/run/lock tmpfs *", "systemd"},
	{"mount", "/tmp tmpfs *", "systemd: tmp.mount"},
	{"mount", "/boot [bevx]* *", "a partition of its own"},
	{"mount", "/boot/efi vfat *", "the EFI system partition"},
	{"mount", "/home [bex]* *", "a partition of its own"},
	{"mount", "/var [bex]* *", "a partition of its own"},
	{"mount", "/ *", "the root file system"},

	{"capability", "/usr/bin/ping cap_net_raw\\\\075ep", "iputils-ping, at installation"},
	{"capability", "/usr/bin/ping cap_net_raw\\\\075p", "iputils-ping, at installation"},
	{"capability", "/usr/bin/mtr-packet cap_net_raw\\\\075ep", "mtr, at installation"},
	{"capability", "/usr/bin/fping cap_net_raw\\\\075ep", "fping, at installation"},
	{"capability", "/usr/bin/dumpcap cap_net_admin,cap_net_raw\\\\075eip",
	 "wireshark, if asked"},
	{"capability",
	 "/usr/lib/*/gstreamer1.0/gstreamer-1.0/gst-ptp-helper "
	 "cap_net_bind_service,cap_net_admin\\\\075ep",
	 "gstreamer, at installation"},
	{"capability",
	 "/usr/lib/*/gstreamer1.0/gstreamer-1.0/gst-ptp-helper "
	 "cap_net_bind_service,cap_net_admin,cap_sys_nice\\\\075ep",
	 "gstreamer, at installation"},

	{"statoverride", "/usr/bin/dumpcap root wireshark 750", "wireshark, if asked"},
	{"statoverride", "/usr/bin/at daemon daemon 6755", "at, at installation"},
	{"statoverride", "/usr/bin/screen root utmp 2755", "screen, at installation"},
};

static const struct policy policy = {
	.roots = LIST(roots),
	.volatiles = LIST(volatiles),
	.web_roots = LIST(web_roots),
	.always = LIST(always),
	.generated = LIST(generated),
	.generated_reasons = LIST(generated_reasons),
	.max_age_s = 35 * 86400,
	.rehash_of = 30,
	.budget_s = 2 * 3600,
	.budget_read_bytes = (uint64_t)256 << 30,
	.budget_entries = 10000000,
	.budget_depth = 64,
	.rate_bytes_s = (uint64_t)256 << 20,
	.timeline_window_s = 30 * 86400,
	.weights = weights,
	.weight_count = COUNT(weights),
	.known = known,
	.known_count = COUNT(known),
};

const struct policy *policy_default(void)
{
	return &policy;
}

/* The text */

/* A single-quoted scalar: only the quote itself is special in it (YAML 1.1, 5.3.2). */
static void write_quoted(FILE *to, const char *before, const char *text)
{
	(void)fprintf(to, "%s'", before);
	for (const char *p = text; *p != '\0'; p++) {
		if (*p == '\'') {
			(void)fputc(*p, to);
		}
		(void)fputc(*p, to);
	}
	(void)fputs("'\n", to);
}

static void write_list(FILE *to, const char *key, const struct string_list *list)
{
	if (list->count == 0) {
		(void)fprintf(to, "%s: []\n", key);
		return;
	}
	(void)fprintf(to, "%s:\n", key);
	for (size_t i = 0; i < list->count; i++) {
		write_quoted(to, "  - ", list->item[i]);
	}
}

static void write_where(FILE *to)
{
	(void)fputs(
		"# What muster checks on every host that is judged by this repository, and how "
		"much it\n"
		"# weighs. Data only: no commands, keys or hosts stand here. What is left out has "
		"the\n"
		"# value shown, which is the built-in one. A pattern is fnmatch(3) with "
		"FNM_PATHNAME\n"
		"# (* never matches a slash); where it may end in /**, that is everything below.\n"
		"\n"
		"# Searched for what no package owns. Roots that are links of merged /usr are "
		"skipped.\n",
		to);
	write_list(to, "roots", &policy.roots);
	(void)fputs("\n# Only what is telling there: programs, scripts, set-uid files, devices, "
		    "sockets,\n"
		    "# hidden and odd names.\n",
		    to);
	write_list(to, "volatile", &policy.volatiles);
	(void)fputs("\n# The same, and directories that anybody may write to.\n", to);
	write_list(to, "web_roots", &policy.web_roots);
	(void)fputs("\n# Patterns that are left out by choice. Every one is counted and shown as "
		    "not looked at.\n",
		    to);
	write_list(to, "exclude", &policy.excludes);
	(void)fputs("\n# Read every night, wholly, whatever their times say: what decides who gets "
		    "in and what\n"
		    "# runs. A match draws in the whole package or directory it stands in.\n",
		    to);
	write_list(to, "always", &policy.always);
}

static void write_how_much(FILE *to)
{
	(void)fprintf(
		to,
		"\n# Everything else is read when its times change, and one part of it in any "
		"case:\n"
		"# the whole in so many nights.\n"
		"rehash_nights: %" PRIu32 "\n"
		"# Content read longer ago than this is no proof any more: the host is partial.\n"
		"max_age: %" PRIu32 "d\n",
		policy.rehash_of, policy.max_age_s / 86400);
	(void)fprintf(to,
		      "\n# What one visit may cost the host; 0 is no limit.\n"
		      "budget_time: %" PRIu32 "h\n"
		      "budget_read: %" PRIu64 "G\n"
		      "budget_entries: %" PRIu64 "\n"
		      "budget_depth: %" PRIu32 "\n"
		      "# Bytes a second.\n"
		      "read_rate: %" PRIu64 "M\n",
		      policy.budget_s / 3600, policy.budget_read_bytes >> 30, policy.budget_entries,
		      policy.budget_depth, policy.rate_bytes_s >> 20);
	(void)fprintf(to,
		      "\n# How far back the first timeline of a host goes.\n"
		      "timeline_window: %" PRId64 "d\n",
		      policy.timeline_window_s / 86400);
}

static void write_rules(FILE *to)
{
	(void)fputs("\n# Made again by triggers on each host: that they are there is right, their "
		    "content is not\n"
		    "# compared. (The bundle /etc/ssl/certs/ca-certificates.crt is left out on "
		    "purpose: whoever\n"
		    "# adds an authority to it reads the host's traffic.)\n"
		    "generated:\n",
		    to);
	for (size_t i = 0; i < policy.generated.count; i++) {
		write_quoted(to, "  - path: ", generated[i]);
		write_quoted(to, "    reason: ", generated_reasons[i]);
	}
	(void)fputs("\n# A finding on such a path weighs at least this; the first match counts.\n"
		    "weights:\n",
		    to);
	for (size_t i = 0; i < policy.weight_count; i++) {
		write_quoted(to, "  - path: ", weights[i].pattern);
		(void)fprintf(to, "    at_least: %s\n", severity_name(weights[i].at_least));
	}
	(void)fputs("\n# Other severities than the rules' own, such as\n"
		    "#   severities:\n"
		    "#     unowned.appeared: medium\n"
		    "severities: {}\n",
		    to);
}

static void write_known(FILE *to)
{
	(void)fputs(
		"\n# Exceptions that the distribution itself makes. `match` is compared with the "
		"fields of the\n"
		"# record, blanks between; here * matches a slash too. A byte that is shown as "
		"\\ooo is\n"
		"# written \\\\ooo, an empty field =.\n"
		"#   diversion: FROM TO PACKAGE             statoverride: PATH USER GROUP MODE\n"
		"#   path-exclude, path-include: PATTERN FILE\n"
		"#   alternative, alternative-slave: NAME LINK STATUS TARGET\n"
		"#   mount: POINT TYPE SOURCE ROOT OPTIONS  capability: PATH CAPABILITIES\n"
		"#   link: PATH TARGET (in the place of a packaged directory or file)\n"
		"# A statoverride also stands for owner and mode that a package's scripts set.\n"
		"known:\n",
		to);
	for (size_t i = 0; i < policy.known_count; i++) {
		(void)fprintf(to, "  - kind: %s\n", known[i].kind);
		write_quoted(to, "    match: ", known[i].pattern);
		write_quoted(to, "    reason: ", known[i].reason);
	}
}

char *policy_default_text(void)
{
	char *text = NULL;
	size_t len;
	FILE *to = open_memstream(&text, &len);
	bool failed;

	if (!to) {
		return NULL;
	}
	write_where(to);
	write_how_much(to);
	write_rules(to);
	write_known(to);
	failed = ferror(to) != 0;
	if (fclose(to) != 0 || failed) {
		free(text);
		return NULL;
	}
	return text;
}
