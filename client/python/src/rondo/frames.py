"""pandas in and out. Needs pandas: `pip install 'rondo[pandas]'`.

    values, times = rondo.frames.to_inputs(session.model, frame)
    predictions = rondo.frames.to_frame(session.model, session.run(values, times), frame.index)
"""

from __future__ import annotations

import pandas as pd

from .messages import FloatArray, Model

__all__ = ["to_frame", "to_inputs"]


def to_inputs(model: Model, frame: pd.DataFrame) -> tuple[FloatArray, pd.DatetimeIndex | None]:
    """The frame's columns by the model's input names, in any order and among others.

    Returns:
        values [rows, input_size], and the frame's index as times if it has them.

    Raises:
        ValueError: an input has no column.
    """
    missing = [name for name in model.inputs if name not in frame.columns]
    if missing or not model.inputs:
        raise ValueError(
            f"the frame has the columns {', '.join(map(str, frame.columns))}; "
            f"model '{model.name}' wants {', '.join(model.inputs) or 'token ids, which have no names'}"
        )
    times = frame.index if isinstance(frame.index, pd.DatetimeIndex) else None
    return frame[list(model.inputs)].to_numpy(dtype="float32"), times


def to_frame(model: Model, outputs: FloatArray, index: pd.Index | None = None) -> pd.DataFrame:
    """outputs [timesteps, output_size] with a column for each output; NAME+K is K timesteps ahead of the first."""
    columns = [name if k == 0 else f"{name}+{k}" for k in range(model.horizon) for name in model.outputs]
    return pd.DataFrame(outputs, index=index, columns=columns)
