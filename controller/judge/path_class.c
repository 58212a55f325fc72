// SPDX-License-Identifier: MIT
#include "controller/judge/path_class.h"

#include "schema/escape.h"
#include "schema/glob.h"

struct row {
	const char *folder;  /* the path itself or all below it; no trailing slash */
	const char *pattern; /* what follows the folder and a slash must match, component by
				component; NULL: anything */
	uint32_t class;
};

/* First components that usrmerge moved below /usr are mapped before the search. */
static const struct row rows[] = {
	{"/boot", NULL, PATH_KERNEL},
	{"/dev/shm", NULL, PATH_TEMP},
	{"/etc", NULL, PATH_ETC},
	{"/etc/NetworkManager/dispatcher.d", NULL, PATH_INIT},
	{"/etc/X11/Xsession.d", NULL, PATH_SHELL},
	{"/etc/acpi", NULL, PATH_INIT},
	{"/etc/anacrontab", NULL, PATH_CRON},
	{"/etc/apt", NULL, PATH_PACKAGING},
	{"/etc/at.allow", NULL, PATH_CRON},
	{"/etc/at.deny", NULL, PATH_CRON},
	{"/etc/bash.bashrc", NULL, PATH_SHELL},
	{"/etc/cron.allow", NULL, PATH_CRON},
	{"/etc/cron.d", NULL, PATH_CRON},
	{"/etc/cron.daily", NULL, PATH_CRON},
	{"/etc/cron.deny", NULL, PATH_CRON},
	{"/etc/cron.hourly", NULL, PATH_CRON},
	{"/etc/cron.monthly", NULL, PATH_CRON},
	{"/etc/cron.weekly", NULL, PATH_CRON},
	{"/etc/cron.yearly", NULL, PATH_CRON},
	{"/etc/crontab", NULL, PATH_CRON},
	{"/etc/csh.cshrc", NULL, PATH_SHELL},
	{"/etc/csh.login", NULL, PATH_SHELL},
	{"/etc/default/grub", NULL, PATH_KERNEL},
	{"/etc/default/grub.d", NULL, PATH_KERNEL},
	{"/etc/doas.conf", NULL, PATH_SUDO},
	{"/etc/dpkg", NULL, PATH_PACKAGING},
	{"/etc/environment", NULL, PATH_SHELL},
	{"/etc/environment.d", NULL, PATH_SHELL},
	{"/etc/fish", NULL, PATH_SHELL},
	{"/etc/group", NULL, PATH_PAM},
	{"/etc/grub.d", NULL, PATH_KERNEL},
	{"/etc/gshadow", NULL, PATH_PAM},
	{"/etc/inetd.conf", NULL, PATH_INIT},
	{"/etc/init", NULL, PATH_INIT},
	{"/etc/init.d", NULL, PATH_INIT},
	{"/etc/initramfs-tools", NULL, PATH_KERNEL},
	{"/etc/inittab", NULL, PATH_INIT},
	{"/etc/kernel", NULL, PATH_KERNEL},
	{"/etc/ld.so.conf", NULL, PATH_LOADER},
	{"/etc/ld.so.conf.d", NULL, PATH_LOADER},
	{"/etc/ld.so.preload", NULL, PATH_LOADER},
	{"/etc/modprobe.d", NULL, PATH_KERNEL},
	{"/etc/modules", NULL, PATH_KERNEL},
	{"/etc/modules-load.d", NULL, PATH_KERNEL},
	{"/etc/network/if-down.d", NULL, PATH_INIT},
	{"/etc/network/if-up.d", NULL, PATH_INIT},
	{"/etc/nsswitch.conf", NULL, PATH_PAM},
	{"/etc/pam.conf", NULL, PATH_PAM},
	{"/etc/pam.d", NULL, PATH_PAM},
	{"/etc/passwd", NULL, PATH_PAM},
	{"/etc/polkit-1", NULL, PATH_SUDO},
	{"/etc/profile", NULL, PATH_SHELL},
	{"/etc/profile.d", NULL, PATH_SHELL},
	{"/etc/rc.local", NULL, PATH_INIT},
	{"/etc/rc0.d", NULL, PATH_INIT},
	{"/etc/rc1.d", NULL, PATH_INIT},
	{"/etc/rc2.d", NULL, PATH_INIT},
	{"/etc/rc3.d", NULL, PATH_INIT},
	{"/etc/rc4.d", NULL, PATH_INIT},
	{"/etc/rc5.d", NULL, PATH_INIT},
	{"/etc/rc6.d", NULL, PATH_INIT},
	{"/etc/rcS.d", NULL, PATH_INIT},
	{"/etc/security", NULL, PATH_PAM},
	{"/etc/shadow", NULL, PATH_PAM},
	{"/etc/shells", NULL, PATH_PAM},
	{"/etc/skel", NULL, PATH_SHELL},
	{"/etc/ssh", NULL, PATH_SSH},
	{"/etc/subgid", NULL, PATH_PAM},
	{"/etc/subuid", NULL, PATH_PAM},
	{"/etc/sudo.conf", NULL, PATH_SUDO},
	{"/etc/sudoers", NULL, PATH_SUDO},
	{"/etc/sudoers.d", NULL, PATH_SUDO},
	{"/etc/sysctl.conf", NULL, PATH_KERNEL},
	{"/etc/sysctl.d", NULL, PATH_KERNEL},
	{"/etc/systemd", NULL, PATH_INIT},
	{"/etc/tmpfiles.d", NULL, PATH_INIT},
	{"/etc/udev", NULL, PATH_INIT},
	{"/etc/update-motd.d", NULL, PATH_SHELL},
	{"/etc/xdg/autostart", NULL, PATH_SHELL},
	{"/etc/xinetd.d", NULL, PATH_INIT},
	{"/etc/yum.repos.d", NULL, PATH_PACKAGING},
	{"/etc/zsh", NULL, PATH_SHELL},
	{"/home", "*/.ssh/*", PATH_SSH},
	{"/home", "*/.*rc", PATH_SHELL},
	{"/home", "*/.*profile", PATH_SHELL},
	{"/opt", NULL, PATH_LOCAL},
	{"/opt", "*/bin/*", PATH_BIN},
	{"/opt", "*/*/bin/*", PATH_BIN},
	{"/opt", "*/*/*/bin/*", PATH_BIN},
	{"/root", ".*profile", PATH_SHELL},
	{"/root", ".*rc", PATH_SHELL},
	{"/root", ".ssh/*", PATH_SSH},
	{"/root", ".bash_log*", PATH_SHELL},
	{"/sbin", NULL, PATH_BIN},
	{"/tmp", NULL, PATH_TEMP},
	{"/usr/bin", NULL, PATH_BIN},
	{"/usr/games", NULL, PATH_BIN},
	{"/usr/lib", NULL, PATH_LIB},
	{"/usr/lib", "*/security/pam_*.so", PATH_PAM},
	{"/usr/lib", "security/pam_*.so", PATH_PAM},
	{"/usr/lib", "*/libnss_*.so*", PATH_PAM},
	{"/usr/lib", "libnss_*.so*", PATH_PAM},
	{"/usr/lib", "*/ld-linux*", PATH_LOADER},
	{"/usr/lib/NetworkManager/dispatcher.d", NULL, PATH_INIT},
	{"/usr/lib/dpkg", NULL, PATH_PACKAGING},
	{"/usr/lib/environment.d", NULL, PATH_SHELL},
	{"/usr/lib/init", NULL, PATH_INIT},
	{"/usr/lib/modules", NULL, PATH_KERNEL},
	{"/usr/lib/modules-load.d", NULL, PATH_KERNEL},
	{"/usr/lib/modprobe.d", NULL, PATH_KERNEL},
	{"/usr/lib/openssh", NULL, PATH_SSH},
	{"/usr/lib/pam.d", NULL, PATH_PAM},
	{"/usr/lib/sudo", NULL, PATH_SUDO},
	{"/usr/lib/sysctl.d", NULL, PATH_KERNEL},
	{"/usr/lib/systemd", NULL, PATH_INIT},
	{"/usr/lib/tmpfiles.d", NULL, PATH_INIT},
	{"/usr/lib/udev", NULL, PATH_INIT},
	{"/usr/lib32", NULL, PATH_LIB},
	{"/usr/lib64", NULL, PATH_LIB},
	{"/usr/lib64", "security/pam_*.so", PATH_PAM},
	{"/usr/lib64", "libnss_*.so*", PATH_PAM},
	{"/usr/libexec", NULL, PATH_BIN},
	{"/usr/libo32", NULL, PATH_LIB},
	{"/usr/libx32", NULL, PATH_LIB},
	{"/usr/local", NULL, PATH_LOCAL},
	{"/usr/local/bin", NULL, PATH_BIN},
	{"/usr/local/lib", NULL, PATH_LIB},
	{"/usr/local/sbin", NULL, PATH_BIN},
	{"/usr/sbin", NULL, PATH_BIN},
	{"/usr/share/dbus-1/system-services", NULL, PATH_INIT},
	{"/usr/share/doc", NULL, PATH_DOC},
	{"/usr/share/help", NULL, PATH_DOC},
	{"/usr/share/icons", NULL, PATH_DOC},
	{"/usr/share/info", NULL, PATH_DOC},
	{"/usr/share/initramfs-tools", NULL, PATH_KERNEL},
	{"/usr/share/lintian", NULL, PATH_DOC},
	{"/usr/share/locale", NULL, PATH_DOC},
	{"/usr/share/man", NULL, PATH_DOC},
	{"/usr/share/pam-configs", NULL, PATH_PAM},
	{"/usr/share/polkit-1", NULL, PATH_SUDO},
	{"/var/lib/dpkg", NULL, PATH_PACKAGING},
	{"/var/spool/anacron", NULL, PATH_CRON},
	{"/var/spool/at", NULL, PATH_CRON},
	{"/var/spool/cron", NULL, PATH_CRON},
	{"/var/tmp", NULL, PATH_TEMP},
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

static const char *const merged[] = {"bin", "sbin", "lib", "lib32", "lib64", "libx32", "libo32"};
#define MERGED (sizeof(merged) / sizeof(merged[0]))

bool path_is_alias(struct bytes path)
{
	const uint8_t *slash;
	struct bytes first;

	if (path.len < 4 || path.data[0] != '/' ||
	    (path.data[1] != 'b' && path.data[1] != 's' && path.data[1] != 'l')) {
		return false;
	}
	slash = memchr(path.data + 1, '/', path.len - 1);
	first = bytes_make(path.data + 1, slash ? (size_t)(slash - path.data) - 1 : path.len - 1);
	for (size_t i = 0; i < MERGED; i++) {
		if (bytes_equal_string(first, merged[i])) {
			return true;
		}
	}
	return false;
}

bool path_is_below(struct bytes path, struct bytes dir)
{
	if (dir.len == 1 && dir.data[0] == '/') {
		return path.len > 0 && path.data[0] == '/';
	}
	return bytes_has_prefix(path, dir) && (path.len == dir.len || path.data[dir.len] == '/');
}

static bool row_matches(const struct row *row, struct bytes path)
{
	struct bytes folder;

	/* Called for every object with every row: a glance before a call. */
	if (path.len < 4 || (uint8_t)row->folder[1] != path.data[1] ||
	    (uint8_t)row->folder[2] != path.data[2]) {
		return false;
	}
	folder = bytes_from_string(row->folder);
	if (!path_is_below(path, folder)) {
		return false;
	}
	if (!row->pattern) {
		return true;
	}
	return path.len > folder.len + 1 &&
	       glob_match_path(bytes_from_string(row->pattern),
			       bytes_make(path.data + folder.len + 1, path.len - folder.len - 1));
}

uint32_t path_class(struct bytes path)
{
	uint8_t mapped[64];
	uint32_t class = 0;
	bool alias = path_is_alias(path);

	for (size_t i = 0; i < ROWS; i++) {
		if (row_matches(&rows[i], path)) {
			class |= rows[i].class;
		}
	}
	if (alias) {
		/* Enough of the path for every folder of the table; patterns see a cut tail. */
		size_t len = path.len < sizeof(mapped) - 4 ? path.len : sizeof(mapped) - 4;

		memcpy(mapped, "/usr", 4);
		memcpy(mapped + 4, path.data, len);
		for (size_t i = 0; i < ROWS; i++) {
			if (row_matches(&rows[i], bytes_make(mapped, len + 4))) {
				class |= rows[i].class;
			}
		}
	}
	return class;
}

uint32_t path_class_of_pattern(struct bytes pattern)
{
	struct bytes literal = glob_literal_prefix(pattern);
	uint32_t class = path_class(literal);

	if (literal.len == pattern.len) {
		return class;
	}
	for (size_t i = 0; i < ROWS; i++) {
		/* The pattern may go on into this folder. */
		if (bytes_has_prefix(bytes_from_string(rows[i].folder), literal)) {
			class |= rows[i].class;
		}
	}
	return class;
}

struct bytes path_basename(struct bytes path)
{
	const uint8_t *slash = path.len > 0 ? memrchr(path.data, '/', path.len) : NULL;
	size_t at = slash ? (size_t)(slash - path.data) + 1 : 0;

	return bytes_make(path.data + at, path.len - at);
}

struct bytes path_parent(struct bytes path)
{
	const uint8_t *slash = path.len > 0 ? memrchr(path.data, '/', path.len) : NULL;
	size_t len = slash ? (size_t)(slash - path.data) : 0;

	return bytes_make(path.data, len > 0 ? len : (path.len > 0 ? 1 : 0));
}

bool path_name_is_odd(struct bytes path)
{
	struct bytes name = path_basename(path);
	bool dots = name.len > 2;

	if (name.len == 0) {
		return false;
	}
	for (size_t i = 0; i < name.len; i++) {
		dots = dots && name.data[i] == '.';
	}
	/* A backslash is escaped only because the escape itself is one. */
	return dots || name.data[0] == ' ' || name.data[name.len - 1] == ' ' ||
	       (escape_is_needed(ESCAPE_TEXT, name) && !memchr(name.data, '\\', name.len));
}

bool path_is_hidden(struct bytes path)
{
	for (size_t i = 0; i + 1 < path.len; i++) {
		if (path.data[i] == '/' && path.data[i + 1] == '.') {
			return true;
		}
	}
	return false;
}
