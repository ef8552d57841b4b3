"""Columns of a data frame, or the values of a row, by the names of a model's inputs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from . import messages

_NO_VALUE = ("nan", "None", "NaT", "<NA>")


def of_frame(values: Any, model: messages.ModelDescription, fed_back: Collection[str] | None = None) -> Any:
    """[timesteps, input_size] of anything with `columns`, such as a pandas or polars frame, in the model's order; other
    values as they are. What is known before is taken from later rows: see `_timesteps`. `fed_back`: the rows are those of
    a forecast, and these columns are 0 where the frame lacks them."""
    if getattr(values, "columns", None) is None:
        return values
    found = [str(column) for column in values.columns]
    places = [_place(source, found) for source in _sources(model)]
    names = model.inputs or ("token",)
    optional = {*(fed_back or ()), *_of_series(model)}
    _refuse(model, [n for n, place in zip(names, places) if place is None and n not in optional], found)
    count = _timesteps(values, _of_timesteps(places, model), fed_back is not None)
    columns = []
    for source, place in zip(_sources(model), places):
        if place is None:
            columns.append(np.zeros(count, np.float32))
            continue
        column, ahead = place
        its = np.asarray(values[column])[ahead : ahead + count]
        columns.append(np.asarray(_category(its, source, model) if source.category else its, np.float32))
    return np.stack(columns, axis=1)


def of_sessions(values: Any, model: messages.ModelDescription) -> Any:
    """As of_frame, of a frame with a row for each session: no row comes after another."""
    if getattr(values, "columns", None) is None:
        return values
    return np.stack([of_row({c: np.asarray(values[c])[i] for c in values.columns}, model) for i in range(len(values))])


def of_row(x: Any, model: messages.ModelDescription) -> Any:
    """[input_size] of a mapping or a pandas Series with names; other values as they are. What is known before has the name
    of its column and how many timesteps later it is, as "promo+1"."""
    labels = list(x) if isinstance(x, Mapping) else getattr(x, "index", None)
    if labels is None or callable(labels) or not all(isinstance(label, str) for label in labels):
        return x
    found = list(labels)
    sources = _sources(model)
    places = [_place(source, found, later_rows=False) for source in sources]
    optional = _of_series(model)
    names = model.inputs or ("token",)
    _refuse(model, [_asked(s) for n, s, p in zip(names, sources, places) if p is None and n not in optional], found)
    cells = [0.0 if place is None else x[place[0]] for place in places]
    return [
        _category(np.array([cell]), source, model)[0] if source.category and place else cell
        for cell, source, place in zip(cells, sources, places)
    ]


def times_of(
    values: Any,
    times: messages.Times,
    model: messages.ModelDescription,
    fed_back: Collection[str] | None = None,
) -> messages.Times:
    """`times`, or for a model that needs them the times that a frame has as its index."""
    index = getattr(values, "index", None)
    if times is not None or not model.needs_times or getattr(values, "columns", None) is None:
        return times
    if index is None or getattr(getattr(index, "dtype", None), "kind", "") != "M":
        return None
    found = [str(column) for column in values.columns]
    places = [_place(source, found) for source in _sources(model)]
    return index[: _timesteps(values, _of_timesteps(places, model), fed_back is not None)]


def _sources(model: messages.ModelDescription) -> tuple[messages.InputSourceDescription, ...]:
    if model.input_sources:
        return model.input_sources
    return tuple(messages.InputSourceDescription(name) for name in model.inputs or ("token",))


def _of_series(model: messages.ModelDescription) -> set[str]:
    """The inputs that say which series a row is of: all are 0 where it is none that the model knows, or not said."""
    return {name for name, source in zip(model.inputs, _sources(model)) if _names_series(source, model)}


def _names_series(source: messages.InputSourceDescription, model: messages.ModelDescription) -> bool:
    return bool(source.category) and source.column == model.table.series


def _asked(source: messages.InputSourceDescription) -> str:
    return f"{source.column}+{source.ahead}" if source.ahead else source.column


def _place(
    source: messages.InputSourceDescription, found: list[str], later_rows: bool = True
) -> tuple[str, int] | None:
    """The column that has an input, and how many rows later; None: there is none. A column PROMO+1 has tomorrow's PROMO."""
    if _asked(source) in found:
        return _asked(source), 0
    return (source.column, source.ahead) if later_rows and source.column in found else None


def _of_timesteps(
    places: list[tuple[str, int] | None], model: messages.ModelDescription
) -> list[tuple[str, int] | None]:
    """The places of what differs from timestep to timestep: all but the name of the series."""
    return [None if _names_series(source, model) else place for source, place in zip(_sources(model), places)]


def _timesteps(values: Any, places: list[tuple[str, int] | None], is_forecast: bool) -> int:
    """How many rows of a frame are timesteps. The last ones may be there only for what has to be known before: in them
    every other input is missing. Of a forecast, which has no other inputs, they are as many as are looked ahead."""
    ahead = max((place[1] for place in places if place), default=0)
    count = len(values)
    if ahead == 0:
        return count
    if is_forecast:
        return max(count - ahead, 0)
    measured = [np.asarray(values[place[0]]) for place in places if place and place[1] == 0]
    while count > 0 and measured and all(str(column[count - 1]) in _NO_VALUE for column in measured):
        count -= 1
    if len(values) - count < ahead:
        known = sorted({place[0] for place in places if place and place[1] > 0})
        raise ValueError(
            f"the model wants {', '.join(known)} of up to {ahead} timesteps later: wanted so many more rows at the end, with "
            "NaN in every input that is not known before"
        )
    return count


def _category(column: Any, source: messages.InputSourceDescription, model: messages.ModelDescription) -> Any:
    known = [each.category for each in model.input_sources if each.column == source.column and each.category]
    texts = [str(value) for value in column]
    for text in texts:
        if text not in known and not _names_series(source, model):
            raise ValueError(f"{source.column} is '{text}'; model '{model.name}' knows {', '.join(sorted(set(known)))}")
    return np.array([text == source.category for text in texts], np.float32)


def _refuse(model: messages.ModelDescription, missing: list[str], found: list[str]) -> None:
    if missing:
        wanted = dict.fromkeys(source.column for source in _sources(model))
        raise ValueError(
            f"{', '.join(dict.fromkeys(missing))} is missing; there is {', '.join(found)}, and model '{model.name}' takes "
            f"{', '.join(wanted)}"
        )
