/*
 * exec.c: fuzzes the start of the program: PATH, what is said about a script or a binary that
 * can't be started, LISTEN_PID and its like. A small model of execve(2) decides what can be.
 * SPDX-License-Identifier: MIT
 *
 * The input: files as in fuzz.h; "argv" and "env" hold a word a line.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"

#define SELF 1		/* foster's own PID */
#define NESTED 5	/* interpreters of interpreters, as in the kernel */

static char **given;		/* the environment that foster was given */
static bool started;
static const char *missing;	/* what the file that was tried needs, and isn't there */
static const char *name, *rest;	/* the program's, and the part of PATH that is still to be tried */
static int last;		/* what was answered last */

/* PT_INTERP of a file of this machine or its 32-bit one, execve(2) and elf(5); NULL if it needs
 * no loader */
static const char *
loader(const struct file *file, int *error)
{
	static char name[PATH_MAX + 1];
	Elf64_Ehdr head;
	Elf32_Ehdr narrow;
	Elf64_Phdr part;
	Elf32_Phdr narrow_part;
	bool wide;

	*error = ENOEXEC;
	if (file->len < sizeof head)
		return NULL;
	memcpy(&head, file->data, sizeof head);
	wide = head.e_ident[EI_CLASS] == ELFCLASS64 && head.e_machine == EM_X86_64;
	if (!wide) {
		if (head.e_ident[EI_CLASS] != ELFCLASS32 || head.e_machine != EM_386)
			return NULL;
		memcpy(&narrow, file->data, sizeof narrow);
		head.e_phoff = narrow.e_phoff;
		head.e_phnum = narrow.e_phnum;
		head.e_phentsize = narrow.e_phentsize;
	}
	if (head.e_ident[EI_DATA] != ELFDATA2LSB)
		return NULL;
	if (head.e_phentsize != (wide ? sizeof part : sizeof narrow_part) || head.e_phnum == 0 ||
	    head.e_phnum > 65536 / head.e_phentsize || head.e_phoff > file->len ||
	    (size_t)head.e_phnum * head.e_phentsize > file->len - head.e_phoff)
		return NULL;
	for (int i = 0; i < head.e_phnum; i++) {
		const char *at = file->data + head.e_phoff + (size_t)i * head.e_phentsize;

		if (wide) {
			memcpy(&part, at, sizeof part);
		} else {
			memcpy(&narrow_part, at, sizeof narrow_part);
			part.p_type = narrow_part.p_type;
			part.p_offset = narrow_part.p_offset;
			part.p_filesz = narrow_part.p_filesz;
		}
		if (part.p_type != PT_INTERP)
			continue;
		if (part.p_filesz < 2 || part.p_filesz > PATH_MAX || part.p_offset > file->len ||
		    part.p_filesz > file->len - part.p_offset || file->data[part.p_offset + part.p_filesz - 1])
			return NULL;
		memcpy(name, file->data + part.p_offset, part.p_filesz);
		*error = file_named(name) ? ELIBBAD : ENOENT;
		return name;
	}
	*error = 0;
	return NULL;
}

/* what execve(2) answers */
static int
answer(const char *name, int depth)
{
	static char interpreter[256];
	const struct file *file = file_named(name);
	size_t len;
	char *at;
	int error;

	missing = depth ? name : NULL;
	if (!file)
		return ENOENT;
	missing = NULL;
	if (depth > NESTED)
		return ELOOP;
	if (file->len >= 4 && memcmp(file->data, ELFMAG, SELFMAG) == 0) {
		const char *needed = loader(file, &error);

		missing = error == ENOENT ? needed : NULL;
		return error;
	}
	if (file->len < 2 || memcmp(file->data, "#!", 2) != 0)
		return ENOEXEC;
	len = file->len - 2 < 253 ? file->len - 2 : 253;
	memcpy(interpreter, file->data + 2, len);
	interpreter[len] = '\0';
	at = interpreter + strspn(interpreter, " \t");
	at[strcspn(at, " \t\n")] = '\0';
	if (!*at)
		return ENOEXEC;
	memmove(interpreter, at, strlen(at) + 1);
	return answer(interpreter, depth + 1);
}

/* the environment that the program gets must be the given one, but for what names foster */
static void
check_environment(char **env)
{
	bool listens = false;
	char own[32], watchdog[32];

	snprintf(own, sizeof own, "LISTEN_PID=%d", (int)getpid());
	snprintf(watchdog, sizeof watchdog, "WATCHDOG_PID=%d", (int)getpid());
	for (char **word = given; *word; word++)
		listens = listens || strcmp(*word, "LISTEN_PID=1") == 0;
	for (char **word = given; *word; word++) {
		const char *expected = *word;

		if (listens && strncmp(expected, "LISTEN_PIDFDID=", 15) == 0)
			continue;
		if (strcmp(expected, "LISTEN_PID=1") == 0)
			expected = own;
		if (strcmp(expected, "WATCHDOG_PID=1") == 0)
			expected = watchdog;
		must(*env && strcmp(*env, expected) == 0);
		env++;
	}
	must(!*env);
}

/* the next file to try; NULL at the end */
static const char *
next_candidate(void)
{
	static char file[PATH_MAX];
	const char *dir;
	size_t len;

	if (rest && strchr(name, '/')) {
		rest = NULL;
		return name;
	}
	while (rest) {
		dir = rest;
		len = strcspn(dir, ":");
		rest = dir[len] ? dir + len + 1 : NULL;
		if (len + strlen(name) + 2 > sizeof file)
			continue;
		snprintf(file, sizeof file, "%.*s%s%s", (int)len, dir, len ? "/" : "", name);
		return file;
	}
	return NULL;
}

int
execute(const char *file, char **argv, char **env)
{
	const char *expected;

	must(!started && argv[0] != NULL);
	check_environment(env);
	/* a text without #! is handed to the shell */
	if (last == ENOEXEC && strcmp(file, "/bin/sh") == 0) {
		must(strncmp(file_named(argv[1])->data, "#!", 2) != 0);
		last = answer(file, 0);
	} else {
		expected = next_candidate();
		must(expected && strcmp(file, expected) == 0);
		last = strlen(file) >= PATH_MAX ? ENAMETOOLONG : answer(file, 0);
	}
	started = !last;
	return last;
}

static void
start(char **argv)
{
	struct options opt = {.program = argv + 1};
	static struct state st = {.self.pid = SELF, .terminal.fd = -1, .report.fd = -1};
	char whole[64];
	int status;

	started = false;
	missing = NULL;
	last = ENOENT;
	name = argv[1];
	rest = "/usr/local/bin:/bin:/usr/bin";
	for (char **word = given; *word; word++) {
		if (strncmp(*word, "PATH=", 5) == 0) {
			rest = *word + 5;
			break;
		}
	}
	if (!*name || strlen(name) > NAME_MAX)
		rest = *name && !strchr(name, '/') ? NULL : "";
	status = start_program(&st, &opt);
	if (!status) {
		must(started && st.program.pid == 2 && said_len == 0);
		return;
	}
	must(!started && (status == 126 || status == 127));
	must(last != ENOENT || !next_candidate());
	must(strncmp(said, "foster: ", 8) == 0 && strchr(said, '\n') == said + said_len - 1);
	/* a name with a slash is tried once, so what it lacks is what is said */
	if (!missing || !strchr(argv[1], '/') || strlen(argv[1]) > 100 || strlen(missing) > 50)
		return;
	must(status == 126);
	for (const char *p = missing; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return;
	snprintf(whole, sizeof whole, " %s is missing\n", missing);
	must(strlen(said) > strlen(whole) && strcmp(said + said_len - strlen(whole), whole) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char **saved = environ, **argv, **env;
	size_t count = 0;

	if (read_files(data, size)) {
		/* argv[0] is foster's; what foster may overwrite is given back before it is freed */
		argv = lines_of(file_named("argv"), 20);
		given = lines_of(file_named("env"), 100);
		while (given[count])
			count++;
		env = calloc(count + 1, sizeof *env);
		must(env != NULL);
		memcpy(env, given, count * sizeof *env);
		char *words[22] = {"foster"};
		for (int i = 0; argv[i]; i++)
			words[i + 1] = argv[i];
		environ = env;
		if (words[1])
			start(words);
		environ = saved;
		free(env);
		free_lines(given);
		free_lines(argv);
	}
	free_files();
	return 0;
}
