"""Rejects of one reason, counted together."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from pipeline.ingestion.tables import Reject
from pipeline.privacy import hide_values

_NUMBER = re.compile(r"\d+")


class Rejected(NamedTuple):
    """How many `rows` of a file were rejected for one reason; reason and line of the first."""

    rows: int
    file: str
    column: str
    reason: str
    line: int


def group_rejects(rejects: Sequence[Reject]) -> list[Rejected]:
    """Count rejects by file, column and reason, the most frequent first.

    Reasons that differ only in numbers or in the values they quote are one.
    """
    alike = [
        (reject.file, reject.column, _NUMBER.sub("", hide_values(reject.reason)))
        for reject in rejects
    ]
    first = dict(reversed([*zip(alike, rejects, strict=True)]))
    return [
        Rejected(count, what[0], what[1], first[what].reason, first[what].line)
        for what, count in Counter(alike).most_common()
    ]
