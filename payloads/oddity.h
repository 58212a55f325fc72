// SPDX-License-Identifier: MIT
#ifndef MUSTER_PAYLOADS_ODDITY_H
#define MUSTER_PAYLOADS_ODDITY_H

/*
 * What about a name tells something where anybody may write: hidden, odd, out of place. Pure tables
 * and byte tests; no judgement (that is the controller's), only which objects are worth sending.
 */

#include <stdbool.h>

#include "schema/bytes.h"

/* Only dots or blanks, blanks at an end, control bytes, invalid UTF-8, bidi or zero-width. */
bool oddity_is_odd_name(struct bytes name);

/* A leading dot that belongs to none of the known places (.X11-unix ...). */
bool oddity_is_hidden_name(struct bytes name);

/*
 * Whether sockets and FIFOs are at home here: `path` is relative to the volatile root, its first
 * component or its own name is a known place.
 */
bool oddity_is_socket_place(struct bytes path);

/* .php .cgi .pl .py .sh .jsp and the like. */
bool oddity_is_web_script(struct bytes name);

#endif
