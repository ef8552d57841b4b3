"""Runs a test again in a throw-away environment, with packages from PyPI and the messages of this server."""

import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
IN_VENV = "RONDO_TEST_VENV"


def run_in_fresh_venv(script, packages):
    """Returns only in that environment; outside it the program ends as the script does there. Wants grpcio-tools among `packages`."""
    if IN_VENV in os.environ:
        return
    with tempfile.TemporaryDirectory() as folder:
        python = folder + "/bin/python"
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        installed = subprocess.run([python, "-m", "pip", "install", "--quiet", *packages])
        if installed.returncode != 0:
            sys.exit("cannot install %s: this test needs PyPI" % " ".join(packages))
        generated = folder + "/proto"
        os.mkdir(generated)
        subprocess.run([python, "-m", "grpc_tools.protoc", "--proto_path=%s" % (ROOT / "proto"),
                        "--python_out=" + generated, "--grpc_python_out=" + generated,
                        str(ROOT / "proto/rondo/v1/inference.proto")], check=True)
        environment = dict(os.environ, **{IN_VENV: "1", "PYTHONPATH": generated})
        sys.exit(subprocess.run([python, script, *sys.argv[1:]], env=environment).returncode)
