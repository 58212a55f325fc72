// SPDX-License-Identifier: MIT
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controller/ssh/openssh/openssh.h"

/*
 * ssh takes the first value it meets: what stands here no configuration changes. Nobody is asked
 * anything, nothing is written, nothing is forwarded, nothing is run but the way to the host, and no
 * host key is believed that is not known. VERBOSE says when the login is done; it goes to the log.
 */
static const char *const locks[] = {
	"BatchMode=yes",
	"StrictHostKeyChecking=yes",
	"UpdateHostKeys=no",
	"VerifyHostKeyDNS=no",
	"CheckHostIP=no",
	"NoHostAuthenticationForLocalhost=no",
	"ForwardAgent=no",
	"ForwardX11=no",
	"ClearAllForwardings=yes",
	"Tunnel=no",
	"PermitLocalCommand=no",
	"ControlMaster=no",
	"ControlPath=none",
	"ControlPersist=no",
	"RequestTTY=no",
	"AddKeysToAgent=no",
	"GSSAPIDelegateCredentials=no",
	"PasswordAuthentication=no",
	"KbdInteractiveAuthentication=no",
	"HostbasedAuthentication=no",
	"ConnectionAttempts=1",
	"LogLevel=VERBOSE",
};

/* Of what ssh -G says: who we are, whom we believe, in which algorithms, and how we get there. */
static const char *const carried[] = {
	"addressfamily",
	"bindaddress",
	"bindinterface",
	"casignaturealgorithms",
	"certificatefile",
	"ciphers",
	"compression",
	"globalknownhostsfile",
	"gssapiauthentication",
	"gssapikexalgorithms",
	"gssapikeyexchange",
	"hostkeyalgorithms",
	"hostkeyalias",
	"identitiesonly",
	"identityagent",
	"identityfile",
	"ipqos",
	"kexalgorithms",
	"macs",
	"pkcs11provider",
	"preferredauthentications",
	"proxycommand",
	"proxyusefdpass",
	"pubkeyacceptedalgorithms",
	"pubkeyacceptedkeytypes",
	"pubkeyauthentication",
	"rekeylimit",
	"requiredrsasize",
	"revokedhostkeys",
	"securitykeyprovider",
	"serveralivecountmax",
	"serveraliveinterval",
	"tcpkeepalive",
	"userknownhostsfile",
};

/* No terminal, no display, no asking; the ways to a key or a ticket, and what a ProxyCommand needs. */
static const char *const environment[] = {
	"HOME",          "KRB5CCNAME", "KRB5_CLIENT_KTNAME", "KRB5_CONFIG",
	"LOGNAME",       "PATH",       "SSH_SK_HELPER",      "SSH_SK_PROVIDER",
	"SSH_AUTH_SOCK", "USER",       "XDG_RUNTIME_DIR",
};

#define LOCKS (sizeof(locks) / sizeof(locks[0]))
#define ENVIRONMENTS (sizeof(environment) / sizeof(environment[0]))

bool openssh_is_user(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len <= 128 && name[0] != '-' &&
	       strspn(name,
		      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-+@") == len;
}

bool openssh_is_carried(const char *line)
{
	size_t len = strcspn(line, " ");

	for (size_t i = 0; i < sizeof(carried) / sizeof(carried[0]); i++) {
		if (strlen(carried[i]) == len && strncmp(carried[i], line, len) == 0) {
			return true;
		}
	}
	return false;
}

/* Pointers first, then the text they point to. */
struct list {
	char **item;
	size_t count;
	char *at;
	size_t left;
	bool full;
};

#define ITEMS_MAX (2 * (LOCKS + OPENSSH_OPTIONS_MAX) + 40)
#define TEXT_MAX 65536U

static bool list_init(struct list *list)
{
	*list = (struct list){.item = calloc(1, ITEMS_MAX * sizeof(char *) + TEXT_MAX)};
	if (!list->item) {
		return false;
	}
	list->at = (char *)(list->item + ITEMS_MAX);
	list->left = TEXT_MAX;
	return true;
}

static void add(struct list *list, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(struct list *list, const char *format, ...)
{
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(list->at, list->left, format, args);
	va_end(args);
	if (len < 0 || (size_t)len >= list->left || list->count + 1 >= ITEMS_MAX) {
		list->full = true;
		return;
	}
	list->item[list->count++] = list->at;
	list->at += len + 1;
	list->left -= (size_t)len + 1;
}

static void add_option(struct list *list, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void add_option(struct list *list, const char *format, ...)
{
	char text[4096];
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (len < 0 || (size_t)len >= sizeof(text)) {
		list->full = true;
		return;
	}
	add(list, "-o");
	add(list, "%s", text);
}

static char **list_end(struct list *list)
{
	if (list->full) {
		free(list->item);
		return NULL;
	}
	return list->item;
}

/* HostName knows %h: the zone of an IPv6 address is no token. */
static void add_address(struct list *list, const char *address)
{
	char text[600];
	size_t len = 0;

	for (; *address && len + 2 < sizeof(text); address++) {
		if (*address == '%') {
			text[len++] = '%';
		}
		text[len++] = *address;
	}
	text[len] = '\0';
	add_option(list, "HostName=%s", text);
}

char **openssh_arguments(const struct openssh_start *start, const char *command)
{
	struct list list;

	if (!list_init(&list)) {
		return NULL;
	}
	add(&list, "muster-run-ssh");
	add(&list, "%ld", (long)getpid());
	add(&list, OPENSSH_PROGRAM);
	add(&list, "-F");
	add(&list, "none");
	add(&list, "-T");
	add(&list, "-a");
	add(&list, "-x");
	add(&list, "-e");
	add(&list, "none");
	for (size_t i = 0; i < LOCKS; i++) {
		add_option(&list, "%s", locks[i]);
	}
	add_option(&list, "ConnectTimeout=%u", (start->connect_timeout_ms + 999) / 1000);
	add_address(&list, start->address);
	add_option(&list, "User=%s", start->user);
	add_option(&list, "Port=%u", start->port);
	for (size_t i = 0; i < start->option_count; i++) {
		add_option(&list, "%s", start->options[i]);
	}
	add(&list, "--");
	add(&list, "%s", start->host);
	add(&list, "%s", command);
	return list_end(&list);
}

char **openssh_environment(char *const *ours, const struct openssh_start *start)
{
	struct list list;

	if (!list_init(&list)) {
		return NULL;
	}
	for (size_t i = 0; ours && ours[i]; i++) {
		for (size_t j = 0; j < ENVIRONMENTS; j++) {
			size_t len = strlen(environment[j]);

			if (strncmp(ours[i], environment[j], len) == 0 && ours[i][len] == '=' &&
			    !(start->no_agent && strcmp(environment[j], "SSH_AUTH_SOCK") == 0)) {
				add(&list, "%s", ours[i]);
			}
		}
	}
	for (size_t i = 0; i < start->environment_count; i++) {
		add(&list, "%s", start->environment[i]);
	}
	/* Its words are compared with known ones. */
	add(&list, "LC_ALL=C");
	add(&list, "SSH_ASKPASS_REQUIRE=never");
	return list_end(&list);
}
