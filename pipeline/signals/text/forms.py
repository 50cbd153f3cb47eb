"""How a form was filled in: how much of it, and how much off what it asks for."""

import re
from collections.abc import Mapping, Sequence

from pipeline.values import Normalised


def measure_completeness(answers: Sequence[Normalised]) -> float:
    """Return the share of answers that are there, 0 to 1.

    Examples
    --------
    >>> measure_completeness(["Ana", None, 12.0, None])
    0.5
    """
    return (len(answers) - answers.count(None)) / len(answers)


def count_off_form(
    answers: Mapping[str, Normalised], expected: Mapping[str, re.Pattern[str]]
) -> float:
    """Return how many of the answers that are there do not match the whole of their pattern.

    Examples
    --------
    >>> count_off_form({"phone": "call me", "zip": None}, {"phone": re.compile("[0-9 +]+")})
    1.0
    """
    off = 0.0
    for name, pattern in expected.items():
        answer = answers[name]
        if answer is not None and pattern.fullmatch(str(answer)) is None:
            off += 1.0
    return off
