"""What does not fit its type: a text that names no value, and the values apart from it."""

from typing import NamedTuple

from leadscore.pipeline.errors import fill_gaps


class Misfit(NamedTuple):
    """Why a value does not fit. `text` has a gap for each of the `values` found in the data."""

    text: str
    values: tuple[str, ...] = ()


class MisfitError(ValueError):
    """A value does not fit its type. The message shows the value; the `misfit` keeps it apart."""

    def __init__(self, text: str, *values: str) -> None:
        super().__init__(fill_gaps(text, values))
        self.misfit = Misfit(text, values)
