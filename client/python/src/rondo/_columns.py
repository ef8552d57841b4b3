"""Columns of a data frame, or the values of a row, by the names of a model's inputs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from . import messages


def of_frame(values: Any, model: messages.ModelDescription, optional: Collection[str] = ()) -> Any:
    """[timesteps, input_size] of anything with `columns`, such as a pandas or polars frame, in the model's order; other
    values as they are. `optional` columns are 0 where the frame lacks them."""
    columns = getattr(values, "columns", None)
    if columns is None:
        return values
    found = [str(column) for column in columns]
    names = _names(model, [name for name in _wanted(model) if name not in found and name not in optional], found)
    nothing = np.zeros(len(values), np.float32)
    return np.stack([np.asarray(values[name], np.float32) if name in found else nothing for name in names], axis=1)


def of_row(x: Any, model: messages.ModelDescription) -> Any:
    """[input_size] of a mapping or a pandas Series with names; other values as they are."""
    labels = list(x) if isinstance(x, Mapping) else getattr(x, "index", None)
    if labels is None or callable(labels) or not all(isinstance(label, str) for label in labels):
        return x
    found = list(labels)
    return [x[name] for name in _names(model, [name for name in _wanted(model) if name not in found], found)]


def times_of(values: Any, times: messages.Times, model: messages.ModelDescription) -> messages.Times:
    """`times`, or for a model that needs them the times that a frame has as its index."""
    index = getattr(values, "index", None)
    if times is not None or not model.needs_times or getattr(values, "columns", None) is None:
        return times
    return index if getattr(getattr(index, "dtype", None), "kind", "") == "M" else None


def _wanted(model: messages.ModelDescription) -> tuple[str, ...]:
    return model.inputs or ("token",)


def _names(model: messages.ModelDescription, missing: list[str], found: list[str]) -> tuple[str, ...]:
    if missing:
        raise ValueError(
            f"{', '.join(missing)} is missing; there is {', '.join(found)}, and model '{model.name}' takes "
            f"{', '.join(_wanted(model))}"
        )
    return _wanted(model)
