// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_STORE_SQL_H
#define MUSTER_CONTROLLER_STORE_SQL_H

/* schema/store.sql, made part of the library when it is built (cmake/MusterEmbed.cmake). */
extern const char store_sql[];

#endif
