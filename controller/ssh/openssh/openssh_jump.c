// SPDX-License-Identifier: MIT
#include "controller/ssh/openssh/openssh_jump.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "controller/ssh/openssh/openssh.h"

/* On the way nothing is asked, written, forwarded beside it, or believed that is not known. */
static const char *const locks[] = {
	"BatchMode=yes",
	"StrictHostKeyChecking=yes",
	"UpdateHostKeys=no",
	"VerifyHostKeyDNS=no",
	"ForwardAgent=no",
	"ForwardX11=no",
	"Tunnel=no",
	"PermitLocalCommand=no",
	"ControlMaster=no",
	"ControlPath=none",
	"AddKeysToAgent=no",
	"GSSAPIDelegateCredentials=no",
	"PasswordAuthentication=no",
	"KbdInteractiveAuthentication=no",
	"HostbasedAuthentication=no",
	"RemoteCommand=none",
	"ConnectionAttempts=1",
};

/* What ssh takes where nobody names any: a named one stands in their place otherwise. */
static const char *const usual_identities[] = {"~/.ssh/id_rsa", "~/.ssh/id_ecdsa",
					       "~/.ssh/id_ed25519"};

struct text {
	char *to;
	size_t room;
	size_t len;
	bool full;
};

static void add_char(struct text *text, char c)
{
	if (text->len + 1 >= text->room) {
		text->full = true;
		return;
	}
	text->to[text->len++] = c;
	text->to[text->len] = '\0';
}

static void add(struct text *text, const char *what)
{
	for (; *what; what++) {
		add_char(text, *what);
	}
}

/* One word of sh, whatever is in it. */
static void add_word(struct text *text, const char *word)
{
	add_char(text, '\'');
	for (; *word; word++) {
		if (*word == '\'') {
			add(text, "'\\''");
		} else {
			add_char(text, *word);
		}
	}
	add_char(text, '\'');
}

/* " \"PATH\"" as an option of ssh has it, without tokens of its, inside a word of sh that is open. */
static void add_path(struct text *text, const char *path)
{
	add_char(text, '"');
	for (; *path; path++) {
		if (*path == '\'') {
			add(text, "'\\''");
		} else if (*path == '%') {
			add(text, "%%");
		} else {
			add_char(text, *path);
		}
	}
	add_char(text, '"');
}

static void add_files(struct text *text, const struct openssh_jumps *jumps)
{
	if (jumps->config || jumps->no_config) {
		add(text, " -F ");
		add_word(text, jumps->config ? jumps->config : "none");
	}
	if (jumps->known_hosts_count > 0) {
		add(text, " -o 'UserKnownHostsFile=");
		for (size_t i = 0; i < jumps->known_hosts_count; i++) {
			add(text, i > 0 ? " " : "");
			add_path(text, jumps->known_hosts[i]);
		}
		add(text, "' -o GlobalKnownHostsFile=none");
	}
	for (size_t i = 0; i < jumps->identity_count; i++) {
		add(text, " -o 'IdentityFile=");
		add_path(text, jumps->identities[i]);
		add(text, "'");
	}
	for (size_t i = 0; i < 3 && jumps->identity_count > 0; i++) {
		add(text, " -o IdentityFile=");
		add(text, usual_identities[i]);
	}
}

bool openssh_jump_option(size_t index, char *to, size_t room)
{
	/* %h and %p are ssh's, for where it goes itself; it puts exec before the whole. */
	int len = snprintf(to, room, "ProxyCommand=/bin/sh -c \"$MUSTER_HOP_%zu\" sh '%%h' '%%p'",
			   index);

	return len > 0 && (size_t)len < room;
}

bool openssh_jump_variable(const struct openssh_jumps *jumps, size_t index, char *to, size_t room)
{
	const struct route_jump *jump = &jumps->route->jump[index];
	struct text text = {.to = to, .room = room};
	char number[64], proxy[128];

	if (room > 0) {
		to[0] = '\0';
	}
	(void)snprintf(number, sizeof(number), "MUSTER_HOP_%zu=exec ", index);
	add(&text, number);
	add(&text, OPENSSH_PROGRAM);
	for (size_t i = 0; i < sizeof(locks) / sizeof(locks[0]); i++) {
		add(&text, " -o ");
		add(&text, locks[i]);
	}
	(void)snprintf(number, sizeof(number), " -o ConnectTimeout=%u",
		       (jumps->connect_timeout_ms + 999) / 1000);
	add(&text, number);
	add_files(&text, jumps);
	if (index > 0 && openssh_jump_option(index - 1, proxy, sizeof(proxy))) {
		add(&text, " -o ");
		add_word(&text, proxy);
	}
	add(&text, " -W \"[$1]:$2\"");
	if (jump->user) {
		add(&text, " -l ");
		add_word(&text, jump->user);
	}
	if (jump->port != 0) {
		(void)snprintf(number, sizeof(number), " -p %u", jump->port);
		add(&text, number);
	}
	add(&text, " -- ");
	add_word(&text, jump->host);
	return !text.full;
}
