"""How people name a registered version: a number, an alias, a kind, or both with a colon."""

from typing import NamedTuple

KINDS = ("predictive", "rules", "close_rate")
"""What a project may have registered, as ``<project>.<kind>``."""
_DEFAULT_VERSION = "champion"


class Choice(NamedTuple):
    """A registered model's name, ``<project>.<kind>``, and a version's number or alias."""

    name: str
    version: str


def read_choice(written: str, project: str) -> Choice:
    """Read what a person wrote; without a kind the predictive model is meant.

    Parameters
    ----------
    written : str
        ``3``, ``challenger``, ``rules``, ``rules:3``, ``demo.rules:champion``.
    project : str
        Whose versions are meant where no other project is named.

    Returns
    -------
    Choice
        Whether there is such a version is for the registry to say.

    Examples
    --------
    >>> [tuple(read_choice(w, "demo")) for w in ("3", "rules", "demo.rules:2")]
    [('demo.predictive', '3'), ('demo.rules', 'champion'), ('demo.rules', '2')]
    """
    name, colon, version = written.rpartition(":")
    if not colon and version.removeprefix(f"{project}.") in KINDS:
        name, version = version, _DEFAULT_VERSION
    if not name:
        name = "predictive"
    return Choice(name if "." in name else f"{project}.{name}", version)
