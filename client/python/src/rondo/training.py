"""Training from Python: runs the program rondo-train on a pandas frame.

    trained = rondo.train(frame, output="models/seattle/1", target="temp_max", horizon=7)
    print(trained.report)
"""

from __future__ import annotations

import json
import pathlib
import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Union

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["TrainedModel", "TrainingError", "train"]

Option = Union[str, int, float, bool, Iterable[str]]


class TrainingError(Exception):
    """rondo-train wrote no model. `str(error)` is what it said."""


@dataclass(frozen=True)
class TrainedModel:
    """What rondo-train has written."""

    folder: pathlib.Path
    """Has model.safetensors, which rondo-server serves, scores.json, forecast.csv and report.html."""
    scores: dict[str, Any]
    """Of scores.json: the errors on the test part, beside those of the naive rules."""
    report: str
    """What the program printed: the networks it tried and their scores."""


def train(
    frame: pd.DataFrame,
    *,
    output: str | pathlib.Path,
    target: str | Iterable[str],
    program: str | pathlib.Path = "rondo-train",
    **options: Option,
) -> TrainedModel:
    """Trains a model on the rows of a frame and writes the folder `output`, as the program rondo-train does.

    Args:
        frame: a row for each timestep, in order of time. If its index is a DatetimeIndex, it is the time of each row,
            under its name or "time"; another index is left out.
        output: the folder to make; it must not exist.
        target: the columns to predict.
        program: rondo-train, by its path or as PATH finds it.
        **options: of rondo-train, by name: horizon=24, inputs=["load", "temperature"], missing="forward_fill". A list is
            joined by commas.

    Raises:
        TrainingError: rondo-train wrote no model, and says why.
        FileNotFoundError: there is no such program.
    """
    times = {}
    is_timed = hasattr(frame.index, "tz")  # a DatetimeIndex, without importing pandas
    if is_timed and "time" not in options:
        times["time"] = str(frame.index.name or "time")
    command = [str(program), f"--output={output}"]
    command += [f"--{name}={_text(value)}" for name, value in {"target": target, **times, **options}.items()]
    with tempfile.TemporaryDirectory() as folder:
        rows = pathlib.Path(folder, "frame.csv")
        frame.to_csv(rows, index=is_timed, index_label=times.get("time"))
        run = subprocess.run([*command, f"--data={rows}"], capture_output=True, text=True, check=False)
    if run.returncode != 0:
        raise TrainingError(run.stderr.replace(f"{rows}: ", "").strip())
    written = pathlib.Path(output)
    return TrainedModel(written, json.loads((written / "scores.json").read_text()), run.stdout)


def _text(value: Option) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int, float)):
        return str(value)
    return ",".join(value)
