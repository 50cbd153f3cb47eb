"""Functions that write names, texts and numbers as SQL, so that no value can become a command."""

from leadscore.models.errors import ScorecardError


def quote_name(name: str) -> str:
    """Quote an identifier for ANSI SQL.

    Raises ScorecardError if the name is empty or holds a NUL character.

    >>> print(quote_name('the "best" lead'))
    "the ""best"" lead"
    """
    if not name or "\0" in name:
        raise ScorecardError(f"{name!r} cannot be the name of a column or table")
    return '"' + name.replace('"', '""') + '"'


def quote_text(value: str) -> str:
    """Write a text as an ANSI SQL literal.

    Raises ScorecardError if the text holds a NUL character.
    """
    if "\0" in value:
        raise ScorecardError(
            f"the text {value!r} holds a NUL character and cannot be written in SQL"
        )
    return "'" + value.replace("'", "''") + "'"


def write_number(value: float) -> str:
    """Write a number as an ANSI SQL literal of double precision, whatever its size."""
    text = repr(float(value))
    text = text if "e" in text else text + "e0"
    return f"({text})" if text.startswith("-") else text
