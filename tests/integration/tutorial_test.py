#!/usr/bin/env python3
"""Follows client/examples/FIRST_NETWORK.md word by word, and compares what is served with what PyTorch answers.

usage: tutorial_test.py BIN_DIR      exit 77: /usr/bin/python3 has no torch (Debian: python3-torch)
"""

import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "client/examples/FIRST_NETWORK.md"


def start_server(words, environment, folder):
    """Runs the page's command, but on a port of its own."""
    server = subprocess.Popen([*words, "--listen=127.0.0.1:0", "--http_listen=127.0.0.1:0"], env=environment, cwd=folder,
                              stderr=subprocess.PIPE, text=True)
    for line in server.stderr:
        found = re.search(r"event=listening .*\baddress=(127\.0\.0\.1:\d+)", line)
        if found:
            return server, found.group(1)
    raise SystemExit("the server did not start")


def numbers(text):
    return [[float(cell) for cell in line.split(",")] for line in text.split()]


def follow(folder, environment):
    """The output of each shell command of the page."""
    outputs, server = [], None
    try:
        for language, block in re.findall(r"```(\w+)\n(.*?)```", PAGE.read_text(), re.DOTALL):
            if language == "python":
                (folder / "first.py").write_text(block)
                continue
            for command in block.splitlines():
                if command.startswith("rondo-server"):
                    server, environment["RONDO_SERVER"] = start_server(shlex.split(command)[:-1], environment, folder)
                    continue
                outputs.append(subprocess.run(["bash", "-euo", "pipefail", "-c", command], cwd=folder, env=environment,
                                              stdout=subprocess.PIPE, text=True, check=True).stdout)
    finally:
        if server is not None:
            server.terminate()
            server.communicate()
    return outputs


def main():
    if subprocess.run(["/usr/bin/python3", "-c", "import torch"], stderr=subprocess.DEVNULL).returncode != 0:
        print("/usr/bin/python3 has no torch: Debian's package is python3-torch")
        return 77
    bin_dir = str(pathlib.Path(sys.argv[1]).resolve())
    environment = {**os.environ, "RONDO": str(ROOT), "PATH": bin_dir + os.pathsep + os.environ["PATH"],
                   "PYTHONDONTWRITEBYTECODE": "1"}
    with tempfile.TemporaryDirectory() as folder:
        torch_says, models, served, _, stepped = follow(pathlib.Path(folder), environment)
    wanted = numbers(torch_says)
    assert [len(row) for row in wanted] == [5, 5, 5], wanted
    assert "graph" in models and "x9" in models and "y4" in models, models
    for row, answer in zip(wanted, numbers(served)):
        assert all(abs(a - b) <= 6e-5 for a, b in zip(row, answer)), (row, answer)  # it prints four digits
    assert stepped == served.splitlines(keepends=True)[0], (stepped, served)
    print("the page does what it says")
    return 0


if __name__ == "__main__":
    sys.exit(main())
