"""The callback by which long work reports its progress."""

from typing import Protocol


class Progress(Protocol):
    """A function that gets a stage's name and how much of it is done."""

    def __call__(self, stage: str, done: int = 0, total: int = 0) -> None:
        """Report that `done` of `total` parts of a stage are done; 0 of 0 if that is unknown."""


def silent(stage: str, done: int = 0, total: int = 0) -> None:
    """Report nothing."""
