/*
 * install.c: --install, which hands foster on to another container.
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "foster.h"

#define SELF "/proc/self/exe"

static bool
copy(int from, int to)
{
	char buf[4096];
	ssize_t n, done, put;

	while ((n = read(from, buf, sizeof buf)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		for (done = 0; done < n; done += put) {
			put = write(to, buf + done, (size_t)(n - done));
			if (put < 0 && errno == EINTR)
				put = 0;
			if (put < 0)
				return false;
		}
	}
	/* some file systems tell of a full disk only here */
	return fchmod(to, 0755) == 0 && fsync(to) == 0;
}

void
install(const char *file)
{
	char temporary[PATH_MAX];
	const char *slash = strrchr(file, '/');
	int self = open_file(SELF, O_RDONLY), to, error;

	if (self < 0)
		die(FAILED, SELF ":");
	/* beside it, under a name of its own: two containers of a pod may install into one volume
	 * at a time, and only within a file system is rename(2) complete or not at all */
	if (snprintf(temporary, sizeof temporary, "%.*s.foster-XXXXXX",
	    slash ? (int)(slash + 1 - file) : 0, file) >= PATH_MAX) {
		errno = ENAMETOOLONG;
		die(FAILED, WORD ":", CUT(file));
	}
	to = mkostemp(temporary, O_CLOEXEC);
	if (to < 0)
		die(FAILED, WORD ":", CUT(file));
	if (!copy(self, to) || close(to) < 0 || rename(temporary, file) < 0) {
		error = errno;
		unlink(temporary);
		errno = error;
		die(FAILED, WORD ":", CUT(file));
	}
}
