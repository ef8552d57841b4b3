"""Takes Redis away from a server under load for some seconds, and gives it back.

Sessions in memory must go on as if nothing was: no request fails, no step is lost or doubled, health stays SERVING, and
p99 stays where it was. A session that is in Redis only is answered UNAVAILABLE, soon. Within LIMIT seconds of Redis's
return every session is durable where it stands: the server says so, and is then killed, so that a second server on the
same Redis has to go on with each session, bit for bit as one uninterrupted request.

Two loads run side by side. rondo-load drives its streams at a fixed rate, one round before and one during the outage,
for the latencies. Workers here step many more sessions, each now and then, keep every answer, and so leave a backlog.

The ratio of the two p99 is printed; on a machine that does nothing else, --max_p99_ratio=1.2 asserts it. rondo-load has
the last CPU for itself and the server the first; Redis and the workers have those between, and with two CPUs the
server's, where they are nice to it.
"""

import argparse
import contextlib
import dataclasses
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

import grpc
import rondo
from servers import Process, Series, free_port, inputs_of, problems_of_outputs, start_redis, write_lstm

LIMIT = 5.0  # seconds from Redis's return until everything is durable
SOON = 2.5  # seconds until a session that is not in memory is refused: a store that hangs is given up after one
MESSAGE = 100  # sessions a message
TURN = 4.0  # seconds in which each session is stepped once
COLD = 20  # sessions in Redis only
NICE = 5  # of what shares a CPU with the server and does not belong to it
WARMUP = 1  # seconds before each round of rondo-load


class Verdict:
    def __init__(self):
        self.lock = threading.Lock()
        self.problems = []

    def problem(self, text):
        with self.lock:
            self.problems.append(text)


def step_of(one, position):
    return rondo.SequenceInput(inputs_of(one.number, position, 1), one.id, position)


class Worker(threading.Thread):
    """Steps its series one after another, at a fixed rate, until `until` is set; every answer must be the next one."""

    def __init__(self, address, series, verdict):
        super().__init__(daemon=True)
        self.client = rondo.Client(address, max_attempts=1, timeout=10.0)
        self.series, self.verdict = series, verdict
        self.until = threading.Event()

    def run(self):
        os.setpriority(os.PRIO_PROCESS, 0, NICE)  # of this thread
        batches = [self.series[i:i + MESSAGE] for i in range(0, len(self.series), MESSAGE)]
        due = time.monotonic()
        try:
            while True:
                for batch in batches:
                    if self.until.wait(max(0.0, due - time.monotonic())):
                        return
                    due += TURN / len(batches)
                    self.step(batch)
        except Exception as error:  # the thread must not end silently
            self.verdict.problem(f"a message failed: {error!r}")

    def step(self, batch):
        outputs = self.client.predict_many("crash", [step_of(one, one.position) for one in batch])
        for one, output in zip(batch, outputs):
            if output.error is not None or output.next_position != one.position + 1:
                self.verdict.problem(f"{one.id} at {one.position}: {output.error!r}, next is {output.next_position}")
                continue
            one.outputs.append(output.values[0, 0])
            one.position += 1


class Health(threading.Thread):
    """Asks the server for its health and its backlog until it is stopped."""

    def __init__(self, address, http, verdict):
        super().__init__(daemon=True)
        self.check = grpc.insecure_channel(address).unary_unary("/grpc.health.v1.Health/Check")
        self.http, self.verdict = http, verdict
        self.stopping = threading.Event()
        self.peak = 0

    def run(self):
        while not self.stopping.wait(0.1):
            try:
                answer = self.check(b"", timeout=5.0)
            except grpc.RpcError as error:
                answer = error
            if answer != b"\x08\x01":  # HealthCheckResponse{status: SERVING}
                self.verdict.problem(f"health is {answer!r}")
            self.peak = max(self.peak, self.gauge("rondo_unsaved_sessions"))

    def gauge(self, name):
        with urllib.request.urlopen(f"http://{self.http}/metrics", timeout=5.0) as answer:
            return float(re.search(rf"^{name}(?:{{.*}})? (\S+)$", answer.read().decode(), re.MULTILINE).group(1))

    def stop(self):
        self.stopping.set()
        self.join()


class Cold(threading.Thread):
    """Asks for sessions that are not in memory, while Redis is away."""

    def __init__(self, address, series, verdict):
        super().__init__(daemon=True)
        self.client = rondo.Client(address, max_attempts=1, timeout=10.0)
        self.series, self.verdict = series, verdict
        self.stopping = threading.Event()
        self.waits = []

    def run(self):
        while not self.stopping.wait(0.3):
            one = self.series[len(self.waits) % len(self.series)]
            asked = time.monotonic()
            try:
                error = self.client.predict_many("crash", [step_of(one, one.position)])[0].error
            except rondo.RondoError as refused:
                error = refused
            self.waits.append(time.monotonic() - asked)
            if not isinstance(error, rondo.Unavailable):
                self.verdict.problem(f"{one.id} is in Redis only, which was away: {error!r}; wanted UNAVAILABLE")

    def stop(self):
        self.stopping.set()
        self.join()
        if not self.waits or max(self.waits) > SOON:
            self.verdict.problem(f"sessions in Redis only were refused after {self.waits} s; wanted {SOON} at most")


class Outage:
    """The two ways in which a Redis is away."""

    def __init__(self, kind, redis):
        self.kind, self.redis = kind, redis

    def begin(self):
        if self.kind == "killed":
            self.redis.kill()
        else:
            self.redis.signal(signal.SIGSTOP)

    def end(self):
        if self.kind == "killed":
            self.redis.start()
        else:
            self.redis.signal(signal.SIGCONT)


@dataclasses.dataclass
class Placement:
    server: int
    load: int
    others: set

    @staticmethod
    def of(cpus):
        return Placement(cpus[0], cpus[-1], set(cpus[1:-1]) or {cpus[0]})


def rondo_server(options, folder, store, log):
    address, http = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
    server = Process(["taskset", "-c", options.placement.server, options.bin / "rondo-server",
                      f"--model_repository={folder / 'models'}", "--kernel=rondo", f"--listen={address}", f"--http_listen={http}",
                      f"--session_store={store}", "--durability=interval"], "event=listening", log)
    server.start()
    return server, address, http


def step_each(address, series, verdict):
    worker = Worker(address, series, verdict)
    for i in range(0, len(series), MESSAGE):
        worker.step(series[i:i + MESSAGE])


def start_rondo_load(options, address):
    """Two rounds, each of options.seconds behind WARMUP."""
    return subprocess.Popen(
        [options.bin / "rondo-load", f"--server={address}", "--model=crash", f"--streams={options.streams}",
         f"--rate={options.rate}", f"--cpus={options.placement.load}", "--rounds=2", f"--duration={2 * options.seconds}s",
         f"--warmup={WARMUP}s", "--json"], stdout=subprocess.PIPE, text=True)


def rounds_of(load, outage, verdict):
    """The rounds before and during the outage [from, to), in Unix seconds; None: they were at other times."""
    report = json.loads(load.communicate(timeout=60)[0])
    if report["errors"]:
        verdict.problem(f"messages of rondo-load failed: {report['errors_by_code']}")
    before, during = report["rounds"]
    length = report["settings"]["duration_seconds"] / 2
    covered = min(outage[1], during["from_unix_seconds"] + length) - max(outage[0], during["from_unix_seconds"])
    if before["from_unix_seconds"] + length > outage[0] or covered < 0.8 * length:
        return None
    return before, during


def all_durable(client, series):
    """True: the server would lose none of them. The last request again moves nothing, and tells."""
    for i in range(0, len(series), MESSAGE):
        batch = series[i:i + MESSAGE]
        outputs = client.predict_many("crash", [step_of(one, one.position - 1) for one in batch])
        for one, output in zip(batch, outputs):
            if output.error is not None or output.durable_position != one.position:
                return False
    return True


def seconds_until_durable(address, series, health, returned, verdict):
    with rondo.Client(address, max_attempts=1, timeout=10.0) as client:
        while not (all_durable(client, series) and health.gauge("rondo_unsaved_sessions") == 0):
            if time.monotonic() > returned + 4 * LIMIT:
                break
            time.sleep(0.05)
    seconds = time.monotonic() - returned
    if seconds > LIMIT:
        verdict.problem(f"all was durable {seconds:.1f} s after Redis was back, if at all; wanted {LIMIT} at most")
    return seconds


@dataclasses.dataclass
class Figures:
    rounds: tuple  # of rondo-load; None: this machine was too busy for them
    refused_after: float
    backlog: float
    durable_after: float

    def p99_milliseconds(self):
        return [one["p99_seconds"] * 1e3 for one in self.rounds or ()] or [float("nan")] * 2

    def p99_ratio(self):
        before, during = self.p99_milliseconds()
        return during / before


def drill(options, kind, folder, log, verdict):
    write_lstm(folder / "models")
    redis, store = start_redis(folder, log, NICE)
    series = [Series(number) for number in range(options.sessions)]
    cold = [Series(options.sessions + number) for number in range(COLD)]
    server, address, _ = rondo_server(options, folder, store, log)
    step_each(address, cold, verdict)
    server.stop()

    server, address, http = rondo_server(options, folder, store, log)
    step_each(address, series, verdict)
    workers = [Worker(address, series[i::options.workers], verdict) for i in range(options.workers)]
    health = Health(address, http, verdict)
    for thread in [*workers, health]:
        thread.start()
    load = start_rondo_load(options, address)
    while health.gauge("rondo_sessions") < options.sessions + options.streams:  # it has begun
        if load.poll() is not None:
            raise RuntimeError(f"rondo-load ended with {load.returncode}")
        time.sleep(0.02)
    time.sleep(2 * WARMUP + options.seconds + 0.2)  # into its second round
    outage, asker = Outage(kind, redis), Cold(address, cold, verdict)
    began = time.time()
    outage.begin()
    asker.start()
    time.sleep(options.seconds)
    for worker in workers:
        worker.until.set()
        worker.join()
    asker.stop()
    backlog = health.peak
    outage.end()
    returned, ended = time.monotonic(), time.time()
    durable_after = seconds_until_durable(address, series, health, returned, verdict)
    rounds = rounds_of(load, (began, ended), verdict)
    health.stop()
    if backlog < options.sessions / 2:
        verdict.problem(f"the backlog was {backlog} at most; {options.sessions} sessions had changed")

    server.kill()
    server, address, _ = rondo_server(options, folder, store, log)
    step_each(address, cold + series, verdict)
    if server.stop() != 0:
        verdict.problem("the second rondo-server did not end with 0")
    redis.stop()
    for problem in problems_of_outputs(options.bin / "rondo-server", folder / "models", cold + series, log):
        verdict.problem(problem)
    return Figures(rounds, max(asker.waits), backlog, durable_after)


def table(options, rows):
    lines = [f"{options.streams} streams at {options.rate:.0f} messages/s, and {options.sessions} sessions stepped each "
             f"{TURN:.0f} s; Redis away for {options.seconds} s",
             f"{'Redis was':<10} {'p99 before':>11} {'during':>11} {'ratio':>6} {'backlog':>8} {'refused in':>11} "
             f"{'durable in':>11} {'problems':>9}"]
    for kind, figures, problems in rows:
        before, during = figures.p99_milliseconds()
        lines.append(f"{kind:<10} {before:>8.3f} ms {during:>8.3f} ms {figures.p99_ratio():>6.2f} {figures.backlog:>8.0f} "
                     f"{figures.refused_after:>9.2f} s {figures.durable_after:>9.2f} s {problems:>9}")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=pathlib.Path, required=True, help="where rondo-server and rondo-load are")
    parser.add_argument("--outage", choices=["killed", "stopped", "both"], default="both",
                        help="killed: connections are refused; stopped: they are taken, and nothing answers")
    parser.add_argument("--seconds", type=int, default=10, help="of the outage, and of the round before it")
    parser.add_argument("--streams", type=int, default=200, help="of rondo-load, a session each")
    parser.add_argument("--rate", type=float, default=2000, help="messages a second of rondo-load, on all streams")
    parser.add_argument("--sessions", type=int, default=10000, help="that the workers step: the backlog")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--max_p99_ratio", type=float, default=0,
                        help="p99 during the outage over p99 before; for a machine that does nothing else. 0: any")
    options = parser.parse_args()
    options.placement = Placement.of(sorted(os.sched_getaffinity(0)))
    os.sched_setaffinity(0, options.placement.others)
    rows, good = [], True
    for kind in ["killed", "stopped"] if options.outage == "both" else [options.outage]:
        verdict = Verdict()
        with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
            log = stack.enter_context(open(pathlib.Path(folder) / "log", "w+", encoding="utf-8"))
            figures = drill(options, kind, pathlib.Path(folder), log, verdict)
            if options.max_p99_ratio and not figures.p99_ratio() <= options.max_p99_ratio:
                verdict.problem(f"p99 during the outage is {figures.p99_ratio():.2f} times that before; wanted "
                                f"{options.max_p99_ratio} at most")
            rows.append((kind, figures, len(verdict.problems)))
            for problem in verdict.problems[:20]:
                print(f"  {kind}: {problem}")
            if verdict.problems:
                good = False
                log.flush()
                log.seek(0)
                print("the end of the servers' log:\n" + "".join(log.readlines()[-40:]))
    print(table(options, rows))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
