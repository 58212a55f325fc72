// SPDX-License-Identifier: MIT
#ifndef MUSTER_PAYLOADS_CONVERSATION_H
#define MUSTER_PAYLOADS_CONVERSATION_H

/*
 * The probe's end of the conversation (schema/message.h, docs/protocol.md), from hello to end. A
 * message that is malformed, oversized or out of turn ends the process (payloads/status.h); so does
 * a connection that is gone. Memory is fixed: sections wait for the controller's decision in a ring
 * and are collected again where they are no longer held.
 */

#include "payloads/probe.h"

/* Blocks until the conversation is over. STATUS_DONE after `end` was sent, or a status to end with. */
enum status conversation_run(struct probe *probe);

#endif
