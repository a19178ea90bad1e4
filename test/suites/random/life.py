# life.py: one random life of foster, and what design.md says about it.
# SPDX-License-Identifier: MIT
"""All decisions come from the seed. Whatever happens is followed by a wait for what it must
bring about, so that each count is exact; where several things happen at once, the model allows
every order. It speaks of the reference's words alone: program, group, others, asked, stop, drain.

What these lives leave out: a terminal; a missing /proc; processes that join by setns(2); who is
suspended in a session of its own beside that session's leader, since the kernel continues it;
what happens at the same moment as a schedule's step (such a life ends without a verdict)."""
import collections
import ctypes
import os
import random
import re
import select
import signal
import socket
import struct
import subprocess
import time

here = os.path.dirname(os.path.abspath(__file__))
FOSTER = os.path.abspath(os.environ.get('FOSTER', os.path.join(here, '../../../foster')))
NS = os.path.join(here, '../../bin/ns')
ACTOR = os.path.join(here, '../../bin/actor')
LIMIT = int(os.environ.get("WAIT", 60))  # seconds for what must happen; slow machines are slow
HUP, INT, QUIT, KILL, USR1, SEGV, USR2, ALRM, TERM = 1, 2, 3, 9, 10, 11, 12, 14, 15
CHLD, CONT, STOP, TSTP, WINCH = 17, 18, 19, 20, 28
FIRST_RT = 34
STOPS = TSTP, 21, 22
FAULTS = 4, 5, 7, 8, SEGV, 31  # the kernel hands these out before all others
QUEUED = 32  # the kernel's own first real-time signal
MANY = 1 << 30
PAUSE, STEP = 0.2, 1.2      # seconds: a short schedule's; what is to happen between is faster
NAMES = {s.value: s.name[3:] for s in signal.Signals if s.value < QUEUED}
libc = ctypes.CDLL(None, use_errno=True)


class Wrong(Exception):
    """what was expected, what was seen"""


class Slow(Exception):
    """the machine was too slow to tell"""


def name(sig):
    return NAMES.get(sig, str(sig))


def words(status):
    if status < 0:
        return f'killed by SIG{report_name(-status)} ({-status})'
    return f'exited with status {status}'


def report_name(sig):
    if sig < FIRST_RT:
        return name(sig)
    return 'RTMIN' if sig == FIRST_RT else 'RTMAX' if sig == 64 else f'RTMIN+{sig - FIRST_RT}'


class Actor:
    """a process of the life: what it is, what it must have received, what was seen of it"""

    def __init__(self, ident):
        self.ident = ident
        self.pid = self.nspid = 0
        self.group = 0
        self.session = 0
        self.parent = None
        self.alive = True       # as the model has it
        self.ending = False     # it finishes, and ends by itself at a time of its own
        self.held = False       # it finishes when it is told
        self.gone = False       # it was seen to have ended
        self.conts = 0          # SIGCONTs when all was settled last
        self.continued = False  # one more has to come
        self.stopped = False
        self.ever_stopped = False
        self.on = {}            # sig: (what, status, ms); 'log' where nothing is said
        self.pending = collections.Counter()    # while it is stopped
        self.least = collections.Counter()
        self.most = collections.Counter()
        self.must_finish = False
        self.status = None      # when it has ended; -N: by signal N
        self.sock = None
        self.got = collections.Counter()
        self.values = collections.defaultdict(list)
        self.oks = self.asked = 0
        self.finished = self.eof = False

    def what(self, sig):
        return self.on.get(sig, ('log', 0, 0))[0]


class Life:
    def __init__(self, seed, folder):
        self.seed = seed
        self.rng = random.Random(seed)
        self.folder = folder
        self.actors = {}
        self.unknown = []
        self.signals = self.processes = 0
        self.forwarded = set()
        self.forwarded_to_group = set()
        self.begun = self.foster_stopped = self.either = self.left_behind = False
        self.busy = True        # foster may be ahead of the model
        self.phase = 'running'  # group, others, done
        self.group = 0          # the program's
        self.group_asked = self.ended_by = 0    # signals
        self.asked = set()
        self.schedule = None    # the one that runs
        self.at = None          # its step that was last done; -1: its pause
        self.step_from = self.settled_at = time.monotonic()
        self.steps_done = self.deaf_lines = 0
        self.pause_until = None
        self.values_sent = collections.defaultdict(list)
        self.burst = []
        self.orphans = 0
        self.trace = []
        self.proc = None

    def note(self, text):
        self.trace.append(text)

    # ---- what is seen

    def pump(self, wait):
        for sock, _ in self.poller.poll(wait * 1000):
            if sock == self.listener.fileno():
                connection, _ = self.listener.accept()
                self.unknown.append(connection)
                self.poller.register(connection, select.POLLIN)
                self.by_fd[connection.fileno()] = [connection, None]
                continue
            connection, actor = self.by_fd[sock]
            try:
                data = connection.recv(4096)
            except ConnectionError:
                data = b''
            if not data:
                self.poller.unregister(sock)
                connection.close()
                del self.by_fd[sock]
                if actor:
                    actor.eof = True
                continue
            word = data.decode().split()
            if word[0] == 'hello':
                actor = self.actors.setdefault(word[1], Actor(word[1]))
                actor.sock = connection
                actor.pid = struct.unpack('3i', connection.getsockopt(
                    socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]
                actor.nspid = int(word[2])
                self.by_fd[sock][1] = actor
            elif word[0] == 'got':
                sig = int(word[1])
                actor.got[sig] += 1
                if int(word[2]) == -1:
                    actor.values[sig].append(int(word[3]))
            elif word[0] == 'finished':
                actor.finished = True
            else:
                actor.oks += 1

    def until(self, true, what):
        """what: says what was expected and what is there instead"""
        end = time.monotonic() + LIMIT
        while not true():
            if time.monotonic() > end:
                raise Wrong(f'{what()} (waited {LIMIT} s)')
            self.pump(0.05)
            if not self.busy:
                self.not_early()

    def not_early(self):
        """where all is settled, foster may not be gone before the model says so"""
        if self.phase != 'done' and not self.either and self.has_left():
            status = self.end_status()
            self.pump(0)
            self.not_slow()
            raise Wrong(f'expected: foster stays ({self.phase}, there is '
                        f'{self.who_is_left()}), seen: it left with status {status}')

    def not_slow(self):
        """a step that came while the model was still busy leaves several orders: no verdict then"""
        if self.said(': still there after KILL') or self.step_lines() > self.steps_done:
            self.step_not_early()
            raise Slow('a step of the schedule came before all was settled')

    def step_lines(self):
        return self.said(': still running after ')

    def step_not_early(self):
        if self.schedule and time.monotonic() < self.step_from + STEP:
            raise Wrong(f'expected: a step {STEP} s after the one before, seen: it came earlier')

    def who_is_left(self):
        return ', '.join(a.ident for a in self.actors.values() if a.alive) or 'nobody'

    def has_left(self):
        if self.init:
            return self.proc.poll() is not None
        return os.path.exists(self.status_file) or self.proc.poll() is not None

    def end_status(self):
        if self.init:
            return self.proc.wait(LIMIT)
        end = time.monotonic() + 5
        while time.monotonic() < end:
            text = open(self.status_file, encoding='ascii').read() if os.path.exists(self.status_file) else ''
            if text.endswith('\n'):
                return int(text)
            time.sleep(0.01)
        return -1

    def state(self, pid):
        try:
            with open(f'/proc/{pid}/stat', encoding='latin-1') as file:
                return file.read().rsplit(')', 1)[1].split()[0]
        except (OSError, IndexError):
            return '-'

    def foster_is_idle(self):
        """it has taken all that it was sent, and sleeps"""
        try:
            with open(f'/proc/{self.foster_pid}/status', encoding='ascii') as file:
                status = file.read()
        except OSError:
            return True
        return re.search(r'^State:\s+Z', status, re.M) or (
            re.search(r'^State:\s+S', status, re.M)
            and all(not int(bits, 16) for bits in re.findall(r'^S[ih][gd]Pnd:\s+(\w+)', status, re.M)))

    # ---- what is done

    def tell(self, actor, line, answer=True):
        try:
            actor.sock.send(line.encode())
        except OSError:
            return
        if answer:
            actor.asked += 1
            self.until(lambda: actor.oks >= actor.asked or actor.eof,
                       lambda: f'expected: {actor.ident} does "{line}", seen: nothing')
            if actor.eof and actor.alive and not self.busy and not self.either:
                raise Wrong(f'expected: {actor.ident} lives, seen: it ended at "{line}"')

    def fork(self, parent, how):
        ident = f'a{len(self.actors)}'
        child = self.actors[ident] = Actor(ident)
        twice = how != 'join' and self.rng.random() < 0.3
        self.note(f'{parent.ident} forks {ident} {how}{" twice" if twice else ""}')
        word = {'join': f'join {self.group}', 'plain': '- 0', 'setsid': 'setsid 0', 'setpgid': 'setpgid 0'}[how]
        self.tell(parent, f'fork {ident} {word}{" double" if twice else ""}', answer=False)
        self.until(lambda: child.pid and child.sock, lambda: f'expected: {ident} is born, seen: nothing')
        child.group = {'join': self.group, 'plain': parent.group}.get(how, child.nspid)
        child.session = child.nspid if how == 'setsid' else parent.session
        if twice:       # foster's, once the one between has ended
            self.until(lambda: self.parent_of(child.pid) == self.foster_pid,
                       lambda: f'expected: foster adopts {ident}, seen: it does not')
        else:
            child.parent = parent
        self.processes += 2 if twice else 1
        return child

    def parent_of(self, pid):
        with open(f'/proc/{pid}/status', encoding='ascii') as file:
            return int(re.search(r'^PPid:\s+(\d+)', file.read(), re.M)[1])

    def kill(self, pid, sig, value=None):
        self.signals += 1
        if value is None:
            os.kill(pid, sig)
        elif libc.sigqueue(pid, sig, ctypes.c_void_p(value)) < 0:
            raise OSError(ctypes.get_errno(), 'sigqueue')

    # ---- the model: one process

    def expect(self, actor, sig, least=1, most=1):
        actor.least[sig] += least
        actor.most[sig] += most

    def cut_off(self, actor, sig):
        """sig ends it, perhaps before it takes what else has come since all was settled"""
        for other in actor.least:
            actor.least[other] = min(actor.least[other], actor.got[other])
        actor.must_finish = False
        self.died(actor, -sig)

    def died(self, actor, status):
        actor.alive = actor.ending = actor.held = False
        actor.status = status
        self.busy = True

    def deliver(self, actor, sig, least=1, most=1):
        """sig reaches it, so many times"""
        if not actor.alive:
            return
        self.busy = True
        if sig == KILL:
            self.cut_off(actor, KILL)
            return
        if sig == CONT:
            actor.most[CONT] += MANY
            if actor.stopped:
                actor.stopped = False
                pending, actor.pending = actor.pending, collections.Counter()
                # what ends it comes before it reads any; of those the lowest number is the first
                for s in sorted(pending, key=lambda s: (actor.what(s) != 'default', s not in FAULTS, s)):
                    self.deliver(actor, s, pending[s], pending[s])
            return
        what = actor.what(sig)
        if what == 'ignore':
            return
        if actor.stopped:
            if sig in STOPS:    # the SIGCONT takes it away
                actor.most[sig] += most
                return
            if least != most:
                actor.most[sig] += most - least
            if least:
                actor.pending[sig] = 1 if sig < QUEUED else actor.pending[sig] + least
            return
        if what == 'default':
            if least:
                self.cut_off(actor, sig)
            else:
                actor.ending = True     # perhaps
                actor.must_finish = False
            return
        if actor.ending:
            least = 0
        self.expect(actor, sig, least, most)
        if what == 'finish' and not actor.held and not actor.ending:
            if least == 0:
                actor.ending = True
                return
            _, status, ms = actor.on[sig]
            actor.status = status
            actor.must_finish = True
            if ms < 0:
                actor.held = True
            else:
                actor.ending = True

    def missing(self):
        """what must have happened and has not; None: nothing"""
        for a in self.actors.values():
            if not a.alive or a.ending:
                if not a.held and not a.gone:
                    if not a.eof:
                        return f'expected: {a.ident} ends, seen: it is there'
                    # its children are foster's, and it is no zombie of foster's any more
                    reaped = '-' if self.is_child(a) and not self.foster_stopped else '-ZX'
                    if not self.has_left() and self.state(a.pid) not in reaped:
                        return f'expected: {a.ident} is reaped, seen: it is there'
                    a.gone = not self.foster_stopped
                continue
            if a.eof or a.stopped:
                continue
            for sig, n in a.least.items():
                if a.got[sig] < n:
                    return f'expected: {a.ident} gets {name(sig)} {n} times, seen: {a.got[sig]}'
            if a.continued and a.got[CONT] <= a.conts:
                return f'expected: {a.ident} gets CONT with what it is asked by, seen: nothing'
        return None

    def settle(self):
        """waits for all that must have happened, and for what foster does then, and so on"""
        self.busy = True
        while not self.either:
            self.until(lambda: not self.missing(), self.missing)
            changed = False
            for a in self.actors.values():
                if a.alive and a.ending:
                    self.died(a, a.status)
                    changed = True
            if not (self.advance() or changed):
                break
        if self.either:
            return
        if not self.foster_stopped:
            self.until(self.foster_is_idle, lambda: 'expected: foster sleeps, seen: it is busy')
        self.not_slow()
        for a in self.actors.values():
            if a.alive and a.eof:
                raise Wrong(f'expected: {a.ident} lives, seen: it has ended')
            a.conts, a.continued = a.got[CONT], False
        self.not_early()
        self.busy = False
        self.settled_at = time.monotonic()

    def living(self):
        return [a for a in self.actors.values() if a.alive and a.ident != 'bystander']

    def members(self):
        return [a for a in self.living() if a.group == self.group]

    def is_child(self, actor):
        """of foster's own"""
        return actor.ident != 'bystander' and not (actor.parent and actor.parent.alive)

    # ---- the model: foster

    def to_group(self, sig):
        if self.mode == '-c':
            return False
        return self.mode == '-g' or sig in (TERM, INT, WINCH, CONT)

    def send(self, sig, group, least=1, most=1):
        """foster sends sig to the group, or to the program alone; true: to the whole group"""
        reached = self.members() if group else []
        whole = bool(reached)
        if self.program not in reached:
            reached.append(self.program)
        self.forwarded.add(sig)
        if whole:
            self.forwarded_to_group.add(sig)
        for a in reached:
            self.deliver(a, sig, least, most)
        return whole

    def forward(self, sig, payload=False, least=1, most=1):
        return self.send(sig, not payload and self.to_group(sig), least, most)

    def pass_on(self, sig, least=1, most=1):
        """once the program has ended"""
        if sig in (INT, WINCH, CONT, TSTP):
            left = [a for a in self.living() if a.group == self.group and self.is_child(a)]
            reached = self.members() if left else []
        else:
            reached = self.rest()
        for a in reached:
            self.deliver(a, sig, least, most)

    def effective(self, sig):
        return self.rewrite.get(sig, sig)

    def begins_stop(self, sig):
        firsts = TERM, self.stop[1][0] if self.stop else TERM
        return sig in firsts or self.effective(sig) in firsts

    def rest(self):
        """those whom foster asks and waits for in this phase"""
        return [a for a in self.living() if self.is_child(a)
                and (self.phase != 'group' or a.group == self.group)]

    def pausing(self):
        return self.schedule is not None and self.at == -1

    def ask(self, actor, sig):
        self.asked.add(actor)
        self.deliver(actor, sig)
        if actor.alive:
            actor.continued = not actor.ending and not actor.stopped
            self.deliver(actor, CONT)

    @staticmethod
    def is_deaf(actor, sig):
        return sig in (INT, QUIT) and actor.what(INT) == actor.what(QUIT) == 'ignore'

    def ask_again(self, sig, request=True):
        for a in self.rest():
            self.ask(a, TERM if request and self.is_deaf(a, sig) else sig)

    def ask_target(self, sig, payload, group):
        whole = self.send(sig, group and not payload)
        if whole:
            self.group_asked = sig
        for a in self.members() + [self.program] if whole else [self.program]:
            self.deliver(a, CONT)

    def ask_rest(self):
        """asks each of this phase that was not asked; true if there was one"""
        asked = False
        if self.pausing():
            return False
        if self.phase == 'others' and self.drain:
            sig = self.drain[1][0]
        elif self.begun:
            sig = self.stop_signal
        elif self.phase == 'group':
            sig = self.ended_by
        else:
            sig = QUIT if self.ended_by == QUIT else TERM
        for a in self.rest():
            by_group = self.group_asked and a.group == self.group
            if a in self.asked:
                continue
            if by_group and not self.is_deaf(a, self.group_asked):
                self.asked.add(a)
                continue
            by = self.group_asked if by_group else sig
            self.note(f'  {a.ident} is asked by {name(by)}')
            self.ask(a, TERM if self.is_deaf(a, by) else by)
            asked = True
        return asked

    def start_schedule(self, schedule, word):
        self.schedule = schedule
        self.step_from = self.settled_at
        self.at = -1
        if schedule[0] is None:
            self.step(0)
        elif schedule[0] == 'short':
            self.pause_until = word

    def end_pause(self):
        """a short pause runs out before anything else happens"""
        word, self.pause_until = self.pause_until, None
        self.until(lambda: self.said(word), lambda: f'expected: "{word}", seen: nothing')
        time.sleep(PAUSE + 0.05)
        self.until(self.foster_is_idle, lambda: 'expected: foster sleeps, seen: it is busy')
        self.step(0)

    def step(self, i):
        """the schedule does its step i"""
        self.note(f'  step {i}')
        self.at = i
        self.busy = True
        if i > 0:
            self.steps_done += 1
        sig = self.schedule[1][i]
        if sig == KILL:
            self.final_kill()
        elif self.phase == 'running':
            self.ask_target(sig, False, self.mode != '-c')
        elif i > 0 or not (self.phase == 'others' and self.drain):
            self.ask_again(sig, i == 0)

    def final_kill(self):
        drain_follows = self.drain and self.phase != 'others'
        if drain_follows:
            killed = self.members() + ([self.program] if self.program.alive else [])
        else:
            killed = self.living()
        for a in killed:
            self.deliver(a, KILL)
        if not drain_follows:
            self.phase = 'done'

    def stop_asked(self, sig, payload=False):
        """a SIGTERM and the like, as rewritten to sig, or the time-out"""
        begins, self.begun = not self.begun, True
        self.busy = True
        p = self.program
        first = self.stop[1][0] if self.stop else sig
        if begins and p.alive and p.what(first) == 'ignore':
            self.deaf_lines += 1
        if begins and self.stop and not self.schedule:
            self.start_schedule(self.stop, 'foster: stop begins')
        elif self.pausing():
            self.step_from = self.settled_at
            self.step(0)
        else:
            if self.schedule:
                sig, payload = self.schedule[1][0], False
            if p.alive:
                self.ask_target(sig, payload, self.mode != '-c' if self.schedule else self.to_group(sig))
            else:
                self.ask_again(sig)

    def advance(self):
        """one thing that foster does by itself; false: nothing is to be done"""
        if self.pause_until:
            self.end_pause()
            return True
        if self.phase == 'running':
            if self.program.alive:
                return False
            self.program_ended()
        elif self.phase == 'done':
            return False
        elif self.rest():
            return self.ask_rest()
        elif self.phase == 'group':
            self.enter_others()
        else:
            self.enter_done()
        return True

    def program_ended(self):
        """settled; the program has ended"""
        status = self.program.status
        sig = status - 128 if status > 128 else max(0, -status)
        if sig not in (TERM, INT, QUIT, HUP) and not (status < 0 and sig in self.forwarded):
            sig = 0
        self.ended_by = sig
        if not self.begun and not sig:
            if self.drain:
                self.enter_others()
            else:
                self.enter_done()
            return
        if sig and not self.group_asked and sig in self.forwarded_to_group:
            self.group_asked = sig
        if not self.begun and self.stop and sig in (TERM, INT, QUIT):
            self.schedule, self.at = self.stop, -1
        if self.pausing():
            self.pause_until = None
            self.step_from = self.settled_at
            self.at = 0
        self.phase = 'group'
        self.note(f'  the program has ended, by {name(sig)}' if sig else '  the program has ended')

    def enter_others(self):
        self.phase = 'others'
        self.note('  others')
        if self.drain and self.rest():
            self.start_schedule(self.drain, 'foster: drain begins')

    def enter_done(self):
        self.phase = 'done'
        self.note('  done')
        self.left_behind = bool([a for a in self.living() if self.is_child(a)])
        if self.init:
            # the kernel ends what is left
            for a in self.living():
                self.cut_off(a, KILL)

    # ---- the end

    def step_is_next(self):
        """a short schedule's next step is near: nothing else may happen before it"""
        return (self.schedule and self.schedule[2] and 0 <= self.at < len(self.schedule[1]) - 1
                and (time.monotonic() > self.step_from + STEP / 2 or self.rng.random() < 0.6))

    def await_step(self):
        self.until(lambda: self.step_lines() > self.steps_done,
                   lambda: f'expected: step {self.at + 1} of the schedule, seen: nothing')
        self.step_not_early()
        self.step_from += STEP      # at the earliest: the line may be seen a while later
        self.step(self.at + 1)

    def play(self):
        """the end was asked for: this and that happens until foster leaves"""
        extra = 0
        p = self.program
        while True:
            self.settle()
            if self.phase == 'done':
                return
            if self.step_is_next():
                self.await_step()
                continue
            chance = self.rng.random()
            who = self.rng.choice(self.living())
            if chance < 0.2 and extra < 3:
                extra += 1
                self.signal_foster(self.rng.choice((TERM, TERM, self.first)))
            elif chance < 0.35 and self.other:
                self.signal_foster(self.rng.choice(self.other))
            elif chance < 0.45 and not who.stopped:
                self.tell(who, f'orphans {self.rng.choice((1, 5, 30))}')
            elif p.alive and chance < 0.8:
                if p.held and not p.stopped:
                    self.release(p)
                else:
                    self.program_exits()
            elif who is not p:
                self.end_one(who)

    def release(self, who):
        self.note(f'{who.ident} is released')
        self.died(who, who.status)
        self.tell(who, 'release', answer=False)

    def end_one(self, who):
        if who.stopped and self.rng.random() < 0.5:
            self.note(f'CONT to {who.ident}')
            self.kill(who.pid, CONT)
            self.deliver(who, CONT)
        elif who.held and not who.stopped:
            self.release(who)
        elif not who.stopped and self.rng.random() < 0.7:
            self.note(f'{who.ident} exits')
            self.died(who, 7)
            self.tell(who, 'exit 7', answer=False)
        else:
            self.note(f'KILL to {who.ident}')
            self.deliver(who, KILL)
            self.kill(who.pid, KILL)

    # ---- signals to foster

    def signal_foster(self, sig, value=None):
        inside = None
        able = [a for a in self.living() if not a.stopped and not a.ending and not a.held]
        if value is None and able and not self.foster_stopped and self.rng.random() < 0.3:
            inside = self.rng.choice(able)
        self.note(f'{name(sig)}{"" if value is None else f" value {value}"} to foster'
                  f'{f" from {inside.ident}" if inside else ""}')
        # the model first: what it brings about may be over before the answer is there
        self.foster_gets(sig, value)
        if inside:
            self.signals += 1
            self.tell(inside, f'kill {self.foster_nspid} {sig}', answer=False)
            inside.asked += 1
            # else it could be stopped before it does it; and it may end by what it does
            self.until(lambda: inside.oks >= inside.asked or inside.eof,
                       lambda: f'expected: {inside.ident} tells foster, seen: nothing')
        else:
            self.kill(self.foster_pid, sig, value)
        if not self.foster_stopped:
            # what it brings about may be nothing that can be seen
            self.until(self.foster_is_idle, lambda: f'expected: foster takes {name(sig)}, seen: it is pending')
            self.in_pause()
            self.settle()

    def in_pause(self):
        """a pause is nothing to be seen; a second signal must not merge with the first"""
        if self.pausing() and self.begun and self.schedule is self.stop:
            self.until(lambda: self.said('foster: stop begins'),
                       lambda: 'expected: -v says that the stop begins, seen: nothing')

    def foster_gets(self, sig, value):
        if self.foster_stopped:
            if sig >= QUEUED or sig not in [s for s, _ in self.burst]:
                self.burst.append((sig, value))
            return
        e = self.effective(sig)
        if sig == CHLD or e == 0:
            return
        self.busy = True
        if value is not None and self.program.alive:
            self.values_sent[e].append((sig, value))
        if self.begins_stop(sig):
            self.stop_asked(e, value is not None)
        elif self.program.alive:
            self.forward(e, value is not None)
        else:
            self.pass_on(e)

    def stop_foster(self):
        self.note('STOP to foster')
        self.kill(self.foster_pid, STOP)
        self.until(lambda: self.state(self.foster_pid) == 'T', lambda: 'expected: foster stops, seen: it runs')
        self.foster_stopped = True
        self.burst = []

    def continue_foster(self, timed_out=False):
        """what came meanwhile, in any order; two that are rewritten to one can merge"""
        self.note('CONT to foster')
        self.foster_stopped = False
        counts = collections.Counter()
        terms = []
        lost = set()
        for sig, value in self.burst:
            e = self.effective(sig)
            if sig in (CHLD, CONT) or e == 0:
                continue
            if sig in STOPS:    # the SIGCONT takes it away
                lost.add(e)
            if self.begins_stop(sig):
                terms.append((e, value))
                continue
            if value is not None:
                self.values_sent[e].append((sig, value))
            counts[e, value is not None] += 1
        merged = collections.Counter()
        for (e, _), n in counts.items():
            merged[e] += n
        for (e, payload), n in counts.items():
            once = e < QUEUED and merged[e] > 1
            self.forward(e, payload, 0 if once or terms or e in STOPS or e in lost else n, n)
            if terms:   # the program may have ended before: then they go to what is left
                for a in self.living():
                    a.most[e] += n
        # at least one of those that may have merged
        for e, n in merged.items():
            if e < QUEUED and n > 1 and not terms and e not in STOPS and e not in lost and self.program.what(e) == 'log' and not self.program.stopped:
                self.program.least[e] += 1
        self.forward(CONT)
        for e, value in terms:
            if value is not None and self.program.alive:
                self.values_sent[e].append((TERM, value))
            self.stop_asked(e, value is not None)
        self.busy = True
        continued = self.program.got[CONT]
        self.kill(self.foster_pid, CONT)
        self.until(self.foster_is_idle, lambda: 'expected: foster takes what it was sent, seen: it is pending')
        if not terms and not timed_out and not any(e in STOPS for e in merged):
            # else it might come later than a SIGSTOP; a stop signal takes it away
            self.until(lambda: self.program.got[CONT] > continued,
                       lambda: 'expected: a SIGCONT is forwarded, seen: none')
        self.in_pause()
        self.settle()

    # ---- the life

    def choose_schedule(self, steps_may):
        """(pause, signals, short, text)"""
        rng = self.rng
        short = rng.random() < 0.45
        wait = f'{STEP}s' if short else '1h'
        sigs = [rng.choice(steps_may)]
        while rng.random() < 0.4 and len(sigs) < 3:
            sigs.append(rng.choice([s for s in steps_may if s not in sigs] or [TERM]))
        if rng.random() < 0.7:
            sigs.append(KILL)
        pause = rng.choice((None, None, None, 'long', 'short'))
        text = f'/{wait}/'.join(name(s) for s in sigs)
        if pause:
            text = {'long': '1h/', 'short': f'{PAUSE}s/'}[pause] + text
        return pause, sigs, short, text

    def choose(self):
        rng = self.rng
        self.init = rng.random() < 0.65
        self.mode = rng.choice(('', '', '', '-g', '-c'))
        self.end = rng.choices(('term', 'key', 'direct', 'kill', 'exit', 'race', 'timeout'),
                               (40, 20, 12, 8, 14, 4, 4))[0]
        self.key = {'key': rng.choice((INT, INT, QUIT, QUIT, HUP, USR1, USR2, ALRM, 34, 40, 64)),
                    'direct': rng.choice((TERM, INT, QUIT, QUIT, HUP)),
                    'kill': rng.choice((KILL, SEGV))}.get(self.end, 0)
        self.stop = self.choose_schedule([TERM, TERM, INT, QUIT, USR1]) if rng.random() < 0.4 else None
        self.drain = self.choose_schedule([TERM, TERM, INT, USR2]) if rng.random() < 0.3 else None
        # 131 and the like: on request, as shells report a signal
        self.exits_with = rng.choice((0, 3, 42, 255, 128 + TERM, 128 + INT, 128 + QUIT, 128 + HUP))
        named = {self.exits_with - 128} & {TERM, INT, QUIT, HUP}
        self.rewrite = {}
        special = {TERM, self.key, KILL, STOP, CHLD, CONT, TSTP, SEGV} | named
        if rng.random() < 0.3:
            self.rewrite[TERM] = rng.choice((QUIT, INT, USR1, USR2))
        for _ in range(rng.choice((0, 0, 1, 2, 5))):
            of = rng.choice([s for s in range(1, 65) if s not in special])
            to = rng.choice([0] + [s for s in range(1, 65) if s not in special])
            self.rewrite[of] = to
        first = self.stop[1][0] if self.stop else TERM
        self.stop_signal = first if self.stop else self.effective(TERM)
        # those whose effect is chosen; all others are only told
        self.special = {TERM, first, self.stop_signal, self.key, SEGV} | named - {0}
        for schedule in (self.stop, self.drain):
            if schedule:
                self.special |= set(schedule[1])
        pool = [s for s in range(1, 65) if s not in (KILL, STOP, CONT)
                and s not in self.special and self.effective(s) not in self.special]
        self.pool = pool
        self.other = [s for s in pool if s < QUEUED and s != CHLD]
        self.first = first
        self.exit_code = {}
        for _ in range(rng.choice((0, 0, 1, 3))):
            self.exit_code[rng.choice((0, 1, 3, 7, 143, 137, 130, 124))] = rng.choice((0, 5, 99, 255))
        self.verbose = bool(self.drain or self.end == 'timeout' or self.stop or rng.random() < 0.8)
        self.warns = rng.random() < 0.3
        self.reports = rng.random() < 0.4
        self.quick = self.stop and self.stop[2] or self.drain and self.drain[2]

    def options(self):
        options = [self.mode] if self.mode else []
        if self.stop:
            options.append(f'--stop={self.stop[3]}')
        if self.drain:
            options.append(f'--drain={self.drain[3]}')
        for of, to in self.rewrite.items():
            options += ['-r', f'{of}:{to}']
        for code, to in self.exit_code.items():
            options += ['-e', f'{code}:{to}']
        if self.warns:
            options.append('-w')
        if self.verbose:
            options.append('-v')
        if self.reports:
            options += ['--report', self.report]
        if self.end == 'timeout':
            options.append('--timeout=3s')
        return options

    def start(self):
        self.report = os.path.join(self.folder, 'report')
        self.status_file = os.path.join(self.folder, 'status')
        address = os.path.join(self.folder, 'socket')
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.listener.bind(address)
        self.listener.listen(64)
        self.poller = select.poll()
        self.poller.register(self.listener, select.POLLIN)
        self.by_fd = {}
        self.program = self.actors['program'] = Actor('program')
        environment = {'PATH': os.environ.get('PATH', '/bin')}
        options = self.options()
        command = [FOSTER]
        if self.rng.random() < 0.3:
            environment['FOSTER_OPTIONS'] = ' '.join(options)
        else:
            command += options
        command += ['--', ACTOR, address, 'program']
        if not self.init:
            command = [ACTOR, '--hold', self.status_file, address] + command
        self.note(' '.join(options) + f'; {"PID 1" if self.init else "a subreaper"}; end: {self.end} {name(self.key) if self.key else ""}')
        self.stderr = open(os.path.join(self.folder, 'stderr'), 'w+', encoding='utf-8', errors='replace')
        self.proc = subprocess.Popen([NS, '--default', 'all', '--limit', '600', '--'] + command, env=environment,
                                     stdin=subprocess.DEVNULL if self.init else subprocess.PIPE,
                                     stdout=self.stderr, stderr=self.stderr, cwd='/')
        p = self.program
        self.until(lambda: p.pid, lambda: 'expected: the program starts, seen: nothing')
        self.started = time.monotonic()
        p.group = self.group = p.nspid
        with open(f'/proc/{p.pid}/status', encoding='ascii') as file:
            self.foster_pid = int(re.search(r'^PPid:\s+(\d+)', file.read(), re.M)[1])
        with open(f'/proc/{self.foster_pid}/status', encoding='ascii') as file:
            self.foster_nspid = int(re.search(r'^NSpid:.*\s(\d+)$', file.read(), re.M)[1])
        p.session = self.foster_nspid
        self.processes += 1
        if not self.init:
            self.until(lambda: 'bystander' in self.actors, lambda: 'expected: a bystander')
        if self.end == 'timeout':
            self.stop_foster()

    def set(self, actor, sig, what, status=0, ms=0):
        if sig in (0, KILL):
            return
        actor.on[sig] = what, status, ms
        self.note(f'{actor.ident} on {name(sig)}: {what} {status} {ms}')
        self.tell(actor, f'on {sig} {what} {status} {ms}')

    def arrange(self, actor):
        """what it does with the signals that end things"""
        rng = self.rng
        if actor is self.program:
            return
        for sig in sorted(self.special):
            chance = rng.random()
            if chance < 0.45:
                self.set(actor, sig, 'finish', rng.choice((0, 3)),
                         rng.choice((0, 20, -1, -1) if self.quick else (0, 20, 100, 200, -1, -1)))
            elif chance < 0.6:
                self.set(actor, sig, 'default')
            elif chance < 0.75:
                self.set(actor, sig, 'ignore')
        if rng.random() < 0.15:     # as a shell's background jobs
            self.set(actor, INT, 'ignore')
            self.set(actor, QUIT, 'ignore')
        if rng.random() < 0.3:
            self.tell(actor, 'reap')

    def arrange_program(self):
        rng, p = self.rng, self.program
        if self.end in ('key', 'direct', 'kill'):
            self.set(p, self.key, 'default')
        if self.end in ('term', 'timeout'):
            for sig in sorted({self.first, self.stop_signal}):
                chance = rng.random()
                if chance < 0.5:
                    self.set(p, sig, 'finish', rng.choice((0, 3, 9, self.exits_with)),
                             rng.choice((0, 20, -1) if self.quick else (0, 50, 150, -1)))
                elif chance < 0.8:
                    self.set(p, sig, 'default')
                elif chance < 0.9:
                    self.set(p, sig, 'ignore')
        if rng.random() < 0.3:
            self.tell(p, 'reap')

    def grow(self):
        rng = self.rng
        parents = [a for a in self.living() if not a.stopped]
        parent = rng.choice(parents)
        ways = ['plain', 'plain', 'plain', 'setsid', 'setpgid', 'setpgid']
        if parent.session == self.program.session and parent.group != self.group and self.members():
            ways += ['join', 'join']
        self.arrange(self.fork(parent, rng.choice(ways)))

    def event(self):
        rng = self.rng
        kind = rng.choices(('signal', 'payload', 'direct', 'exit', 'orphans', 'zombies', 'stop', 'grow',
                            'burst', 'forbidden', 'continue', 'inner'),
                           (30, 12, 12, 8, 12, 4, 8, 10, 14, 3, 6, 4))[0]
        who = rng.choice(self.living())
        if kind == 'signal' and self.pool:
            self.signal_foster(rng.choice(self.pool))
        elif kind == 'payload':
            self.signal_foster(rng.choice([s for s in self.pool if s >= FIRST_RT] + self.other[:3]),
                               rng.randrange(1, 1 << 20))
        elif kind == 'direct':
            sig = rng.choice(self.other)
            self.note(f'{name(sig)} to {who.ident}')
            self.deliver(who, sig)
            self.kill(who.pid, sig)
            self.settle()
        elif kind == 'exit' and who is not self.program:
            self.end_quietly(who)
        elif kind in ('orphans', 'zombies') and not who.stopped:
            n = rng.choice((1, 3, 40, 120) if kind == 'orphans' else (1, 3))
            self.note(f'{who.ident}: {n} {kind}')
            self.tell(who, f'{kind} {n}')
            self.processes += n
            if kind == 'orphans':
                self.orphans += n
        elif kind == 'stop' and not who.stopped and who.session in (self.program.session, who.group):
            self.note(f'STOP to {who.ident}')
            self.stop_actor(who)
        elif kind == 'continue' and who.stopped:
            self.note(f'CONT to {who.ident}')
            self.kill(who.pid, CONT)
            self.deliver(who, CONT)
            self.settle()
        elif kind == 'grow' and len(self.actors) < 12 and [a for a in self.living() if not a.stopped]:
            self.grow()
        elif kind == 'burst':
            self.stop_foster()
            self.some_burst()
            self.continue_foster()
        elif kind == 'forbidden' and self.init and not who.stopped:
            # PID 1 can't be hurt from inside
            sig = rng.choice((KILL, STOP))
            self.note(f'{name(sig)} to foster from {who.ident}')
            self.tell(who, f'kill 1 {sig}')
        elif kind == 'inner' and not who.stopped:
            # a member tells its own group something, past foster
            sig = rng.choice(self.other)
            self.note(f'{name(sig)} from {who.ident} to its group')
            for a in self.living():
                if a.group == who.group:
                    self.deliver(a, sig)
            self.tell(who, f'kill {-who.group} {sig}')
            self.settle()

    def stop_actor(self, who):
        def stops():
            if self.state(who.pid) != 'T':
                os.kill(who.pid, STOP)
            return self.state(who.pid) == 'T'
        self.until(stops, lambda: f'expected: {who.ident} stops, seen: it runs')
        who.stopped = who.ever_stopped = True

    def some_burst(self):
        rng = self.rng
        for _ in range(rng.randrange(1, 12)):
            chance = rng.random()
            who = rng.choice(self.living())
            if chance < 0.4:
                sig = rng.choice(self.pool)
                for _ in range(rng.choice((1, 1, 3))):
                    self.signal_foster(sig)
            elif chance < 0.7:
                sig = rng.choice([s for s in self.pool if s >= FIRST_RT])
                for _ in range(rng.choice((1, 5, 20))):
                    self.signal_foster(sig, rng.randrange(1, 1 << 20))
            elif chance < 0.85 and not who.stopped:
                self.tell(who, f'orphans {rng.choice((1, 10, 10, 300))}')
            elif who is not self.program and not who.stopped:
                self.end_quietly(who)

    def end_quietly(self, who):
        status = self.rng.choice((0, 1, 137))
        self.note(f'{who.ident} ends')
        if status == 137 or who.stopped:
            self.deliver(who, KILL)
            self.kill(who.pid, KILL)
        else:
            self.died(who, status)
            self.tell(who, f'exit {status}', answer=False)
        self.settle()

    def move_program(self):
        """the program leaves its own group for another one of its session"""
        others = [a for a in self.living() if a is not self.program and a.session == self.program.session
                  and a.group == a.nspid and a.group != self.group]
        if others and self.rng.random() < 0.3:
            self.program.group = self.rng.choice(others).group
            self.note(f'the program moves to group {self.program.group}')
            self.tell(self.program, f'group {self.program.group}')

    def no_zombies(self):
        def zombies():
            try:
                with open(f'/proc/{self.foster_pid}/task/{self.foster_pid}/children', encoding='ascii') as file:
                    return [pid for pid in file.read().split() if self.state(pid) == 'Z']
            except OSError:
                return []
        self.until(lambda: not zombies(), lambda: f'expected: no zombie stays, seen: {len(zombies())}')
        if self.warns:
            self.until(lambda: self.reaped() >= self.orphans,
                       lambda: f'expected: {self.orphans} orphans are told by -w, seen: {self.reaped()}')

    def said(self, text):
        with open(self.stderr.name, encoding='utf-8', errors='replace') as file:
            return sum(text in line for line in file)

    def reaped(self):
        return self.said(': reaped, ')

    def end_it(self):
        rng, p = self.rng, self.program
        end = self.end
        self.note(f'end: {end}')
        if end == 'timeout':
            time.sleep(max(0, self.started + 3.1 - time.monotonic()))
            self.settled_at = time.monotonic()
            self.stop_asked(self.stop_signal)
            self.continue_foster(True)
        elif end == 'term':
            # who is stopped would hear the burst's SIGCONT or not, as the program lives or not
            asleep = rng.random() < 0.25 and not [a for a in self.living() if a.stopped]
            if asleep:
                self.stop_foster()
                self.some_burst()
            sig = self.first if rng.random() < 0.3 else TERM
            self.signal_foster(sig, rng.randrange(1, 99) if rng.random() < 0.1 else None)
            if asleep:
                if rng.random() < 0.5:
                    self.signal_foster(sig)
                self.continue_foster()
        elif end == 'key':
            self.continue_program()
            self.signal_foster(self.key)
        elif end in ('direct', 'kill'):
            self.continue_program()
            self.note(f'{name(self.key)} to the program')
            self.cut_off(p, self.key)
            self.kill(p.pid, self.key)
        elif end == 'exit':
            self.program_exits()
        elif end == 'race':
            self.race()
            return
        self.play()
        self.leave()

    def continue_program(self):
        p = self.program
        if p.stopped:
            self.kill(p.pid, CONT)
            self.deliver(p, CONT)
            self.settle()

    def program_exits(self):
        p = self.program
        self.continue_program()
        if p.alive:
            status = self.exits_with
            self.note(f'the program exits with {status}')
            self.died(p, status)
            self.tell(p, f'exit {status}', answer=False)

    def race(self):
        """the program exits while a SIGTERM comes: in either order"""
        p = self.program
        self.either = True
        for a in self.living():
            for sig in self.special | {TERM, CONT}:
                a.most[sig] += MANY
        if p.stopped:
            self.kill(p.pid, CONT)
        self.died(p, 4)
        if self.rng.random() < 0.5:
            self.kill(self.foster_pid, TERM)
            self.tell(p, 'exit 4', answer=False)
        else:
            self.tell(p, 'exit 4', answer=False)
            try:
                self.kill(self.foster_pid, TERM)
            except ProcessLookupError:
                pass
        self.until(lambda: p.eof, lambda: 'expected: the program ends, seen: it is there')
        for a in self.living():
            try:
                self.kill(a.pid, KILL)
            except ProcessLookupError:
                pass
            self.died(a, -KILL)
        self.phase = 'done'
        self.leave()

    def leave(self):
        """foster has no reason left to stay"""
        self.until(self.has_left, lambda: f'expected: foster leaves, seen: it stays (there is {self.who_is_left()})')
        status = self.end_status()
        self.not_slow()
        own = self.program.status
        wanted = 124 if self.end == 'timeout' else own if own >= 0 else 128 - own
        wanted = self.exit_code.get(wanted, wanted)
        if status != wanted:
            raise Wrong(f'expected: exit status {wanted}, seen: {status}')
        if self.reports:
            with open(self.report, encoding='utf-8') as file:
                report = file.read()
            line = ('timed out after 3 s, ' if self.end == 'timeout' else '') + words(own) + '\n'
            if report != line:
                raise Wrong(f'expected: report {line!r}, seen: {report!r}')
        if self.init:
            self.until(lambda: len(self.by_fd) == 0, lambda: 'expected: PID 1 takes all with it, seen: they live')
        else:
            for a in self.actors.values():
                if a.alive and not a.stopped and not a.eof:
                    self.tell(a, 'ping')
                    if a.eof:
                        raise Wrong(f'expected: {a.ident} lives on, seen: it has ended')
            self.proc.stdin.close()
            self.until(lambda: len(self.by_fd) == 0, lambda: 'expected: the namespace ends')
            self.proc.wait(LIMIT)

    def verdict(self):
        for a in self.actors.values():
            for sig in set(a.got) | set(a.least):
                # what it has not taken since it was stopped may be told at its end
                n, least, most = a.got[sig], a.least[sig], a.most[sig] + a.pending[sig]
                if sig == HUP and any(b.ever_stopped for b in self.actors.values()):
                    most = MANY     # the kernel's, to a stopped group that was left alone
                if sig == CONT and a.ident != 'bystander':
                    continue        # hurts nobody, and is seen by who was stopped
                if n < least or n > most:
                    how = f'{least}' if least == most else f'{least} to {most}'
                    raise Wrong(f'expected: {a.ident} gets {name(sig)} {how} times, seen: {n}')
            if a.must_finish and not a.finished:
                raise Wrong(f'expected: {a.ident} finishes, seen: it was cut short')
        for sig, sent in self.values_sent.items():
            got = self.program.values[sig]
            values = [value for _, value in sent]
            for source in {source for source, _ in sent}:
                # where two numbers are rewritten to one, the lower one can overtake
                own = [value for of, value in sent if of == source]
                others = {value for of, value in sent if of != source}
                seen = [value for value in got if value not in others]
                if sig >= QUEUED and not others & set(own) and seen != own[:len(seen)]:
                    raise Wrong(f'expected: {name(sig)} with values {own}, seen: {seen}')
            if not set(got) <= set(values):
                raise Wrong(f'expected: {name(sig)} with values {values}, seen: {got}')
        self.lines()

    def lines(self):
        self.stderr.seek(0)
        forms = []
        if self.verbose:
            forms += [r'stop begins: .*', r'drain begins', r'not PID 1: child subreaper', r'pid \d+: started .*',
                      r'waiting for .*', r'.*: left behind', r'.*: killed',
                      r'.*: (timed out after 3 s, )?(exited with status \d+|killed by SIG.*)']
        if self.warns:
            forms.append(r'pid \d+: reaped, .*')
        if self.stop or self.drain:
            forms.append(r'.*: still running after .*, sending [A-Z0-9]+')
        if self.deaf_lines:
            forms.append(r'pid \d+ \(actor\) ignores SIG[A-Z0-9]+')
        if time.monotonic() > self.ends_at + 5:
            forms.append(r'\S+ has ended, waiting for .*')
        for line in self.stderr.read().splitlines():
            if not re.fullmatch(f'foster: ({"|".join(forms)})', line):
                raise Wrong(f'expected: not a word on standard error, seen: {line}')
        if self.either:
            return
        if self.verbose:
            wanted = {'stop begins: ': self.begun, ': left behind': self.left_behind}
        else:
            wanted = {}
        wanted[' ignores SIG'] = self.deaf_lines
        wanted[': still running after '] = self.steps_done
        for text, count in wanted.items():
            if self.said(text) != count:
                raise Wrong(f'expected: {int(count)} lines "{text}", seen: {self.said(text)}')

    def run(self):
        rng = self.rng
        self.choose()
        self.start()
        try:
            for _ in range(rng.choice((1, 2, 4, 6))):
                self.grow()
            if self.end == 'timeout':
                self.arrange_program()
            else:
                self.move_program()
                for _ in range(rng.choice((0, 2, 5, 10))):
                    self.event()
                    self.not_early()
                self.no_zombies()
                self.continue_program()
                self.arrange_program()
                if rng.random() < 0.3:
                    self.note('STOP to the program')
                    self.stop_actor(self.program)
            self.ends_at = time.monotonic()
            self.end_it()
            self.verdict()
        except Wrong:
            # a step that came first explains it, unless it came too early
            self.not_slow()
            raise
        finally:
            self.proc.kill()
            self.proc.wait()
            self.listener.close()
            for connection, _ in self.by_fd.values():
                connection.close()
            self.stderr.close()
