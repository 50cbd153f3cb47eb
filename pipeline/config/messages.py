"""Mistakes in a configuration, told so that they can be mended."""

import difflib
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ValidationError

_SHOWN = 60


def describe_mistakes(error: ValidationError, record: type[BaseModel]) -> Iterator[str]:
    """Yield one line per mistake in a record: the key, what was expected, what was found.

    An unknown key comes with the known one that is nearest to it.
    """
    problems = error.errors(include_url=False)
    places = [problem["loc"] for problem in problems]
    for problem in problems:
        inner = [
            at
            for at in places
            if at != problem["loc"] and at[: len(problem["loc"])] == problem["loc"]
        ]
        if problem["type"] == "too_short" and inner:  # what would be in it has a line of its own
            continue
        where = ".".join(str(part) for part in problem["loc"]) or "the whole file"
        found = "" if problem["type"] == "missing" else f", found {show_value(problem['input'])}"
        if problem["type"] == "extra_forbidden":
            yield f"{where}: unknown key{_suggest(problem['loc'], record)}"
        elif problem["type"] == "missing":
            yield f"{where}: this key is needed and absent"
        else:
            yield f"{where}: {problem['msg'].removeprefix('Value error, ')}{found}"


def show_value(value: object) -> str:
    """Write a value for an error, cut short where it is long."""
    text = repr(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."


def _suggest(location: tuple[int | str, ...], record: type[BaseModel]) -> str:
    known = sorted(_keys_near(location, record))
    near = difflib.get_close_matches(str(location[-1]), known, n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(known)}"


def _keys_near(location: tuple[int | str, ...], record: type[BaseModel]) -> set[str]:
    here: type[BaseModel] = record
    for part in location[:-1]:
        inner = here.model_fields.get(str(part))
        if inner is not None:
            here = next(_records_in(inner.annotation), here)
    return {field.alias or name for name, field in here.model_fields.items()}


def _records_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in getattr(annotation, "__args__", ()):
        yield from _records_in(part)
