"""The settings that a service's processes get from the one that starts them."""

from pathlib import Path

import msgspec

SHUTDOWN_S = 8
"""Seconds that requests which have begun may take when the service stops."""


class Settings(msgspec.Struct, frozen=True):
    """What a worker needs to know. `keys` and `log_scores` are paths, None for neither.

    With `keys_from_when_made` no key is asked for before their file is there.
    """

    store_folder: str
    project: str
    keys: str | None = None
    keys_from_when_made: bool = False
    log_scores: str | None = None
    log_requests: bool = False
    shadow: bool = False
    access_log: bool = False
    origins: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        """Where the follower puts what workers serve."""
        return Path(self.store_folder) / "serving" / self.project
