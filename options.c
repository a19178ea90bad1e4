/*
 * options.c: the command line, the environment and the name, into struct options.
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "foster.h"

#define VARIABLE "FOSTER_OPTIONS"
#define BLANKS " \t\n\v\f\r"
#define MAX_MS INT64_C(3600000000000)	/* a million hours, which fit in us too */

/* options without a letter */
enum { IGNORE_SIGNAL = 256, DEFAULT_SIGNAL, STOP, DRAIN, TIMEOUT, REPORT, INSTALL_FILE };

static const char letters[] = "+:gcr:p:e:sPwvhVlL";
static const struct option names[] = {
	{"group", no_argument, NULL, 'g'},
	{"single-child", no_argument, NULL, 'c'},
	{"rewrite", required_argument, NULL, 'r'},
	{"ignore-signal", required_argument, NULL, IGNORE_SIGNAL},
	{"default-signal", required_argument, NULL, DEFAULT_SIGNAL},
	{"parent-death-signal", required_argument, NULL, 'p'},
	{"stop", required_argument, NULL, STOP},
	{"drain", required_argument, NULL, DRAIN},
	{"timeout", required_argument, NULL, TIMEOUT},
	{"exit-code", required_argument, NULL, 'e'},
	{"report", required_argument, NULL, REPORT},
	{"subreaper", no_argument, NULL, 's'},
	{"pause", no_argument, NULL, 'P'},
	{"install", required_argument, NULL, INSTALL_FILE},
	{"warn-reaped", no_argument, NULL, 'w'},
	{"verbose", no_argument, NULL, 'v'},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},
	{"license", no_argument, NULL, 'l'},
	{0},
};

const char help_text[] =
	"usage: foster [OPTION]... [--] PROGRAM [ARG]...\n"
	"\n"
	"  -g, --group                    send every signal to the program's process group\n"
	"  -c, --single-child             parents first: send every signal to the program\n"
	"                               alone, and ask what it leaves once it has ended\n"
	"  -r, --rewrite FROM:TO          deliver FROM as TO; TO 0 drops it\n"
	"      --ignore-signal SIG        start the program with SIG ignored\n"
	"      --default-signal SIG       start the program with SIG at its default\n"
	"  -p, --parent-death-signal SIG  receive SIG when foster's own parent dies\n"
	"      --stop SCHEDULE            signals and delays of a stop\n"
	"      --drain SCHEDULE           signals and delays for processes outside the group\n"
	"      --timeout TIME             begin the stop after TIME; exit status 124\n"
	"  -e, --exit-code CODE[:AS]      report exit status CODE as AS (0 if not given)\n"
	"      --report FILE              append a line on how the program ended to FILE\n"
	"  -s, --subreaper                ignored, for tini's users; always on unless PID 1\n"
	"  -P, --pause                    start no program; reap until SIGTERM or SIGINT\n"
	"      --install FILE             copy foster itself to FILE and exit\n"
	"  -w, --warn-reaped              print a line for each orphan that is reaped\n"
	"  -v, --verbose                  say what foster does and why (-vv: each signal)\n"
	"  -h, --help                     print this help and exit\n"
	"  -V, --version                  print the version and exit\n"
	"  -l, -L, --license              print the licence and exit\n"
	"\n"
	"SIG: a name or a number; RTMIN is 34.  TIME: seconds, or a number with ms, s, m or h.\n"
	"SCHEDULE: [TIME/]SIG/TIME/SIG/.../SIG; a TIME alone is TERM/TIME/KILL.\n"
	VARIABLE " in the environment holds options too, separated by blanks.\n";

/* an option as it was met, for the line about it */
struct met {
	bool variable;		/* in FOSTER_OPTIONS */
	const char *word;	/* the word of the command line that has it */
	int letter;
	bool by_letter;
	const char *value;
};

_Noreturn static void
bad_word(bool variable, const char *word, const char *reason)
{
	die(FAILED, "%s" WORD ": %s", variable ? VARIABLE ": " : "", CUT(word), reason);
}

_Noreturn static void
bad(const struct met *met, const char *reason)
{
	const char *quote = *met->value ? "" : "'", *in = met->variable ? VARIABLE ": " : "";

	if (met->by_letter)
		die(FAILED, "%s-%c %s" WORD "%s: %s", in, met->letter, quote, CUT(met->value), quote, reason);
	for (const struct option *o = names; o->name; o++)
		if (o->val == met->letter)
			die(FAILED, "%s--%s %s" WORD "%s: %s", in, o->name, quote, CUT(met->value), quote, reason);
	bad_word(met->variable, met->word, reason);
}

/* an exit status; -1 if word, of len bytes, is none */
static int
exit_code(const char *word, size_t len)
{
	int n = decimal(word, len);

	return n <= 255 ? n : -1;
}

/* the unit of a TIME, in ms; 0 if there is no such unit */
static int64_t
unit_ms(const char *word, size_t len)
{
	static const struct {
		char name[3];
		int64_t ms;
	} units[] = {{"", 1000}, {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}};

	for (size_t i = 0; i < sizeof units / sizeof *units; i++)
		if (len == strlen(units[i].name) && memcmp(word, units[i].name, len) == 0)
			return units[i].ms;
	return 0;
}

/* TIME, rounded up to whole ms; false if it is none, or longer than a million hours */
static bool
read_time(const char *word, size_t len, int64_t *ms)
{
	const char *end = word + len;
	int64_t unit, whole = 0, part = 0, scale = 1;
	int digits = 0;
	bool rest = false;

	for (; word < end && isdigit((unsigned char)*word); word++, digits++)
		if ((whole = whole * 10 + (*word - '0')) > MAX_MS)
			return false;
	if (word < end && *word == '.') {
		for (word++; word < end && isdigit((unsigned char)*word); word++, digits++) {
			if (scale < 1000000000) {
				part = part * 10 + (*word - '0');
				scale *= 10;
			} else if (*word != '0') {
				rest = true;
			}
		}
	}
	unit = unit_ms(word, (size_t)(end - word));
	if (!digits || !unit || whole > MAX_MS / unit)
		return false;
	*ms = whole * unit + (part * unit + scale - 1) / scale;
	if (rest && part * unit % scale == 0)
		++*ms;
	return *ms <= MAX_MS;
}

static bool
begins_time(const char *word)
{
	return isdigit((unsigned char)*word) || *word == '.';
}

/* returns what is wrong with it, or NULL */
static const char *
read_schedule(const char *word, struct schedule *s)
{
	size_t len = strcspn(word, "/");

	memset(s, 0, sizeof *s);
	if (begins_time(word)) {
		if (!read_time(word, len, &s->pause_ms))
			return "not a schedule: a time was expected";
		if (!word[len]) {	/* TIME alone */
			s->steps = 2;
			s->step[0].sig = SIGTERM;
			s->step[0].wait_ms = s->pause_ms;
			s->step[1].sig = SIGKILL;
			s->pause_ms = 0;
			return NULL;
		}
		word += len + 1;
	}
	for (;;) {
		len = strcspn(word, "/");
		if (s->steps == MAX_STEPS)
			return "not a schedule: more than 16 steps";
		if (begins_time(word) || !len)
			return "not a schedule: a signal was expected";
		s->step[s->steps].sig = signal_by_name(word, len);
		if (!s->step[s->steps].sig)
			return "no such signal";
		s->steps++;
		if (!word[len])
			return NULL;
		if (s->step[s->steps - 1].sig == SIGKILL)
			return "not a schedule: nothing can follow KILL";
		word += len + 1;
		len = strcspn(word, "/");
		if (!read_time(word, len, &s->step[s->steps - 1].wait_ms))
			return "not a schedule: a time was expected";
		if (!word[len])
			return "not a schedule: it must end in a signal";
		word += len + 1;
	}
}

static void
schedule(const struct met *met, struct schedule *s)
{
	const char *wrong = *met->value ? read_schedule(met->value, s) : "not a schedule";

	if (wrong)
		bad(met, wrong);
}

static int
signal_value(const struct met *met)
{
	int sig = signal_by_name(met->value, strlen(met->value));

	if (!sig)
		bad(met, "no such signal");
	return sig;
}

static void
rewrite(struct options *opt, const struct met *met)
{
	const char *colon = strchr(met->value, ':');
	int from, to;

	if (!colon)
		bad(met, "not FROM:TO");
	from = signal_by_name(met->value, (size_t)(colon - met->value));
	to = signal_by_name(colon + 1, strlen(colon + 1));
	if (!from || (!to && strcmp(colon + 1, "0") != 0))
		bad(met, "no such signal");
	if (from == SIGKILL || from == SIGSTOP || from == SIGCHLD)
		bad(met, "never forwarded");
	opt->rewrite[from] = (signed char)(to ? to : -1);
}

static void
exit_code_as(struct options *opt, const struct met *met)
{
	size_t len = strcspn(met->value, ":");
	const char *rest = met->value + len;
	int code = exit_code(met->value, len), as = *rest ? exit_code(rest + 1, strlen(rest + 1)) : 0;

	if (code < 0 || as < 0)
		bad(met, "not an exit status");
	opt->exit_as[code] = (unsigned char)(as - code);
}

static void
disposition(const struct met *met, uint64_t *in, uint64_t *out)
{
	int sig = signal_value(met);

	if (sig == SIGKILL || sig == SIGSTOP)
		bad(met, "its disposition can't be changed");
	*in |= BIT(sig);
	*out &= ~BIT(sig);
}

static const char *
file_name(const struct met *met)
{
	if (!*met->value)
		bad(met, "not a file's name");
	return met->value;
}

static void
apply(struct options *opt, const struct met *met)
{
	switch (met->letter) {
	case 'g': opt->target = TO_GROUP; break;
	case 'c': opt->target = TO_PROGRAM; break;
	case 'r': rewrite(opt, met); break;
	case IGNORE_SIGNAL: disposition(met, &opt->ignored, &opt->defaulted); break;
	case DEFAULT_SIGNAL: disposition(met, &opt->defaulted, &opt->ignored); break;
	case 'p': opt->parent_death = signal_value(met); break;
	case STOP: schedule(met, &opt->stop); break;
	case DRAIN: schedule(met, &opt->drain); break;
	case TIMEOUT:
		if (!read_time(met->value, strlen(met->value), &opt->timeout_ms))
			bad(met, "not a time");
		break;
	case 'e': exit_code_as(opt, met); break;
	case REPORT: opt->report = file_name(met); break;
	case 'P': opt->pause = true; break;
	case INSTALL_FILE: opt->action = INSTALL; opt->install = file_name(met); break;
	case 'w': opt->warn_reaped = true; break;
	case 'v': opt->verbose++; break;
	case 'h': opt->action = HELP; break;
	case 'V': opt->action = VERSION_LINE; break;
	case 'l': case 'L': opt->action = LICENSE; break;
	}
}

/* why getopt_long(3) refused the word; it doesn't tell these apart */
static const char *
unknown(const char *word)
{
	size_t len = strcspn(word, "="), matches = 0;

	if (len < 3 || strncmp(word, "--", 2) != 0)
		return "no such option";
	for (const struct option *o = names; o->name; o++)
		matches += strncmp(o->name, word + 2, len - 2) == 0;
	if (matches == 0)
		return "no such option";
	return matches == 1 || optopt ? "takes no value" : "ambiguous";
}

/* reads options up to the first word that is not an option; returns its index */
static int
read_words(struct options *opt, int argc, char **argv, bool variable)
{
	struct met met = {.variable = variable};

	opterr = 0;
	optind = 0;	/* start over: FOSTER_OPTIONS may have been read */
	for (;;) {
		int at = optind ? optind : 1;

		met.letter = getopt_long(argc, argv, letters, names, NULL);
		if (met.letter < 0)
			return argc ? optind : 0;
		met.word = argv[at];
		met.by_letter = met.word[1] != '-';
		met.value = optarg;
		if (met.letter == '?')
			bad_word(variable, met.word, unknown(met.word));
		if (met.letter == ':')
			bad_word(variable, met.word, "needs a value");
		apply(opt, &met);
	}
}

static void
read_variable(struct options *opt, char *words)
{
	int count = 2, used;
	char *rest = words;

	for (const char *at = words; *(at += strspn(at, BLANKS)); at += strcspn(at, BLANKS))
		count++;
	char *argv[count];

	count = 1;
	argv[0] = (char *)"foster";
	while ((argv[count] = strtok_r(NULL, BLANKS, &rest)))
		count++;
	used = read_words(opt, count, argv, true);
	if (used < count)
		bad_word(true, argv[used], "not an option");
}

/* the target of the init in whose place foster is called */
static void
take_place(struct options *opt, const char *name)
{
	static const char alone[][16] = {"tini", "tini-static", "docker-init", "catatonit", "podman-init"};
	const char *slash = strrchr(name, '/'), *setsid = getenv("DUMB_INIT_SETSID");

	name = slash ? slash + 1 : name;
	for (size_t i = 0; i < sizeof alone / sizeof *alone; i++)
		if (strcmp(name, alone[i]) == 0)
			opt->target = TO_PROGRAM;
	if (strcmp(name, "dumb-init") == 0 || getenv("TINI_KILL_PROCESS_GROUP"))
		opt->target = TO_GROUP;
	if (setsid && strcmp(setsid, "0") == 0)
		opt->target = TO_PROGRAM;
}

/* what follows from all options together */
static void
complete(struct options *opt)
{
	int first = opt->stop.steps ? opt->stop.step[0].sig : SIGTERM, to;

	if (opt->pause) {
		opt->stops = BIT(SIGTERM) | BIT(SIGINT);
		return;
	}
	opt->stop_signal = first;
	if (!opt->stop.steps && opt->rewrite[SIGTERM] > 0)
		opt->stop_signal = opt->rewrite[SIGTERM];
	for (int sig = 1; sig <= LAST_SIGNAL; sig++) {
		to = opt->rewrite[sig] ? opt->rewrite[sig] : sig;
		if (to < 0 || sig == SIGCHLD)
			continue;
		if (sig == SIGTERM || sig == first || to == SIGTERM || to == first)
			opt->stops |= BIT(sig);
		if (to >= FIRST_REAL_TIME && !(opt->stop.steps && (opt->stops & BIT(sig))))
			opt->real_time |= BIT(sig);
	}
}

void
read_options(struct options *opt, int argc, char **argv)
{
	char *words = getenv(VARIABLE);
	int used;

	if (argc)
		take_place(opt, argv[0]);
	unsetenv(VARIABLE);
	if (words)
		read_variable(opt, words);
	used = read_words(opt, argc, argv, false);
	complete(opt);
	opt->program = argv + used;
	if (opt->action == HELP || opt->action == VERSION_LINE || opt->action == LICENSE)
		return;
	if ((opt->pause || opt->action == INSTALL) && used < argc)
		bad_word(false, argv[used], opt->pause ? "--pause starts no program" : "--install starts no program");
	if (!opt->pause && opt->action == RUN && used >= argc)
		bad_word(false, "PROGRAM", "missing; see foster --help");
}

static void
say_schedule(const char *name, const struct schedule *s)
{
	char line[MAX_STEPS * 40], time[TIME_SIZE];
	size_t n = 0;

	if (!s->steps)
		return;
	if (s->pause_ms)
		n = (size_t)snprintf(line, sizeof line, "%s/", time_text(s->pause_ms, "", time));
	for (int i = 0; i < s->steps; i++) {
		n += (size_t)snprintf(line + n, sizeof line - n, "%s", signal_name(s->step[i].sig));
		if (i < s->steps - 1)
			n += (size_t)snprintf(line + n, sizeof line - n, "/%s/", time_text(s->step[i].wait_ms, "", time));
	}
	say("option: --%s %s", name, line);
}

void
say_options(const struct options *opt)
{
	char time[TIME_SIZE];

	if (opt->target != BY_SIGNAL)
		say("option: -%c", opt->target == TO_GROUP ? 'g' : 'c');
	if (opt->pause)
		say("option: -P");
	if (opt->warn_reaped)
		say("option: -w");
	for (int i = 1; i <= LAST_SIGNAL; i++) {
		if (opt->rewrite[i])
			say("option: -r %s:%s", signal_name(i), opt->rewrite[i] > 0 ? signal_name(opt->rewrite[i]) : "0");
		if ((opt->ignored | opt->defaulted) & BIT(i))
			say("option: --%s-signal %s", opt->ignored & BIT(i) ? "ignore" : "default", signal_name(i));
	}
	if (opt->parent_death)
		say("option: -p %s", signal_name(opt->parent_death));
	say_schedule("stop", &opt->stop);
	say_schedule("drain", &opt->drain);
	if (opt->timeout_ms)
		say("option: --timeout %s", time_text(opt->timeout_ms, "", time));
	for (int i = 0; i < 256; i++)
		if (opt->exit_as[i])
			say("option: -e %d:%d", i, (i + opt->exit_as[i]) & 255);
	if (opt->report)
		say("option: --report " WORD, CUT(opt->report));
}
