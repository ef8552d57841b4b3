"""Runs a model file of format 2 in float64, element by element, in plain numpy: what a converted model is judged by.

    outputs = Interpreter("models/NAME/1/model.safetensors").run(X)      # X [timesteps, inputs] -> [timesteps, outputs]
"""

import json
import math
import struct

import numpy

NUMBERS = {"F32": numpy.float32, "F64": numpy.float64, "F16": numpy.float16}


def read_safetensors(path):
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        payload = file.read()
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        flat = numpy.frombuffer(payload[begin:end], NUMBERS[entry["dtype"]])
        tensors[name] = flat.reshape(entry["shape"]).astype(numpy.float64)
    return metadata, tensors


def sigmoid(x):
    return 1 / (1 + numpy.exp(-x))


def softmax(x):
    e = numpy.exp(x - x.max())
    return e / e.sum()


FUNCTIONS = {
    "linear": lambda x, a, b: x,
    "relu": lambda x, a, b: numpy.maximum(x, 0),
    "sigmoid": lambda x, a, b: sigmoid(x),
    "hard_sigmoid": lambda x, a, b: numpy.clip((0.2 if a is None else a) * x + (0.5 if b is None else b), 0, 1),
    "tanh": lambda x, a, b: numpy.tanh(x),
    "softmax": lambda x, a, b: softmax(x),
    "log_softmax": lambda x, a, b: numpy.log(softmax(x)),
    "leaky_relu": lambda x, a, b: numpy.where(x < 0, (0.01 if a is None else a) * x, x),
    "elu": lambda x, a, b: numpy.where(x < 0, (1 if a is None else a) * (numpy.exp(numpy.minimum(x, 0)) - 1), x),
    "selu": lambda x, a, b: 1.0507009873554805 * numpy.where(x < 0, 1.6732632423543772 * numpy.expm1(numpy.minimum(x, 0)), x),
    "softplus": lambda x, a, b: numpy.log1p(numpy.exp(-numpy.abs(x))) + numpy.maximum(x, 0),
    "softsign": lambda x, a, b: x / (1 + numpy.abs(x)),
    "swish": lambda x, a, b: x * sigmoid(x),
    "exp": lambda x, a, b: numpy.exp(x),
    "log": lambda x, a, b: numpy.log(x + (a or 0)),
    "gelu": lambda x, a, b: x / 2 * (1 + numpy.vectorize(math.erf)(x / math.sqrt(2))),
    "sqrt": lambda x, a, b: numpy.sqrt(x),
    "square": lambda x, a, b: x * x,
    "abs": lambda x, a, b: numpy.abs(x),
    "negate": lambda x, a, b: -x,
    "reciprocal": lambda x, a, b: 1 / x,
    "clip": lambda x, a, b: numpy.clip(x, 0 if a is None else a, 1 if b is None else b),
}


def apply(function, x):
    if isinstance(function, str):
        function = {"function": function}
    return FUNCTIONS[function["function"]](x, function.get("alpha"), function.get("beta"))


class Interpreter:
    def __init__(self, path):
        metadata, self.tensors = read_safetensors(path)
        self.description = json.loads(metadata["rondo"])

    def run(self, x):
        """The outputs of a whole sequence. Elements run one after another over all timesteps: [timesteps][c][l]."""
        x = numpy.asarray(x, numpy.float64)
        elements = self.description["elements"]
        memories = {e["name"]: numpy.zeros((1, e["units"], 1)) for e in elements if e["type"] == "memory"}
        for t in range(len(x)) if memories else ():
            values = self.values(x[:t + 1], memories)
            for e in elements:
                if e["type"] == "memory":
                    newest = values[e["next"]][-1].reshape(1, -1, 1)
                    memories[e["name"]] = numpy.concatenate([memories[e["name"]], newest])
        output = self.values(x, memories)[self.description["output"]["of"]]
        return output.reshape(len(output), -1)

    def values(self, x, memories):
        """What each element answers at all timesteps; what it remembers of each timestep before."""
        values = {"input": x.reshape(len(x), -1, 1)}
        for element in self.description["elements"]:
            of = element.get("of", [])
            inputs = [values[name] for name in ([of] if isinstance(of, str) else of)]
            length = len(inputs[0]) if inputs else len(x)
            if element["type"] == "memory":
                values[element["name"]] = memories[element["name"]][:len(x)]
            else:
                values[element["name"]] = getattr(self, "run_" + element["type"])(element, inputs, length)
        return values

    def slot(self, element, name, otherwise=None):
        return self.tensors.get(f"{element['name']}.{name}", otherwise)

    @staticmethod
    def flat(value):
        return value.reshape(len(value), -1)

    @staticmethod
    def each(value, function):
        return numpy.stack([function(frame) for frame in value])

    def run_dense(self, e, inputs, _):
        y = self.flat(inputs[0]) @ self.slot(e, "weight").T + self.slot(e, "bias", 0)
        return self.each(y, lambda row: apply(e.get("activation", "linear"), row))[:, :, None]

    def run_embedding(self, e, inputs, _):
        return self.slot(e, "weight")[self.flat(inputs[0])[:, 0].astype(int)][:, :, None]

    def run_standardise(self, e, inputs, _):
        return ((self.flat(inputs[0]) - self.slot(e, "mean")) / self.slot(e, "deviation"))[:, :, None]

    def run_scale(self, e, inputs, _):
        return inputs[0] * self.slot(e, "weight")[:, None] + self.slot(e, "bias")[:, None]

    def run_cell(self, e, inputs, step, parts):
        x = self.flat(inputs[0])
        units = e["units"]
        state = [self.slot(e, name, numpy.zeros(units)) for name in parts]
        rows = list(x)[::-1] if e.get("direction") == "reverse" else list(x)
        out = []
        for row in rows:
            wx = self.slot(e, "weight_ih") @ row + self.slot(e, "bias_ih", 0)
            state = step(e, wx, self.slot(e, "weight_hh"), self.slot(e, "bias_hh", numpy.zeros(len(wx))), state)
            out.append(state[0])
        return numpy.stack(out[::-1] if e.get("direction") == "reverse" else out)[:, :, None]

    def run_lstm(self, e, inputs, _):
        p = self.slot(e, "peephole")
        units = e["units"]

        def step(element, wx, w, b, state):
            h, c = state
            i, f, g, o = numpy.split(wx + w @ h + b, 4)
            gate = element.get("gate_activation", "sigmoid")
            if p is not None:
                i, f = i + p[:units] * c, f + p[units:2 * units] * c
            i, f = apply(gate, i), apply(gate, f)
            c = f * c + i * apply(element.get("candidate_activation", "tanh"), g)
            if p is not None:
                o = o + p[2 * units:] * c
            return [apply(gate, o) * apply(element.get("output_activation", "tanh"), c), c]

        return self.run_cell(e, inputs, step, ["initial_h", "initial_c"])

    def run_gru(self, e, inputs, _):
        def step(element, wx, w, b, state):
            h = state[0]
            units = len(h)
            gate = element.get("gate_activation", "sigmoid")
            candidate = element.get("candidate_activation", "tanh")
            r = apply(gate, wx[:units] + w[:units] @ h + b[:units])
            z = apply(gate, wx[units:2 * units] + w[units:2 * units] @ h + b[units:2 * units])
            if element["reset"] == "after":
                n = apply(candidate, wx[2 * units:] + r * (w[2 * units:] @ h + b[2 * units:]))
            else:
                n = apply(candidate, wx[2 * units:] + w[2 * units:] @ (r * h) + b[2 * units:])
            return [z * h + (1 - z) * n if element["update"] == "keep" else (1 - z) * h + z * n]

        return self.run_cell(e, inputs, step, ["initial_h"])

    def run_rnn(self, e, inputs, _):
        def step(element, wx, w, b, state):
            return [apply(element.get("activation", "tanh"), wx + w @ state[0] + b)]

        return self.run_cell(e, inputs, step, ["initial_h"])

    def run_frame_cell(self, e, inputs, _):
        run = getattr(self, "run_" + e["cell"])
        return self.each(inputs[0], lambda frame: run(e, [frame.T[:, :, None]], None)[:, :, 0].T)

    def run_position_cell(self, e, inputs, _):
        run = getattr(self, "run_" + e["cell"])
        return numpy.concatenate([run(e, [inputs[0][:, :, place:place + 1]], None) for place in range(inputs[0].shape[2])], 2)

    def run_conv1d(self, e, inputs, _):
        left, right = e.get("padding", [0, 0])
        return self.each(inputs[0], lambda frame: apply(e.get("activation", "linear"), self.convolve(
            e, numpy.pad(frame, ((0, 0), (left, right))), e.get("stride", 1))))

    def convolve(self, e, frame, stride):
        w, dilation, groups = self.slot(e, "weight"), e.get("dilation", 1), e.get("groups", 1)
        kernel = w.shape[2]
        count = (frame.shape[1] - (kernel - 1) * dilation - 1) // stride + 1
        out = numpy.zeros((len(w), count))
        ins, outs = len(frame) // groups, len(w) // groups
        for group in range(groups):
            part = frame[group * ins:(group + 1) * ins]
            for k in range(kernel):
                columns = part[:, k * dilation:k * dilation + (count - 1) * stride + 1:stride]
                out[group * outs:(group + 1) * outs] += w[group * outs:(group + 1) * outs, :, k] @ columns
        bias = self.slot(e, "bias")
        return out if bias is None else out + bias[:, None]

    def run_causal_conv1d(self, e, inputs, _):
        ahead = e.get("ahead", 0)
        back = (e["kernel"] - 1) * e.get("dilation", 1) - ahead
        series = numpy.pad(self.flat(inputs[0]), ((back, ahead), (0, 0))).T
        return apply(e.get("activation", "linear"), self.convolve(e, series, 1)).T[:, :, None]

    def pool(self, series, e, average):
        """Over the last axis; padding counts for nothing unless it is said to."""
        left, right = e.get("padding", [0, 0])
        kernel, stride = e["kernel"], e.get("stride", e["kernel"])
        length = series.shape[-1]
        partial = 1 if e.get("partial") else 0
        count = -(-length // stride) if partial else (length + left + right - kernel) // stride + 1
        out = []
        for i in range(count):
            part = series[..., max(0, i * stride - left):min(length, i * stride - left + kernel)]
            if average and e.get("count_padding"):
                out.append(part.sum(-1) / kernel)
            else:
                out.append(part.mean(-1) if average else part.max(-1))
        return numpy.stack(out, -1)

    def run_max_pool(self, e, inputs, _):
        return self.pool(inputs[0], e, False)

    def run_average_pool(self, e, inputs, _):
        return self.pool(inputs[0], e, True)

    def run_sequence_max_pool(self, e, inputs, _):
        return numpy.moveaxis(self.pool(numpy.moveaxis(inputs[0], 0, -1), e, False), -1, 0)

    def run_sequence_average_pool(self, e, inputs, _):
        return numpy.moveaxis(self.pool(numpy.moveaxis(inputs[0], 0, -1), e, True), -1, 0)

    def run_mean(self, e, inputs, _):
        return inputs[0].mean(2, keepdims=True)

    def run_max(self, e, inputs, _):
        return inputs[0].max(2, keepdims=True)

    def run_sum(self, e, inputs, _):
        return inputs[0].sum(2, keepdims=True)

    def run_pad(self, e, inputs, _):
        mode = {"zero": "constant", "reflect": "reflect", "edge": "edge"}[e["mode"]]
        return numpy.pad(inputs[0], ((0, 0), (0, 0), (e["left"], e["right"])), mode=mode)

    def run_layer_norm(self, e, inputs, _):
        x = self.flat(inputs[0])
        normal = (x - x.mean(1, keepdims=True)) / numpy.sqrt(x.var(1, keepdims=True) + e.get("epsilon", 1e-5))
        return (normal * self.slot(e, "weight") + self.slot(e, "bias")).reshape(inputs[0].shape)

    def run_l2_norm(self, e, inputs, _):
        x = self.flat(inputs[0])
        return (x / numpy.maximum(numpy.sqrt((x * x).sum(1, keepdims=True)), e.get("epsilon", 0))).reshape(inputs[0].shape)

    def arithmetic(self, inputs, combine):
        a, b = inputs
        flat_b = self.flat(b)
        if flat_b.shape[1] == a.shape[1] * a.shape[2]:
            return combine(a, flat_b.reshape(a.shape))
        return combine(a, flat_b[:, :, None])

    def run_add(self, e, inputs, _):
        return self.arithmetic(inputs, lambda a, b: a + b)

    def run_subtract(self, e, inputs, _):
        return self.arithmetic(inputs, lambda a, b: a - b)

    def run_multiply(self, e, inputs, _):
        return self.arithmetic(inputs, lambda a, b: a * b)

    def run_divide(self, e, inputs, _):
        return self.arithmetic(inputs, lambda a, b: a / b)

    def run_constant(self, e, inputs, length):
        return numpy.repeat(self.slot(e, "value").reshape(1, -1, 1), length, 0)

    def run_concat(self, e, inputs, length):
        longest = max(len(value) for value in inputs)
        inputs = [value if len(value) == longest else numpy.repeat(value[:1], longest, 0) for value in inputs]
        return numpy.concatenate(inputs, 2 if e.get("axis") == "length" else 1)

    def run_slice(self, e, inputs, _):
        part = slice(e["from"], e["to"], e.get("step", 1))
        return inputs[0][:, :, part] if e.get("axis", "channels") == "length" else inputs[0][:, part]

    def run_reshape(self, e, inputs, _):
        return inputs[0].reshape(len(inputs[0]), e["channels"], e["length"])

    def run_transpose(self, e, inputs, _):
        return inputs[0].transpose(0, 2, 1)

    def run_delay(self, e, inputs, _):
        steps = e.get("steps", 1)
        return numpy.concatenate([numpy.zeros_like(inputs[0][:1])] * steps + [inputs[0]])[:len(inputs[0])]

    def run_activation(self, e, inputs, _):
        return self.each(inputs[0], lambda frame: apply(e, frame))

    def run_sequence_first(self, e, inputs, _):
        return numpy.repeat(inputs[0][:1], len(inputs[0]), 0)

    def run_sequence_mean(self, e, inputs, _):
        return numpy.repeat(inputs[0].mean(0, keepdims=True), len(inputs[0]), 0)

    def run_sequence_max(self, e, inputs, _):
        return numpy.repeat(inputs[0].max(0, keepdims=True), len(inputs[0]), 0)

    def run_sequence_last(self, e, inputs, _):
        return numpy.repeat(inputs[0][-1:], len(inputs[0]), 0)

    def run_lag_window(self, e, inputs, _):
        x, length = self.flat(inputs[0])[:, 0], e["length"]
        begin = numpy.full(length - 1, x[0] if e.get("minus_newest") else 0)
        series = numpy.concatenate([begin, x])
        rows = numpy.stack([series[t:t + length] for t in range(len(x))])
        return (rows - x[:, None] if e.get("minus_newest") else rows)[:, :, None]

    def run_instance_statistics(self, e, inputs, _):
        x = self.flat(inputs[0])
        rows = [numpy.concatenate([x[:t].mean(0), numpy.sqrt(x[:t].var(0) + e.get("epsilon", 1e-5))]) for t in range(1, len(x) + 1)]
        return numpy.stack(rows)[:, :, None]

    def scale_by(self, inputs, undo):
        x, (mean, deviation) = inputs[0], numpy.split(self.flat(inputs[1])[:, None, :], 2, 2)
        rows = x.reshape(len(x), -1, mean.shape[2])
        return (rows * deviation + mean if undo else (rows - mean) / deviation).reshape(x.shape)

    def run_instance_scale(self, e, inputs, _):
        return self.scale_by(inputs, False)

    def run_instance_unscale(self, e, inputs, _):
        return self.scale_by(inputs, True)
