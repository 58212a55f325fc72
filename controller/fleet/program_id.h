// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_FLEET_PROGRAM_ID_H
#define MUSTER_CONTROLLER_FLEET_PROGRAM_ID_H

/*
 * Which build of the program this is: what another build judged is judged anew, so that no change of
 * a rule can be forgotten. It is the digest that the linker left in the program (--build-id).
 */

#define PROGRAM_ID_ROOM 129 /* 64 bytes in hex and NUL */

/* "" where the program has none. */
void program_id(char id[PROGRAM_ID_ROOM]);

#endif
