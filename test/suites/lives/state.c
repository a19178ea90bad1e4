/*
 * state.c: where foster's state lies, for the explorer, which can't have foster's names beside
 * its own.
 * SPDX-License-Identifier: MIT
 */
#include "foster.h"

int __real_start_program(struct state *, const struct options *);

struct own {
	char *state, *state_end, *map, *map_end;
} foster_memory;

int
__wrap_start_program(struct state *st, const struct options *opt)
{
	foster_memory = (struct own){(char *)st, (char *)(st + 1), (char *)st->stop.asked,
		(char *)st->stop.asked + sizeof st->stop.asked};
	return __real_start_program(st, opt);
}
