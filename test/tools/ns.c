/*
 * ns.c: runs a command as PID 1 of a fresh PID namespace, as a container runtime would.
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "sig.h"

#define FAILED 125
#define MAX_FD 1024

static const char usage[] =
"usage: ns [OPTION]... -- COMMAND [ARG]...\n"
"  --not-init        no namespace: just a child\n"
"  --userns          a user namespace too, with this user as root; implied if not root\n"
"  --no-setsid       stay in the session and the process group\n"
"  --ctty            descriptor 0 becomes the controlling terminal\n"
"  --host-proc       leave /proc as it is\n"
"  --no-proc         nothing in /proc\n"
"  --no-dev          nothing in /dev\n"
"  --read-only       a read-only root\n"
"  --uid N           user and group N, no capability, no-new-privileges\n"
"  --close FD,...    without these of the descriptors 0 to 2\n"
"  --keep FD,...     with these of the others; all else is closed\n"
"  --default SIG|all, --ignore SIG, --block SIG, --unblock SIG\n"
"                    change what is otherwise passed on to the bit\n"
"  --pidfile FILE    the command's PID as seen from outside, before it runs\n"
"  --limit SECONDS   kill it then, with all it started; exit status 99\n";

static struct {
	bool not_init, userns, no_setsid, ctty, host_proc, no_proc, no_dev, read_only;
	long uid;
	bool keep[MAX_FD];
	const char *pidfile;
	long limit;
} opt = {.uid = -1, .keep = {true, true, true}};

static void
list_descriptors(char *list, bool keep)
{
	for (char *fd = strtok(list, ","); fd; fd = strtok(NULL, ","))
		if (atoi(fd) >= 0 && atoi(fd) < MAX_FD)
			opt.keep[atoi(fd)] = keep;
}

/* a test harness leaves its own open, which would be taken for the command's */
static void
close_descriptors(void)
{
	for (int fd = 0; fd < MAX_FD; fd++)
		if (!opt.keep[fd])
			close(fd);
}

static _Noreturn void __attribute__((format(printf, 1, 2)))
fail(const char *format, ...)
{
	int error = errno;
	va_list ap;

	fputs("ns: ", stderr);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fprintf(stderr, ": %s\n", strerror(error));
	_exit(FAILED);
}

static void
write_file(const char *file, const char *text)
{
	int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		fail("%s", file);
	close(fd);
}

/* by rename: who sees the file can read it */
static void
write_pidfile(pid_t pid)
{
	char text[16], new[4096];

	if (!opt.pidfile)
		return;
	snprintf(text, sizeof text, "%d\n", (int)pid);
	snprintf(new, sizeof new, "%s.new", opt.pidfile);
	write_file(new, text);
	if (rename(new, opt.pidfile) < 0)
		fail("%s", opt.pidfile);
}

static void
enter_namespaces(void)
{
	unsigned uid = geteuid(), gid = getegid();
	char map[64];

	if (uid != 0)
		opt.userns = true;
	if (unshare((opt.userns ? CLONE_NEWUSER : 0) | CLONE_NEWPID | CLONE_NEWNS) < 0)
		fail("unshare");
	if (!opt.userns)
		return;
	write_file("/proc/self/setgroups", "deny");
	snprintf(map, sizeof map, "0 %u 1", uid);
	write_file("/proc/self/uid_map", map);
	snprintf(map, sizeof map, "0 %u 1", gid);
	write_file("/proc/self/gid_map", map);
}

static void
mount_or_fail(const char *type, const char *where, unsigned long flags)
{
	if (mount(type, where, type, flags, NULL) < 0)
		fail("mount %s", where);
}

static void
arrange_mounts(void)
{
	mount_or_fail("none", "/", MS_REC | MS_PRIVATE);
	if (opt.no_proc)
		mount_or_fail("tmpfs", "/proc", MS_RDONLY);
	else if (!opt.host_proc)
		mount_or_fail("proc", "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC);
	if (opt.no_dev)
		mount_or_fail("tmpfs", "/dev", MS_RDONLY);
	if (opt.read_only)
		mount_or_fail("none", "/", MS_REMOUNT | MS_BIND | MS_RDONLY);
}

static void
drop_privileges(void)
{
	/* what <linux/capability.h> calls version 3; musl-gcc has no such header */
	struct { uint32_t version; int pid; } header = {0x20080522, 0};
	uint32_t none[6] = {0};

	for (unsigned long cap = 0; prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0; cap++)
		continue;
	if (setgroups(0, NULL) < 0 || setresgid(opt.uid, opt.uid, opt.uid) < 0 ||
	    setresuid(opt.uid, opt.uid, opt.uid) < 0)
		fail("uid %ld", opt.uid);
	if (syscall(SYS_capset, &header, none) < 0)
		fail("capset");
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

static _Noreturn void
become(char **command, uint64_t mask)
{
	if (!opt.no_setsid && setsid() < 0)
		fail("setsid");
	if (opt.ctty && ioctl(STDIN_FILENO, TIOCSCTTY, 0) < 0)
		fail("TIOCSCTTY");
	if (opt.uid >= 0)
		drop_privileges();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	close_descriptors();
	set_mask(mask);
	execvp(command[0], command);
	fail("%s", command[0]);
}

/* also what the child leaves behind, outside of a namespace: a harness would wait for it */
static void
kill_all(pid_t child)
{
	FILE *children;
	int pid;

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	kill(child, SIGKILL);
	do {
		children = fopen("/proc/thread-self/children", "re");
		if (!children)
			return;
		while (fscanf(children, "%d", &pid) == 1)
			kill(pid, SIGKILL);
		fclose(children);
	} while (waitpid(-1, NULL, 0) > 0);
}

/* waits for the child, or kills it when the limit has come; returns its status */
static int
watch(pid_t child)
{
	uint64_t chld = BIT(SIGCHLD);
	long wait[2] = {opt.limit, 0};
	int status = FAILED << 8;

	while (waitpid(child, &status, WNOHANG) == 0) {
		if (syscall(SYS_rt_sigtimedwait, &chld, NULL, opt.limit ? wait : NULL,
		    sizeof chld) > 0 || errno != EAGAIN)
			continue;
		kill_all(child);
		fprintf(stderr, "ns: still running after %ld s, killed\n", opt.limit);
		return 99;
	}
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int
main(int argc, char **argv)
{
	uint64_t mask = get_mask();
	bool chld_ignored;
	char **arg, go = 0;
	pid_t child;
	int gate[2];

	(void)argc;
	for (arg = argv + 1; *arg && strcmp(*arg, "--") != 0; arg++) {
		char *word = *arg, *value = arg[1];

		if (strcmp(word, "--not-init") == 0)
			opt.not_init = true;
		else if (strcmp(word, "--userns") == 0)
			opt.userns = true;
		else if (strcmp(word, "--no-setsid") == 0)
			opt.no_setsid = true;
		else if (strcmp(word, "--ctty") == 0)
			opt.ctty = true;
		else if (strcmp(word, "--host-proc") == 0)
			opt.host_proc = true;
		else if (strcmp(word, "--no-proc") == 0)
			opt.no_proc = true;
		else if (strcmp(word, "--no-dev") == 0)
			opt.no_dev = true;
		else if (strcmp(word, "--read-only") == 0)
			opt.read_only = true;
		else if (!value)
			return fputs(usage, stderr), FAILED;
		else if (arg++, strcmp(word, "--uid") == 0)
			opt.uid = atol(value);
		else if (strcmp(word, "--close") == 0)
			list_descriptors(value, false);
		else if (strcmp(word, "--keep") == 0)
			list_descriptors(value, true);
		else if (strcmp(word, "--pidfile") == 0)
			opt.pidfile = value;
		else if (strcmp(word, "--limit") == 0)
			opt.limit = atol(value);
		else if (strcmp(word, "--block") == 0)
			mask |= BIT(sig_number(value));
		else if (strcmp(word, "--unblock") == 0)
			mask &= ~BIT(sig_number(value));
		else if (strcmp(word, "--ignore") == 0)
			set_disposition(sig_number(value), SIG_IGN);
		else if (strcmp(word, "--default") == 0 && strcmp(value, "all") != 0)
			set_disposition(sig_number(value), SIG_DFL);
		else if (strcmp(word, "--default") == 0)
			for (int sig = 1; sig <= LAST_SIGNAL; sig++)
				set_disposition(sig, SIG_DFL);
		else
			return fputs(usage, stderr), FAILED;
	}
	if (!*arg || !arg[1])
		return fputs(usage, stderr), FAILED;

	if (!opt.not_init)
		enter_namespaces();
	set_mask(ALL);
	chld_ignored = is_ignored(SIGCHLD);
	if (pipe2(gate, O_CLOEXEC) < 0)
		fail("pipe");
	child = fork();
	if (child < 0)
		fail("fork");
	if (child == 0) {
		if (!opt.not_init)
			arrange_mounts();
		close(gate[1]);
		/* the end of the pipe means that ns has died */
		if (read(gate[0], &go, 1) != 1)
			_exit(FAILED);
		close(gate[0]);
		if (chld_ignored)
			set_disposition(SIGCHLD, SIG_IGN);
		become(arg + 1, mask);
	}
	/* else the kernel would throw the status away; not before the fork, as the command
	 * must get what ns was given */
	set_disposition(SIGCHLD, SIG_DFL);
	write_pidfile(child);
	if (write(gate[1], &go, 1) != 1)
		fail("pipe");
	/* so that pipes end when the command closes them */
	for (int fd = 0; fd < MAX_FD; fd++)
		opt.keep[fd] = fd == STDERR_FILENO;
	close_descriptors();
	return watch(child);
}
