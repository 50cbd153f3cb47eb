"""The messages about mistakes in a configuration."""

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ValidationError

from leadscore.pipeline.errors import suggest_name

_LONGEST_VALUE = 60
"""Characters of a value that a message shows."""


def describe_mistakes(error: ValidationError, record: type[BaseModel]) -> Iterator[str]:
    """Yield one line per mistake in a record: the key, what was expected, what was found.

    The line of an unknown key has the most similar known key.
    """
    problems = error.errors(include_url=False)
    locations = [problem["loc"] for problem in problems]
    for problem in problems:
        here = problem["loc"]
        if problem["type"] == "too_short" and any(
            other != here and other[: len(here)] == here for other in locations
        ):
            continue  # the mistakes inside it have lines of their own
        where = ".".join(str(part) for part in here) or "the whole file"
        if problem["type"] == "extra_forbidden":
            known = sorted(_keys_near(here, record))
            hint = suggest_name(str(here[-1]), known, f"known are {', '.join(known)}")
            yield f"{where}: unknown key; {hint}"
        elif problem["type"] == "missing":
            yield f"{where}: this key is needed and absent"
        else:
            message = problem["msg"].removeprefix("Value error, ")
            yield f"{where}: {message}, found {show_value(problem['input'])}"


def show_value(value: object) -> str:
    """Write a value for a message, and cut it if it is long."""
    text = repr(value)
    return text if len(text) <= _LONGEST_VALUE else text[:_LONGEST_VALUE] + "..."


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
