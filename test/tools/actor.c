/*
 * actor.c: a process of a random life: does what it is told, and tells each signal it gets.
 * SPDX-License-Identifier: MIT
 *
 * usage: actor SOCKET NAME		connects to SOCKET, is told what to do by lines
 *        actor --hold FILE SOCKET COMMAND...	the init of a namespace where foster is not it:
 *				starts a bystander, writes how COMMAND ended to FILE, and
 *				stays until its standard input ends
 *
 * tells: hello NAME PID, got SIG CODE VALUE, finished, and ok after each line that it was told:
 *   on SIG log|ignore|default		what the signal does
 *   on SIG finish STATUS MS		the first time: finished after MS (-1: when told), then exit
 *   fork NAME [setsid|setpgid|join PGID] [double]
 *   orphans N, zombies N		that end at once; zombies are never reaped
 *   kill PID SIG, group PGID, reap, release, exit STATUS, die SIG
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#include "sig.h"

static const char *path;
static int sock = -1, signals = -1;
static uint64_t caught = ALL;
static struct {
	bool finishes;
	int status, ms;
} on[LAST_SIGNAL + 1];
static bool finishing, reaps;
static int finish_status;
static int64_t finish_at;	/* -1: when told */

static void __attribute__((format(printf, 1, 2)))
tell(const char *format, ...)
{
	char line[256];
	va_list ap;
	int len;

	va_start(ap, format);
	len = vsnprintf(line, sizeof line - 1, format, ap);
	va_end(ap);
	line[len++] = '\n';
	/* a whole line or none: it is a sequence of packets */
	while (send(sock, line, (size_t)len, MSG_NOSIGNAL) < 0 && errno == EINTR)
		continue;
}

static int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void
listen_for(uint64_t mask)
{
	caught = mask;
	set_mask(mask);
	if (signals >= 0)
		close(signals);
	signals = (int)syscall(SYS_signalfd4, -1, &mask, sizeof mask, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void
say_hello(const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (sock >= 0)
		close(sock);
	sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	strncpy(address.sun_path, path, sizeof address.sun_path - 1);
	if (connect(sock, (struct sockaddr *)&address, sizeof address) < 0) {
		perror(path);
		_exit(99);
	}
	listen_for(caught);
	tell("hello %s %d", name, (int)getpid());
}

static void
change_signal(int sig, const char *what, int status, int ms)
{
	on[sig].finishes = strcmp(what, "finish") == 0;
	on[sig].status = status;
	on[sig].ms = ms;
	set_disposition(sig, strcmp(what, "ignore") == 0 ? SIG_IGN : SIG_DFL);
	if (strcmp(what, "ignore") == 0 || strcmp(what, "default") == 0)
		listen_for(caught & ~BIT(sig));
	else
		listen_for(caught | BIT(sig));
}

/* the child comes back as somebody else */
static void
fork_actor(const char *name, const char *how, int pgid, bool twice)
{
	char own_name[32];
	pid_t child;

	snprintf(own_name, sizeof own_name, "%s", name);
	child = fork();
	if (child != 0) {
		if (twice)
			waitpid(child, NULL, 0);
		return;
	}
	close(sock);
	sock = -1;
	if (twice && fork() != 0)
		_exit(0);
	memset(on, 0, sizeof on);
	finishing = reaps = false;
	for (int sig = 1; sig <= LAST_SIGNAL; sig++)
		set_disposition(sig, SIG_DFL);
	caught = ALL;
	if (strcmp(how, "setsid") == 0)
		setsid();
	else if (strcmp(how, "setpgid") == 0)
		setpgid(0, 0);
	else if (strcmp(how, "join") == 0)
		setpgid(0, pgid);
	say_hello(own_name);
}

/* in bundles: their parent dies, and leaves them to foster, half of them as zombies already */
static void
make_orphans(int count)
{
	while (count > 0) {
		int bundle = count < 50 ? count : 50;
		pid_t parent = fork();

		if (parent == 0) {
			close(sock);
			for (int i = 0; i < bundle; i++) {
				pid_t child = i % 2 ? fork() : vfork();

				if (child == 0)
					_exit(i);
			}
			_exit(0);
		}
		waitpid(parent, NULL, 0);
		count -= bundle;
	}
}

static void
make_zombies(int count)
{
	siginfo_t ended;

	for (int i = 0; i < count; i++) {
		pid_t child = fork();

		if (child == 0)
			_exit(0);
		waitid(P_PID, (id_t)child, &ended, WEXITED | WNOWAIT);
	}
}

static _Noreturn void
die_by(int sig)
{
	prctl(PR_SET_DUMPABLE, 0);
	set_disposition(sig, SIG_DFL);
	set_mask(ALL & ~BIT(sig));
	kill(getpid(), sig);
	for (;;)
		pause();
}

static _Noreturn void
finish(void)
{
	tell("finished");
	_exit(finish_status);
}

static void
take_signals(void)
{
	struct signalfd_siginfo info;

	while (read(signals, &info, sizeof info) == sizeof info) {
		int sig = (int)info.ssi_signo;

		if (sig == SIGCHLD && info.ssi_code > 0) {
			while (reaps && waitpid(-1, NULL, WNOHANG) > 0)
				continue;
			continue;
		}
		tell("got %d %d %d", sig, (int)info.ssi_code, (int)info.ssi_int);
		if (on[sig].finishes && !finishing) {
			finishing = true;
			finish_status = on[sig].status;
			finish_at = on[sig].ms < 0 ? -1 : now_ms() + on[sig].ms;
		}
	}
}

static void
obey(char *line)
{
	char a[32] = "", b[32] = "", c[32] = "", d[32] = "", e[32] = "";

	sscanf(line, "%31s %31s %31s %31s %31s", a, b, c, d, e);
	if (strcmp(a, "on") == 0)
		change_signal(atoi(b), c, atoi(d), atoi(e));
	else if (strcmp(a, "fork") == 0)
		return fork_actor(b, c, atoi(d), strcmp(e, "double") == 0);
	else if (strcmp(a, "orphans") == 0)
		make_orphans(atoi(b));
	else if (strcmp(a, "zombies") == 0)
		make_zombies(atoi(b));
	else if (strcmp(a, "kill") == 0)
		kill(atoi(b), atoi(c));
	else if (strcmp(a, "group") == 0)
		setpgid(0, atoi(b));
	else if (strcmp(a, "reap") == 0)
		reaps = true;
	else if (strcmp(a, "release") == 0)
		finish();
	else if (strcmp(a, "exit") == 0)
		_exit(atoi(b));
	else if (strcmp(a, "die") == 0)
		die_by(atoi(b));
	tell("ok");
}

/* the PID 1 of a life in which foster isn't it */
static int
hold(char **arg)
{
	char text[32], byte;
	int fd, status = 0;
	pid_t command, pid;

	if (fork() == 0) {
		execl("/proc/self/exe", "actor", arg[1], "bystander", (char *)NULL);
		_exit(127);
	}
	command = fork();
	if (command == 0) {
		setsid();
		close(STDIN_FILENO);
		open("/dev/null", O_RDONLY);
		execv(arg[2], arg + 2);
		_exit(127);
	}
	while ((pid = wait(&status)) != command && (pid > 0 || errno == EINTR))
		continue;
	snprintf(text, sizeof text, "%d\n", WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
	fd = open(arg[0], O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		return 98;
	close(fd);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		continue;
	return 0;
}

int
main(int argc, char **argv)
{
	struct rlimit no_core = {0};
	char line[256];

	if (argc > 4 && strcmp(argv[1], "--hold") == 0)
		return hold(argv + 2);
	if (argc != 3)
		return 2;
	setrlimit(RLIMIT_CORE, &no_core);
	path = argv[1];
	say_hello(argv[2]);
	for (;;) {
		struct pollfd ready[] = {{.fd = signals, .events = POLLIN}, {.fd = sock, .events = POLLIN}};
		int64_t left = finishing && finish_at >= 0 ? finish_at - now_ms() : 1 << 30;

		poll(ready, 2, left < 0 ? 0 : (int)left);
		take_signals();
		if (finishing && finish_at >= 0 && now_ms() >= finish_at)
			finish();
		if (ready[1].revents) {
			ssize_t len = recv(sock, line, sizeof line - 1, 0);

			if (len <= 0)
				return 0;	/* the life's observer has gone */
			line[len] = '\0';
			obey(line);
		}
	}
}
