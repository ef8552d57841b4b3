"""Data frames and rows by the names of a model's inputs, whatever their order."""

import dataclasses
import unittest

import numpy as np
import pandas as pd
import rondo
from rondo import _columns, frames
from server_process import ServerProcess


class ColumnsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = ServerProcess()
        cls.addClassCleanup(cls.server.close)

    def setUp(self):
        self.client = self.enterContext(rondo.Client(self.server.address))

    def test_a_frame_goes_in_by_name_wherever_values_do(self):
        frame = pd.DataFrame({"y": [10, 20], "note": ["a", "b"], "x": [1, 2]})
        self.assertEqual(self.client.predict("two", frame).tolist(), [[11], [33]])
        with self.client.open_session("two") as session:
            self.assertEqual(session.run(frame).tolist(), [[11], [33]])
        sessions = [self.client.open_session("two", f"framed-{i}") for i in range(2)]
        self.assertEqual(self.client.step_many(sessions, frame).tolist(), [[11], [22]])
        sequence = rondo.SequenceInput(frame, "framed-0", 1)
        self.assertEqual(self.client.predict_many("two", [sequence])[0].values.tolist(), [[22], [44]])

    def test_a_row_goes_in_by_name(self):
        with self.client.open_session("two") as session:
            self.assertEqual(session.step({"y": 10, "x": 1}).tolist(), [11])
            self.assertEqual(session.step(pd.Series({"y": 20, "x": 2, "z": 9})).tolist(), [33])
            self.assertEqual(session.step(pd.Series([1, 1])).tolist(), [35])

    def test_what_a_forecast_feeds_back_may_be_left_out(self):
        with self.client.open_session("two") as session:
            session.step([1, 1])
            known = session.forecast(3, pd.DataFrame({"y": [1.0, 2.0]}))
            self.assertEqual(known.tolist(), session.forecast(3, np.array([[0, 1], [0, 2]])).tolist())

    def test_what_is_known_before_comes_from_later_rows_and_a_category_is_a_one(self):
        sources = [("y", "", 0), ("promo", "", 1), ("day", "fair", 1), ("day", "usual", 1)]
        model = dataclasses.replace(
            self.client.get_model("two"),
            inputs=("y", "promo+1", "day=fair+1", "day=usual+1"),
            input_size=4,
            input_sources=tuple(rondo.InputSourceDescription(*source) for source in sources),
        )
        frame = pd.DataFrame({"y": [5, 6, np.nan], "promo": [False, True, True], "day": ["usual", "fair", "usual"]})
        self.assertEqual(frames.to_inputs(model, frame)[0].tolist(), [[5, 1, 1, 0], [6, 1, 0, 1]])
        self.assertEqual(_columns.of_frame(frame, model, ["y"]).tolist(), [[5, 1, 1, 0], [6, 1, 0, 1]])
        self.assertEqual(_columns.of_row({"y": 5, "promo+1": 1, "day+1": "fair"}, model), [5, 1, 1, 0])
        with self.assertRaisesRegex(ValueError, "wants day, promo of up to 1 timesteps later"):
            frames.to_inputs(model, frame[:2])
        with self.assertRaisesRegex(ValueError, "day is 'flood'; model 'two' knows fair, usual"):
            frames.to_inputs(model, frame.assign(day=["usual", "flood", "usual"]))
        with self.assertRaisesRegex(ValueError, r"promo\+1 is missing"):
            _columns.of_row({"y": 5, "promo": 1, "day+1": "fair"}, model)

    def test_a_series_that_the_model_does_not_know_is_none_of_those_it_knows(self):
        sources = [("y", "", 0), ("shop", "north", 0), ("shop", "south", 0)]
        model = dataclasses.replace(
            self.client.get_model("two"),
            inputs=("y", "shop=north", "shop=south"),
            input_size=3,
            input_sources=tuple(rondo.InputSourceDescription(*source) for source in sources),
            table=rondo.TableDescription(series="shop"),
        )
        frame = pd.DataFrame({"y": [5, 6], "shop": ["south", "west"]})
        self.assertEqual(frames.to_inputs(model, frame)[0].tolist(), [[5, 0, 1], [6, 0, 0]])
        self.assertEqual(frames.to_inputs(model, frame[["y"]])[0].tolist(), [[5, 0, 0], [6, 0, 0]])
        self.assertEqual(_columns.of_row({"y": 5, "shop": "north"}, model), [5, 1, 0])
        self.assertEqual(_columns.of_row({"y": 5}, model), [5, 0, 0])

    def test_a_column_that_is_missing_is_named(self):
        with self.assertRaisesRegex(ValueError, "y is missing; there is x, z, and model 'two' takes x, y"):
            self.client.predict("two", pd.DataFrame({"x": [1], "z": [1]}))
        with self.client.open_session("two") as session:
            for row in ({"x": 1}, pd.Series({"x": 1})):
                with self.assertRaisesRegex(ValueError, "y is missing"):
                    session.step(row)

    def test_a_model_that_needs_times_takes_them_from_the_index(self):
        index = pd.to_datetime(["2020-01-01 03:00", "2020-01-01 04:00"])
        frame = pd.DataFrame({"x": [1.0, 2.0]}, index=index)
        self.assertEqual(self.client.predict("clock", frame).shape, (2, 1))
        with self.assertRaises(rondo.InvalidArgument):
            self.client.predict("clock", frame.reset_index(drop=True))
