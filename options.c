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

/* the parser and --help read it: four strings a row, packed, since pointers would have to be
 * relocated at each start and arrays be as long as the longest */
#define ROW(letter, name, arg, help) letter name "\0" arg "\0" help "\0"
static const char table[] =
	ROW("g", "group", "", "every signal to the program's process group")
	ROW("c", "single-child", "", "every signal to the program alone, SIGTERM too")
	ROW("r", "rewrite", "FROM:TO", "deliver FROM as TO; TO 0 drops it")
	ROW("\1", "ignore-signal", "SIG", "the program starts with SIG ignored")
	ROW("\2", "default-signal", "SIG", "the program starts with SIG at its default")
	ROW("p", "parent-death-signal", "SIG", "receive SIG when foster's own parent dies")
	ROW("\3", "stop", "SCHEDULE", "what a stop does")
	ROW("\4", "drain", "SCHEDULE", "the same for all that the program left behind")
	ROW("\5", "timeout", "TIME", "begin the stop after TIME; exit status 124")
	ROW("e", "exit-code", "CODE[:AS]", "report exit status CODE as AS (0 if not given)")
	ROW("\6", "report", "FILE", "append a line on how the program ended to FILE")
	ROW("s", "subreaper", "", "accepted; always on where foster is not PID 1")
	ROW("P", "pause", "", "start no program: reap until SIGTERM or SIGINT")
	ROW("\7", "install", "FILE", "copy foster itself to FILE and exit")
	ROW("w", "warn-reaped", "", "a line for each orphan that is reaped")
	ROW("v", "verbose", "", "a line for each thing done (-vv: each signal)")
	ROW("h", "help", "", "print this and exit")
	ROW("V", "version", "", "print the version and exit")
	ROW("l", "license", "", "print the licence and exit (also -L)")
	ROW("L", "", "", "");

struct row {
	char letter;
	const char *name, *arg, *help;
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
	const int64_t most = INT64_C(3600000000000);
	int64_t unit = 1000, whole = 0, part = 0, scale = 1;
	int seen = 0;
	bool rest = false;

	for (; word < end && *word >= '0' && *word <= '9'; word++, seen++)
		if ((whole = whole * 10 + (*word - '0')) > most)
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
	if (len == 2 && after((char *)word, "ms"))
		unit = 1;
	else if (len == 1 && *word == 'm')
		unit = 60000;
	else if (len == 1 && *word == 'h')
		unit = 3600000;
	else if (len != 0 && (len != 1 || *word != 's'))
		return false;
	if (whole > most / unit)
		return false;
	*ms = whole * unit + (part * unit + scale - 1) / scale;
	if (rest && part * unit % scale == 0)
		++*ms;
	return *ms <= most;
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
	if (read_time(word, length(word), &ms)) {	/* TIME alone */
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
	int sig = signal_by_name(word, length(word));

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
	to = signal_by_name(colon + 1, length(colon + 1));
	if (!from || (!to && !equal(colon + 1, "0")))
		bad(variable, word, "no such signal");
	if (from == SIGKILL || from == SIGSTOP || from == SIGCHLD)
		bad(variable, word, "never forwarded");
	put_bit(&opt->queued, from, to >= FIRST_QUEUED);
	put_bit(&opt->stops, from, to == SIGTERM || (from == SIGTERM && to));
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
		if (!read_time(arg, length(arg), &opt->timeout_ms))
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

/* reads the row at this place; returns the next row's */
static const char *
read_row(const char *at, struct row *row)
{
	row->letter = *at;
	row->name = at + 1;
	row->arg = end_of(row->name, '\0') + 1;
	row->help = end_of(row->arg, '\0') + 1;
	return end_of(row->help, '\0') + 1;
}

/* the row of a long option, which may be cut short where that is unambiguous; returns what is
 * wrong with it, or NULL */
static const char *
long_row(const char *name, size_t len, struct row *found)
{
	const char *wrong = "no such option";
	struct row row;
	size_t n;

	found->name = NULL;
	for (const char *at = table; *at;) {
		at = read_row(at, &row);
		for (n = 0; n < len && row.name[n] == name[n]; n++)
			;
		if (!len || n < len)
			continue;
		wrong = found->name ? "ambiguous" : NULL;
		*found = row;
		if (!row.name[len])
			return NULL;
	}
	return wrong;
}

static const char *
letter_row(char letter, struct row *row)
{
	for (const char *at = table; *at;) {
		at = read_row(at, row);
		if (row->letter == letter && letter > ' ')
			return NULL;
	}
	return "no such option";
}

/* Reads options as getopt_long(3) does, up to the first word that is none; returns its index.
 * Not with getopt_long, since musl's brings stdio with it: a fifth of the binary. */
static int
read_words(struct options *opt, int argc, char **argv, bool variable)
{
	const char *word, *p, *arg, *wrong;
	struct row row;
	int at;

	for (at = 1; at < argc; at++) {
		word = argv[at];
		if (word[0] != '-' || !word[1])
			break;
		if (equal(word, "--"))
			return at + 1;
		for (p = word + 1; *p; p++) {
			if (*p == '-' && p == word + 1) {
				arg = end_of(p, '=');
				wrong = long_row(p + 1, (size_t)(arg - p - 1), &row);
				p = arg;
				arg = *p ? p + 1 : NULL;
				if (!wrong && arg && !*row.arg)
					wrong = "takes no argument";
			} else {
				wrong = letter_row(*p, &row);
				arg = p[1] ? p + 1 : NULL;
			}
			if (!wrong && *row.arg && !arg && !(arg = argv[++at]))
				wrong = "needs an argument";
			if (wrong)
				bad(variable, word, wrong);
			apply(opt, variable, row.letter, arg);
			if (*row.arg || !*p)
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

char *
take_variable(const char *name)
{
	char **to = environ, *first = NULL, *value;

	for (char **e = environ; *e; e++) {
		value = after(*e, name);
		if (!value)
			*to++ = *e;
		else if (!first)
			first = value;
	}
	*to = NULL;
	return first;
}

void
read_options(struct options *opt, int argc, char **argv)
{
	char *words = take_variable(VARIABLE "=");
	int used;

	opt->timeout_ms = -1;
	opt->queued = UINT64_MAX << (FIRST_QUEUED - 1);
	opt->stops = BIT(SIGTERM);
	if (words)
		read_variable(opt, words);
	used = read_words(opt, argc, argv, false);
	if (opt->stop.steps)	/* SIGTERM begins the schedule, whatever it is rewritten to */
		opt->queued &= ~BIT(SIGTERM);
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
	struct row row;

	for (const char *at = table; *at;) {
		at = read_row(at, &row);
		if (!*row.name)
			continue;

		char letter[] = {'-', row.letter, ',', ' ', '\0'};

		start = n;
		n += format(buf + n, size - n, "  %s--%s %s", row.letter < ' ' ? "    " : letter, row.name, row.arg);
		while (n - start < 36 && n < size - 1)
			buf[n++] = ' ';
		n += format(buf + n, size - n, "%s\n", row.help);
	}
	return n + format(buf + n, size - n,
		"\nSIG: a name or a number, RTMIN is 34.  TIME: a number with ms, s, m or h.\n"
		"SCHEDULE: [TIME/]SIG/TIME/SIG/.../SIG; a TIME alone is TERM/TIME/KILL.\n"
		VARIABLE " holds options too, split at blanks.\n");
}

static void
say_schedule(const char *name, const struct schedule *s)
{
	char line[LINE_SIZE];
	size_t n = 0;

	if (!s->steps)
		return;
	if (s->pause_ms)
		n = format(line, sizeof line, "%t/", s->pause_ms);
	for (int i = 0; i < s->steps; i++) {
		n += format(line + n, sizeof line - n, "%S", s->step[i].sig);
		if (i < s->steps - 1)
			n += format(line + n, sizeof line - n, "/%t/", s->step[i].wait_ms);
	}
	say("option: --%s %s", name, line);
}

APART void
say_options(const struct options *opt)
{
	if (opt->group)
		say("option: -g");
	if (opt->single_child)
		say("option: -c");
	if (opt->pause)
		say("option: -P");
	if (opt->warn_reaped)
		say("option: -w");
	for (int i = 1; i <= LAST_SIGNAL; i++) {
		if (opt->rewrite[i])
			say(opt->rewrite[i] > 0 ? "option: -r %S:%S" : "option: -r %S:0", i, opt->rewrite[i]);
		if ((opt->ignored | opt->defaulted) & BIT(i))
			say("option: --%s-signal %S", opt->ignored & BIT(i) ? "ignore" : "default", i);
	}
	if (opt->parent_death)
		say("option: -p %S", opt->parent_death);
	say_schedule("stop", &opt->stop);
	say_schedule("drain", &opt->drain);
	if (opt->timeout_ms >= 0)
		say("option: --timeout %t", opt->timeout_ms);
	for (int i = 0; i < 256; i++)
		if (opt->exit_shift[i])
			say("option: -e %d:%d", i, (i + opt->exit_shift[i]) & 255);
	if (opt->report)
		say("option: --report %s", opt->report);
}
