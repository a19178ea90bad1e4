/*
 * kernel-test.c: the model's rules, one by one, as the manual pages state them.
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "kernel.h"

bool telling, walking;
static int number, failed;

void tell(const char *format, ...) { (void)format; }
void tell_script(const char *format, ...) { (void)format; }

/* nobody but foster waits for its children here */
void
child_ended(struct process *parent, struct process *child)
{
	(void)parent, (void)child;
}

static void
test(const char *name, bool holds)
{
	printf("%s %d %s\n", holds ? "ok" : "not ok", ++number, name);
	failed += !holds;
}

static struct process *a, *b;

/* foster, and a, and b, which is a's child */
static void
family(bool init, bool terminal)
{
	new_world(init, terminal, true);
	FOSTER->blocked = EVERY_SIGNAL;
	FOSTER->subreaper = !init;
	a = new_child(FOSTER);
	change_group(a, 0, 0);
	a->blocked = 0;
	a->executed = true;
	b = new_child(a);
}

static int
waited(int which, int id, int options)
{
	int code, status;

	return wait_as(FOSTER, which, id, options, &code, &status);
}

int
main(void)
{
	struct sent sent;
	int pid, code, status;

	family(true, false);
	test("fork(2): a child has its parent's group and session",
		b->group == a->group && b->session == FOSTER->session && b->parent == a->pid);
	test("kill(2): a process that is not there is ESRCH", kill_as(FOSTER, 9, SIGTERM) == -ESRCH);
	test("kill(2): a group without a member is ESRCH", kill_as(FOSTER, -9, SIGTERM) == -ESRCH);
	kill_as(FOSTER, -a->group, SIGTERM);
	test("kill(2): a group's signal is for each member", has_signal(a) && has_signal(b));
	take_signal(a);
	test("signal(7): SIGTERM ends a process that has no handler", a->state == ZOMBIE && a->status == SIGTERM);
	test("wait(2): a parent learns of it by SIGCHLD", pending(FOSTER) == BIT(SIGCHLD));
	test("kill(2): a zombie can be signalled", kill_as(FOSTER, a->pid, SIGTERM) == 0);
	test("an orphan is the init's child", b->parent == FOSTER->pid && has_signal(b));
	take_signal(b);
	test("signal(7): standard signals are merged: one SIGCHLD for two children", FOSTER->queued == 1);
	test("waitid(2): WNOWAIT leaves the zombie", waited(P_ALL, 0, WEXITED | WNOHANG | WNOWAIT) == a->pid &&
		waited(P_ALL, 0, WEXITED | WNOHANG | WNOWAIT) == a->pid);
	pid = a->pid;
	test("waitid(2): P_PGID finds zombies of the group", waited(P_PGID, a->group, WEXITED | WNOHANG) == pid);
	test("wait(2): a reaped child is gone", !process(pid));
	test("a number is not used anew while it is a group's", new_child(FOSTER)->pid != pid);

	family(true, false);
	a->caught = BIT(SIGTERM);
	kill_as(FOSTER, a->pid, SIGSTOP);
	take_signal(a);
	test("wait(2): WSTOPPED tells of a suspended child, once", wait_as(FOSTER, P_ALL, 0, WSTOPPED, &code, &status) == a->pid &&
		code == CLD_STOPPED && WSTOPSIG(status) == SIGSTOP && !wait_as(FOSTER, P_ALL, 0, WSTOPPED, &code, &status));
	kill_as(FOSTER, a->pid, SIGTERM);
	test("signal(7): a suspended process takes no signal", a->state == SUSPENDED && !has_signal(a));
	kill_as(FOSTER, a->pid, SIGCONT);
	test("signal(7): SIGCONT continues it", a->state == RUNNING && take_signal(a) == SIGTERM);
	kill_as(FOSTER, a->pid, SIGSTOP);
	kill_as(FOSTER, a->pid, SIGCONT);
	test("signal(7): SIGCONT takes a pending SIGSTOP away", !(pending(a) & BIT(SIGSTOP)));
	kill_as(FOSTER, a->pid, SIGSTOP);
	take_signal(a);
	kill_as(FOSTER, a->pid, SIGKILL);
	take_signal(a);
	test("signal(7): SIGKILL ends a suspended process", a->state == ZOMBIE && WTERMSIG(a->status) == SIGKILL);

	family(true, false);
	a->ignored = BIT(SIGINT);
	kill_as(FOSTER, a->pid, SIGINT);
	test("signal(7): an ignored signal is dropped", !pending(a));
	a->blocked = BIT(SIGINT);
	kill_as(FOSTER, a->pid, SIGINT);
	test("signal(7): a blocked one is kept, though it is ignored", pending(a) == BIT(SIGINT) && !has_signal(a));
	kill_as(a, FOSTER->pid, SIGKILL);
	test("pid_namespaces(7): SIGKILL from inside does not reach the init", lives(FOSTER) && !pending(FOSTER));
	kill_as(a, -1, SIGTERM);
	test("kill(2): -1 spares the init and the caller", !pending(FOSTER) && pending(a) == BIT(SIGINT) && pending(b) == BIT(SIGTERM));
	new_world(true, false, true);
	FOSTER->blocked = EVERY_SIGNAL;
	test("kill(2): -1 with nobody there is ESRCH", kill_as(FOSTER, -1, SIGTERM) == -ESRCH);
	for (int i = 0; i < 3; i++)
		send_signal(FOSTER, 40, SI_QUEUE, 0, i);
	send_signal(FOSTER, 35, SI_USER, 0, 0);
	send_signal(FOSTER, SIGTERM, SI_USER, 0, 0);
	send_signal(FOSTER, SIGSEGV, SI_USER, 0, 0);
	test("signal(7): faults first, then the lowest number", dequeue(FOSTER, EVERY_SIGNAL, &sent) == SIGSEGV &&
		dequeue(FOSTER, EVERY_SIGNAL, &sent) == SIGTERM && dequeue(FOSTER, EVERY_SIGNAL, &sent) == 35);
	test("signal(7): real-time signals are queued, each number's in order",
		dequeue(FOSTER, EVERY_SIGNAL, &sent) == 40 && sent.value == 0 && dequeue(FOSTER, EVERY_SIGNAL, &sent) == 40 &&
		sent.value == 1 && dequeue(FOSTER, EVERY_SIGNAL, &sent) == 40 && !dequeue(FOSTER, EVERY_SIGNAL, &sent));
	w.room = 0;
	test("sigqueue(3): EAGAIN where the queue is full", send_signal(FOSTER, 40, SI_QUEUE, 0, 1) == -EAGAIN);
	test("kill(2): it is pending all the same", send_signal(FOSTER, 41, SI_USER, 0, 0) == 0 &&
		dequeue(FOSTER, EVERY_SIGNAL, &sent) == 41);

	family(false, true);
	end(b, 0);
	test("a parent that does not wait has a zombie", b->state == ZOMBIE && b->parent == a->pid);
	end(a, 0);
	test("PR_SET_CHILD_SUBREAPER(2const): orphans are the subreaper's, zombies too",
		b->state == ZOMBIE && b->parent == FOSTER->pid && pending(FOSTER) == BIT(SIGCHLD));
	family(false, true);
	FOSTER->subreaper = false;
	end(a, 0);
	test("without it, they are the init's", b->parent == 1);
	end(b, 0);
	family(false, true);
	FOSTER->ignored = BIT(SIGCHLD);
	FOSTER->blocked = 0;
	pid = a->pid;
	end(a, 0);
	test("wait(2): with SIGCHLD ignored there is no zombie", !process(pid));

	family(false, true);
	test("setpgid(2): a group has to be there", change_group(b, 0, 77) == -EPERM);
	test("setpgid(2): a child that called execve(2) is EACCES",
		(FOSTER->executed = true, change_group(FOSTER, a->pid, FOSTER->group)) == -EACCES);
	test("setsid(2): a group's leader is EPERM", new_session(a) == -EPERM && new_session(b) == 0 && b->session == b->pid);
	test("tcsetpgrp(3): from the foreground", set_foreground(FOSTER, a->group) == 0 && w.foreground == a->group);
	test("tcsetpgrp(3): from the background with SIGTTOU blocked", set_foreground(FOSTER, FOSTER->group) == 0);
	test("tcsetpgrp(3): a group of another session is EPERM", set_foreground(FOSTER, b->group) == -EPERM);
	test("tcsetpgrp(3): from the background it suspends the group",
		set_foreground(a, a->group) == -EINTR && (take_signal(a), a->state == SUSPENDED) && a->suspended_by == SIGTTOU);
	family(true, true);
	set_foreground(FOSTER, a->group);
	press(SIGINT);
	test("termios(3): a key is for the foreground group", has_signal(a) && has_signal(b) && !pending(FOSTER));

	family(true, true);
	test("setpgid(2): a group with a parent outside of it is no orphan", !is_orphaned(a->group, 0));
	change_group(b, 0, 0);
	kill_as(FOSTER, b->pid, SIGTSTP);
	take_signal(b);
	test("a member of such a group is suspended by SIGTSTP", b->state == SUSPENDED);
	b->caught = BIT(SIGHUP);
	new_session(FOSTER);
	end(a, 0);
	test("setpgid(2): its parent's end does not orphan a group whose new parent is in the session",
		b->parent == FOSTER->pid && b->state == SUSPENDED);
	family(false, true);
	a->session = b->session = a->pid;
	change_group(b, 0, 0);
	kill_as(FOSTER, b->pid, SIGSTOP);
	take_signal(b);
	b->caught = BIT(SIGHUP);
	end(a, 0);
	test("setpgid(2): a suspended group that is orphaned gets SIGHUP and SIGCONT",
		b->state == RUNNING && take_signal(b) == SIGHUP);
	kill_as(FOSTER, b->pid, SIGTSTP);
	take_signal(b);
	test("signal(7): SIGTSTP does not suspend in an orphaned group", b->state == RUNNING);
	printf("1..%d\n", number);
	return failed != 0;
}
