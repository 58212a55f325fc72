// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_INVENTORY_ANSIBLE_ARGS_H
#define MUSTER_CONTROLLER_INVENTORY_ANSIBLE_ARGS_H

/*
 * What of Ansible's ssh arguments (ansible_ssh_common_args and its kin) muster takes: the jump hosts,
 * as -J or -o ProxyJump have them. Words are told apart as a shell would, quotes included; what a shell
 * would replace is not guessed at. Pure.
 */

#include <stdbool.h>

#define ANSIBLE_ARGS_JUMP_MAX 512
#define ANSIBLE_ARGS_LEFT_MAX 160

struct ansible_args {
	char jump[ANSIBLE_ARGS_JUMP_MAX]; /* "": not said */
	char left[ANSIBLE_ARGS_LEFT_MAX]; /* options that are not taken, escaped; "": none */
};

/* False: it cannot be taken apart ($, `, \, a quote that does not end); nothing of it is taken. */
bool ansible_args_read(const char *text, struct ansible_args *args);

#endif
