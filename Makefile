# foster: what people type is all, run, check, install and clean.
# SPDX-License-Identifier: MIT
.POSIX:

VERSION = 0.1.0
CC = musl-gcc
CFLAGS = -Oz -flto -fno-inline-functions-called-once -fno-thread-jumps \
	-fno-move-loop-invariants -fno-gcse -fno-jump-tables -fno-forward-propagate \
	-flive-range-shrinkage -fno-ipa-modref -fno-optimize-sibling-calls \
	-fno-if-conversion -Wall -Wextra
STRIP = -s
OUT = foster
PREFIX = /usr/local
BINDIR = $(PREFIX)/bin
MANDIR = $(PREFIX)/share/man

SRC = init.c options.c signals.c reaper.c exec.c tty.c install.c
COMMIT = `git rev-parse --short=12 HEAD 2>/dev/null || echo unknown`

# where a machine has it: functions with "..." needn't save floating point registers
NO_FLOAT = `$(CC) -mgeneral-regs-only -E -x c /dev/null >/dev/null 2>&1 && echo -mgeneral-regs-only`

# What foster needs, whatever the user's flags are. A static PIE is linked by hand, since
# musl-gcc's -static-pie makes a dynamic binary; one segment for code and constants saves a
# page and its fault at each start.
NEEDED = -std=c11 -fPIE $(NO_FLOAT) -fstack-protector-strong -fno-asynchronous-unwind-tables \
	-ffunction-sections -fdata-sections \
	-DVERSION='"$(VERSION)"' -DCOMMIT="\"$(COMMIT)\""
LINK = -static -nostartfiles -Wl,-pie,--no-dynamic-linker,-z,text,-z,relro,-z,now \
	-Wl,-z,noexecstack,-z,noseparate-code,--gc-sections,--build-id=none,--hash-style=sysv $(STRIP) \
	`$(CC) -pie '-\#\#\#' -x c /dev/null 2>&1 | tr ' "' '\n\n' | sed -n 's/\(.*\)Scrt1\.o$$/\1rcrt1.o \1crti.o \1crtn.o/p'`

all: $(OUT)

$(OUT): $(SRC) foster.h LICENSE Makefile
	$(CC) $(NEEDED) $(CPPFLAGS) $(CFLAGS) $(LINK) $(LDFLAGS) $(SRC) -o $@

# the main job, shown on this machine without a container engine
run:
	@test/needs $(CC) unshare
	@$(MAKE) $(OUT)
	FOSTER=`pwd`/$(OUT) examples/run

check:
	@test/needs $(CC) cc bats strace mandoc setpriv ps tini tini-static dumb-init catatonit
	@$(MAKE) $(OUT) test-programs
	FOSTER=`pwd`/$(OUT) bats test

check-engines:
	@test/needs $(CC) cc bats
	@$(MAKE) $(OUT) test-programs
	FOSTER=`pwd`/$(OUT) test/engines/run

# beside the peers, in one run
bench: $(OUT)
	@test/needs cc tini tini-static dumb-init catatonit gnuplot ps
	@$(MAKE) -s -C bench
	@bench/run

# takes over what the last run of bench wrote into docs/
bench-docs:
	@bench/fill-in

check-costs:
	@test/needs $(CC) cc
	@$(MAKE) -s -C bench
	@bench/check-costs

# what check-costs compares with
costs:
	@test/needs $(CC) cc
	@$(MAKE) -s -C bench
	bench/check-costs --update

# all tests once more with AddressSanitizer and UndefinedBehaviorSanitizer, and their coverage
check-sanitizers:
	@test/needs cc bats strace mandoc setpriv ps tini tini-static dumb-init catatonit \
		clang libclang-rt llvm-cov llvm-symbolizer
	@$(MAKE) test-programs
	@test/sanitizers

# each system call failing in turn
check-faults:
	@test/needs $(CC) cc strace
	@$(MAKE) -s $(OUT) test-programs
	@FOSTER=`pwd`/$(OUT) test/faults

# a minute; and as long as one likes: make fuzz FUZZ_SECONDS=36000
FUZZ_SECONDS = 3600
check-fuzz:
	@test/needs clang libclang-rt
	@test/fuzz/run 40 -seed=1
fuzz:
	@test/needs clang libclang-rt
	@test/fuzz/run $(FUZZ_SECONDS)

check-limits:
	@test/needs $(CC) cc bats strace nsenter prlimit
	@$(MAKE) -s $(OUT) test-programs
	@FOSTER=`pwd`/$(OUT) test/limits/run

# 5 minutes of random lives, the same each time, or one: make check-random SEED=n; and as long
# as one likes, others each time: make random RANDOM_SECONDS=36000
RANDOM_SECONDS = 3600
check-random:
	@test/needs $(CC) cc python3
	@$(MAKE) -s $(OUT) test-programs test/bin/actor
	@FIRST=$${FIRST:-1} FOSTER=`pwd`/$(OUT) test/random/run
random:
	@test/needs $(CC) cc python3
	@$(MAKE) -s $(OUT) test-programs test/bin/actor
	@SECONDS=$(RANDOM_SECONDS) FOSTER=`pwd`/$(OUT) test/random/run

# the tests of the life cycle on kernels that lack calls
check-kernels:
	@test/needs $(CC) cc bats strace setpriv ps tmux
	@$(MAKE) -s $(OUT) test-programs test/bin/kernel
	@FOSTER=`pwd`/$(OUT) test/kernels

# all that is published, into release/
release:
	@VERSION='$(VERSION)' COMMIT="$(COMMIT)" packaging/release

# is the release what it says, and does a second build give the same?
verify:
	@VERSION='$(VERSION)' COMMIT="$(COMMIT)" test/release/run

# the release's binaries under emulators, and as PID 1 of emulated machines
check-architectures: test-programs
	@VERSION='$(VERSION)' COMMIT="$(COMMIT)" test/architectures/run

test-programs: test/bin/spy test/bin/ns test/bin/pty

test/bin/spy test/bin/ns test/bin/pty test/bin/kernel: test/spy.c test/ns.c test/pty.c test/kernel.c test/sig.h
	mkdir -p test/bin
	cc -std=c11 -O1 -Wall -Wextra -static -o $@ test/$(@F).c

test/bin/actor: test/random/actor.c test/sig.h
	mkdir -p test/bin
	cc -std=c11 -O1 -Wall -Wextra -static -o $@ test/random/actor.c

install: $(OUT)
	mkdir -p $(DESTDIR)$(BINDIR) $(DESTDIR)$(MANDIR)/man1
	cp $(OUT) $(DESTDIR)$(BINDIR)/foster
	cp docs/foster.1 $(DESTDIR)$(MANDIR)/man1/foster.1
	chmod 755 $(DESTDIR)$(BINDIR)/foster
	chmod 644 $(DESTDIR)$(MANDIR)/man1/foster.1

uninstall:
	rm -f $(DESTDIR)$(BINDIR)/foster $(DESTDIR)$(MANDIR)/man1/foster.1

clean:
	rm -rf $(OUT) test/bin bench/bin bench/out build release

.PHONY: all run check check-engines bench bench-docs check-costs costs check-sanitizers check-fuzz \
	fuzz check-faults check-kernels check-limits check-random random release verify check-architectures \
	test-programs install uninstall clean
