"""The errors that a user can correct, each with its exit code, and hints for unknown names."""

import difflib
from collections.abc import Collection, Sequence

GAP = "[…]"
"""In a text for people: in place of a value from the data, which may be a person's."""


def fill_gaps(text: str, values: Sequence[str]) -> str:
    """Return a text with its values in the gaps; without values the gaps stay.

    Raises
    ------
    ValueError
        If there are values, and not one for each gap.

    Examples
    --------
    >>> fill_gaps(f"3 activities of unknown leads, for example {GAP}", ["'ana@example.com'"])
    "3 activities of unknown leads, for example 'ana@example.com'"
    """
    if not values:
        return text
    first, *rest = text.split(GAP)
    return first + "".join(v + part for v, part in zip(values, rest, strict=True))


class LeadscoreError(Exception):
    """An error with a message of one line: what is wrong, and what to do."""

    exit_code = 1


class ConfigError(LeadscoreError):
    """The project's configuration is wrong; the message has one line per mistake."""

    exit_code = 2


class DataError(LeadscoreError):
    """The data does not match the configuration.

    The message shows the `values` from the data in the gaps of `text`.
    """

    exit_code = 3

    def __init__(self, text: str, values: Sequence[str] = ()) -> None:
        super().__init__(fill_gaps(text, values))
        self.text = text
        self.values = tuple(values)


class RefusalError(LeadscoreError):
    """The work is possible, but its result would not be reliable."""

    exit_code = 4


class NotFoundError(LeadscoreError):
    """A lead, a version or an alias does not exist."""

    exit_code = 5


class StoreError(LeadscoreError):
    """The MLflow store cannot be reached, or it was moved."""

    exit_code = 6


def suggest_name(name: str, known: Collection[str], otherwise: str) -> str:
    """Return a hint for an unknown name: the most similar known one, else `otherwise`.

    Examples
    --------
    >>> suggest_name("contry", ["country", "size"], "no field is similar")
    "did you mean 'country'?"
    """
    similar = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {similar[0]!r}?" if similar else otherwise
