"""How long work tells what it is doing, without knowing who listens."""

from typing import Protocol


class Progress(Protocol):
    """Called with the stage's name and how much of it is done."""

    def __call__(self, stage: str, done: int = 0, total: int = 0) -> None:
        """Tell that `done` of `total` parts of a stage are done; 0 of 0 where nobody can say."""


def silent(stage: str, done: int = 0, total: int = 0) -> None:
    """Tell nobody."""
