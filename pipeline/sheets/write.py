"""A close-rate sheet as a file that people read and edit: criteria, with the evidence beside."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import inf
from pathlib import Path
from typing import Any

from leadscore.pipeline.config.project import Project
from leadscore.pipeline.config.yaml_io import KeyPath, write_yaml
from leadscore.pipeline.dataset.dataset import EarlierPeriod
from leadscore.pipeline.errors import ConfigError, RefusalError
from leadscore.pipeline.evaluation.close_rates import FALSE_SHARE, CloseRates
from leadscore.pipeline.sheets.attributes import Attribute


@dataclass(frozen=True)
class Row:
    """An attribute, how it closes, and the points it gets: 0 where that may be chance.

    `unit` is what points were rounded to.
    """

    attribute: Attribute
    lift: CloseRates
    points: float
    unit: float

    def to_json(self) -> dict[str, Any]:
        """Return the row as plain data."""
        lift = self.lift
        return {
            "signal": self.attribute.signal.column,
            "attribute": self.attribute.words,
            "points": self.points,
            "leads": lift.leads,
            "close_rate": lift.rate,
            "expected": lift.expected,
            "difference": {
                "value": lift.points, "low": lift.points_low, "high": lift.points_high,
            },
            "p": lift.p,
        }  # fmt: skip


@dataclass(frozen=True)
class SheetText:
    """What stands in the file under ``criteria``, and the comment beside each of its places."""

    mapping: Mapping[str, Any]
    comments: Mapping[KeyPath, str]


def write_criteria(rows: Sequence[Row]) -> SheetText:
    """Return one criterion per signal that has an attribute with points."""
    criteria: dict[str, Any] = {}
    comments: dict[KeyPath, str] = {}
    for name, group in groupby(rows, key=lambda row: row.attribute.signal.name):
        of_signal = list(group)
        if not any(row.points for row in of_signal):
            continue
        signal = of_signal[0].attribute.signal
        label = signal.named("en")
        comments[("criteria", name)] = label
        criteria[name], inside = _write_criterion(of_signal)
        comments |= {("criteria", name, *place): text for place, text in inside.items()}
    return SheetText({"criteria": criteria}, comments)


def _write_criterion(rows: Sequence[Row]) -> tuple[dict[str, Any], dict[KeyPath, str]]:
    """Return the criterion over the signal of some rows, and the comments within it."""
    signal = rows[0].attribute.signal
    criterion: dict[str, Any] = {"signal": signal.name}
    comments: dict[KeyPath, str] = {}
    known = [row for row in rows if not row.attribute.is_unknown]
    unknown = next((row for row in rows if row.attribute.is_unknown and row.points), None)
    if not any(row.points for row in known):
        if unknown is not None:
            criterion |= {"known": False, "points": unknown.points}
            comments[("points",)] = _describe(unknown)
        return criterion, comments
    if signal.is_category:
        given = sorted((row for row in known if row.points), key=lambda row: -row.points)
        criterion["levels"] = {row.attribute.level: row.points for row in given}
        comments |= {("levels", str(row.attribute.level)): _describe(row) for row in given}
    elif known[0].attribute.is_set:
        criterion["points"] = known[0].points
        comments[("points",)] = _describe(known[0])
    else:
        criterion["steps"], by_edge = _write_steps(known)
        comments |= {("steps", edge): text for edge, text in by_edge.items()}
    if unknown is not None:
        criterion["missing"] = unknown.points
        comments[("missing",)] = _describe(unknown)
    return criterion, comments


def _write_steps(rows: Sequence[Row]) -> tuple[dict[float, float], dict[str, str]]:
    """Return the steps of a number; where nothing is proven, the points go back to 0."""
    steps: dict[float, float] = {}
    comments: dict[str, str] = {}
    ended = None
    for row in rows:
        begins = row.attribute.begins
        if begins is None:
            continue
        if ended is not None and begins > ended and steps:  # too few leads lie between
            steps[ended] = 0.0
        if row.points or steps:
            steps[begins] = row.points
            comments[str(begins)] = _describe(row)
        ended = row.attribute.ends
    if ended is not None and ended < inf and steps:
        steps[ended] = 0.0
    return steps, comments


def _describe(row: Row) -> str:
    lift = row.lift
    if not row.points:
        return f"{lift.rate:.1%} of {lift.leads:,} leads won: may be chance"
    return (
        f"{lift.rate:.1%} of {lift.leads:,} leads won: {lift.points:+.1f} "
        f"({lift.points_low:+.1f} to {lift.points_high:+.1f})"
    )


def write_sheet(
    project: Project,
    rows: Collection[Row],
    content: SheetText,
    cutoffs: Mapping[str, float],
    shares: Mapping[str, float],
    period: EarlierPeriod,
) -> str:
    """Return the text of the file, with a header that says how it came about."""
    bands = project.bands
    comments = dict(content.comments)
    for name, prob in (("mql", bands.mql), ("sql", bands.sql)):
        comments[(name,)] = (
            f"the probability {prob:g} of bands.yaml; {shares[name]:.1%} of the snapshots reach it"
        )
    body = write_yaml({**cutoffs, **content.mapping}, comments)
    given = sum(row.points != 0.0 for row in rows)
    at_age = " at the same ages" if period.ages > 1 else ""
    header = [
        f"Close-rate sheet of {project.name}, counted from history by leadscore rules learn.",
        f"From: {period.words}; {period.snapshots:,} snapshots of {period.leads:,} leads, "
        f"{period.overall:.1%} won.",
        f"Points: the close rate of leads with the attribute minus that of all{at_age}, times 100;",
        "in brackets the 95 % interval of that difference, which counts each lead once.",
        f"{len(rows):,} attributes were looked at, {given:,} get points: those whose difference is",
        "more than chance by Fisher's exact test; by Benjamini and Hochberg's method at most",
        f"{FALSE_SHARE:.0%} of them are chance finds, on average.",
        "Points add up although attributes overlap: two that the same leads have count twice.",
        "Lower one of such a pair by hand; leadscore rules audit names them.",
        *_list_left_out(project),
        "Edit freely (the grammar is in docs/rules.md); leadscore rules register with --sheet and",
        "this file then makes it the team's rule sheet.",
    ]
    return mark_learned("".join(f"# {line}\n" for line in header), body)


def _list_left_out(project: Project) -> list[str]:
    bands = project.bands
    lacking = [
        *(["cutoffs by level"] if bands.by is not None else []),
        *(["minimums"] if bands.minimums.axes else []),
        *(["hysteresis"] if bands.hysteresis else []),
    ]
    if not lacking:
        return []
    return [f"Not taken over from bands.yaml, to be added by hand: {', '.join(lacking)}."]


_MARK = "# as learned: "
"""Begins the line with the digest of what follows it, by which a file edited by hand is known."""


def mark_learned(header: str, body: str) -> str:
    """Return the text of a file, with a mark between header and body that says it is unedited."""
    return f"{header}{_MARK}{_digest(body)}\n{body}"


def check_replaceable(path: Path, force: bool) -> None:
    """Check that nothing written by hand would be lost by writing a learned sheet to a path.

    Raises RefusalError if a file is there that was not learned, or was edited since; unless
    `force`. Raises ConfigError if it cannot be read.
    """
    if force or not path.exists():
        return
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: the sheet cannot be written here: {error}") from error
    _, mark, rest = text.partition(_MARK)
    digest, _, body = rest.partition("\n")
    if not mark or _digest(body) != digest:
        raise RefusalError(
            f"{path}: this file was written or edited by hand and is left as it is; choose another "
            "with --write, or replace it with --force"
        )


def save_sheet(text: str, path: Path) -> None:
    """Write a learned sheet, whole or not at all, making its folder.

    Raises ConfigError if it cannot be written there.
    """
    unfinished = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_text(text, encoding="utf-8", newline="\n")
        unfinished.replace(path)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise ConfigError(f"{path}: the sheet cannot be written here: {error}") from error


def _digest(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()
