// SPDX-License-Identifier: MIT
#ifndef MUSTER_PAYLOADS_STATUS_H
#define MUSTER_PAYLOADS_STATUS_H

/*
 * How the probe ends: every way has an exit status of its own, away from what a shell (126, 127),
 * sudo (1) and ssh (255) use. The transport tells people what they mean.
 */

enum status {
	STATUS_DONE = 0,
	STATUS_USAGE = 64,
	STATUS_SELF = 65,       /* its own file is not what was sent */
	STATUS_PROTOCOL = 66,   /* malformed, oversized or out-of-order message */
	STATUS_CONNECTION = 67, /* the other end is gone */
	STATUS_MEMORY = 68,
	STATUS_WATCHDOG = 69, /* over its time and stuck, or no plan came */
	STATUS_ROOT = 70,     /* "/" cannot be opened */
	STATUS_BROKEN = 71,   /* a fault of its own */
};

#endif
