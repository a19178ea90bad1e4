/*
 * fuzz.h: what the fuzz targets share: foster in a world that the input describes.
 * SPDX-License-Identifier: MIT
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>

#include "../../../foster.h"

/* the input: files, each "@NAME\nCONTENT", up to the next "\n@" */
#define MAX_FILES 24
struct file {
	char *name, *data;
	size_t len;
};
extern struct file files[MAX_FILES];
extern int file_count;
/* the files of an input, each in memory of its own; false if it has none */
bool read_files(const uint8_t *data, size_t size);
void free_files(void);
/* NULL if there is none */
struct file *file_named(const char *name);
/* a file's lines, NULL at the end; what is behind count lines is dropped */
char **lines_of(const struct file *, size_t count);
void free_lines(char **lines);

/* how many bytes a read(2) gets at most */
extern size_t chunk;
/* calls that open a file: the processes of an input may not be visited for ever */
extern int opens;

/* what foster wrote to standard error, NUL-terminated */
extern char said[65536];
extern size_t said_len;
/* where _exit(2) goes, and what it was called with */
extern jmp_buf left;
extern int left_with;

/* which signal went where, as "15>-7 18>-7 " */
extern char sent[4096];

/* execve(2) of the target: 0 leaves, or an errno */
int execute(const char *file, char **argv, char **env);

/* false ends the fuzzer, with the reason */
#define must(claim) ((claim) ? (void)0 : broken(#claim, __FILE__, __LINE__))
void broken(const char *claim, const char *file, int line);

#endif
