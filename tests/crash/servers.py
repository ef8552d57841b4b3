"""What the tests here run and hurt: real servers on free ports, and sessions whose every output is known.

Each session has inputs of its own that only depend on the position, so that its outputs can be compared with those of
one uninterrupted request.
"""

import atexit
import contextlib
import dataclasses
import random
import re
import socket
import subprocess
import threading
import time

import numpy as np
import rondo
from small_models import write_model

HIDDEN = 16
INPUTS = 2


def write_lstm(repository):
    numbers = random.Random(7)
    def weights(*shape):
        return list(shape), [numbers.uniform(-0.4, 0.4) for _ in range(int(np.prod(shape)))]
    description = {"format": 1, "cell": "lstm", "inputs": [{"name": "a"}, {"name": "b"}], "outputs": [{"name": "y"}],
                   "head": "linear"}
    write_model(repository, "crash", description, {
        "rnn.weight_ih_l0": weights(4 * HIDDEN, INPUTS), "rnn.weight_hh_l0": weights(4 * HIDDEN, HIDDEN),
        "rnn.bias_ih_l0": weights(4 * HIDDEN), "rnn.bias_hh_l0": weights(4 * HIDDEN),
        "head.weight": weights(1, HIDDEN), "head.bias": weights(1)})


def inputs_of(session, first, timesteps):
    """[timesteps, INPUTS], the same whenever it is asked for."""
    at = np.arange(first, first + timesteps, dtype=np.float64)
    return np.stack([np.sin(at * 0.37 + session), np.cos(at * 0.11 * (session % 7 + 1))], axis=1).astype(np.float32)


def free_port():
    """Of those that the system gives to no outgoing connection: it stays free while its server is down."""
    while True:
        port = random.randrange(10000, 30000)
        with contextlib.closing(socket.socket()) as one:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                one.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


class Process:
    """A child that is ready once a line of its output matches `ready`, and never outlives the test."""

    def __init__(self, command, ready, log):
        self.command, self.ready, self.log = [str(part) for part in command], ready, log
        self.process = None
        atexit.register(self._end)

    def start(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        said = []
        for line in self.process.stdout:
            self.log.write(line)
            said.append(line)
            if re.search(self.ready, line):
                threading.Thread(target=self._drain, args=(self.process.stdout,), daemon=True).start()
                return
        raise RuntimeError(f"{self.command} did not start: {''.join(said[-10:])}")

    def _drain(self, output):
        for line in output:
            self.log.write(line)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def _end(self):
        if self.process is not None and self.process.poll() is None:
            self.kill()

    def signal(self, number):
        self.process.send_signal(number)

    def stop(self):
        self.process.terminate()
        return self.process.wait(timeout=60)


def start_redis(folder, log, nice=0):
    """A Redis that syncs its append-only file before it answers, and its address as a session store."""
    port = free_port()
    redis = Process(["nice", "-n", nice, "redis-server", "--port", port, "--bind", "127.0.0.1", "--dir", folder,
                     "--appendonly", "yes", "--appendfsync", "always", "--save", ""],
                    "Ready to accept connections", log)
    redis.start()
    return redis, f"redis://127.0.0.1:{port}"


class Failover:
    """A primary and a replica that have each change before it counts, and a sentinel that swaps them when the primary is
    gone. The one that was killed comes back as the replica, as an operator or an entrypoint has it."""

    def __init__(self, folder, log, replicas):
        self.nodes = {}
        first, second, self.sentinel_port = free_port(), free_port(), free_port()
        for port in (first, second):
            of = [] if port == first else ["--replicaof", f"127.0.0.1 {first}"]
            place = folder / f"redis-{port}"
            place.mkdir()
            self.nodes[port] = Process(["redis-server", "--port", port, "--bind", "127.0.0.1", "--dir", place, "--save", "",
                                        "--appendonly", "yes", "--repl-diskless-sync-delay", "0", *of],
                                       "Ready to accept connections", log)
            self.nodes[port].start()
        config = folder / "sentinel.conf"
        config.write_text(f"port {self.sentinel_port}\nbind 127.0.0.1\ndir {folder}\n"
                          f"sentinel monitor main 127.0.0.1 {first} 1\n"
                          "sentinel down-after-milliseconds main 1000\nsentinel failover-timeout main 2000\n")
        self.sentinel = Process(["redis-server", config, "--sentinel"], r"\+slave slave", log)
        self.sentinel.start()
        self.address = f"redis+sentinel://127.0.0.1:{self.sentinel_port}/main?replicas={replicas}"

    def ask(self, port, *words):
        done = subprocess.run(["redis-cli", "-p", str(port), *map(str, words)], capture_output=True, text=True)
        return done.stdout.split()

    def primary(self):
        return int(self.ask(self.sentinel_port, "sentinel", "get-master-addr-by-name", "main")[1])

    def fail_over(self, server):
        """Kills the primary and `server`, once the replica has caught up but for the last 0.3 s; waits for the replica to take
        the primary's place, and brings the killed Redis back as the replica. On a busy machine the sentinel may swap the two
        by itself meanwhile."""
        while True:
            killed = self.primary()
            other = next(port for port in self.nodes if port != killed)
            if "master_link_status:up" in self.ask(other, "info", "replication"):
                break
            time.sleep(0.05)
        # On one connection: the next one would need the password too.
        cut = "config set requirepass so-that-the-replica-cannot-connect-again\nclient kill type replica\n"
        said = subprocess.run(["redis-cli", "-p", str(killed)], input=cut, capture_output=True, text=True).stdout.split()
        if len(said) != 2 or said[0] != "OK" or not said[1].isdigit():  # how many connections of replicas it has ended
            raise RuntimeError(f"Redis does not cut its replica off: {said}")
        time.sleep(0.3)
        server.kill()
        self.nodes[killed].kill()
        while self.primary() != other:
            time.sleep(0.05)
        node = self.nodes[killed]
        options = node.command[:node.command.index("--repl-diskless-sync-delay") + 2]
        node.command = [*options, "--replicaof", f"127.0.0.1 {other}"]
        node.start()

    def stop(self):
        for process in (self.sentinel, *self.nodes.values()):
            process.stop()


@dataclasses.dataclass
class Series:
    """What a caller knows of one session."""
    number: int
    outputs: list = dataclasses.field(default_factory=list)  # float32 of each position
    answered_at: list = dataclasses.field(default_factory=list)  # time.monotonic() of each, if anyone asks
    position: int = 0  # the next to send

    @property
    def id(self):
        return f"s{self.number}"


def problems_of_outputs(binary, repository, series, log):
    """Compares the outputs with those of one uninterrupted request each to a server without a store, bit for bit."""
    port = free_port()
    longest = max((len(one.outputs) for one in series), default=1)
    server = Process([binary, f"--model_repository={repository}", "--kernel=rondo", f"--listen=127.0.0.1:{port}", "--http_listen=",
                      f"--max_timesteps={max(1, longest)}", f"--max_message_bytes={2 ** 30}"], "event=listening", log)
    server.start()
    problems = []
    with rondo.Client(f"127.0.0.1:{port}", timeout=60.0) as client:
        for one in series:
            if not one.outputs:
                continue
            wanted = client.predict("crash", inputs_of(one.number, 0, len(one.outputs)))[:, 0]
            got = np.array(one.outputs, dtype=np.float32)
            if wanted.tobytes() != got.tobytes():
                first = int(np.argmax(wanted != got))
                problems.append(f"{one.id}: position {first} is {got[first]!r}; uninterrupted it is {wanted[first]!r}")
    server.stop()
    return problems
