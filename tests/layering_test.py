#!/usr/bin/env python3
"""Checks that includes run one way only, as the design says, that every header has its guard, every test is built, and no
two tests share a file.

usage: layering_test.py [ROOT]       check the tree at ROOT (default: the repository); one line per violation, exit 1
       layering_test.py --self_test  plant each kind of forbidden include in a temporary tree; exit 1 if one is missed
"""

import pathlib
import re
import sys
import tempfile

# Which parts a part may include, besides itself and base/. A part is the longest prefix here that a path starts with.
ALLOWED = {
    "base/": set(),
    "proto/": set(),
    "model/json/": set(),
    "model/kernels/": set(),
    "model/network/": {"model/json/", "model/kernels/"},
    "model/": {"model/json/", "model/kernels/", "model/network/"},
    "model/convert/graph/": {"model/", "model/json/", "model/network/"},
    "model/convert/archive/": {"model/json/", "model/convert/graph/"},
    "model/convert/export/": {"model/", "model/convert/graph/"},
    "model/convert/keras/": {"model/json/", "model/convert/archive/", "model/convert/graph/"},
    "model/convert/onnx/": {"model/json/", "model/convert/archive/", "model/convert/graph/"},
    "model/convert/torch/": {"model/", "model/json/", "model/convert/archive/", "model/convert/graph/"},
    "model/convert/": {"model/", "model/json/", "model/network/", "model/convert/archive/", "model/convert/export/",
                       "model/convert/graph/", "model/convert/keras/", "model/convert/onnx/", "model/convert/torch/"},
    "model/train/": {"model/", "model/json/", "model/kernels/", "model/network/"},
    "client/": {"proto/"},
    # The parts of the server, from the ground up.
    "server/refusal/": set(),
    "server/metrics/": {"model/", "server/refusal/"},
    "server/tracing/": {"server/metrics/"},
    "server/tracing/otlp_collector": {"proto/", "server/metrics/", "server/tracing/"},
    "server/store/": {"model/", "server/metrics/"},
    "server/session/": {"model/", "server/metrics/", "server/refusal/", "server/store/"},
    "server/loop/": {"model/", "server/metrics/", "server/refusal/"},
    "server/access/": {"server/metrics/", "server/refusal/", "server/serve/"},
    "server/listen/": {"server/access/", "server/metrics/", "server/refusal/"},
    "server/registry/": {"model/", "server/metrics/", "server/refusal/", "server/store/"},
    "server/serve/": {"model/", "server/loop/", "server/metrics/", "server/refusal/", "server/registry/",
                      "server/session/", "server/store/", "server/tracing/"},
    "server/rpc/": {"model/", "proto/", "server/access/", "server/loop/", "server/metrics/", "server/refusal/", "server/registry/",
                    "server/serve/", "server/session/", "server/store/", "server/tracing/"},
    # Made of the parts' own Options.
    "server/options": {"model/", "server/access/", "server/loop/", "server/metrics/", "server/registry/", "server/serve/",
                       "server/session/", "server/tracing/"},
    "server/drain": set(),
    "server/rpc_front": {"server/drain", "server/access/", "server/listen/", "server/loop/", "server/metrics/", "server/options",
                         "server/rpc/"},
    "server/server": {"model/", "server/drain", "server/access/", "server/listen/", "server/loop/", "server/metrics/", "server/options",
                      "server/registry/", "server/rpc/", "server/rpc_front", "server/session/", "server/store/", "server/tracing/",
                      "server/tracing/otlp_collector"},
    "server/main": {"server/server", "server/options"},
    "tests/": {"*"},
}

ONEDNN = re.compile(r"^(dnnl|oneapi/dnnl)")

# Headers from outside that only some files may include: (what it is, include pattern, folders it may be in).
CONFINED = [
    ("prometheus-cpp", re.compile(r"^prometheus/"), ("server/metrics/", "tests/")),
    ("gRPC", re.compile(r"^(grpc|grpcpp|grpc\+\+)/"),
     ("server/rpc/", "server/loop/", "server/rpc_front", "server/main", "server/tracing/otlp_collector", "client/", "tests/")),
    ("protobuf", re.compile(r"^google/protobuf/"), ("server/rpc/", "client/", "tests/")),
    ("libcsv", re.compile(r"^csv\.h$"), ("base/csv_reader", "tests/")),
    ("oneDNN", ONEDNN, ("model/kernels/", "model/train/", "tests/")),
    ("HDF5", re.compile(r"^hdf5\.h$"), ("model/convert/keras/h5_file", "tests/")),
    ("RocksDB", re.compile(r"^rocksdb/"), ("server/store/rocksdb", "tests/")),
    ("OpenSSL", re.compile(r"^openssl/"), ("server/access/", "server/listen/", "server/registry/model_checksums", "server/store/redis", "client/", "tests/")),
    ("hiredis", re.compile(r"^hiredis/"), ("server/store/redis", "tests/")),
]
# How a path in the system's folder for temporary files is made.
TEMPORARY = re.compile(r"\bTempDir\(\)|\btemp_directory_path\b|\bmkd?s?temp\b")

# Generated from proto/.
GENERATED = re.compile(r"\.pb\.h$")
# oneDNN differs between versions: one .h/.cc pair of each of these parts deals with that.
ONE_PAIR = ("model/kernels/", "model/train/")

OURS = ("base/", "proto/", "model/", "server/", "client/", "tests/")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)


def part_of(path):
    """The part that a path belongs to; None if it belongs to none."""
    def holds(part):
        rest = path[len(part):]
        if not path.startswith(part):
            return False
        return part.endswith("/") or rest.startswith(".")
    return max(filter(holds, ALLOWED), key=len, default=None)


def may_include(part, target):
    allowed = ALLOWED[part]
    return target in (part, "base/") or "*" in allowed or target in allowed


def guard_violations(path, text):
    guard = "RONDO_" + re.sub(r"[^A-Za-z0-9]", "_", path).upper() + "_"
    if f"#ifndef {guard}\n#define {guard}\n" not in text:
        yield f"{path}: header guard {guard} is missing"


def unbuilt_violations(root, path):
    """A test that its folder's CMakeLists.txt does not name passes for ever."""
    folder, _, name = path.rpartition("/")
    lists = root / folder / "CMakeLists.txt"
    if name.endswith("_test.cc") and not (lists.is_file() and re.search(rf"\b{re.escape(name)}\b", lists.read_text())):
        yield f"{path}: {folder}/CMakeLists.txt does not build it"


def shared_file_violations(path, text):
    """Tests run side by side, so that a path that one of them makes up may be another's too."""
    if path.startswith("tests/") and path != "tests/temporary_folder.h" and TEMPORARY.search(text):
        yield f"{path}: makes a temporary file; tests/temporary_folder.h gives each test a folder of its own"


def include_violations(root, path, text):
    part = part_of(path)
    if part is None:
        yield f"{path}: belongs to no part of the design; give it one in tests/layering_test.py"
        return
    for quote, name in INCLUDE.findall(text):
        for label, pattern, places in CONFINED:
            if pattern.match(name) and not GENERATED.search(name) and not path.startswith(places):
                yield f"{path}: includes {name}; {label} belongs to {', '.join(places)} only"
        if GENERATED.search(name):
            target = "proto/"
        elif name.startswith(OURS):
            target = part_of(name)
        elif quote == '"' and (root / path).parent.joinpath(name).is_file():
            yield f'{path}: includes "{name}"; includes go from the root of the tree'
            continue
        else:
            continue
        if not may_include(part, target):
            yield f"{path}: includes {name}; {part} must not know {target}"


def pair_violations(dnnl_files):
    for part in ONE_PAIR:
        stems = sorted({path.rsplit(".", 1)[0] for path in dnnl_files if part_of(path) == part})
        if len(stems) > 1:
            yield f"{part}: oneDNN is included by {', '.join(stems)}; one .h/.cc pair may"


def cycle_violations(edges):
    """`edges`: for each pair of folders of which one includes the other, an include that shows it."""
    for (folder, other), shown in sorted(edges.items()):
        back = edges.get((other, folder))
        if back is not None and folder < other:
            yield f"{folder} and {other} include each other: {shown}, and {back}"


def violations(root):
    dnnl_files = []
    edges = {}
    files = sorted(p for folder in OURS for p in (root / folder).rglob("*")
                   if p.suffix in (".h", ".cc"))
    for file in files:
        path = file.relative_to(root).as_posix()
        text = file.read_text(encoding="utf-8")
        if path.endswith(".h"):
            yield from guard_violations(path, text)
        yield from include_violations(root, path, text)
        yield from unbuilt_violations(root, path)
        yield from shared_file_violations(path, text)
        if any(ONEDNN.match(name) for _, name in INCLUDE.findall(text)):
            dnnl_files.append(path)
        for _, name in INCLUDE.findall(text):
            folder, other = path.rpartition("/")[0], name.rpartition("/")[0]
            if folder != other and name.startswith(OURS) and not path.startswith("tests/"):
                edges[folder, other] = f"{path} includes {name}"
    yield from pair_violations(dnnl_files)
    yield from cycle_violations(edges)


# Each forbidden thing, as a file and its content; the violation must name the file (or the part).
FORBIDDEN = [
    ("model/a.cc", '#include "server/metrics/metrics.h"\n'),
    ("model/a.cc", '#include "model/train/optimizer.h"\n'),
    ("model/a.cc", "#include <grpcpp/grpcpp.h>\n"),
    ("model/a.cc", "#include <dnnl.hpp>\n"),
    ("model/kernels/a.cc", '#include "model/model.h"\n'),
    ("model/train/a.cc", '#include "server/metrics/metrics.h"\n'),
    ("client/a.cc", '#include "model/model.h"\n'),
    ("client/a.cc", '#include "server/metrics/metrics.h"\n'),
    ("server/loop/a.cc", '#include "server/session/table.h"\n'),
    ("server/loop/a.cc", '#include "rondo/v1/inference.pb.h"\n'),
    ("server/session/a.cc", '#include "server/loop/loop.h"\n'),
    ("server/session/a.cc", '  #  include "rondo/v1/sessions.grpc.pb.h"\n'),
    ("server/session/a.cc", '#include "server/rpc/native/native.h"\n'),
    ("server/registry/a.cc", '#include "server/session/table.h"\n'),
    ("server/registry/a.cc", '#include <prometheus/registry.h>\n'),
    ("server/rpc/a.cc", '#include "server/server.h"\n'),
    ("server/server.cc", '#include "rondo/v1/inference.pb.h"\n'),
    ("server/main.cc", '#include "server/rpc/service.h"\n'),
    ("server/metrics/a.cc", '#include "server/session/table.h"\n'),
    ("base/a.cc", '#include "model/model.h"\n'),
    ("base/a.cc", '#include "server/metrics/metrics.h"\n'),
    ("base/a.cc", "#include <grpcpp/grpcpp.h>\n"),
    ("base/a.cc", "#include <google/protobuf/message.h>\n"),
    ("base/a.cc", '#include "rondo/v1/inference.pb.h"\n'),
    ("server/serve/a.cc", "#include <grpcpp/support/status.h>\n"),
    ("server/serve/a.cc", "#include <google/protobuf/message.h>\n"),
    ("server/serve/a.cc", '#include "rondo/v1/inference.pb.h"\n'),
    ("server/serve/a.cc", '#include "server/rpc/service.h"\n'),
    ("server/loop/a.cc", '#include "server/serve/message.h"\n'),
    ("server/rpc/a.cc", '#include "server/rpc/native/native.h"\n'),
    ("server/refusal/a.cc", '#include "server/metrics/metrics.h"\n'),
    ("server/rpc/a.cc", "#include <dnnl.hpp>\n"),
    ("server/rpc/a.cc", '#include "service.h"\n'),
    ("server/store/a.cc", '#include "server/session/table.h"\n'),
    ("server/tracing/a.cc", "#include <grpcpp/grpcpp.h>\n"),
    ("server/tracing/a.cc", '#include "opentelemetry/trace_service.pb.h"\n'),
    ("server/loop/a.cc", '#include "server/tracing/span.h"\n'),
    ("server/session/a.cc", "#include <rocksdb/db.h>\n"),
    ("server/store/session_store.cc", "#include <hiredis/hiredis.h>\n"),
    ("model/train/csv_table.cc", "#include <csv.h>\n"),
    ("server/rpc/a.cc", "#include <openssl/ssl.h>\n"),
    ("server/access/a.cc", "#include <grpcpp/grpcpp.h>\n"),
    ("server/serve/a.cc", '#include "server/access/gate.h"\n'),
    ("model/convert/keras/keras_layer.cc", "#include <hdf5.h>\n"),
    ("model/convert/onnx/a.cc", '#include "model/convert/torch/pickle.h"\n'),
    ("model/a.cc", '#include "model/convert/convert.h"\n'),
    ("server/stray/a.cc", "\n"),
    ("model/no_guard.h", "int F();\n"),
    ("tests/unit/loop/loop_test.cc", "\n"),
    ("tests/unit/loop/fixture.h", "#ifndef RONDO_TESTS_UNIT_LOOP_FIXTURE_H_\n#define RONDO_TESTS_UNIT_LOOP_FIXTURE_H_\n"
                                  'const std::string path = testing::TempDir() + "/fixture";\n#endif\n'),
]
# Headers that the forbidden includes name, so that only the edge is wrong.
HEADERS = ["model/convert/convert.h", "model/convert/torch/pickle.h", "server/metrics/metrics.h", "model/model.h", "model/train/optimizer.h", "server/session/table.h", "server/loop/loop.h",
           "server/rpc/service.h", "server/rpc/native/native.h", "server/serve/message.h", "server/tracing/span.h", "server/access/gate.h", "server/server.h"]


def plant(root, path, text):
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text, encoding="utf-8")


def plant_clean_tree(root):
    for path in HEADERS:
        guard = "RONDO_" + re.sub(r"[/.]", "_", path).upper() + "_"
        plant(root, path, f"#ifndef {guard}\n#define {guard}\n#endif\n")
    plant(root, "server/rpc/service.cc", '#include "rondo/v1/inference.pb.h"\n#include "server/session/table.h"\n')
    plant(root, "server/rpc/native/native.cc", '#include "server/rpc/service.h"\n')
    plant(root, "model/kernels/onednn_kernel.cc", "#include <dnnl.h>\n")


def self_test():
    missed = []
    for path, text in FORBIDDEN + [("model/kernels/second.cc", "#include <dnnl.h>\n")]:
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            plant_clean_tree(root)
            if list(violations(root)):
                missed.append("the clean tree is not clean: " + "; ".join(violations(root)))
            plant(root, path, text)
            found = list(violations(root))
            if len(found) != 1 or path.rsplit(".", 1)[0] not in found[0]:
                missed.append(f"{path} with {text.strip()!r}: wanted one violation that names it, got {found}")
    return missed


def main(arguments):
    if arguments == ["--self_test"]:
        found = self_test()
    else:
        found = list(violations(pathlib.Path(arguments[0] if arguments else pathlib.Path(__file__).parents[1])))
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
