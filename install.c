/*
 * install.c: --install, which hands foster on to another container.
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
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
	return syscall(SYS_fchmod, to, 0755) == 0 && fsync(to) == 0;
}

int
install(const char *file)
{
	char temporary[PATH_MAX];
	size_t len = length(file);
	int self = open_file(SELF, O_RDONLY, 0), to = -1;

	if (self < 0)
		die(FAILED, SELF ":");
	if (len + 12 > sizeof temporary) {
		errno = ENAMETOOLONG;
		die(FAILED, "%s:", file);
	}
	memcpy(temporary, file, len + 1);
	/* a name of its own: two containers of a pod may install into one volume at a time */
	for (int tries = 0; to < 0 && tries < 100; tries++) {
		format(temporary + len, 12, ".%d", (int)((now_ms() * 100 + tries) % 100000000));
		to = open_file(temporary, O_WRONLY | O_CREAT | O_EXCL, 0700);
		if (to < 0 && errno != EEXIST)
			break;
	}
	if (to < 0)
		die(FAILED, "%s:", file);
	if (!copy(self, to) || close(to) < 0 || rename(temporary, file) < 0) {
		int error = errno;

		unlink(temporary);
		errno = error;
		die(FAILED, "%s:", file);
	}
	return 0;
}
