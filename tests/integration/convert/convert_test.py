#!/usr/bin/env python3
"""Runs the real `rondo-convert` as a user would: good files, and hostile ones that must be refused by name.

    convert_test.py BIN_DIR [unittest arguments]
"""

import json
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import foreign_files as ff  # noqa: E402
from foreign_files import Tensor  # noqa: E402

BIN = pathlib.Path(sys.argv.pop(1)) if len(sys.argv) > 1 else None


def numbers(count, start=0):
    return [start + 0.5 * i for i in range(count)]


def lstm_state(hidden=2, inputs=3):
    """A state_dict of an nn.LSTM and an nn.Linear."""
    return {"rnn.weight_ih_l0": Tensor(numbers(4 * hidden * inputs), [4 * hidden, inputs]),
            "rnn.weight_hh_l0": Tensor(numbers(4 * hidden * hidden), [4 * hidden, hidden]),
            "rnn.bias_ih_l0": Tensor(numbers(4 * hidden), [4 * hidden]),
            "rnn.bias_hh_l0": Tensor(numbers(4 * hidden), [4 * hidden]),
            "head.weight": Tensor(numbers(hidden), [1, hidden]), "head.bias": Tensor([0.25], [1])}


def lstm_graph(units=1, inputs=2, extra=(), state=(), outputs=("Y",), **attributes):
    """An ONNX graph of one LSTM whose weights count up, with what is to be wrong in it."""
    w, r = 4 * units * inputs, 4 * units * units
    tensors = [ff.tensor("W", [1, 4 * units, inputs], numbers(w)), ff.tensor("R", [1, 4 * units, units], numbers(r, 100))]
    cell = ff.node("LSTM", ["X", "W", "R", "", "", *state], ["Y", "Y_h", "Y_c"], name="cell",
                   **{"hidden_size": units, **attributes})
    return ff.onnx_model(ff.graph([*extra, cell], [ff.value_info("X", ["time", 1, inputs]),
                                                   *[ff.value_info(each, [1, 1, units]) for each in state]], outputs, tensors))


def one_node(op, tensors=(), inputs=("X",), outputs=("Y",), **attributes):
    return ff.onnx_model(ff.graph([ff.node(op, inputs, outputs, name="the_node", **attributes)],
                                  [ff.value_info("X", ["time", 1, 2])], [outputs[0]], tensors))


class ConvertTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def run_on(self, name, content, *options):
        (self.folder / name).write_bytes(content)
        return subprocess.run([BIN / "rondo-convert", self.folder / name, f"--output={self.folder}/out", *options],
                              text=True, capture_output=True, timeout=60)

    def convert(self, name, content, *options):
        """The description and the tensors of the model."""
        done = self.run_on(name, content, *options)
        self.assertEqual(done.returncode, 0, done.stderr)
        (file,) = (self.folder / "out").glob("*/1/model.safetensors")
        bytes_ = file.read_bytes()
        (length,) = struct.unpack("<Q", bytes_[:8])
        header = json.loads(bytes_[8:8 + length])
        description = json.loads(header.pop("__metadata__")["rondo"])
        payload = bytes_[8 + length:]
        tensors = {n: [v for (v,) in struct.iter_unpack("<f", payload[slice(*e["data_offsets"])])] for n, e in header.items()}
        return description, tensors

    def refuse(self, name, content, wanted, *options):
        done = self.run_on(name, content, *options)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertRegex(done.stderr, wanted)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertFalse((self.folder / "out").exists(), "something was written")

    # PyTorch

    def test_a_description_of_format_1_says_cell_head_and_units(self):
        """The weights of PyTorch with a description become what a file becomes that has both."""
        description = {"format": 1, "cell": "lstm", "calendar": ["day_of_year"], "training": {"by": "hand"},
                       "inputs": [{"name": "temp", "mean": 16.5, "std": 7.25}], "outputs": [{"name": "temp", "added_to": "temp"}]}
        (self.folder / "it.json").write_text(json.dumps(description))
        config = f"--config={self.folder}/it.json"
        state = lstm_state(inputs=3)
        header, payload = {"__metadata__": {"format": "pt", "rondo": json.dumps(description)}}, b""
        for name, tensor in state.items():
            begin = len(payload)
            payload += struct.pack(f"<{len(tensor.values)}f", *tensor.values)
            header[name] = {"dtype": "F32", "shape": tensor.shape, "data_offsets": [begin, len(payload)]}
        text = json.dumps(header).encode()
        whole = self.convert("whole.safetensors", struct.pack("<Q", len(text)) + text + payload)
        shutil.rmtree(self.folder / "out")
        self.assertEqual(self.convert("it.pt", ff.torch_file(state), config), whole)
        self.assertEqual((whole[0]["calendar"], whole[0]["inputs"]), (description["calendar"], description["inputs"]))
        shutil.rmtree(self.folder / "out")
        self.refuse("it.pt", ff.torch_file(lstm_state(inputs=4)), "weight_ih_l0", config)

    def test_a_state_dict_becomes_elements_with_the_gates_as_they_are(self):
        description, tensors = self.convert("weather.pt", ff.torch_file(lstm_state()))
        self.assertEqual([e["type"] for e in description["elements"]], ["lstm", "dense"])
        self.assertEqual(description["inputs"], {"size": 3})
        self.assertEqual(tensors["rnn_l0.weight_ih"], numbers(24))
        self.assertEqual(tensors["head.bias"], [0.25])

    def test_a_checkpoint_is_read_beside_its_optimizer_and_numbers(self):
        root = {"epoch": 7, "loss": 0.125, "best": True, "hyper_parameters": {"lr": 1e-3, "layers": [1, 2]},
                "optimizer_state_dict": {"state": {0: {"exp_avg": Tensor([1.0], [1])}}}, "state_dict": lstm_state()}
        description, _ = self.convert("checkpoint.ckpt", ff.torch_file(root))
        self.assertEqual(len(description["elements"]), 2)

    def test_a_key_chooses_among_several_state_dicts(self):
        root = {"teacher": lstm_state(), "student": lstm_state(hidden=3)}
        self.refuse("two.pt", ff.torch_file(root), "teacher, student; say which with --key")
        description, _ = self.convert("two.pt", ff.torch_file(root), "--key=student")
        self.assertEqual(description["elements"][0]["units"], 3)

    def test_weight_norm_is_undone(self):
        state = lstm_state(hidden=1, inputs=2)
        del state["head.weight"]
        state["head.weight_g"], state["head.weight_v"] = Tensor([10.0], [1, 1]), Tensor([2.0], [1, 1])
        _, tensors = self.convert("norm.pt", ff.torch_file(state))
        self.assertEqual(tensors["head.weight"], [10.0])

    def test_what_a_state_dict_leaves_open_is_asked_for(self):
        state = {**lstm_state(), "last.weight": Tensor([1.0], [1, 1]), "last.bias": Tensor([0.0], [1])}
        content = ff.torch_file(state)
        self.refuse("two.pt", content, "activation stands between 'head' and 'last'; say --activation=head=relu")
        description, _ = self.convert("two.pt", content, "--activation=head=relu")
        self.assertEqual(description["elements"][1]["activation"], "relu")

    def test_tensors_are_left_out_by_a_glob(self):
        state = {**lstm_state(), "aux.weight": Tensor(numbers(12), [2, 2, 3])}
        self.refuse("aux.pt", ff.torch_file(state), "'aux' is a convolution")
        self.convert("aux.pt", ff.torch_file(state), "--ignore=aux.*")

    def test_a_pickle_that_would_run_something_is_refused_by_its_name(self):
        mark = self.folder / "ran"
        content = ff.torch_file({"x": ff.Call("posix.system", f"touch {mark}"), **lstm_state()})
        self.refuse("evil.pt", content, r"names 'posix\.system'")
        self.assertFalse(mark.exists())

    def test_a_file_of_an_old_torch_is_read(self):
        content = ff.old_torch_file({"epoch": 3, "state_dict": lstm_state()})
        _, tensors = self.convert("old.pth", content)
        self.assertEqual(tensors["head.bias"], [0.25])
        self.folder.joinpath("out").rename(self.folder / "first")
        self.refuse("cut.pth", content[:-6], "ends in the middle of a storage")
        for size in (16, 40, 200, len(content) // 2):
            self.refuse("cut.pth", content[:size], "the pickle ends in the middle|ends in the middle of a storage")
        huge = content.replace(struct.pack("<q", 2) + struct.pack("<2f", *numbers(2)), struct.pack("<q", 2 ** 60) + bytes(8))
        self.refuse("huge.pth", huge, "ends in the middle of a storage")

    def test_what_a_checkpoint_holds_of_another_program_is_passed_by(self):
        things = {"config": ff.Call("a_project.config.Config", "text", attributes={"a": 1}), "when": ff.Call("datetime.datetime", b"x")}
        _, tensors = self.convert("lightning.ckpt", ff.torch_file({"state_dict": lstm_state(), **things}))
        self.assertEqual(tensors["head.bias"], [0.25])
        self.folder.joinpath("out").rename(self.folder / "first")
        self.refuse("things.ckpt", ff.torch_file(things), "no tensors by name, but objects of a_project.config.Config, datetime.datetime;")

    def test_a_module_that_was_saved_whole_is_read(self):
        state = lstm_state()
        def part(path, name, modules=None):
            own = {key.partition(".")[2]: each for key, each in state.items() if name and key.startswith(name + ".")}
            return ff.Call(path, attributes={"training": False, "_parameters": own, "_buffers": {}, "_modules": modules or {}})
        whole = part("a_project.Net", "", {"rnn": part("torch.nn.modules.rnn.LSTM", "rnn"), "head": part("torch.nn.modules.linear.Linear", "head")})
        _, tensors = self.convert("whole.pt", ff.torch_file(whole))
        self.assertEqual(tensors["head.bias"], [0.25])

    def test_a_tensor_that_reaches_beyond_its_storage_is_refused(self):
        state = lstm_state()
        state["head.weight"] = Tensor([1.0], [1, 2])
        self.refuse("short.pt", ff.torch_file(state), "'head.weight' of shape .* reaches beyond the 1 values")

    def test_a_damaged_archive_is_refused(self):
        content = ff.torch_file(lstm_state())
        for size in (4, 40, len(content) // 2, len(content) - 3):
            with self.subTest(size=size):
                self.refuse("cut.pt", content[:size], "zip archive is damaged|none of ONNX")

    def test_a_description_names_the_elements_of_any_network(self):
        inputs = [{"name": "a"}, {"name": "b", "mean": 2, "std": 0.5}, {"name": "c"}]
        description = {"format": 2, "inputs": inputs, "output": {"of": "y", "head": "linear"}, "elements": [
            {"name": "cell", "type": "lstm", "of": "input", "units": 2, "module": "rnn"},
            {"name": "y", "type": "dense", "of": "cell", "units": 1, "module": "head", "activation": "sigmoid"}]}
        (self.folder / "d.json").write_text(json.dumps(description))
        written, tensors = self.convert("w.pt", ff.torch_file(lstm_state()), f"--config={self.folder}/d.json")
        self.assertEqual(written["inputs"], inputs)
        self.assertEqual(tensors["cell.weight_ih"], numbers(24))

    # ONNX

    def test_the_gates_of_onnx_are_put_in_our_order(self):
        description, tensors = self.convert("cell.onnx", lstm_graph())
        self.assertEqual(description["elements"][0]["type"], "lstm")
        i, o, f, c = [numbers(8)[2 * k:2 * k + 2] for k in range(4)]
        self.assertEqual(tensors["cell.weight_ih"], i + f + c + o)

    def test_states_are_paired_and_a_wrong_pair_is_refused(self):
        content = lstm_graph(state=("h", "c"), outputs=("Y", "Y_h", "Y_c"))
        done = self.run_on("cell.onnx", content)
        self.assertIn("state 'c' comes back in 'Y_c'", done.stdout)
        self.folder.joinpath("out").rename(self.folder / "first")
        self.refuse("cell.onnx", content, "does not come back in 'Y_c'", "--state=h:Y_c")

    def test_the_branch_of_an_if_is_chosen_by_how_many_axes_there_are(self):
        loop = ff.graph([ff.node("Scan", ["X"], ["b"])], [], ["b"])
        same = ff.graph([ff.node("Identity", ["X"], ["a"])], [], ["a"])
        nodes = [ff.node("Shape", ["X"], ["shape"]), ff.node("Size", ["shape"], ["axes"]),
                 ff.node("Equal", ["axes", "wanted"], ["so"]),
                 ff.node("If", ["so"], ["Z"], then_branch=same, else_branch=loop), ff.node("Relu", ["Z"], ["Y"])]
        def content(axes):
            wanted = ff.tensor("wanted", [], [axes], kind=7)
            return ff.onnx_model(ff.graph(nodes, [ff.value_info("X", ["time", 1, 2])], ["Y"], [wanted]))
        self.refuse("two.onnx", content(2), r"'the_Scan' \(Scan\) is a loop")
        description, _ = self.convert("three.onnx", content(3))
        self.assertEqual([e["type"] for e in description["elements"]], ["activation"])

    @staticmethod
    def sized(*nodes, tensors=(), shape=("batch", "time", 2)):
        """A graph over X with open sizes: `nodes` make Y of X and of "size", which is the size of axis 1."""
        asked = [ff.node("Shape", ["X"], ["shape"]), ff.node("Gather", ["shape", "one"], ["size"])]
        one = ff.tensor("one", [], [1], kind=7)
        return ff.onnx_model(ff.graph([*asked, *nodes], [ff.value_info("X", shape)], ["Y"], [one, *tensors]))

    def test_a_size_that_only_moves_axes_is_taken(self):
        ints = lambda name, *values: ff.tensor(name, [len(values)], list(values), kind=7)  # noqa: E731
        flat = [ff.node("Unsqueeze", ["size", "front"], ["sizes"]), ff.node("Concat", ["open", "sizes", "two"], ["to"], axis=0),
                ff.node("Reshape", ["X", "to"], ["moved"]), ff.node("Tanh", ["moved"], ["Y"])]
        content = self.sized(*flat, tensors=[ints("front", 0), ints("open", -1), ints("two", 2)])
        description, _ = self.convert("moved.onnx", content)
        self.assertEqual([e["type"] for e in description["elements"]], ["activation"])

    def test_a_comparison_of_sizes_that_are_left_to_be_found_is_taken(self):
        """PyTorch's expand: sizes of -1 become 1."""
        nodes = [ff.node("Equal", ["shape", "open"], ["missing"]), ff.node("Where", ["missing", "one", "shape"], ["wide"]),
                 ff.node("Expand", ["X", "wide"], ["Z"]), ff.node("Tanh", ["Z"], ["Y"])]
        self.convert("expand.onnx", self.sized(*nodes, tensors=[ff.tensor("open", [1], [-1], kind=7)]))

    def test_an_open_size_that_is_used_as_a_number_is_refused_by_the_nodes_name(self):
        limit, sixteen = ff.tensor("limit", [], [100], kind=7), ff.tensor("sixteen", [], [16], kind=7)
        twenty, far = ff.tensor("twenty", [1], [-20], kind=7), ff.tensor("far", [1], [2 ** 62], kind=7)
        as_float = ff.node("Cast", ["size"], ["number"], to=1)
        tanh = ff.graph([ff.node("Tanh", ["X"], ["a"])], [], ["a"])
        relu = ff.graph([ff.node("Relu", ["X"], ["b"])], [], ["b"])
        for wanted, nodes in {
                r"'by_size' \(Div\) uses as a number the size of the time axis 'time'": [
                    as_float, ff.node("Div", ["X", "number"], ["Y"], name="by_size")],
                r"'root' \(Mul\) uses as a number the size of the time axis": [
                    as_float, ff.node("Sqrt", ["number"], ["r"]), ff.node("Mul", ["X", "r"], ["Y"], name="root")],
                r"'short' \(Less\) decides by the size of the time axis": [
                    ff.node("Less", ["size", "limit"], ["so"], name="short"),
                    ff.node("If", ["so"], ["Y"], then_branch=tanh, else_branch=relu)],
                r"'blocks' \(Div\) decides by the size of the time axis": [
                    ff.node("Div", ["size", "sixteen"], ["n"], name="blocks"), ff.node("Cast", ["n"], ["f"], to=1),
                    ff.node("Add", ["X", "f"], ["Y"])],
                r"'newest' \(Slice\) decides by the size of the time axis": [
                    ff.node("Slice", ["X", "twenty", "far", "axis"], ["newest"], name="newest"), ff.node("Relu", ["newest"], ["Y"])],
        }.items():
            with self.subTest(wanted):
                tensors = [limit, sixteen, twenty, far, ff.tensor("axis", [1], [1], kind=7)]
                self.refuse("sized.onnx", self.sized(*nodes, tensors=tensors), wanted)

    def test_the_number_of_sequences_in_a_batch_is_refused_as_a_number(self):
        nodes = [ff.node("Size", ["X"], ["all"]), ff.node("Div", ["all", "size"], ["others"]),
                 ff.node("Cast", ["others"], ["number"], to=1), ff.node("Mul", ["X", "number"], ["Y"], name="by_batch")]
        self.refuse("sized.onnx", self.sized(*nodes), r"'by_batch' \(Mul\) uses as a number the size of the batch axis 'batch'")

    def test_a_mean_over_a_part_of_the_timesteps_is_refused(self):
        ends = [ff.tensor(name, [1], [value], kind=7) for name, value in (("from", -5), ("to", 2 ** 62), ("axis", 1))]
        nodes = [ff.node("Slice", ["X", "from", "to", "axis"], ["five"]),
                 ff.node("ReduceMean", ["five"], ["Y"], name="mean_of_five", axes=[1], keepdims=0)]
        self.refuse("mean.onnx", self.sized(*nodes, tensors=ends), r"'mean_of_five' \(ReduceMean\) reduces a part of the timesteps")

    def test_data_that_is_made_whole_numbers_is_refused(self):
        self.refuse("cast.onnx", one_node("Cast", to=7), r"'the_node' \(Cast\) makes of the data; a look-up of tokens can read them")

    def test_what_is_not_supported_is_refused_by_the_nodes_name(self):
        deep = ff.graph([], [], [])
        for _ in range(200):
            deep = ff.graph([ff.node("If", ["k"], ["z"], then_branch=deep)], [], [])
        weights = ff.tensor("k", [2], [1.0, 2.0])
        for wanted, content in {
                r"'the_node' \(Scan\) is a loop": one_node("Scan"),
                r"'the_node' \(Loop\) is a loop": one_node("Loop"),
                r"'the_node' \(Det\) is an operator that is not supported": one_node("Det"),
                r"'the_node' \(Add\) reads 'k'.*a cycle, or a missing initializer": one_node("Add", inputs=("X", "k")),
                r"'the_node' \(Add\) reads 'Y'.*a cycle": one_node("Add", inputs=("X", "Y")),
                r"'the_node' \(Conv\) is a convolution of": one_node("Conv", [weights], ("X", "k")),
                r"'the_node' \(MatMul\) multiplies data with data": one_node("MatMul", inputs=("X", "X")),
                r"'cell' \(LSTM\) has clip": lstm_graph(clip=1.0),
                r"'cell' \(LSTM\) has layout=2": lstm_graph(layout=2),
                r"'cell' \(LSTM\) has input_forget=1": lstm_graph(input_forget=1),
                r"'cell' \(LSTM\) has the activation 'thresholdedrelu'": lstm_graph(
                    activations=["Sigmoid", "ThresholdedRelu", "Tanh"]),
                r"'cell' \(LSTM\) has a HardSigmoid with alpha=0.3": lstm_graph(
                    activations=["HardSigmoid", "Tanh", "Tanh"], activation_alpha=[float(0.3)]),
                r"'cell' \(LSTM\) has W .*; \[1, 8, 2\] was wanted": lstm_graph(hidden_size=2),
                r"tensor 'k' has 4 bytes; its shape \[2\] wants 8": one_node("Add", [ff.tensor("k", [2], raw=b"abcd")], ("X", "k")),
                r"tensor 'k' has a shape with a negative": one_node("Add", [ff.tensor("k", [-1], raw=b"")], ("X", "k")),
                r"tensor 'k' has a shape with a negative or too large": one_node(
                    "Add", [ff.tensor("k", [1 << 40, 1 << 40], raw=b"")], ("X", "k")),
                r"tensor 'k' has a shape .* too large ": one_node("Add", [ff.tensor("k", [1 << 31], raw=b"x")], ("X", "k")),
                r"tensor 'k' has its values in another file, 'lost.data': no such file is in the folder of the ONNX file": one_node(
                    "Add", [ff.tensor("k", [1], external={"location": "lost.data"})], ("X", "k")),
                r"tensor 'k' has its values in another file, '../x': not a relative path": one_node(
                    "Add", [ff.tensor("k", [1], external={"location": "../x"})], ("X", "k")),
                "more than 16 deep": ff.onnx_model(deep),
        }.items():
            with self.subTest(wanted):
                self.refuse("bad.onnx", content, wanted)

    def test_values_beside_the_graph_are_read_from_any_working_folder(self):
        (self.folder / "it.onnx.data").write_bytes(struct.pack("<3f", 9, 2, 3))
        weights = ff.tensor("k", [2], external={"location": "it.onnx.data", "offset": "4", "length": "8"})
        content = one_node("Add", [weights], ("X", "k"))
        _, tensors = self.convert("it.onnx", content)
        self.assertIn([2, 3], list(tensors.values()))
        here = subprocess.run([BIN.resolve() / "rondo-convert", "it.onnx"], cwd=self.folder, text=True, capture_output=True)
        self.assertEqual(here.returncode, 0, here.stderr)

    def test_a_damaged_graph_is_refused(self):
        content = lstm_graph()
        for size in (2, 10, 50, len(content) - 5):
            with self.subTest(size=size):
                self.refuse("cut.onnx", content[:size], "the ONNX file is damaged")

    # All

    def test_a_model_that_is_there_is_not_written_over(self):
        self.convert("cell.onnx", lstm_graph())
        done = self.run_on("cell.onnx", lstm_graph())
        self.assertEqual(done.returncode, 1)
        self.assertIn("cell exists", done.stderr)

    def test_a_file_of_no_known_kind_is_refused(self):
        self.refuse("weights.bin", b"something else", "none of ONNX")
        self.refuse("other.pt", b"\x80\x02}q\x00.", "a pickle that torch.save did not write")


if __name__ == "__main__":
    unittest.main()
