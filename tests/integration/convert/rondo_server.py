"""A real rondo-server on a free port, asked by the command line `rondo`. Needs numpy."""

import csv
import io
import re
import subprocess
import threading

import numpy


class Server:
    def __init__(self, binaries, models, *flags):
        self.binaries = binaries
        self.process = subprocess.Popen(
            [binaries / "rondo-server", f"--model_repository={models}", "--listen=127.0.0.1:0", "--http_listen=", *flags],
            stderr=subprocess.PIPE, text=True)
        for line in self.process.stderr:
            found = re.search(r"event=listening .*?\baddress=(127\.0\.0\.1:\d+)", line)
            if found:
                self.address = found.group(1)
                break
        else:
            raise RuntimeError("the server did not start")
        self.drain = threading.Thread(target=self.process.stderr.read)  # a full pipe would stop the server
        self.drain.start()

    def rondo(self, *arguments, given=b""):
        done = subprocess.run([self.binaries / "rondo", f"--server={self.address}", *arguments], input=given, capture_output=True, timeout=120)
        if done.returncode != 0:
            raise RuntimeError(done.stderr.decode())
        return done.stdout

    def answers(self, model, rows, *options, names=None, times=()):
        """The model's answers to the rows, with options of `rondo predict`."""
        table = io.StringIO()
        writer = csv.writer(table)
        writer.writerow([*(["time"] if len(times) else []), *(names or [f"x{i}" for i in range(rows.shape[1])])])
        for i, row in enumerate(rows):
            writer.writerow([*([times[i]] if len(times) else []), *[repr(float(value)) for value in row]])
        said = self.rondo("predict", model, "--input=-", *options, given=table.getvalue().encode())
        answers = list(csv.reader(io.StringIO(said.decode())))[1:]
        return numpy.array([[float(value) for value in row[1 if len(times) else 0:]] for row in answers])

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(timeout=60)
        self.drain.join()
        self.process.stderr.close()
