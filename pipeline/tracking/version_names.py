"""The names of registered versions: a number, an alias, a kind, or a kind with a version."""

from typing import NamedTuple

KIND_WORDS = {
    "predictive": "predictive model",
    "rules": "rule sheet",
    "close_rate": "close-rate sheet",
}
"""The kinds of models, which are registered as ``<project>.<kind>``, in words."""
KINDS = tuple(KIND_WORDS)
_DEFAULT_VERSION = "champion"
_MAKERS = {"rules": "rules register", "close_rate": "rules learn"}


def describe_reference(kind: str) -> str:
    """Return what the points of a scorecard's values are relative to, in words.

    Examples
    --------
    >>> describe_reference("predictive"), describe_reference("rules")
    ('against the average lead', 'as the sheet has them')
    """
    return "against the average lead" if kind == "predictive" else "as the sheet has them"


def next_commands(name: str) -> tuple[str, str]:
    """Return the command that registers a version of a model, and the one that promotes it.

    Examples
    --------
    >>> next_commands("demo.rules")
    ('leadscore rules register', 'leadscore promote rules:VERSION')
    >>> next_commands("demo.predictive")
    ('leadscore train', 'leadscore promote VERSION')
    """
    kind = name.rpartition(".")[2]
    if kind not in _MAKERS:
        return "leadscore train", "leadscore promote VERSION"
    return f"leadscore {_MAKERS[kind]}", f"leadscore promote {kind}:VERSION"


class VersionRef(NamedTuple):
    """A registered model's name, ``<project>.<kind>``, and a version's number or alias."""

    name: str
    version: str

    @property
    def title(self) -> str:
        """The name and the version for people."""
        return f"{self.name} version {self.version}"


def parse_version(written: str, project: str) -> VersionRef:
    """Parse a version that a person wrote; without a kind it is one of the predictive model.

    Parameters
    ----------
    written : str
        ``3``, ``challenger``, ``rules``, ``rules:3``, ``demo.rules:champion``.
    project : str
        The project of the version, if `written` names no other project.

    Returns
    -------
    VersionRef
        The registry may have no such version.

    Examples
    --------
    >>> [tuple(parse_version(w, "demo")) for w in ("3", "rules", "demo.rules:2")]
    [('demo.predictive', '3'), ('demo.rules', 'champion'), ('demo.rules', '2')]
    """
    name, colon, version = written.rpartition(":")
    if not colon and version.removeprefix(f"{project}.") in KINDS:
        name, version = version, _DEFAULT_VERSION
    if not name:
        name = "predictive"
    return VersionRef(name if "." in name else f"{project}.{name}", version)
