/*
 * options.c: fuzzes the command line and FOSTER_OPTIONS: what is refused is one line and
 * status 125, what is accepted is printed in a form that means the same when it is read again.
 * SPDX-License-Identifier: MIT
 *
 * The input: FOSTER_OPTIONS in the first line (unset if empty), then a word a line.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"

#define MAX_WORDS 4000
#define VARIABLE "FOSTER_OPTIONS="

static const char before[] = "foster: option:";

int
execute(const char *file, char **argv, char **env)
{
	(void)file;
	(void)argv;
	(void)env;
	return 2;
}

/* false if they were refused */
static bool
parse(struct options *opt, const char *variable, char **argv)
{
	static char *kept[3];
	static int at;
	char **saved = environ, *env[] = {NULL, NULL};
	char *volatile word = NULL;
	volatile bool accepted = false;
	int argc = 0;

	while (argv[argc])
		argc++;
	if (variable && asprintf(&env[0], VARIABLE "%s", variable) < 0)
		abort();
	word = env[0];
	memset(opt, 0, sizeof *opt);
	environ = env;
	if (setjmp(left) == 0) {
		read_options(opt, argc, argv);
		accepted = true;
	}
	must(!env[0]);	/* it is taken out of the environment, also if it is wrong */
	environ = saved;
	/* a name in struct options may be part of it: the last three stay */
	free(kept[at]);
	kept[at] = word;
	at = (at + 1) % 3;
	return accepted;
}

/* a name that can be told apart in a line that is split at blanks */
static bool
readable(const char *name)
{
	size_t len = strlen(name);

	for (const char *p = name; *p; p++)
		if ((unsigned char)*p <= ' ' || *p == 0x7f)
			return false;
	return len > 0 && len < 1000;
}

/* the words of all lines that were said, as one text */
static void
join_lines(char *to)
{
	char *end;

	*to = '\0';
	for (char *line = said; *line; line = end + 1) {
		end = strchr(line, '\n');
		must(end != NULL);
		must(strncmp(line, before, sizeof before - 1) == 0);
		*end = '\0';
		to = stpcpy(to, line + sizeof before - 1);
	}
}

static void
same(const struct options *a, const struct options *b)
{
	struct options x = *a, y = *b;

	must(!x.report == !y.report && (!x.report || strcmp(x.report, y.report) == 0));
	for (int i = 0; x.program[i] || y.program[i]; i++)
		must(x.program[i] && y.program[i] && strcmp(x.program[i], y.program[i]) == 0);
	x.report = y.report = NULL;
	x.program = y.program = NULL;
	x.verbose = y.verbose = 0;	/* it isn't said: that it is said tells */
	must(memcmp(&x, &y, sizeof x) == 0);
}

static void
reads_back(const struct options *opt)
{
	static char text[sizeof said], variable[sizeof said];
	static char *words[MAX_WORDS];
	struct options copy = *opt, again;
	int count = 0;

	/* the program gets none of it, so what it is called can't matter */
	if (copy.report && !readable(copy.report))
		copy.report = "x";
	said_len = 0;
	said[0] = '\0';
	say_options(&copy);
	join_lines(text);
	strcpy(variable, text);
	words[count++] = "foster";
	for (char *word = strtok(text, " "); word; word = strtok(NULL, " "))
		words[count++] = word;
	words[count++] = "--";
	for (char **p = copy.program; *p && count < MAX_WORDS - 1; p++)
		words[count++] = *p;
	words[count] = NULL;
	must(parse(&again, NULL, words));
	same(&copy, &again);
	/* and the same in the variable */
	while (strcmp(words[--count], "--") != 0 || words[count + 1] != copy.program[0])
		must(count > 0);
	words[--count] = "foster";
	must(parse(&again, variable, words + count));
	same(&copy, &again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct options opt;
	struct file input = {.len = size};
	char **words, *variable;

	input.data = malloc(size + 1);
	must(input.data != NULL);
	memcpy(input.data, data, size);
	input.data[size] = '\0';
	words = lines_of(&input, 600);
	free(input.data);
	said_len = 0;
	said[0] = '\0';
	if (words[0]) {
		variable = words[0];
		words[0] = "foster";
		if (!parse(&opt, *variable ? variable : NULL, words)) {
			must(left_with == FAILED);
			must(strncmp(said, "foster: ", 8) == 0);
			must(strchr(said, '\n') == said + said_len - 1);
		} else {
			must(said_len == 0);
			must(opt.action != RUN || opt.pause || opt.program[0]);
			if (opt.action == RUN)
				reads_back(&opt);
		}
		words[0] = variable;
	}
	free_lines(words);
	return 0;
}
