"""Writes small files of ONNX and PyTorch with Python alone, as the frameworks write them, or damaged on purpose."""

import io
import pickle
import struct
import sys
import types
import zipfile


# Protobuf: https://protobuf.dev/programming-guides/encoding.


def varint(value):
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out + bytes([value]))


def field(number, value):
    """A field of a message: a whole number, a float, or bytes (a text, or a message)."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, float):
        return varint(number << 3 | 5) + struct.pack("<f", value)
    if isinstance(value, str):
        value = value.encode()
    return varint(number << 3 | 2) + varint(len(value)) + value


def message(*fields):
    return b"".join(field(number, value) for number, value in fields)


def tensor(name, shape, values=None, raw=None, kind=1, **more):
    """A TensorProto; kind 1 is float, 7 is int64. `external`: texts that say where the values lie, in place of values."""
    if "external" in more:
        place = [(13, message((1, key), (2, text))) for key, text in more["external"].items()]
        return message(*[(1, size) for size in shape], (2, kind), (8, name), *place, (14, 1))
    if raw is None:
        raw = struct.pack(f"<{len(values)}{'f' if kind == 1 else 'q'}", *values)
    return message(*[(1, size) for size in shape], (2, kind), (8, name), (9, raw))


def attribute(name, value):
    if isinstance(value, bytes):
        return message((1, name), (6, value), (20, 5))  # a graph
    if isinstance(value, float):
        return message((1, name), (2, value), (20, 1))
    if isinstance(value, int):
        return message((1, name), (3, value), (20, 2))
    if isinstance(value, str):
        return message((1, name), (4, value), (20, 3))
    kind = 6 if isinstance(value[0], float) else 7 if isinstance(value[0], int) else 8
    return message((1, name), *[(kind + 1 if kind != 6 else 7, each) for each in value], (20, kind))


def node(op, inputs, outputs, name=None, **attributes):
    return message(*[(1, each) for each in inputs], *[(2, each) for each in outputs], (3, name or f"the_{op}"), (4, op),
                   *[(5, attribute(key, value)) for key, value in attributes.items()])


def value_info(name, shape, kind=1):
    dimensions = [(1, message((2, size) if isinstance(size, str) else (1, size))) for size in shape]
    return message((1, name), (2, message((1, message((1, kind), (2, message(*dimensions)))))))


def graph(nodes, inputs, outputs, tensors=()):
    return message(*[(1, each) for each in nodes], (2, "graph"), *[(5, each) for each in tensors],
                   *[(11, each) for each in inputs], *[(12, value_info(each, [])) for each in outputs])


def onnx_model(graph_bytes, opset=15):
    return message((1, 8), (7, graph_bytes), (8, message((1, ""), (2, opset))))


# PyTorch's zip files: pickles that call functions of torch, which is not needed to write them.


class Tensor:
    def __init__(self, values, shape):
        self.values, self.shape = values, shape


def module(name):
    parts = name.split(".")
    for i in range(1, len(parts) + 1):
        sys.modules.setdefault(".".join(parts[:i]), types.ModuleType(".".join(parts[:i])))
    return sys.modules[name]


def foreign(path):
    """Something that pickles as the function `path`, whatever it is."""
    home, name = path.rsplit(".", 1)

    def function(*_):
        raise AssertionError("called")
    function.__module__, function.__qualname__, function.__name__ = home, name, name
    setattr(module(home), name, function)
    return function


class Call:
    """Pickles as a call of the function `path`."""

    def __init__(self, path, *arguments, attributes=None):
        self.path, self.arguments, self.attributes = path, arguments, attributes

    def __reduce__(self):
        return (foreign(self.path), self.arguments, *([] if self.attributes is None else [self.attributes]))


class Storage:
    def __init__(self, key, count):
        self.key, self.count = key, count


class TorchPickler(pickle.Pickler):
    def persistent_id(self, each):
        if not isinstance(each, Storage):
            return None
        return "storage", foreign("torch.FloatStorage"), each.key, "cpu", each.count


def pickled(root):
    """The pickle of `root`, in which a Tensor stands for a tensor, and the bytes of the storages by key."""
    blobs = {}

    def rebuilt(value):
        if isinstance(value, Tensor):
            key = str(len(blobs))
            blobs[key] = struct.pack(f"<{len(value.values)}f", *value.values)
            strides = [1] * len(value.shape)
            for i in reversed(range(len(value.shape) - 1)):
                strides[i] = strides[i + 1] * value.shape[i + 1]
            return Call("torch._utils._rebuild_tensor_v2", Storage(key, len(value.values)), 0, tuple(value.shape),
                        tuple(strides), False, Call("collections.OrderedDict"))
        if isinstance(value, dict):
            return {key: rebuilt(each) for key, each in value.items()}
        if isinstance(value, Call):
            value.attributes = rebuilt(value.attributes)
        return value

    text = io.BytesIO()
    TorchPickler(text, 2).dump(rebuilt(root))
    return text.getvalue(), blobs


def torch_file(root, storages=None):
    """A torch.save file of `root`."""
    text, blobs = pickled(root)
    blobs.update(storages or {})
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("archive/data.pkl", text)
        archive.writestr("archive/version", "3\n")
        for key, blob in blobs.items():
            archive.writestr(f"archive/data/{key}", blob)
    return out.getvalue()


def old_torch_file(root):
    """What torch.save wrote before PyTorch 1.6: pickles one after the other, then the storages."""
    text, blobs = pickled(root)
    head = b"".join(pickle.dumps(each, 2) for each in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}))
    return head + text + pickle.dumps(list(blobs), 2) + b"".join(struct.pack("<q", len(b) // 4) + b for b in blobs.values())
