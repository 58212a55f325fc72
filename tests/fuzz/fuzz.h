// SPDX-License-Identifier: MIT
/*
 * The contract between a fuzz target and what drives it: libFuzzer in the preset `fuzz`, replay.c
 * everywhere else. A target must return 0, keep no state between calls, and never write to the
 * file system.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
