/*
 * options.c: the command line and FOSTER_OPTIONS, into struct options.
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE
#include <string.h>
#include <unistd.h>

#include "foster.h"

#define VARIABLE "FOSTER_OPTIONS"

/* those that have no letter */
enum { IGNORE_SIGNAL = 1, DEFAULT_SIGNAL, STOP, DRAIN, TIMEOUT, REPORT, INSTALL_FILE };

/* the parser and --help read it; no pointers, so that no page of the
 * binary must be relocated */
static const struct {
	char letter;
	char name[20];
	char arg[10];
	char help[48];
} table[] = {
	{'g', "group", "", "every signal to the program's process group"},
	{'c', "single-child", "", "every signal to the program alone, SIGTERM too"},
	{'r', "rewrite", "FROM:TO", "deliver FROM as TO; TO 0 drops it"},
	{IGNORE_SIGNAL, "ignore-signal", "SIG", "the program starts with SIG ignored"},
	{DEFAULT_SIGNAL, "default-signal", "SIG", "the program starts with SIG at its default"},
	{'p', "parent-death-signal", "SIG", "receive SIG when foster's own parent dies"},
	{STOP, "stop", "SCHEDULE", "what a stop does"},
	{DRAIN, "drain", "SCHEDULE", "the same for all that the program left behind"},
	{TIMEOUT, "timeout", "TIME", "begin the stop after TIME; exit status 124"},
	{'e', "exit-code", "CODE[:AS]", "report exit status CODE as AS (0 if not given)"},
	{REPORT, "report", "FILE", "append a line on how the program ended to FILE"},
	{'s', "subreaper", "", "accepted; always on where foster is not PID 1"},
	{'P', "pause", "", "start no program: reap until SIGTERM or SIGINT"},
	{INSTALL_FILE, "install", "FILE", "copy foster itself to FILE and exit"},
	{'w', "warn-reaped", "", "a line for each orphan that is reaped"},
	{'v', "verbose", "", "a line for each thing done (-vv: each signal)"},
	{'h', "help", "", "print this and exit"},
	{'V', "version", "", "print the version and exit"},
	{'l', "license", "", "print the licence and exit (also -L)"},
	{'L', "", "", ""},
};

enum { ROWS = sizeof table / sizeof *table };

struct text {
	size_t len;
	char buf[LINE_SIZE];
};

/* where a word came from, for the line about it */
_Noreturn static void
bad(bool variable, const char *word, const char *reason)
{
	die(FAILED, "%s%s: %s", variable ? VARIABLE ": " : "", word, reason);
}

/* a decimal number of at most 3 digits, up to end; -1 if it is none up to 255 */
static int
exit_code(const char *word, const char *end)
{
	int n = 0;

	if (word == end || end - word > 3)
		return -1;
	for (; word < end; word++) {
		if (*word < '0' || *word > '9')
			return -1;
		n = n * 10 + (*word - '0');
	}
	return n <= 255 ? n : -1;
}

/* TIME, rounded up to whole ms; false if it is none, or longer than a million hours */
static bool
read_time(const char *word, size_t len, int64_t *ms)
{
	const char *end = word + len;
	int64_t unit = 1000, whole = 0, part = 0, scale = 1;
	int seen = 0;
	bool rest = false;

	for (; word < end && *word >= '0' && *word <= '9'; word++, seen++)
		if ((whole = whole * 10 + (*word - '0')) > INT64_C(1000000000000))
			return false;
	if (word < end && *word == '.') {
		for (word++; word < end && *word >= '0' && *word <= '9'; word++, seen++) {
			if (scale < 1000000000) {
				part = part * 10 + (*word - '0');
				scale *= 10;
			} else if (*word != '0') {
				rest = true;
			}
		}
	}
	if (!seen)
		return false;
	len = (size_t)(end - word);
	if (len == 2 && memcmp(word, "ms", 2) == 0)
		unit = 1;
	else if (len == 1 && *word == 'm')
		unit = 60000;
	else if (len == 1 && *word == 'h')
		unit = 3600000;
	else if (len != 0 && (len != 1 || *word != 's'))
		return false;
	if (whole > INT64_C(3600000000000) / unit)
		return false;
	*ms = whole * unit + (part * unit + scale - 1) / scale;
	if (rest && part * unit % scale == 0)
		++*ms;
	return true;
}

/* returns what is wrong with it, or NULL */
static const char *
read_schedule(const char *word, struct schedule *s)
{
	const char *end;
	int64_t ms;
	int sig;
	bool after_signal = false;

	memset(s, 0, sizeof *s);
	if (read_time(word, strlen(word), &ms)) {	/* TIME alone */
		s->steps = 2;
		s->step[0].sig = SIGTERM;
		s->step[0].wait_ms = ms;
		s->step[1].sig = SIGKILL;
		return NULL;
	}
	for (;; word = end + 1) {
		end = end_of(word, '/');
		if (after_signal || *word == '.' || (*word >= '0' && *word <= '9')) {
			if (!read_time(word, (size_t)(end - word), &ms))
				return "not a schedule: a time was expected";
			if (!*end)
				return "not a schedule: it must end in a signal";
			if (after_signal)
				s->step[s->steps - 1].wait_ms = ms;
			else if (s->steps)
				return "not a schedule: a signal was expected";
			else
				s->pause_ms = ms;
			after_signal = false;
			if (s->steps)
				continue;
			word = end + 1;
			end = end_of(word, '/');
		}
		sig = *word >= '0' && *word <= '9' ? 0 : signal_by_name(word, (size_t)(end - word));
		if (!sig)
			return "not a schedule: a signal's name was expected";
		if (s->steps == MAX_STEPS)
			return "not a schedule: more than 16 steps";
		s->step[s->steps++].sig = sig;
		after_signal = true;
		if (!*end)
			return NULL;
	}
}

static int
signal_word(bool variable, const char *word)
{
	int sig = signal_by_name(word, strlen(word));

	if (!sig)
		bad(variable, word, "no such signal");
	return sig;
}

static void
rewrite(struct options *opt, bool variable, const char *word)
{
	const char *colon = end_of(word, ':');
	int from, to;

	if (!*colon)
		bad(variable, word, "not FROM:TO");
	from = signal_by_name(word, (size_t)(colon - word));
	to = signal_by_name(colon + 1, strlen(colon + 1));
	if (!from || (!to && strcmp(colon + 1, "0") != 0))
		bad(variable, word, "no such signal");
	if (from == SIGKILL || from == SIGSTOP || from == SIGCHLD)
		bad(variable, word, "never forwarded");
	opt->rewrite[from] = (signed char)(to ? to : -1);
}

static void
change_exit_code(struct options *opt, bool variable, const char *word)
{
	const char *end = end_of(word, ':');
	int code = exit_code(word, end), as = *end ? exit_code(end + 1, end_of(end, '\0')) : 0;

	if (code < 0 || as < 0)
		die(FAILED, "%s-e %s: not an exit status", variable ? VARIABLE ": " : "", word);
	opt->exit_shift[code] = (unsigned char)(as - code);
}

static void
start_disposition(bool variable, const char *word, uint64_t *in, uint64_t *out)
{
	int sig = signal_word(variable, word);

	if (sig == SIGKILL || sig == SIGSTOP)
		bad(variable, word, "its disposition can't be changed");
	*in |= BIT(sig);
	*out &= ~BIT(sig);
}

static void
schedule(bool variable, const char *word, struct schedule *s)
{
	const char *wrong = read_schedule(word, s);

	if (wrong)
		bad(variable, word, wrong);
}

static void
apply(struct options *opt, bool variable, int letter, const char *arg)
{
	switch (letter) {
	case 'g': opt->group = true; break;
	case 'c': opt->single_child = true; break;
	case 'r': rewrite(opt, variable, arg); break;
	case IGNORE_SIGNAL: start_disposition(variable, arg, &opt->ignored, &opt->defaulted); break;
	case DEFAULT_SIGNAL: start_disposition(variable, arg, &opt->defaulted, &opt->ignored); break;
	case 'p': opt->parent_death = signal_word(variable, arg); break;
	case STOP: schedule(variable, arg, &opt->stop); break;
	case DRAIN: schedule(variable, arg, &opt->drain); break;
	case TIMEOUT:
		if (!read_time(arg, strlen(arg), &opt->timeout_ms))
			bad(variable, arg, "not a time");
		break;
	case 'e': change_exit_code(opt, variable, arg); break;
	case REPORT: opt->report = arg; break;
	case 'P': opt->pause = true; break;
	case INSTALL_FILE: opt->action = INSTALL; opt->install = arg; break;
	case 'w': opt->warn_reaped = true; break;
	case 'v': opt->verbose++; break;
	case 'h': opt->action = HELP; break;
	case 'V': opt->action = VERSION_LINE; break;
	case 'l': case 'L': opt->action = LICENSE; break;
	}
}

/* the row of a long option, which may be cut short where that is unambiguous */
static int
long_row(const char *name, size_t len, const char **wrong)
{
	int found = -1;

	*wrong = "no such option";
	for (int i = 0; i < ROWS; i++) {
		if (!len || strncmp(table[i].name, name, len) != 0)
			continue;
		if (!table[i].name[len])
			return i;
		if (found >= 0)
			*wrong = "ambiguous";
		found = i;
	}
	return **wrong == 'a' ? -1 : found;
}

static int
letter_row(char letter)
{
	for (int i = 0; i < ROWS; i++)
		if (table[i].letter == letter && letter > ' ')
			return i;
	return -1;
}

/* Reads options as getopt_long(3) does, up to the first word that is none; returns its index.
 * Not with getopt_long, since musl's brings stdio with it: a fifth of the binary. */
static int
read_words(struct options *opt, int argc, char **argv, bool variable)
{
	const char *word, *p, *arg, *wrong;
	int at, row;

	for (at = 1; at < argc; at++) {
		word = argv[at];
		if (word[0] != '-' || !word[1])
			break;
		if (strcmp(word, "--") == 0)
			return at + 1;
		for (p = word + 1; *p; p++) {
			wrong = "no such option";
			if (*p == '-' && p == word + 1) {
				arg = end_of(p, '=');
				row = long_row(p + 1, (size_t)(arg - p - 1), &wrong);
				p = arg;
				arg = *p ? p + 1 : NULL;
				if (row >= 0 && arg && !*table[row].arg)
					bad(variable, word, "takes no argument");
			} else {
				row = letter_row(*p);
				arg = p[1] ? p + 1 : NULL;
			}
			if (row < 0)
				bad(variable, word, wrong);
			if (*table[row].arg && !arg && !(arg = argv[++at]))
				bad(variable, word, "needs an argument");
			apply(opt, variable, table[row].letter, arg);
			if (*table[row].arg || !*p)
				break;
		}
	}
	return at;
}

static bool
is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* splits at blanks, in place */
static void
read_variable(struct options *opt, char *words)
{
	int count = 1, used;

	for (const char *p = words; *p; p++)
		if (!is_blank(*p) && (p == words || is_blank(p[-1])))
			count++;
	char *argv[count + 1];

	count = 1;
	for (bool blank = true; *words; words++) {
		if (is_blank(*words))
			*words = '\0';
		else if (blank)
			argv[count++] = words;
		blank = !*words;
	}
	argv[0] = argv[count] = NULL;
	used = read_words(opt, count, argv, true);
	if (used < count)
		bad(true, argv[used], "not an option");
}

/* takes FOSTER_OPTIONS out of the environment; returns its value or NULL */
static char *
take_variable(void)
{
	enum { LEN = sizeof VARIABLE - 1 };
	char **to = environ, *value = NULL;

	for (char **e = environ; *e; e++) {
		if (strncmp(*e, VARIABLE, LEN) != 0 || (*e)[LEN] != '=')
			*to++ = *e;
		else if (!value)
			value = *e + LEN + 1;
	}
	*to = NULL;
	return value;
}

void
read_options(struct options *opt, int argc, char **argv)
{
	char *words = take_variable();
	int used;

	opt->timeout_ms = -1;
	if (words)
		read_variable(opt, words);
	used = read_words(opt, argc, argv, false);
	opt->program = argv + used;
	if (opt->action == HELP || opt->action == VERSION_LINE || opt->action == LICENSE)
		return;
	if ((opt->pause || opt->action == INSTALL) && used < argc)
		bad(false, argv[used], opt->pause ? "--pause starts no program" : "--install starts no program");
	if (!opt->pause && opt->action == RUN && used >= argc)
		bad(false, "PROGRAM", "missing; see foster --help");
}

size_t
help_text(char *buf, size_t size)
{
	size_t n = format(buf, size, "usage: foster [OPTION]... [--] PROGRAM [ARG]...\n\n");
	size_t start;

	for (int i = 0; i < ROWS; i++) {
		char letter[] = {'-', table[i].letter, ',', ' ', '\0'};

		if (!*table[i].name)
			continue;
		start = n;
		n += format(buf + n, size - n, "  %s--%s %s", table[i].letter < ' ' ? "    " : letter,
			    table[i].name, table[i].arg);
		while (n - start < 36 && n < size - 1)
			buf[n++] = ' ';
		n += format(buf + n, size - n, "%s\n", table[i].help);
	}
	return n + format(buf + n, size - n,
		"\nSIG: a name or a number, RTMIN is 34.  TIME: a number with ms, s, m or h.\n"
		"SCHEDULE: [TIME/]SIG/TIME/SIG/.../SIG; a TIME alone is TERM/TIME/KILL.\n"
		VARIABLE " holds options too, split at blanks.\n");
}

const char *
time_text(char *buf, int64_t ms, bool blank)
{
	char *p = buf + 24;
	const char *unit = ms % 1000 ? "ms" : "s";

	if (ms % 1000 == 0)
		ms /= 1000;
	*--p = '\0';
	for (size_t i = strlen(unit); i--;)
		*--p = unit[i];
	if (blank)
		*--p = ' ';
	do {
		*--p = (char)('0' + ms % 10);
	} while (ms /= 10);
	return p;
}

/* one option, in a line that is said when it is long enough */
static void
add(struct text *t, const char *format, ...)
{
	va_list args;

	if (*format == ' ' && t->len > 1000) {
		say("options:%s", t->buf);
		t->len = 0;
	}
	va_start(args, format);
	t->len += format_args(t->buf + t->len, sizeof t->buf - t->len, false, format, args);
	va_end(args);
}

static void
add_schedule(struct text *t, const char *name, const struct schedule *s)
{
	char time[24], sig[12];

	if (!s->steps)
		return;
	add(t, " --%s ", name);
	if (s->pause_ms)
		add(t, "%s/", time_text(time, s->pause_ms, false));
	for (int i = 0; i < s->steps; i++) {
		if (i)
			add(t, "/%s/", time_text(time, s->step[i - 1].wait_ms, false));
		add(t, "%s", signal_name(sig, s->step[i].sig));
	}
}

APART void
say_options(const struct options *opt)
{
	struct text t = {0};
	char sig[12], to[12], time[24];

	add(&t, "%s%s%s%s", opt->group ? " -g" : "", opt->single_child ? " -c" : "",
	    opt->pause ? " -P" : "", opt->warn_reaped ? " -w" : "");
	for (int i = 1; i <= LAST_SIGNAL; i++) {
		signal_name(sig, i);
		if (opt->rewrite[i])
			add(&t, " -r %s:%s", sig, opt->rewrite[i] > 0 ? signal_name(to, opt->rewrite[i]) : "0");
		if ((opt->ignored | opt->defaulted) & BIT(i))
			add(&t, " --%s-signal %s", opt->ignored & BIT(i) ? "ignore" : "default", sig);
		if (opt->parent_death == i)
			add(&t, " -p %s", sig);
	}
	add_schedule(&t, "stop", &opt->stop);
	add_schedule(&t, "drain", &opt->drain);
	if (opt->timeout_ms >= 0)
		add(&t, " --timeout %s", time_text(time, opt->timeout_ms, false));
	for (int i = 0; i < 256; i++)
		if (opt->exit_shift[i])
			add(&t, " -e %d:%d", i, (i + opt->exit_shift[i]) & 255);
	if (opt->report)
		add(&t, " --report %s", opt->report);
	say("options:%s", t.buf);
}
