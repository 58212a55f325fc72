// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_SSH_PINNED_H
#define MUSTER_CONTROLLER_SSH_PINNED_H

/*
 * BECOME_PINNED: where the probe then stands on a host and how it is started. The bootstrap's command
 * and the rule of `muster sudoers` have both from here, since sudo compares them word for word.
 */

#include <stdbool.h>
#include <stddef.h>

/*
 * As the command has them. A rule of sudoers names whole paths: folders that are the same for every
 * user, with the user's own below. Somebody else may make that one first; then the next is tried, and
 * nothing worse happens.
 */
#define PINNED_PLACES "/dev/shm /var/tmp /tmp"
#define PINNED_FOLDER ".muster-" /* and the user's name */

/* The probe's path at the place number `index`. False behind the last, or for lack of room. */
bool pinned_path(size_t index, const char *user, char *to, size_t room);
bool pinned_arguments(const char *path, size_t size, const char *sha256, char *to, size_t room);

#endif
