/*
 * kernel.c: runs foster, and what that starts, as if on a kernel that lacks calls.
 * SPDX-License-Identifier: MIT
 *
 * It stands in foster's place: its own name says what is missing, "old-ENOSYS" for instance,
 * and REAL_FOSTER is what it then becomes.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CALL offsetof(struct seccomp_data, nr)
#define ARGUMENT(n) offsetof(struct seccomp_data, args[n])	/* its lower half: little endian */
#define FAIL(error) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (error))
#define PASS BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define IS(number) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1)
#define FROM(number) BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, number, 0, 1)

static void
install(struct sock_filter *filter, size_t length)
{
	struct sock_fprog program = {.len = (unsigned short)length, .filter = filter};

	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0)
		return;
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0) {
		perror("kernel: seccomp");
		_exit(125);
	}
}

/* Linux 3.17 and nothing newer. With EPERM the calls that a libc can't do without then are
 * left, as a container's runtime must leave them, too: the program needs them, foster doesn't. */
static void
old(unsigned error)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, CALL),
		IS(error == EPERM ? SYS_clone3 : -1), PASS,
		IS(error == EPERM ? SYS_faccessat2 : -1), PASS,
		IS(error == EPERM ? SYS_statx : -1), PASS,
		FROM(SYS_execveat), FAIL(error),
		PASS,
	};

	install(filter, sizeof filter / sizeof *filter);
}

/* neither pidfds nor subreapers, as in a kernel that another program plays */
static void
played(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, CALL),
		IS(SYS_pidfd_open), FAIL(ENOSYS),
		IS(SYS_pidfd_send_signal), FAIL(ENOSYS),
		IS(SYS_close_range), FAIL(ENOSYS),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_prctl, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ARGUMENT(0)),
		IS(PR_SET_CHILD_SUBREAPER), FAIL(EINVAL),
		PASS,
	};

	install(filter, sizeof filter / sizeof *filter);
}

int
main(int argc, char **argv)
{
	const char *real = getenv("REAL_FOSTER"), *name = strrchr(argv[0], '/');

	(void)argc;
	name = name ? name + 1 : argv[0];
	if (!real)
		return fputs("kernel: REAL_FOSTER is not set\n", stderr), 125;
	if (strcmp(name, "old-ENOSYS") == 0)
		old(ENOSYS);
	else if (strcmp(name, "old-EPERM") == 0)
		old(EPERM);
	else if (strcmp(name, "played") == 0)
		played();
	else
		return fprintf(stderr, "kernel: %s: no such kernel\n", name), 125;
	execv(real, argv);
	perror(real);
	return 125;
}
