#!/usr/bin/env python3
"""Models that Keras itself makes and saves, converted and compared with its answers.

    keras_test.py BIN_DIR [unittest arguments]      needs numpy, h5py and keras, which runs on numpy alone
"""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

os.environ["KERAS_BACKEND"] = "numpy"
import keras  # noqa: E402
import numpy  # noqa: E402
from keras import layers  # noqa: E402

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from interpreter import Interpreter  # noqa: E402

BIN = pathlib.Path(sys.argv.pop(1)) if len(sys.argv) > 1 else None
TOLERANCE = 1e-5


class KerasTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.random = numpy.random.default_rng(4)

    def shuffle(self, model):
        """Biases and statistics of a new model are zeros and ones, which would hide mistakes."""
        model.set_weights([self.random.uniform(0.1, 0.6, w.shape) if w.min() >= 0 and w.max() <= 1 and w.ndim == 1 else
                           self.random.normal(0, 0.4, w.shape) for w in model.get_weights()])

    def convert(self, path, *options):
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run([BIN / "rondo-convert", path, f"--output={folder}", "--name=it", *options], text=True,
                                  capture_output=True)
            self.assertEqual(done.returncode, 0, done.stderr)
            return Interpreter(f"{folder}/it/1/model.safetensors")

    def compare(self, model, x, skipped=0):
        self.shuffle(model)
        theirs = numpy.asarray(model(x[None]))[0]
        for ending in ("keras", "h5"):
            path = self.folder / f"model.{ending}"
            model.save(path)
            ours = self.convert(path).run(x.reshape(len(x), -1))
            if theirs.ndim == 1:
                ours = ours[-1]
            numpy.testing.assert_allclose(ours[skipped:] if theirs.ndim > 1 else ours, theirs, atol=TOLERANCE, rtol=0)

    def refuse(self, model, wanted):
        path = self.folder / "model.keras"
        model.save(path)
        done = subprocess.run([BIN / "rondo-convert", path], text=True, capture_output=True)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn(wanted, done.stderr)

    def x(self, timesteps=9, width=5):
        return self.random.normal(0, 1, (timesteps, width)).astype(numpy.float32)

    def test_pools_that_pad_by_how_many_timesteps_there_are(self):
        for timesteps, kernel, stride in ((12, 5, 5), (9, 3, 2), (10, 3, 2), (11, 4, 3), (12, 3, 3)):
            for pool in (layers.MaxPooling1D, layers.AveragePooling1D):
                with self.subTest(timesteps=timesteps, kernel=kernel, stride=stride, pool=pool.__name__):
                    self.compare(keras.Sequential([
                        keras.Input((timesteps, 5)), pool(kernel, stride, padding="same"), pool(2, padding="same"),
                        layers.LSTM(3)]), self.x(timesteps))
        self.refuse(keras.Sequential([keras.Input((None, 5)), layers.MaxPooling1D(3, 2, padding="same"), layers.LSTM(3)]),
                    "pads with padding=same by how many timesteps there are")

    def test_every_cell_in_a_sequential_model(self):
        for cell in (layers.LSTM(4, return_sequences=True), layers.GRU(4, return_sequences=True),
                     layers.GRU(4, return_sequences=True, reset_after=False),
                     layers.SimpleRNN(4, return_sequences=True, activation="relu"),
                     layers.LSTM(4, return_sequences=True, recurrent_activation="hard_sigmoid", activation="relu"),
                     layers.LSTM(4, return_sequences=True, use_bias=False), layers.LSTM(4), layers.GRU(4, go_backwards=True)):
            with self.subTest(cell.name):
                self.compare(keras.Sequential([keras.Input((None, 5)), cell, layers.Dropout(0.5),
                                               layers.Dense(3, activation="sigmoid")]), self.x())

    def test_causal_convolutions_with_norms_in_front(self):
        self.compare(keras.Sequential([
            keras.Input((None, 5)), layers.Conv1D(6, 3, padding="causal", dilation_rate=2, activation="relu"),
            layers.BatchNormalization(), layers.Conv1D(4, 2, padding="causal"), layers.LayerNormalization(),
            layers.GRU(4, return_sequences=True), layers.TimeDistributed(layers.Dense(2, activation="softmax"))]), self.x())

    def test_a_convolution_that_looks_ahead(self):
        self.compare(keras.Sequential([keras.Input((None, 5)), layers.Conv1D(6, 4, padding="same"),
                                       layers.LSTM(3, return_sequences=True)]), self.x())

    def test_bidirectional_taggers_and_classifiers(self):
        for sequences in (True, False):
            for mode in ("concat", "sum", "ave"):
                with self.subTest(sequences=sequences, mode=mode):
                    self.compare(keras.Sequential([
                        keras.Input((None, 5)),
                        layers.Bidirectional(layers.LSTM(4, return_sequences=sequences), merge_mode=mode),
                        layers.Dense(3)]), self.x())

    def test_tokens_pooled_over_time(self):
        tokens = self.random.integers(0, 11, 8)
        model = keras.Sequential([keras.Input((None,), dtype="int32"), layers.Embedding(11, 6), layers.Conv1D(6, 3, padding="same"),
                                  layers.MaxPooling1D(2), layers.LSTM(4), layers.Dense(1, activation="sigmoid")])
        self.compare(model, tokens)

    def test_a_graph_with_a_skip_connection(self):
        x = keras.Input((None, 5))
        a = layers.LSTM(5, return_sequences=True)(x)
        b = layers.Add()([a, x])
        c = layers.GRU(4, return_sequences=True)(b)
        y = layers.Dense(2)(layers.Concatenate()([c, layers.LeakyReLU(negative_slope=0.2)(b)]))
        self.compare(keras.Model(x, y), self.x())

    def test_layers_that_scale_and_bend(self):
        self.compare(keras.Sequential([
            keras.Input((None, 5)), layers.Normalization(mean=[1, 2, 3, 4, 5], variance=[1, 2, 1, 2, 1]), layers.Rescaling(0.5, 1),
            layers.Dense(4), layers.PReLU(shared_axes=[1]), layers.Dense(4, activation="relu6"),
            layers.Dense(4, activation="leaky_relu"), layers.LSTM(3, return_sequences=True)]), self.x())

    def test_layers_over_another_axis_than_the_features_are_refused(self):
        """With as many timesteps as features their weights have the same shapes."""
        for name, layer in (("norm", layers.BatchNormalization(axis=1, name="norm")), ("row", layers.LayerNormalization(axis=1, name="row")),
                            ("unit", layers.UnitNormalization(axis=1, name="unit"))):
            self.refuse(keras.Sequential([keras.Input((5, 5)), layer, layers.LSTM(3)]), f"layer '{name}' ({type(layer).__name__}) is over another axis")
        rows = keras.Input((9, 4, 3))
        self.refuse(keras.Model(rows, layers.Concatenate(axis=2, name="both")([rows, rows])), "layer 'both' (Concatenate) joins along another axis")
        for pool, size in ((layers.MaxPooling1D, [2]), (layers.AveragePooling1D, [2]), (layers.GlobalMaxPooling1D, [])):
            self.refuse(keras.Sequential([keras.Input((6, 6)), pool(*size, data_format="channels_first", name="pool"), layers.Flatten(),
                                          layers.Dense(2)]), f"layer 'pool' ({pool.__name__}) has data_format=channels_first")

    def test_one_number_times_all_features_in_either_order(self):
        x = keras.Input((None, 5))
        gate = layers.Dense(1, activation="sigmoid")(x)
        self.compare(keras.Model(x, layers.LSTM(3, return_sequences=True)(layers.Multiply()([gate, x]))), self.x())

    def test_one_number_a_row_is_not_taken_for_one_a_feature(self):
        rows = keras.Input((9, 4, 4))
        gate = layers.TimeDistributed(layers.Dense(1))(rows)
        self.refuse(keras.Model(rows, layers.Multiply(name="gated")([rows, gate])), "layer 'gated' (Multiply) combines values of different shapes")

    def test_convolutions_in_parts_and_after_a_padding(self):
        self.compare(keras.Sequential([
            keras.Input((None, 5)), layers.ZeroPadding1D((4, 0)), layers.Conv1D(4, 3, dilation_rate=2, activation="relu"),
            layers.SeparableConv1D(6, 3, padding="same", depth_multiplier=2),
            layers.DepthwiseConv1D(2, padding="same", depth_multiplier=2), layers.GRU(3, return_sequences=True)]), self.x())

    def test_a_cell_in_an_rnn_layer_and_two_directions_that_differ(self):
        other = layers.LSTM(4, return_sequences=True, go_backwards=True, activation="relu")
        self.compare(keras.Sequential([
            keras.Input((None, 5)), layers.RNN(layers.LSTMCell(4), return_sequences=True),
            layers.Bidirectional(layers.LSTM(4, return_sequences=True), backward_layer=other), layers.Dense(2)]), self.x())

    def test_models_inside_models(self):
        encoder = keras.Sequential([keras.Input((None, 5)), layers.Conv1D(6, 3, padding="causal"), layers.BatchNormalization(),
                                    layers.GRU(4, return_sequences=True)], name="encoder")
        inner = keras.Input((None, 4))
        block = keras.Model(inner, layers.Add()([inner, layers.Dense(4, activation="mish")(layers.LSTM(4, return_sequences=True)(inner))]))
        x = keras.Input((None, 5))
        self.compare(keras.Model(x, layers.Dense(2)(block(encoder(x)))), self.x())
        self.compare(keras.Sequential([
            keras.Input((None, 5)), keras.Sequential([layers.Dense(6, activation="relu"), layers.Dense(4)]),
            layers.TimeDistributed(keras.Sequential([layers.Dense(3, activation="tanh"), layers.Dropout(0.1)])),
            layers.LSTM(4, return_sequences=True)]), self.x())

    def test_several_inputs_stand_side_by_side(self):
        a, b = keras.Input((None, 3), name="speed"), keras.Input((None, 2), name="load")
        model = keras.Model([a, b], layers.Dense(1)(layers.LSTM(4, return_sequences=True)(layers.Concatenate()([a, b]))))
        self.shuffle(model)
        x = self.x()
        theirs = numpy.asarray(model([x[None, :, :3], x[None, :, 3:]]))[0]
        model.save(self.folder / "two.keras")
        numpy.testing.assert_allclose(self.convert(self.folder / "two.keras").run(x), theirs, atol=TOLERANCE)

    def test_several_cells_in_one_layer(self):
        self.compare(keras.Sequential([keras.Input((None, 5)), layers.RNN([layers.LSTMCell(4), layers.LSTMCell(3)], return_sequences=True),
                                       layers.RNN(layers.StackedRNNCells([layers.GRUCell(4), layers.GRUCell(3)]))]), self.x())

    def test_convolutions_within_a_timestep(self):
        x = self.random.normal(0, 1, (9, 8, 3)).astype(numpy.float32)
        for last in (layers.Flatten(), layers.GlobalAveragePooling1D(), layers.GlobalMaxPooling1D()):
            each = [layers.Conv1D(4, 3, padding="same", activation="relu"), layers.BatchNormalization(), layers.MaxPooling1D(2), last]
            self.compare(keras.Sequential([keras.Input((None, 8, 3)), *[layers.TimeDistributed(one) for one in each],
                                           layers.LSTM(4, return_sequences=True), layers.Dense(1)]), x)

    def test_cells_along_a_timesteps_rows(self):
        x = self.random.normal(0, 1, (9, 8, 3)).astype(numpy.float32)
        for cell in (layers.LSTM(4, return_sequences=True), layers.GRU(4, return_sequences=True), layers.SimpleRNN(4),
                     layers.LSTM(4, go_backwards=True), layers.Bidirectional(layers.GRU(4)),
                     layers.Bidirectional(layers.LSTM(4, return_sequences=True), merge_mode="ave")):
            each = [cell, layers.Dense(3, activation="relu")]
            sequence = len(cell.compute_output_shape((1, 8, 3))) == 3
            self.compare(keras.Sequential([keras.Input((None, 8, 3)), *[layers.TimeDistributed(one) for one in each],
                                           *([layers.TimeDistributed(layers.Flatten())] if sequence else []),
                                           layers.LSTM(4, return_sequences=True)]), x)

    def test_a_dense_layer_over_all_timesteps(self):
        self.compare(keras.Sequential([keras.Input((9, 5)), layers.LSTM(4, return_sequences=True), layers.Flatten(), layers.Dropout(0.1),
                                       layers.Dense(6, activation="relu"), layers.Dense(2)]), self.x())
        self.compare(keras.Sequential([keras.Input((9, 5)), layers.Conv1D(4, 3, activation="relu"), layers.Flatten(), layers.Dense(2)]), self.x())

    def test_numbers_states_and_masks_between_layers(self):
        x = keras.Input((None, 5))
        self.compare(keras.Model(x, layers.LSTM(5, return_sequences=True)(x) * 2.0 + 1.0 - x), self.x())
        _, h, _ = layers.LSTM(4, return_state=True, return_sequences=True)(x)
        self.compare(keras.Model(x, layers.Dense(2)(h)), self.x())
        tokens = keras.Input((None,), dtype="int32")
        y = layers.Bidirectional(layers.LSTM(4, return_sequences=True))(layers.Embedding(11, 6, mask_zero=True)(tokens))
        self.compare(keras.Model(tokens, layers.Dense(3)(y)), self.random.integers(1, 11, 8))

    def test_a_state_that_is_computed_is_refused(self):
        x = keras.Input((None, 5))
        y, h, c = layers.LSTM(4, return_state=True, return_sequences=True)(x)
        path = self.folder / "states.keras"
        for model, wanted in ((keras.Model(x, layers.LSTM(4, name="decoder")(y, initial_state=[h, c])), "layer 'decoder' .* as 'initial_state'"),
                              (keras.Model(x, layers.Dense(2, name="of_c")(c)), "layer 'of_c' reads answer 2 of layer 'lstm")):
            model.save(path)
            done = subprocess.run([BIN / "rondo-convert", path], text=True, capture_output=True)
            self.assertEqual(done.returncode, 1)
            self.assertRegex(done.stderr, wanted)

    def test_zeros_before_something_else_than_their_convolution_are_refused(self):
        for after in (layers.LSTM(3), layers.Conv1D(3, 4)):
            path = self.folder / f"{after.name}.keras"
            keras.Sequential([keras.Input((None, 5)), layers.ZeroPadding1D((2, 0)), after]).save(path)
            done = subprocess.run([BIN / "rondo-convert", path], text=True, capture_output=True)
            self.assertEqual(done.returncode, 1)
            self.assertRegex(done.stderr, f"layer '{after.name}' .* follows ")

    def test_a_convolution_without_padding_gives_what_keras_gives_later_or_is_refused(self):
        self.compare(keras.Sequential([keras.Input((None, 5)), layers.Conv1D(4, 3, activation="relu"), layers.Conv1D(3, 2),
                                       layers.Dense(2)]), self.x(), skipped=3)
        for after in (layers.GlobalAveragePooling1D(), layers.Conv1D(3, 4, padding="causal")):
            path = self.folder / f"{after.name}.keras"
            keras.Sequential([keras.Input((None, 5)), layers.Conv1D(4, 3), layers.Dense(2), after]).save(path)
            done = subprocess.run([BIN / "rondo-convert", path], text=True, capture_output=True)
            self.assertEqual(done.returncode, 1)
            self.assertRegex(done.stderr, f"layer '{after.name}' .* begins 2 timesteps late")

    def test_cells_behind_a_convolution_without_padding_begin_with_it(self):
        for cell in (layers.LSTM(4), layers.GRU(4, return_sequences=True), layers.GRU(4, reset_after=False),
                     layers.LSTM(4, recurrent_activation="hard_sigmoid", activation="relu", return_sequences=True),
                     layers.RNN([layers.LSTMCell(4), layers.GRUCell(3)]), layers.Bidirectional(layers.LSTM(4, return_sequences=True))):
            with self.subTest(cell.name):
                self.compare(keras.Sequential([keras.Input((None, 5)), layers.Conv1D(4, 3, activation="relu"), layers.Conv1D(4, 2, dilation_rate=2),
                                               cell, layers.Dense(2)]), self.x(), skipped=4)
        between = [layers.Dropout(0.5), layers.Identity(), layers.Reshape((-1, 4))]  # they hand the timesteps through
        self.compare(keras.Sequential([keras.Input((None, 5)), layers.Conv1D(4, 3, activation="relu"), *between, layers.LSTM(4, return_sequences=True)]),
                     self.x(), skipped=2)
        for cell, wanted in ((layers.SimpleRNN(4, name="plain"), "'plain' begins 2 timesteps after the sequence"),
                             (layers.LSTM(4, activation="sigmoid", name="half"), "'half' begins 2 timesteps after the sequence"),
                             (layers.Bidirectional(layers.LSTM(4, name="b"), name="both"), "ends where the timesteps begin, 2 timesteps late")):
            self.refuse(keras.Sequential([keras.Input((None, 5)), layers.Conv1D(4, 3), cell]), wanted)

    def test_a_timesteps_numbers_are_made_rows_and_a_vector_again(self):
        x = self.random.normal(0, 1, (9, 6, 3)).astype(numpy.float32)
        for shapes in (((9, 18),), ((-1, 18),), ((9, -1),), ((9, 3, 6), (9, -1, 2), (-1, 18))):
            self.compare(keras.Sequential([keras.Input((9, 6, 3)), *[layers.Reshape(shape) for shape in shapes], layers.LSTM(4)]), x)
        for shape in ((18, 9), (3, -1), (9, 3, 3, 2)):
            model = keras.Sequential([keras.Input((9, 6, 3)), layers.Reshape(shape, name="shape")])
            self.refuse(model, "layer 'shape' (Reshape) gives another number of timesteps, or")
        self.refuse(keras.Sequential([keras.Input((9, 6)), layers.ZeroPadding1D((2, 0))]), "the output begins with a padding")

    def test_relus_that_are_bent_and_cut(self):
        for relu in (layers.ReLU(0.5), layers.ReLU(negative_slope=0.1), layers.ReLU(0.4, negative_slope=0.2)):
            self.compare(keras.Sequential([keras.Input((None, 5)), relu, layers.Identity(), layers.Dense(2)]), self.x())
        self.refuse(keras.Sequential([keras.Input((None, 5)), layers.ReLU(threshold=0.1, name="late")]), "layer 'late' (ReLU) has a threshold")

    def test_functions_that_no_gate_can_have_are_refused_by_the_layers_name(self):
        self.refuse(keras.Sequential([keras.Input((None, 5)), layers.LSTM(3, activation="softmax", name="odd")]),
                    "layer 'odd' (LSTM) has the activation 'softmax', which is not supported within a cell")

    def test_weights_that_keras_3_saved_alone(self):
        model = keras.Sequential([keras.Input((None, 5)), layers.LSTM(4, return_sequences=True, recurrent_activation="hard_sigmoid"),
                                  layers.Dense(3), layers.Dense(2)])
        self.shuffle(model)
        weights, config, x = self.folder / "model.weights.h5", self.folder / "config.json", self.x()
        model.save_weights(weights)
        config.write_text(model.to_json())
        done = subprocess.run([BIN / "rondo-convert", weights], text=True, capture_output=True)
        self.assertRegex(done.stderr, "weights of Keras 3 and no graph; --config")
        numpy.testing.assert_allclose(self.convert(weights, f"--config={config}").run(x), numpy.asarray(model(x[None]))[0],
                                      atol=TOLERANCE)

    def test_what_is_not_supported_is_refused_by_the_layers_name(self):
        x = keras.Input((None, 5))
        y = layers.Attention(name="look")([x, x])
        path = self.folder / "attention.keras"
        keras.Model(x, y).save(path)
        done = subprocess.run([BIN / "rondo-convert", path, f"--output={self.folder}/out"], text=True, capture_output=True)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, "layer 'look' \\(Attention\\) is a layer that is not supported")
        self.assertFalse((self.folder / "out").exists())

    def test_weights_alone_need_the_configuration(self):
        model = keras.Sequential([keras.Input((None, 5)), layers.LSTM(4, return_sequences=True)])
        self.shuffle(model)
        h5 = self.folder / "model.h5"
        model.save(h5)
        (self.folder / "config.json").write_text(model.to_json())
        import h5py
        weights = self.folder / "weights.h5"
        with h5py.File(h5) as source, h5py.File(weights, "w") as target:
            for name in source["model_weights"]:
                source.copy(f"model_weights/{name}", target)
            for name, value in source["model_weights"].attrs.items():
                target.attrs[name] = value
        done = subprocess.run([BIN / "rondo-convert", weights], text=True, capture_output=True)
        self.assertRegex(done.stderr, "no graph; --config")
        x = self.x()
        numpy.testing.assert_allclose(self.convert(weights, f"--config={self.folder}/config.json").run(x),
                                      numpy.asarray(model(x[None]))[0], atol=TOLERANCE)


if __name__ == "__main__":
    unittest.main()
