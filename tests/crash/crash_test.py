"""Kills servers under load, again and again, and looks for steps that were answered and then lost, doubled or changed.

Each of SESSIONS sessions has inputs of its own that only depend on the position. Workers send them, one step a session, many
sessions a message, and keep every answer. When a server comes back at an earlier position, the worker goes on from there
and compares the answers with those it had. In the end every session's answers must be, bit for bit, those of one
uninterrupted request to a server without a store.

A few sessions are sent without positions, as Triton's clients do, and only count their answers: whatever they lose has to be
said, with the position that they go on from, and no answer may show a position that their count does not explain.

With --durability=every_reply no answered step may be lost. With interval a step may be lost if something was hurt within
the interval after its answer, or if Redis was away then, or if a server that had been stopped woke: what it was asked
before it does then, and so takes sessions over from the server that went on with them.

With sentinel the Redis that is the primary is killed each time together with a server, and its replica, which has each
change before it counts, takes its place: what every_reply promises holds then too.
"""

import argparse
import contextlib
import pathlib
import random
import signal
import struct
import sys
import tempfile
import threading
import time

import rondo
from servers import Failover, Process, Series, free_port, inputs_of, problems_of_outputs, start_redis, write_lstm

SYNC_INTERVAL = 0.5  # seconds
# What may pass between a save and its being durable, on a busy machine: the save itself, and the scheduler.
SLACK = 1.0
# For how long after a hurt steps may still be lost to it.
AFTERMATH = {
    "redis restarted": 2.5,  # the longest backoff of a server, and its save
    "server stopped and continued": SYNC_INTERVAL + SLACK,
}
MESSAGE = 50  # sessions a message


class Verdict:
    """What went wrong, and how often things went well."""

    def __init__(self):
        self.lock = threading.Lock()
        self.problems = []
        self.steps = self.rewinds = self.rewound_steps = 0
        self.oldest_lost = 0.0
        self.answered_last, self.longest_stall = time.monotonic(), 0.0  # seconds without any answer
        self.hurts = []  # [from, to) in which a step that was not saved yet could be lost

    def loss_of(self, answered_at):
        """Seconds from the answer of a lost step to what can have lost it; None: nothing could after the interval."""
        for start, end in list(self.hurts):
            if start <= answered_at + SYNC_INTERVAL + SLACK and answered_at < end:
                return max(0.0, start - answered_at)
        return None

    def answered(self, now):
        self.longest_stall = max(self.longest_stall, now - self.answered_last)
        self.answered_last = now

    def problem(self, text):
        with self.lock:
            self.problems.append(text)


class Worker(threading.Thread):
    """Drives its series, each at one place at a time, through whatever happens to the servers."""

    def __init__(self, addresses, series, durability, verdict, seed):
        super().__init__(daemon=True)
        self.clients = [rondo.Client(address, max_attempts=1, timeout=2.0) for address in addresses]
        self.series, self.durability, self.verdict = series, durability, verdict
        self.random = random.Random(seed)
        self.server = 0
        self.stopping = threading.Event()

    def run(self):
        while not self.stopping.is_set():
            batch = self.random.sample(self.series, min(MESSAGE, len(self.series)))
            try:
                outputs = self.clients[self.server].predict_many(
                    "crash",
                    [rondo.SequenceInput(inputs_of(one.number, one.position, 1), one.id, one.position) for one in batch])
            except (rondo.Unavailable, rondo.DeadlineExceeded, rondo.Cancelled, rondo.Internal):
                self.server = self.random.randrange(len(self.clients))
                self.stopping.wait(0.01)
                continue
            except Exception as error:  # the thread must not end silently
                self.verdict.problem(f"a message failed: {error!r}")
                return
            for one, output in zip(batch, outputs):
                self.take(one, output)

    def take(self, one, output):
        error = output.error
        if error is None:
            self.keep(one, output.values[0, 0])
        elif isinstance(error, rondo.PositionError):
            self.rewind(one, error.expected_position)
        elif isinstance(error, rondo.NotFound):
            self.rewind(one, 0)
        elif not isinstance(error, (rondo.Aborted, rondo.Unavailable, rondo.DeadlineExceeded, rondo.ResourceExhausted)):
            self.verdict.problem(f"{one.id} at {one.position}: {error!r}")

    def keep(self, one, value):
        now = time.monotonic()
        self.verdict.answered(now)
        if one.position < len(one.outputs):
            if struct.pack("<f", one.outputs[one.position]) != struct.pack("<f", value):
                self.verdict.problem(
                    f"{one.id} at {one.position}: was answered {one.outputs[one.position]!r}, is {value!r} now")
            one.answered_at[one.position] = now
        else:
            one.outputs.append(value)
            one.answered_at.append(now)
        one.position += 1
        self.verdict.steps += 1

    def rewind(self, one, position):
        """The server stands at `position`: what is behind it was lost."""
        if position >= one.position:
            self.verdict.problem(f"{one.id}: the server stands at {position}, the caller at {one.position}")
            one.position = min(position, len(one.outputs))
            return
        age = self.verdict.loss_of(one.answered_at[position])
        with self.verdict.lock:
            self.verdict.rewinds += 1
            self.verdict.rewound_steps += one.position - position
            self.verdict.oldest_lost = max(self.verdict.oldest_lost, age or 0.0)
        if self.durability == "every_reply":
            self.verdict.problem(f"{one.id}: {one.position - position} answered steps were lost")
        elif age is None:
            self.verdict.problem(f"{one.id}: a step was lost though nothing happened within the interval after its answer")
        one.position = position


class Counter(threading.Thread):
    """Drives sessions without positions, and knows of each where it must stand."""

    SESSIONS = 20

    def __init__(self, addresses, durability, verdict, seed):
        super().__init__(daemon=True)
        self.clients = [rondo.Client(address, max_attempts=1, timeout=2.0) for address in addresses]
        self.durability, self.verdict = durability, verdict
        self.random = random.Random(seed)
        self.stopping = threading.Event()
        self.known = {f"counted-{number}": 0 for number in range(self.SESSIONS)}
        self.perhaps = dict.fromkeys(self.known, 0)  # requests since then that got no answer, and may have been run
        self.answers = self.notices = self.lost = 0

    def run(self):
        server = 0
        while not self.stopping.is_set():
            if self.random.random() < 0.1:
                server = self.random.randrange(len(self.clients))
            requests = [rondo.SequenceInput(inputs_of(0, 0, 1), id, 0 if known == 0 else None)
                        for id, known in self.known.items()]
            try:
                outputs = self.clients[server].predict_many("crash", requests)
            except (rondo.Unavailable, rondo.DeadlineExceeded, rondo.Cancelled, rondo.Internal):
                for id in self.perhaps:
                    self.perhaps[id] += 1
                server = self.random.randrange(len(self.clients))
                self.stopping.wait(0.01)
                continue
            except Exception as error:  # the thread must not end silently
                self.verdict.problem(f"a message failed: {error!r}")
                return
            for id, output in zip(self.known, outputs):
                self.take(id, output)

    def take(self, id, output):
        error = output.error
        if error is None:
            steps = output.next_position - self.known[id]
            if not 1 <= steps <= 1 + self.perhaps[id]:
                self.verdict.problem(f"{id}: went from {self.known[id]} to {output.next_position} without a word")
            self.answers += 1
            self.known[id], self.perhaps[id] = output.next_position, 0
        elif isinstance(error, (rondo.FailedPrecondition, rondo.NotFound)):
            self.tell_back(id, output.next_position)
        else:
            self.perhaps[id] += 1

    def tell_back(self, id, position):
        lost = self.known[id] - position
        if lost > 0:
            self.notices += 1
            self.lost += lost
            if self.durability == "every_reply":
                self.verdict.problem(f"{id}: {lost} answered steps were lost")
        elif -lost > self.perhaps[id]:
            self.verdict.problem(f"{id}: the server stands at {position}, the caller at {self.known[id]}")
        self.known[id], self.perhaps[id] = position, 0


class Cluster:
    """The servers, and the store that they keep their sessions in."""

    def __init__(self, options, folder, log):
        self.folder, self.log, self.redis, self.failover = folder, log, None, None
        store = f"rocksdb:{folder / 'rocksdb'}"
        if options.store == "redis":
            self.redis, store = start_redis(folder, log)
        if options.store == "sentinel":
            self.failover = Failover(folder, log, options.replicas)
            store = self.failover.address
        repository = folder / "models"
        write_lstm(repository)
        self.repository, self.binary = repository, options.bin / "rondo-server"
        count = 1 if options.store == "rocksdb" else 3
        self.addresses = [f"127.0.0.1:{free_port()}" for _ in range(count)]
        self.servers = [
            Process([self.binary, f"--model_repository={repository}", "--kernel=rondo", f"--listen={address}", "--http_listen=",
                     f"--session_store={store}", f"--durability={options.durability}", f"--sync_interval={SYNC_INTERVAL}s"],
                    "event=listening", log)
            for address in self.addresses]
        for server in self.servers:
            server.start()

    def hurt(self, chance):
        """One bad thing; returns its name. Everything runs again afterwards."""
        victim = chance.choice(self.servers)
        if self.failover is not None:
            self.failover.fail_over(victim)  # a server that lived on would have in its memory what Redis lost
            victim.start()
            return "primary and server killed"
        if self.redis is not None and chance.random() < 0.3:
            self.redis.kill()
            time.sleep(chance.uniform(0, 0.3))
            self.redis.start()
            return "redis restarted"
        if self.redis is not None and chance.random() < 0.4:
            victim.signal(signal.SIGSTOP)
            time.sleep(chance.uniform(0.1, 3.0))
            victim.signal(signal.SIGCONT)
            return "server stopped and continued"
        victim.kill()
        victim.start()
        return "server killed"

    def stop(self):
        for server in self.servers:
            code = server.stop()
            if code != 0:
                raise RuntimeError(f"rondo-server ended with {code}")
        for store in (self.redis, self.failover):
            if store is not None:
                store.stop()


def run(options, folder, log):
    cluster = Cluster(options, folder, log)
    verdict = Verdict()
    series = [Series(number) for number in range(options.sessions)]
    workers = [Worker(cluster.addresses, series[i::options.workers], options.durability, verdict, i)
               for i in range(options.workers)]
    counter = Counter(cluster.addresses, options.durability, verdict, options.seed)
    for worker in [*workers, counter]:
        worker.start()
    chance = random.Random(options.seed)
    hurts = {}
    started = time.monotonic()
    for _ in range(options.rounds):
        time.sleep(chance.uniform(0.05, 0.6) + options.pause)  # under load, so that the next one comes at any moment
        hurt = [time.monotonic(), float("inf")]
        verdict.hurts.append(hurt)
        name = cluster.hurt(chance)
        hurt[1] = time.monotonic() + AFTERMATH.get(name, 0)
        hurts[name] = hurts.get(name, 0) + 1
    time.sleep(1)
    for worker in [*workers, counter]:
        worker.stopping.set()
    for worker in [*workers, counter]:
        worker.join()
    cluster.stop()
    for problem in problems_of_outputs(cluster.binary, cluster.repository, series, log):
        verdict.problem(problem)
    print(f"{options.store}, {options.durability}: {options.rounds} rounds "
          f"({', '.join(f'{count} x {name}' for name, count in sorted(hurts.items()))}), {len(series)} sessions, "
          f"{verdict.steps} answered steps in {time.monotonic() - started:.0f} s; {verdict.rewinds} times a session came back "
          f"earlier, {verdict.rewound_steps} steps in all, the oldest answered {verdict.oldest_lost:.2f} s before; "
          f"longest time without an answer {verdict.longest_stall:.1f} s; "
          f"without positions {counter.answers} answers, {counter.lost} steps lost and told of in {counter.notices} notices; "
          f"{len(verdict.problems)} problems", flush=True)
    for problem in verdict.problems[:20]:
        print("  " + problem)
    if not verdict.steps:
        print("  nothing was answered: the test has shown nothing")
    return not verdict.problems and verdict.steps > 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=pathlib.Path, required=True, help="where rondo-server is")
    parser.add_argument("--store", choices=["rocksdb", "redis", "sentinel"], default="rocksdb",
                        help="rocksdb: one server; redis: three on one Redis, which is killed and restarted too; sentinel: "
                             "three on a primary that is killed each time, and whose replica takes its place")
    parser.add_argument("--durability", choices=["interval", "every_reply"], default="every_reply")
    parser.add_argument("--replicas", type=int, default=1, help="sentinel: how many must have a change; with 0 steps are lost")
    parser.add_argument("--pause", type=float, default=0.0, help="seconds more between two rounds")
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--sessions", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        log = stack.enter_context(open(pathlib.Path(folder) / "log", "w+", encoding="utf-8"))
        good = run(options, pathlib.Path(folder), log)
        if not good:
            log.flush()
            log.seek(0)
            print("the end of the servers' log:\n" + "".join(log.readlines()[-40:]))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
