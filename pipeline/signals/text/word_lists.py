"""Read the word lists from the folder ``lists`` next to this file.

A list is a text file. A line ``[name]`` begins a group, the lines below it hold the group's words,
and lines that begin with ``#`` are comments.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).with_name("lists")


@cache
def read_groups(name: str) -> Mapping[str, tuple[str, ...]]:
    """Return the lines of each group of a list, in the order of the file.

    Raises ValueError if the file has words before its first group, or a group twice.
    """
    path = _FOLDER / f"{name}.txt"
    groups: dict[str, list[str]] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        if text.startswith("["):
            if text in groups:
                raise ValueError(f"{path}:{number}: the group {text} stands here a second time")
            groups[text] = []
        elif not groups:
            raise ValueError(f"{path}:{number}: words without a group, found {text!r}")
        else:
            groups[[*groups][-1]].append(text)
    return {heading.strip("[]"): tuple(lines) for heading, lines in groups.items()}


def read_words(name: str, group: str) -> tuple[str, ...]:
    """Return the words of one group of a list, in the order of the file.

    >>> read_words("company_words", "no_company")[:2]
    ('autonomo', 'autonoma')
    """
    return tuple(" ".join(read_groups(name)[group]).split())
