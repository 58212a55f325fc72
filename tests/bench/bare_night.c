// SPDX-License-Identifier: MIT
/*
 * bare_night: the least that a night over dpkg's files can cost: its database read line by line and
 * every path in it asked for once, by name, in the order of the lists. Prints how many.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define INFO "/var/lib/dpkg/info/"

static char *line;
static size_t room;
static unsigned long lines, paths;

static void read_lines(const char *name, int is_list)
{
	FILE *file = fopen(name, "r");
	ssize_t len;

	while (file && (len = getline(&line, &room, file)) > 0) {
		struct stat st;

		lines++;
		if (is_list) {
			line[len - 1] = '\0';
			paths += lstat(line, &st) == 0;
		}
	}
	if (file) {
		fclose(file);
	}
}

int main(void)
{
	DIR *dir = opendir(INFO);
	const struct dirent *entry;

	if (!dir) {
		perror(INFO);
		return 1;
	}
	read_lines("/var/lib/dpkg/status", 0);
	while ((entry = readdir(dir))) {
		const char *dot = strrchr(entry->d_name, '.');
		char name[sizeof(INFO) + sizeof(entry->d_name)];

		(void)snprintf(name, sizeof(name), INFO "%s", entry->d_name);
		if (dot && (strcmp(dot, ".list") == 0 || strcmp(dot, ".md5sums") == 0)) {
			read_lines(name, strcmp(dot, ".list") == 0);
		}
	}
	closedir(dir);
	free(line);
	printf("lines %lu\npaths %lu\n", lines, paths);
	return 0;
}
