#!/usr/bin/env python3
"""Configures a build against another installation of gRPC: the system's own by its prefix, and prefixes that are none.

usage: grpc_prefix_test.py SOURCE_DIR
"""

import pathlib
import subprocess
import sys
import tempfile

SOURCE = sys.argv[1]
PROJECT = """cmake_minimum_required(VERSION 3.25)
project(probe LANGUAGES C CXX)
set(RONDO_GRPC "" CACHE PATH "")
include({source}/cmake/find_grpc.cmake)
message(STATUS "plugin=${{RONDO_GRPC_CPP_PLUGIN}}")
"""


def configure(folder: pathlib.Path, prefix: str) -> tuple[int, str]:
    done = subprocess.run(["cmake", "-S", str(folder), "-B", str(folder / f"build{len(list(folder.iterdir()))}"),
                           f"-DRONDO_GRPC={prefix}"], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          check=False)
    return done.returncode, " ".join(done.stdout.split())


def main() -> None:
    with tempfile.TemporaryDirectory() as made:
        folder = pathlib.Path(made)
        (folder / "CMakeLists.txt").write_text(PROJECT.format(source=SOURCE))
        code, text = configure(folder, "/usr")
        assert code == 0 and "of /usr" in text and "plugin=/usr/bin/grpc_cpp_plugin" in text, text
        for wrong in (f"{made}/missing", made):
            code, text = configure(folder, wrong)
            assert code != 0 and f"RONDO_GRPC={wrong}: no abseil is installed there" in text, text
            assert "wanted the PREFIX that gRPC was installed to" in text, text
        (folder / "half/lib").mkdir(parents=True)
        (folder / "half/lib/cmake").symlink_to(next(pathlib.Path("/usr/lib").glob("*/cmake/grpc")).parent)
        code, text = configure(folder, f"{made}/half")
        assert code != 0 and f"RONDO_GRPC={made}/half:" in text, text


if __name__ == "__main__":
    main()
