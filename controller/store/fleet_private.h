// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_STORE_FLEET_PRIVATE_H
#define MUSTER_CONTROLLER_STORE_FLEET_PRIVATE_H

/* Between fleet.c, which counts, and fleet_put.c, which writes what came of it. */

#include "controller/store/fleet.h"
#include "controller/store/inner.h"

/* One content of one key among the hosts of a release, in a chain a key. */
struct slot {
	uint32_t object;
	uint32_t next; /* index + 1; 0: none */
	size_t hosts;
	enum witness witness;
	bool differs;
	bool agreed; /* by most of enough hosts */
	size_t side;
};

/* What is counted for one release; emptied for the next. */
struct counting {
	uint32_t *head;  /* by key id: index of a slot + 1 */
	uint32_t *group; /* by key id: index of a group + 1 */
	uint32_t *key;   /* those that have a head */
	size_t key_count;
	struct slot *slot;
	size_t count, room;
};

/* Hosts that have the same sections, judged by the same witnesses. */
struct alike {
	const char *release;
	int64_t snapshot;
	int64_t witness;
	size_t first_host; /* in fleet->host */
	size_t hosts;
	struct judge_counts vouched; /* for each of them */
	struct store_fleet_place *place;
	size_t place_count;
};

struct alike_host {
	const char *name;
	int64_t id;
	int64_t complete;    /* row */
	const char *vouched; /* as stored */
	bool has_findings;
};

struct store_fleet {
	struct arena arena;
	struct alike *alike;
	size_t alike_count, alike_room;
	struct alike_host *host;
	size_t host_count, host_room;
	struct fleet_group *group;
	size_t group_count, group_room;
	/* while loading */
	struct counting counting;
	struct pairs pairs;
	bool has_installs; /* they do */
	struct judged_package *judged;
	size_t judged_room;
};

#endif
