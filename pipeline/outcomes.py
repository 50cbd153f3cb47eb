"""Outcomes as the export spells them: won, lost or open, and when they closed."""

from collections import Counter
from collections.abc import Callable, Mapping

import pyarrow as pa

from pipeline.declarations import OutcomesConfig
from pipeline.tables import Chunk
from pipeline.values import FieldSpec, make_normaliser


def status_reader(outcomes: OutcomesConfig) -> Callable[[object], str | None]:
    """Return the function from a text of the outcome's column to won, lost, or None for neither."""
    plain = make_normaliser(FieldSpec())
    won, lost = ({plain(word) for word in words} for words in (outcomes.won, outcomes.lost))
    words = dict.fromkeys(won, "won") | dict.fromkeys(lost, "lost")
    words.pop(None, None)

    def read(value: object) -> str | None:
        if isinstance(value, bool):
            value = str(value).lower() if str(value).lower() in words else int(value)
        return words.get(plain(value))

    return read


def count_unknown(outcomes: OutcomesConfig, chunk: Chunk) -> Counter[str]:
    """Count the texts of the outcome's column that stand neither under won nor under lost."""
    read, counts = status_reader(outcomes), Counter[str]()
    for pair in chunk.table[outcomes.column].value_counts().to_pylist():
        value = pair["values"]
        blank = value is None or value != value or not str(value).strip()
        if not blank and read(value) is None:
            counts[str(value)] = pair["counts"]
    return counts


def note_unknown(outcomes: OutcomesConfig, unknown: Counter[str]) -> list[str]:
    """Say which texts stood in neither list, the most frequent first."""
    if not unknown:
        return []
    shown = ", ".join(f"{text[:30]!r} ({count} rows)" for text, count in unknown.most_common(5))
    return [f"outcomes in neither list, taken for {outcomes.rest_is}: {shown}"]


def check_closing(
    arrays: Mapping[str, pa.Array], column: str, problems: dict[int, tuple[str, str]]
) -> None:
    """Mark rows whose closing time does not fit their outcome or their creation as problems."""
    rows = zip(
        arrays["status"].to_pylist(),
        arrays["closed_us"].to_pylist(),
        arrays["created_us"].to_pylist(),
        strict=True,
    )
    for row, (status, closed, created) in enumerate(rows):
        if status == "won" and closed is None:
            problems.setdefault(row, (column, "blank, though the lead is won"))
        elif status == "open" and closed is not None:
            problems.setdefault(row, (column, "closed, though its outcome is neither won nor lost"))
        elif closed is not None and created is not None and closed < created:
            problems.setdefault(row, (column, "closed before the lead was created"))
