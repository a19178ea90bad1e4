/*
 * message.c: lines on standard error and in the report.
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "foster.h"

#define PREFIX "foster: "

/* Standard error shares its open file with the program, so it can't be made non-blocking; a
 * pipe or a terminal is opened once more for the line. */
static void
put_line(const char *line, size_t len)
{
	struct pollfd can = {.fd = STDERR_FILENO, .events = POLLOUT};
	int fd;

	if (send(STDERR_FILENO, line, len, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0 || errno != ENOTSOCK)
		return;
	if (lseek(STDERR_FILENO, 0, SEEK_CUR) < 0) {
		fd = open("/proc/self/fd/2", O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
		if (fd >= 0) {
			write(fd, line, len);
			close(fd);
			return;
		}
		/* no /proc, or not allowed: a pipe that can be written takes a line whole */
		if (poll(&can, 1, 0) <= 0)
			return;
	}
	write(STDERR_FILENO, line, len);
}

/* copies text into line, with control characters as \n, \r or \xNN, so that a line stays one;
 * returns the length, cut to what fits */
static size_t
escape(char *line, size_t size, const char *text)
{
	size_t n = 0;

	for (; *text && n + sizeof "\\x00" <= size; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '\n' || c == '\r')
			n += (size_t)snprintf(line + n, size - n, "\\%c", c == '\n' ? 'n' : 'r');
		else if (c < ' ' || c == 0x7f)
			n += (size_t)snprintf(line + n, size - n, "\\x%02x", c);
		else
			line[n++] = *text;
	}
	line[n] = '\0';
	return n;
}

/* puts the line into buf, of LINE_SIZE bytes; returns its length */
static size_t
compose(char *buf, const char *format, va_list args)
{
	const char *reason = strerror(errno);
	size_t len = strlen(format), n = sizeof PREFIX - 1;
	char text[LINE_SIZE];

	memcpy(buf, PREFIX, n);
	vsnprintf(text, sizeof text, format, args);
	n += escape(buf + n, LINE_SIZE - n - 64, text);
	if (len && format[len - 1] == ':')
		n += (size_t)snprintf(buf + n, 63, " %s", reason);
	buf[n++] = '\n';
	buf[n] = '\0';
	return n;
}

void
say(const char *format, ...)
{
	int error = errno;
	char line[LINE_SIZE];
	va_list args;

	va_start(args, format);
	put_line(line, compose(line, format, args));
	va_end(args);
	errno = error;
}

void
die(int status, const char *format, ...)
{
	char line[LINE_SIZE];
	va_list args;

	va_start(args, format);
	put_line(line, compose(line, format, args));
	va_end(args);
	_exit(status);
}

void
say_and_report(int fd, const char *format, ...)
{
	char line[LINE_SIZE];
	va_list args;

	va_start(args, format);
	put_line(line, compose(line, format, args));
	va_end(args);
	if (fd >= 0)
		append(fd, line);
}

bool
append(int fd, const char *text)
{
	size_t len = strlen(text);
	off_t size = lseek(fd, 0, SEEK_END);
	ssize_t n = retry(write(fd, text, len));

	if (n == (ssize_t)len)
		return true;
	if (n >= 0)
		errno = ENOSPC;
	/* takes half a line back, unless another process has written behind it */
	if (n > 0 && size >= 0 && lseek(fd, 0, SEEK_END) == size + n) {
		ftruncate(fd, size);
		errno = ENOSPC;
	}
	return false;
}

const char *
cut_mark(const char *word)
{
	return strlen(word) > 900 ? "..." : "";
}

const char *
time_text(int64_t ms, const char *space, char *buf)
{
	if (ms % 1000)
		snprintf(buf, TIME_SIZE, "%lld%sms", (long long)ms, space);
	else
		snprintf(buf, TIME_SIZE, "%lld%ss", (long long)ms / 1000, space);
	return buf;
}
