#!/usr/bin/env python3
"""What one abuser costs a good client: its p99 and its errors before and during, and the server's memory.

usage: abusers.py BIN_DIR [--seconds=10] [--only=NAME]...

The server has TLS and tokens of two tenants. The good one makes 200 steps a second on four streams; beside it the other
does one thing after another, as hard as it can. The server has the first CPU for itself, all clients share the last, so
the good one's p99 has what the abuser takes from the clients' CPU in it. Exit code 1: the good client was refused or the
server ended, or its memory went above --max_memory, which is 512 MiB.
"""

import argparse
import contextlib
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time

from server import Server

MAX_MEMORY = 512 << 20
CPUS = sorted(os.sched_getaffinity(0))


def rss(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("the server is gone")


class Stage:
    """The server, and commands against it as one of the tenants."""

    def __init__(self, bin_dir, folder):
        self.bin_dir, self.folder = bin_dir, folder
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost",
                        "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", f"{folder}/key.pem", "-out",
                        f"{folder}/cert.pem"], check=True, stderr=subprocess.DEVNULL)
        lines = []
        for tenant in ("good", "bad", "bounded"):
            pathlib.Path(folder, tenant).write_text(tenant)
            lines.append(f"{hashlib.sha256(tenant.encode()).hexdigest()} {tenant} sessions\n")
        lines.append("limit bounded steps_per_second=1000 streams=4 sessions=1000\n")
        pathlib.Path(folder, "tokens").write_text("".join(lines))
        self.server = Server(bin_dir, f"--tls_cert={folder}/cert.pem", f"--tls_key={folder}/key.pem",
                             f"--tokens_file={folder}/tokens", f"--max_memory={MAX_MEMORY}", "--http_listen=")
        os.sched_setaffinity(self.server.process.pid, {CPUS[0]})
        for task in os.listdir(f"/proc/{self.server.process.pid}/task"):
            os.sched_setaffinity(int(task), {CPUS[0]})

    def command(self, program, tenant, *flags):
        return [f"{self.bin_dir}/{program}", f"--server=127.0.0.1:{self.server.port}", f"--tls_ca={self.folder}/cert.pem",
                f"--token_file={self.folder}/{tenant}", *flags]

    def load(self, tenant, *flags):
        return self.command("rondo-load", tenant, "--model=seattle", "--json", *flags)

    def good(self, seconds):
        """(p99 in seconds, errors) of the good client."""
        done = subprocess.run(self.load("good", "--streams=4", "--rate=200", f"--duration={seconds}s"), text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if done.returncode != 0:
            return float("nan"), done.stderr[-300:] or 1
        report = json.loads(done.stdout)
        return report["p99_seconds"], report["errors"]


def endless(*flags, tenant="bad"):
    """An abuser that is one load without end."""
    return lambda stage: [stage.load(tenant, "--duration=1h", "--warmup=0", *flags)]


def forecasts(stage):
    """Sampled ones of a session, each of seven million steps."""
    subprocess.run(stage.command("rondo", "bad", "predict", "seattle", "--input=-", "--session=s"), check=True, text=True,
                   input="date,precipitation,temp_max,temp_min,wind\n2015-01-01,0,9,3,2\n", stdout=subprocess.DEVNULL)
    return [stage.command("rondo", "bad", "forecast", "seattle", "--session=s", "--horizon=7000", "--paths=1000")] * 6


def unfinished(kind, tenant="-"):
    """Calls that never bring their message; without a tenant by a stranger who has no token."""
    return lambda stage: [[sys.executable, str(pathlib.Path(__file__).with_name("unfinished_calls.py")),
                           str(stage.server.port), f"{stage.folder}/cert.pem", tenant, kind]]


ABUSERS = {
    "long sequences, many a message": endless("--streams=5", "--sessions_per_message=1000", "--timesteps=100", "--stateless"),
    "forecasts of 1000 paths": forecasts,
    "unary flood": endless("--streams=64", "--unary", "--stateless"),
    "streams without end": endless("--streams=2000", "--in_flight=16"),
    "sessions without end": endless("--streams=8", "--session_pool=1000000"),
    "connections": endless("--streams=200", "--threads=8", "--connections=200"),
    "a stranger's parts of messages": unfinished("parts"),
    "a tenant's parts of messages": unfinished("parts", "bad"),
    "a stranger's calls of headers only": unfinished("headers"),
    "a tenant's calls of headers only": unfinished("headers", "bad"),
    "ten times a quota": endless("--streams=4", "--rate=10000", tenant="bounded"),
}


@contextlib.contextmanager
def abused(commands):
    """Keeps the commands running: one that ends, because it was refused, is started again."""
    stopped = threading.Event()

    def keep(command):
        while not stopped.is_set():
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            while process.poll() is None and not stopped.wait(0.05):
                pass
            process.kill()
            process.wait()
            stopped.wait(0.2)

    threads = [threading.Thread(target=keep, args=(command,)) for command in commands]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stopped.set()
        for thread in threads:
            thread.join()


def measure(bin_dir, make_commands, seconds):
    """A row's figures: p99 before and during, errors during; memory before, at the peak and a while after."""
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(bin_dir, folder)
        pid, peak, watching = stage.server.process.pid, [0], threading.Event()
        try:
            before, errors = stage.good(seconds)
            memory_before = rss(pid)

            def watch():
                while not watching.wait(0.05):
                    peak[0] = max(peak[0], rss(pid))

            watcher = threading.Thread(target=watch, daemon=True)
            watcher.start()
            try:
                with abused(make_commands(stage)):
                    time.sleep(1)
                    during, during_errors = stage.good(seconds)
            finally:
                watching.set()
                watcher.join()
            after, after_errors = stage.good(2)
            memory_after = rss(pid)
        finally:
            code = stage.server.stop()
    faults = [f"the good client failed {when}: {what}" for when, what in
              (("before", errors), ("meanwhile", during_errors), ("after", after_errors)) if what]
    if peak[0] > MAX_MEMORY:
        faults.append(f"{peak[0] >> 20} MiB of memory; wanted at most {MAX_MEMORY >> 20}")
    if code != 0:
        faults.append(f"the server ended with exit code {code}")
    return (before, during, after), (memory_before, peak[0], memory_after), faults


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("bin_dir")
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--only", choices=ABUSERS, action="append")
    options = parser.parse_args()
    os.sched_setaffinity(0, {CPUS[-1]})
    print(f"{'abuser':34} {'good p99, ms':>22} {'ratio':>6}  {'RSS, MiB':>16}\n"
          f"{'':34} {'before  during   after':>22} {'':>6}  {'before peak after':>16}")
    failed = False
    for name, make_commands in ABUSERS.items():
        if options.only and name not in options.only:
            continue
        p99, memory, faults = measure(options.bin_dir, make_commands, options.seconds)
        print(f"{name:34} {p99[0] * 1e3:6.2f}  {p99[1] * 1e3:6.2f}  {p99[2] * 1e3:6.2f} {p99[1] / p99[0]:6.2f}  "
              f"{memory[0] >> 20:6d} {memory[1] >> 20:4d} {memory[2] >> 20:5d}", flush=True)
        for fault in faults:
            print(f"  {fault}")
        failed |= bool(faults)
    sys.exit(failed)


if __name__ == "__main__":
    main()
