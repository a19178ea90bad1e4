/*
 * page.h: what the program and measure tell each other through shared memory.
 * SPDX-License-Identifier: MIT
 */
#ifndef PAGE_H
#define PAGE_H

#include <stdint.h>

#define PAGE_FD 3	/* this page */
#define READY_FD 4	/* a pipe: a byte each time that the program has something to tell */

struct page {
	volatile uint64_t exec;		/* when the init was started, on the monotonic clock in ns */
	volatile uint64_t first, last;	/* the program's first instruction; its last, or its latest signal */
	volatile uint64_t count, intact;	/* signals that it got, and with the payload in order */
	volatile uint64_t go;		/* measure lets the program go on */
	volatile uint64_t all_reaped;	/* the kernel knows no other process of the namespace */
};

#endif
