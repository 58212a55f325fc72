// SPDX-License-Identifier: MIT
#ifndef MUSTER_PAYLOADS_HELLO_H
#define MUSTER_PAYLOADS_HELLO_H

/*
 * The first message: which probe this is and what machine it finds itself on. All of it is this
 * host's own word, told once, before anything was asked.
 */

#include "payloads/probe.h"

void hello_send(struct probe *probe);

#endif
