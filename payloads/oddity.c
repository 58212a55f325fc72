// SPDX-License-Identifier: MIT
#include "payloads/oddity.h"

#include "schema/glob.h"

static bool matches(const char *const *patterns, struct bytes name)
{
	for (; *patterns; patterns++) {
		if (glob_match_path(bytes_from_string(*patterns), name)) {
			return true;
		}
	}
	return false;
}

/* Length of the valid UTF-8 sequence at the start (RFC 3629), 0 where there is none. */
static size_t decode(struct bytes text, uint32_t *code)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	uint8_t first = text.data[0];
	size_t len = first < 0x80   ? 1
		     : first < 0xc0 ? 0
		     : first < 0xe0 ? 2
		     : first < 0xf0 ? 3
		     : first < 0xf8 ? 4
				    : 0;

	if (len == 0 || len > text.len) {
		return 0;
	}
	*code = len == 1 ? first : first & (0x7fU >> len);
	for (size_t i = 1; i < len; i++) {
		if ((text.data[i] & 0xc0) != 0x80) {
			return 0;
		}
		*code = *code << 6 | (text.data[i] & 0x3f);
	}
	return *code < least[len] || *code > 0x10ffff || (*code >= 0xd800 && *code < 0xe000) ? 0
											     : len;
}

static bool is_unseen(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0xa0 || code == 0xad ||
	       code == 0x61c || code == 0x180e || (code >= 0x2000 && code <= 0x200f) ||
	       (code >= 0x2028 && code <= 0x202f) || (code >= 0x205f && code <= 0x206f) ||
	       code == 0x3000 || code == 0xfeff || (code >= 0xe000 && code < 0xf900) ||
	       code >= 0xe0000;
}

bool oddity_is_odd_name(struct bytes name)
{
	bool plain = true;

	if (name.len == 0 || name.data[0] == ' ' || name.data[name.len - 1] == ' ') {
		return true;
	}
	for (size_t at = 0; at < name.len;) {
		uint32_t code = 0;
		size_t len = decode((struct bytes){name.data + at, name.len - at}, &code);

		if (len == 0 || is_unseen(code)) {
			return true;
		}
		plain = plain && (code == '.' || code == ' ');
		at += len;
	}
	return plain;
}

bool oddity_is_hidden_name(struct bytes name)
{
	static const char *const known[] = {".X11-unix",  ".ICE-unix",   ".XIM-unix",
					    ".font-unix", ".Test-unix",  ".X[0-9]*-lock",
					    ".s.PGSQL.*", ".well-known", NULL};

	return name.len > 0 && name.data[0] == '.' && !matches(known, name);
}

bool oddity_is_socket_place(struct bytes path)
{
	static const char *const directories[] = {
		".X11-unix", ".ICE-unix", ".XIM-unix", "systemd-private-*", "tmux-*",
		"ssh-*",     "pulse-*",   "screen*",   "snap-private-tmp",  NULL};
	static const char *const names[] = {".s.PGSQL.*", "mysql.sock", "mysqlx.sock", "dbus-*",
					    NULL};
	const uint8_t *slash = memchr(path.data, '/', path.len);
	size_t at = path.len;

	if (slash && matches(directories, (struct bytes){path.data, (size_t)(slash - path.data)})) {
		return true;
	}
	while (at > 0 && path.data[at - 1] != '/') {
		at--;
	}
	return matches(names, (struct bytes){path.data + at, path.len - at});
}

bool oddity_is_web_script(struct bytes name)
{
	static const char *const patterns[] = {"*.[pP][hH][pP]",
					       "*.[pP][hH][pP][0-9]",
					       "*.[pP][hH][tT]*",
					       "*.phar",
					       "*.cgi",
					       "*.pl",
					       "*.py",
					       "*.rb",
					       "*.sh",
					       "*.jsp",
					       "*.jspx",
					       "*.asp",
					       "*.aspx",
					       NULL};

	return matches(patterns, name);
}
