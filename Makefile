# foster: what people type is all, run, check, install and clean.
# SPDX-License-Identifier: MIT
.POSIX:

VERSION = 0.1.0
CC = musl-gcc
CFLAGS = -Os -Wall -Wextra
STRIP = -s
OUT = foster
PREFIX = /usr/local
BINDIR = $(PREFIX)/bin
MANDIR = $(PREFIX)/share/man

SRC = init.c stop.c signals.c reaper.c proc.c exec.c tty.c options.c install.c message.c
# git archive writes it into a release's source
COMMIT = `grep -so '^[0-9a-f]\{12\}' packaging/commit || git rev-parse --short=12 HEAD 2>/dev/null || echo unknown`

# What foster needs, whatever the user's flags are. A static PIE is linked by hand, since
# musl-gcc's -static-pie makes a dynamic binary. Nothing unwinds the stack, and constants may lie
# beside the code: together these would take a third more on disk.
NEEDED = -std=c11 -fPIE -fstack-protector-strong -fno-asynchronous-unwind-tables \
	-DVERSION='"$(VERSION)"' -DCOMMIT="\"$(COMMIT)\""
# What a scanner reads in an image that the binary was copied into. A distribution's LDFLAGS can
# say it anew; linkers before binutils 2.39 can't say it.
NOTE = `$(CC) -Wl,--help 2>/dev/null | grep -q package-metadata && echo \
	'-Xlinker --package-metadata={"type":"generic","name":"foster","version":"$(VERSION)","license":"MIT"}'`
LINK = -static -nostartfiles -Wl,-pie,--no-dynamic-linker,-z,text,-z,relro,-z,now \
	-Wl,-z,noexecstack,-z,noseparate-code,--gc-sections,--hash-style=sysv $(STRIP) \
	`$(CC) -pie '-\#\#\#' -x c /dev/null 2>&1 | tr ' "' '\n\n' | sed -n 's/\(.*\)Scrt1\.o$$/\1rcrt1.o \1crti.o \1crtn.o/p'`

all: $(OUT)

$(OUT): $(SRC) foster.h LICENSE Makefile
	@$(CC) --version >/dev/null 2>&1 || \
		{ echo '$(CC) is missing; musl-gcc is in Debian'"'"'s packages musl-tools and gcc' >&2; exit 1; }
	$(CC) $(NEEDED) $(CPPFLAGS) $(CFLAGS) $(LINK) $(NOTE) $(LDFLAGS) $(SRC) -o $@

# the main job, shown on this machine without a container engine
run:
	@test/needs $(CC) unshare
	@$(MAKE) -s $(OUT)
	@FOSTER=`pwd`/$(OUT) examples/run

# the tests; nohup, or a script's "&", starts make with signals ignored, which tests would inherit
check:
	@test/needs $(CC) cc bats strace mandoc setpriv ps nsenter python3 less tini tini-static dumb-init catatonit
	@$(MAKE) $(OUT) test-programs
	FOSTER=`pwd`/$(OUT) env --default-signal=HUP,INT,QUIT bats test

# The slower suites, and how many minutes each takes on two CPUs. "make help" prints this.
#: check-architectures 10  the release under emulators of eight processors, and as PID 1 of three
#: check-bare          10  the README's two commands on a bare Debian 12, in /root, under nohup
#: check-costs          1  size, system calls and instructions, against bench/costs
#: check-engines       15  Docker, Podman, containerd, runc, known programs, the guides' commands
#: check-faults         7  each system call failing in turn
#: check-fuzz           2  new inputs for the options, /proc and what is started
#: check-kernels        3  the life cycle on kernels that lack calls
#: check-kubernetes    16  a real cluster of one node, and 10 minutes the first time to build it
#: check-limits         3  where nothing is left of something, and where 100,000 of something come
#: check-lives          5  every order of events in small worlds, in a model of the kernel
#: check-losses         2  the benches of losses and of execs, on a small scale
#: check-packages       3  Debian's package in a bare Debian: installed, tested, purged
#: check-programs       8  real programs, stopped as a deploy stops them, beside the peers
#: check-random         5  random lives against a model of the reference
#: check-release        5  a second build of the release, and each file of it
#: check-runtime        2  foster-runtime: config.json by config.json, then with runc
#: check-sanitizers     8  the tests with sanitizers, and what they reach
#: mutants          hours  small changes to the sources, each of which a test should notice
SUITES = check-architectures check-bare check-costs check-engines check-faults check-fuzz \
	check-kernels check-kubernetes check-limits check-lives check-losses check-packages check-programs \
	check-random check-release check-runtime check-sanitizers
$(SUITES):
	@suite=$@; CC='$(CC)' OUT='$(OUT)' test/suite $${suite#check-}

# larger worlds, as long as one likes; and small changes to the sources that a test should notice: hours
LIVES_SECONDS = 3600
lives:
	@CC='$(CC)' OUT='$(OUT)' test/suite lives 2 $(LIVES_SECONDS)
mutants:
	@CC='$(CC)' OUT='$(OUT)' test/suite mutants

help:
	@sed -n 's/^#: //p' Makefile

test-programs: test/bin/spy test/bin/ns test/bin/pty test/bin/actor test/bin/kernel

test/bin/spy test/bin/ns test/bin/pty test/bin/actor test/bin/kernel: \
		test/tools/spy.c test/tools/ns.c test/tools/pty.c test/tools/actor.c test/tools/kernel.c test/tools/sig.h
	mkdir -p test/bin
	cc -std=c11 -O1 -Wall -Wextra -static -o $@ test/tools/$(@F).c

# beside the peers: what foster costs; what a stop loses; what execs leave behind
bench: $(OUT)
	@test/needs cc tini tini-static dumb-init catatonit gnuplot ps
	@$(MAKE) -s -C bench
	@bench/run
N = 20
bench-loss: $(OUT) bench/bin/root
	@bench/loss -n $(N)
	@bench/tables losses.svg bench/out/losses.tsv >bench/out/losses.svg
	@bench/tables all bench/out/losses.tsv
bench/bin/root:
	@test/needs mmdebstrap python3 unshare
	@mkdir -p bench/bin
	@bench/image bench/bin/root
bench-sandbox: $(OUT)
	@test/needs python3 unshare tini dumb-init catatonit
	@bench/sandbox
	@bench/tables losses-sandbox.svg bench/out/losses-sandbox.tsv >bench/out/losses-sandbox.svg
	@bench/tables sandbox bench/out/losses-sandbox.tsv
# takes into docs/ what these wrote
bench-docs:
	@bench/fill-in

# all that is published, into release/
release:
	@VERSION='$(VERSION)' COMMIT="$(COMMIT)" packaging/release

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

.PHONY: all run check $(SUITES) lives mutants help test-programs bench bench-loss bench-sandbox bench-docs release install uninstall clean
