/*
 * sanitizers.c: what a build of foster with sanitizers needs beside foster's sources.
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sanitizer/asan_interface.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CHILD_STACK 65536

/* A file for each report, since standard error may be closed, or read by a test. No handlers:
 * foster blocks all signals, and its program would start without those that were ignored.
 * Leaks: foster allocates nothing and leaves by _exit. */
#define COMMON "log_path=" REPORTS "/report:exitcode=99:symbolize=0:print_cmdline=1:" \
	"handle_segv=0:handle_sigbus=0:handle_sigfpe=0:handle_sigill=0:handle_abort=0"

const char *
__asan_default_options(void)
{
	return COMMON ":detect_leaks=0:use_sigaltstack=0";
}

const char *
__ubsan_default_options(void)
{
	return COMMON ":print_stacktrace=1";
}

int __real_clone(int (*)(void *), void *, int, void *, ...);

/* The child never returns from its functions: what it has marked as unusable on the stack that
 * it was given would stay marked for its parent. */
int
__wrap_clone(int (*child)(void *), void *stack, int flags, void *argument, ...)
{
	int pid = __real_clone(child, stack, flags, argument);

	__asan_unpoison_memory_region((char *)stack - CHILD_STACK, CHILD_STACK);
	return pid;
}

bool __real_set_mask(uint64_t, uint64_t *);

static uint64_t given;		/* the mask that foster was given */
static bool early;

static void
nothing(void)
{
}

__attribute__((unused)) static void
(*block_early(void))(void)
{
	uint64_t all = UINT64_MAX;

	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &given, sizeof all);
	early = true;
	return nothing;
}

/* The sanitizers start for so long before main that a test's signal would end foster there. The
 * loader calls this to find the function, before anything else of the program runs. */
void resolved(void) __attribute__((ifunc("block_early")));

bool
__wrap_set_mask(uint64_t mask, uint64_t *old)
{
	bool set = __real_set_mask(mask, old);

	resolved();
	if (early && old)
		*old = given;
	early = false;
	return set;
}

/* for longjmp and its like, which foster has none of; without /proc it complains */
void
__wrap___asan_handle_no_return(void)
{
}

/* the profile's runtime leaves a mark in the environment, which the program would see */
int
__wrap_setenv(const char *name, const char *value, int overwrite)
{
	(void)name;
	(void)value;
	(void)overwrite;
	return 0;
}
