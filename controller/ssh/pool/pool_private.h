// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_SSH_POOL_POOL_PRIVATE_H
#define MUSTER_CONTROLLER_SSH_POOL_POOL_PRIVATE_H

/*
 * The inside of the pool, shared by its parts: pool.c (children, the transport's functions),
 * pool_channel.c (one host from open to closed), pool_config.c (what ssh_config says), pool_pins.c
 * (which host keys), pool_start.c (what its child is told), pool_answer.c (what its child says),
 * pool_jump.c (jump hosts and who goes through them), pool_jump_sessions.c (their sessions),
 * pool_openssh.c (hosts that are OpenSSH's),
 * pool_openssh_options.c (what ssh is told of them), pool_hostkeys.c (fetching keys). Nobody else includes this.
 */

#include <uthash.h>

#include "controller/ssh/control.h"
#include "controller/ssh/keys/keys.h"
#include "controller/ssh/keys/known_hosts.h"
#include "controller/ssh/openssh/openssh.h"
#include "controller/ssh/pool/child.h"
#include "controller/ssh/pool/pool.h"
#include "controller/ssh/route/route.h"
#include "controller/ssh/route/ssh_config.h"

#define POOL_CHILDREN_MAX 64
#define POOL_KNOWN_MAX 64
#define POOL_FILES_MAX 8

struct pool;

struct pool_child {
	struct pool *pool;
	struct child_process *process; /* NULL: not running */
	unsigned live;
	bool ready;
};

enum channel_state {
	CHANNEL_RESOLVING, /* ssh_config, then the name */
	CHANNEL_STARTED,   /* a child has it */
	CHANNEL_ENDED,     /* waits for its turn to be told */
};

struct channel {
	struct pool *pool;
	uint64_t id;
	UT_hash_handle hh; /* by id */
	struct channel *next_ended;
	enum channel_state state;
	struct channel_handler handler;
	void *context;
	struct resolving *resolving;
	struct pool_child *child;

	char *name;    /* inventory name */
	char *address; /* host name or address to connect to */
	char *user;
	char *identity;  /* file of the key to offer first; NULL: none */
	char *key_alias; /* name in known_hosts, without port; NULL: address and port */
	uint16_t port;
	bool address_given; /* by the inventory: ssh_config does not change it */
	bool user_given;
	bool port_given;
	struct route route; /* how to get there; direct if all zero */
	bool route_given;   /* by the inventory */
	bool route_is_bad;  /* close.reason says why */
	bool sudo;
	bool pinned;
	uint32_t connect_timeout_ms;
	uint32_t timeout_ms;
	uint64_t cap_bytes;
	uint64_t overdue_ms; /* when the child should have ended it; 0: never */

	bool fetching;           /* wants the host key, nothing else */
	const char *fetch_types; /* algorithms to ask for */
	struct known_hosts *known_hosts;
	struct known_host known[POOL_KNOWN_MAX];
	size_t known_count;
	bool known_by_name_only; /* found without the port: another key is unknown, not wrong */
	size_t key[CONTROL_KEYS_MAX]; /* indices into the keys */
	size_t key_count;
	size_t own_key_count;   /* of them, the first: of `identity` */
	bool security_keys;     /* ssh_config names a FIDO token's: ssh could log in with it */
	bool own_is_security;   /* `identity` is one */
	bool keys_chosen;       /* by ssh_config; else the pool's own are offered */
	uint8_t session_id[64]; /* the only one that is signed for this channel */
	size_t session_id_len;
	const char *refused; /* why nothing was signed, or NULL */
	bool aborting;       /* close.outcome and close.reason stand; byte counts are awaited */

	/* One that goes through a jump host: pool_jump.c. */
	struct pool_jump *jump;       /* NULL: none */
	struct channel *via;          /* the session of it; NULL: not yet, or it is gone */
	struct channel *next_waiting; /* for one */
	bool waiting;
	bool alone;   /* was turned away for want of room: wants a session that carries nobody */
	bool moved;   /* its session was lost before it carried it: not twice */
	bool through; /* the jump host has connected it */

	/* A session of a jump host. */
	struct pool_jump *carries; /* NULL: it is a host's */
	struct channel *next_session;
	struct channel *opening; /* waits for the jump host to connect it */
	unsigned opening_ticks;  /* since then */
	uint64_t idle_since_ms;
	size_t carried;
	size_t most; /* that it carries */
	bool up;

	enum speaker speaker;               /* as configured */
	struct openssh *openssh;            /* in the place of a child */
	bool waits_for_ssh;                 /* for one of the places that ssh has */
	char transport[TRANSPORT_WHO_SIZE]; /* "libssh2", "ssh (why)" */

	struct channel_close close;
	uint8_t excerpt[CONTROL_EXCERPT_MAX];
	uint8_t *hostkey; /* what a fetching channel got */
	size_t hostkey_len;
};

/* A jump host, reached in one way: all who go through it share its sessions. */
struct pool_jump {
	UT_hash_handle hh; /* by key */
	struct pool *pool;
	struct pool_jump *below; /* the one that its own sessions go through */
	struct route route;      /* to it and with it */
	const char *name;        /* as the configuration calls it */
	struct channel *sessions;
	unsigned session_count;
	unsigned starting;
	struct channel *waiting; /* for a session, in order */
	size_t waiting_count;
	size_t carried;
	size_t most; /* carried at once; 0: any number */
	uint32_t connect_timeout_ms;
	uint64_t again_ms; /* no session is begun before */
	bool given_up;     /* nor ever */
	char by_ssh
		[120]; /* why libssh2 cannot reach it and ssh may; empty: it can, as far as is known */
	char why[200]; /* the last session ended */
	char key[];
};

struct pool_probe {
	char arch[32];
	struct digest sha256;
	uint8_t *data;
	size_t size;
};

/* known_hosts files that ssh_config names, by their list. */
struct pool_known {
	struct pool_known *next;
	struct known_hosts *known;
	char *list;
};

/* Identity and certificate files that ssh_config names: each is looked at once. */
struct pool_identity {
	size_t first;
	size_t count;     /* 0: cannot be used */
	bool is_security; /* by us; ssh may, with its token */
	UT_hash_handle hh;
	char path[];
};

struct pool {
	struct transport transport;
	uv_loop_t *loop;
	char helper[4096];
	struct pool_child child[POOL_CHILDREN_MAX];
	unsigned child_count;
	struct pool_probe probe[4];
	size_t probe_count;
	struct keys *keys;
	size_t own_keys; /* the first so many: named or usual files, and the agent's */
	struct known_hosts *known;
	struct pool_known *other_known;
	struct openssh_probe openssh_probe[4];
	unsigned openssh_running;
	uint8_t *openssh_buffer; /* NULL: no host has needed ssh yet */
	char guard[4096];        /* muster-run-ssh; empty: not looked for yet */
	struct pool_remembered *remembered;
	char *key_file[POOL_FILES_MAX]; /* --identity, for ssh's own use */
	size_t key_file_count;
	char *known_file[POOL_FILES_MAX];
	size_t known_file_count;
	char *ssh_config;   /* -F; NULL: ssh's own */
	bool security_keys; /* --identity names one, or the agent holds one */
	bool no_agent;
	struct pool_identity *identities;
	struct ssh_config *config; /* NULL: not asked */
	char *home;
	char *user;
	char *login; /* this process's user */
	uint16_t port;
	bool user_given;
	bool keys_given;
	bool known_given;
	struct channel *channels; /* by id */
	size_t guests;            /* of them, those of hosts; the others are jump hosts' sessions */
	struct pool_jump *jumps;  /* by route */
	bool jumps_due;           /* pool_jumps_pump has something to do */
	size_t jump_channels;
	struct pool_jump_limit *jump_limit;
	size_t jump_limit_count;
	uint64_t next_id;
	struct channel *ended;
	struct channel **ended_tail;
	uv_timer_t defer;
	uv_timer_t tick;
	unsigned handles;
};

/* pool.c */
/* The least loaded child, started if need be. */
struct pool_child *pool_take_child(struct pool *pool, struct error *err);
/* Has the ended channels told about soon. */
void pool_wake(struct pool *pool);
/* Keeps the loop alive for the first of some channels; the last one lets go. */
void pool_hold(struct pool *pool);

/* pool_channel.c */
struct channel *channel_new(struct pool *pool, const struct target *target,
			    const struct channel_handler *handler, void *context,
			    struct error *err);
/* A session of a jump host, which the configuration says how to reach and nobody else. */
struct channel *channel_new_jump(struct pool *pool, const struct target *target,
				 struct pool_jump *jump, const struct channel_handler *handler,
				 struct error *err);
void channel_progress(struct channel *channel, const char *stage);
/* Takes it back from its child, under a new id, to be started again. False: no memory; it ends. */
bool channel_again(struct channel *channel) MUST_CHECK;
bool channel_is_host_name(const char *name);
void channel_end(struct channel *channel, enum outcome outcome, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* As channel_end, with close.outcome and close.reason as they are. */
void channel_end_later(struct channel *channel);
/* Ends it by our own wish: at once where no child has it, else when the child has let go. */
void channel_abort(struct channel *channel, enum outcome outcome, const char *reason);
void channel_tell_and_free(struct channel *channel);
/* Those of jump hosts, at the pool's end. */
void channel_free_all(struct pool *pool);

/* pool_start.c */
/* Resolves and starts; whatever fails ends the channel later, never from inside. */
void channel_begin(struct channel *channel);
/* After ssh_config has been asked; `answer` NULL: it was not. */
void channel_go(struct channel *channel, const struct ssh_config_answer *answer);
/* Keys that it will be offered by libssh2. */
size_t channel_key_count(const struct channel *channel);
/* Its jump host has a session for it. */
void channel_start_via(struct channel *channel);
void channel_stop_resolving(struct channel *channel);

/* pool_answer.c */
void channel_message(struct channel *channel, const struct control_message *message);

/* pool_pins.c */
/* Looks up what known_hosts has for the channel. */
void channel_find_known(struct channel *channel);
bool channel_is_revoked(const struct channel *channel, struct bytes blob,
			const struct known_host **by);
/* Whether known[i] is a key that the host may show. */
bool channel_is_pin(const struct channel *channel, size_t i);
/* Fills pins, and in `types` the algorithms that make the server show a key of their types. */
void channel_set_pins(const struct channel *channel, struct control_start *start, char *types,
		      size_t room);

/* pool_jump.c */
/* Waits for its turn to go by its route; channel_start_via or channel_end follows. */
void channel_jump_join(struct channel *channel);
void channel_jump_stage(struct channel *channel, enum control_stage stage);
/* Its child has closed it: true where it goes by another session instead of ending. */
bool channel_jump_moves(struct channel *channel, enum control_via fault);
/* Says in close.outcome and close.reason what its jump host has to do with its end. */
void channel_jump_explain(struct channel *channel, enum control_via fault);
/* A session of a jump host that libssh2 is no match for: those that wait for it go by ssh. */
void channel_jump_by_ssh(struct channel *session, const char *why);
/* Says in close.outcome and close.reason where ssh failed on a jump host rather than on the host. */
void channel_jump_explain_ssh(struct channel *channel);
/* It has ended. */
void channel_jump_leave(struct channel *channel);
/* How long a jump host's login may take in all. */
uint64_t channel_jump_patience_ms(const struct channel *channel);
void pool_jumps_clear(struct pool *pool);
/* Not from inside a call that ends channels: whose turn it is now. */
void jump_later(struct pool *pool);
void jump_wait_no_more(struct channel *channel);
void jump_leave_session(struct channel *channel);
/* Nothing is known of those that wait: their way is what failed. */
void jump_fail_waiting(struct pool_jump *jump);

/* pool_jump_sessions.c */
/* Gives those that wait a place, and begins sessions where there are too few. */
void jump_pump(struct pool_jump *jump);
void jump_session_ended(struct channel *session);
void pool_jumps_pump(struct pool *pool);
void pool_jumps_tick(struct pool *pool);

/* pool_config.c */
/* Loads the channel's own identity; false: it cannot be used, and the channel has ended. */
bool channel_own_identity(struct channel *channel);
/* One of the pool's keys, behind those it is offered already; once. */
void channel_offer(struct channel *channel, size_t index);
/* Asks what ssh_config says of the channel's host, takes it over, and lets it go on. */
void channel_ask_config(struct channel *channel);
/* Asks for the same again. */
void channel_look_up(struct channel *channel, ssh_config_done done);
void pool_config_clear(struct pool *pool);

/* pool_openssh_options.c */
/* "Keyword=value" and "NAME=value", in memory of its own. */
struct pool_ssh_options {
	const char *item[OPENSSH_OPTIONS_MAX];
	size_t count;
	const char *hop[ROUTE_JUMPS_MAX]; /* the environment's: openssh_jump.h */
	size_t hop_count;
	char text[65536];
	size_t len;
	bool full; /* it was too much */
};
void pool_ssh_options_fill(struct pool_ssh_options *options, const struct channel *channel,
			   const struct ssh_config_answer *answer);

/* pool_openssh.c */
/* Why this host is ssh's; NULL: libssh2's. */
const char *channel_choose(struct channel *channel, const struct ssh_config_answer *answer,
			   size_t pins, size_t authorities);
/* Gives it to ssh, as soon as there is a place. */
void channel_by_ssh(struct channel *channel, const char *why);
/* Whether ssh goes on where libssh2 came to this end; if so the channel lives on. */
bool channel_fall_back(struct channel *channel, const struct control_closed *closed);
/* Starts those that wait while there are places. */
void pool_openssh_next(struct pool *pool);
void pool_openssh_clear(struct pool *pool);

#endif
