// SPDX-License-Identifier: MIT
/*
 * A probe that knows no protocol: says "hello" in one frame and echoes the frames it gets, so that
 * transports can be tested without the real one. Takes the real one's arguments, and with --self
 * removes itself and its folder as the real one does. A frame that starts with '!' is a command:
 *   !exit N   !kill   !partial   !giant   !flood   !sleep   !quit (ends with status 0)
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "schema/frame.h"

static bool read_all(uint8_t *to, size_t len)
{
	while (len > 0) {
		ssize_t n = read(STDIN_FILENO, to, len);

		if (n <= 0) {
			return false;
		}
		to += n;
		len -= (size_t)n;
	}
	return true;
}

static void write_all(const void *data, size_t len)
{
	const uint8_t *at = data;

	while (len > 0) {
		ssize_t n = write(STDOUT_FILENO, at, len);

		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n <= 0) {
			exit(1);
		}
		at += n;
		len -= (size_t)n;
	}
}

static void write_frame(const void *payload, size_t len)
{
	uint8_t head[FRAME_HEAD];

	frame_head((uint32_t)len, head);
	write_all(head, sizeof(head));
	write_all(payload, len);
}

static bool is_command(const uint8_t *frame, size_t len, const char *name)
{
	return len >= strlen(name) && memcmp(frame, name, strlen(name)) == 0;
}

static void run_command(const uint8_t *frame, size_t len)
{
	static const uint8_t giant[] = {0x7f, 0xff, 0xff, 0xff};
	static uint8_t block[FRAME_MAX];

	if (is_command(frame, len, "!exit ")) {
		/* No NUL follows: as many digits as the frame has. */
		exit(len > 7 ? (frame[6] - '0') * 10 + frame[7] - '0' : frame[6] - '0');
	} else if (is_command(frame, len, "!kill")) {
		(void)raise(SIGKILL);
	} else if (is_command(frame, len, "!partial")) {
		write_all("\0\0\1\0half", 8);
		exit(0);
	} else if (is_command(frame, len, "!giant")) {
		write_all(giant, sizeof(giant));
		(void)pause();
	} else if (is_command(frame, len, "!flood")) {
		for (;;) {
			write_frame(block, sizeof(block));
		}
	} else if (is_command(frame, len, "!sleep")) {
		(void)pause();
	} else if (is_command(frame, len, "!quit")) {
		exit(0);
	}
}

/* As the real probe: gone from the disk before anything is said. */
static void check_self(int argc, char **argv)
{
	const char *self = NULL;
	long size = -1;
	struct stat st;
	char *slash;

	for (int i = 1; i + 1 < argc; i++) {
		if (strcmp(argv[i], "--self") == 0) {
			self = argv[i + 1];
		} else if (strcmp(argv[i], "--size") == 0) {
			size = strtol(argv[i + 1], NULL, 10);
		}
	}
	if (!self) {
		return;
	}
	if (stat("/proc/self/exe", &st) < 0 || st.st_size != size || unlink(self) < 0) {
		(void)fprintf(stderr, "fake probe: bad copy\n");
		exit(1);
	}
	slash = strrchr(self, '/');
	if (slash) {
		char folder[4096];

		(void)snprintf(folder, sizeof(folder), "%.*s", (int)(slash - self), self);
		(void)rmdir(folder);
	}
}

int main(int argc, char **argv)
{
	static uint8_t frame[FRAME_HEAD + FRAME_MAX];

	/* Those that hang on command outlive their test by this much at most. */
	(void)alarm(60);
	check_self(argc, argv);
	write_frame("hello", 5);
	while (read_all(frame, FRAME_HEAD)) {
		struct bytes payload = {NULL, 0};
		size_t taken = 0;
		size_t len = (size_t)frame[0] << 24 | (size_t)frame[1] << 16 |
			     (size_t)frame[2] << 8 | frame[3];

		if (len > FRAME_MAX || !read_all(frame + FRAME_HEAD, len) ||
		    frame_split((struct bytes){frame, FRAME_HEAD + len}, &payload, &taken) !=
			    FRAME_WHOLE) {
			return 1;
		}
		if (payload.data[0] == '!') {
			run_command(payload.data, payload.len);
		}
		write_frame(payload.data, payload.len);
	}
	return 0;
}
