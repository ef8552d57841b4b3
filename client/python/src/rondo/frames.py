"""pandas in and out. Needs pandas: `pip install 'rondo-serving[pandas]'`.

    values, times = rondo.frames.to_inputs(session.model, frame)
    predictions = rondo.frames.to_frame(session.model, session.run(values, times), frame.index)
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from . import _wire
from .messages import FloatArray, ModelDescription

__all__ = ["to_frame", "to_inputs"]


def to_inputs(model: ModelDescription, frame: pd.DataFrame) -> tuple[FloatArray, pd.DatetimeIndex | None]:
    """The frame's columns by the model's input names, in any order and among others.

    What the model wants to know of a later timestep is taken from the later row, so the frame ends with rows that have
    no more than that: NaN in every other input. They are no timesteps.

    Returns:
        values [rows, input_size], and the frame's index as times if it has them.

    Raises:
        ValueError: an input has no column, a category is unknown, or the rows end before what has to be known.
    """
    values = _wire.rows(frame, model)
    times = frame.index[: len(values)] if isinstance(frame.index, pd.DatetimeIndex) else None
    return values, times


def to_frame(
    model: ModelDescription,
    outputs: FloatArray,
    index: pd.Index | None = None,
    *,
    path_quantiles: Sequence[float] = (),
) -> pd.DataFrame:
    """A column for each number of a reply's rows, named as the command line `rondo` names it.

    A linear or softmax head has a column NAME for each output; a gaussian head has NAME and NAME_std, a quantile head
    NAME_q0.1 and so on. With a horizon of more than one timestep, NAME+2 is two timesteps ahead.

    Args:
        model: the model that answered.
        outputs: [timesteps, output_size], of `predict`, `run` or `forecast`.
        index: of the frame; None: 0, 1, ...
        path_quantiles: of a forecast with num_paths: its path_quantiles, or (0.1, 0.5, 0.9) if it was given none.

    Raises:
        ValueError: `outputs` has another number of columns.
    """
    return pd.DataFrame(outputs, index=index, columns=_columns(model, path_quantiles))


def _columns(model: ModelDescription, path_quantiles: Sequence[float]) -> list[str]:
    suffixes = {"gaussian": ["", "_std"], "quantile": [f"_q{quantile:g}" for quantile in model.quantiles]}
    of_an_output = [f"_q{quantile:g}" for quantile in path_quantiles] or suffixes.get(model.head, [""])
    names = [name + suffix for name in model.outputs for suffix in of_an_output]
    if model.horizon <= 1:
        return names
    return [f"{name}+{step}" for step in range(1, model.horizon + 1) for name in names]
