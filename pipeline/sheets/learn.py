"""Learn a close-rate sheet, and write it as a file that people read and edit.

Points are the close rate with the attribute minus that of all leads (of the same age, where
snapshots are taken at several), in percentage points, where the difference is more than chance:
Benjamini and Hochberg over all attributes looked at, so that of those that get points at most one
in twenty is chance, on average. Only the earlier part is looked at; the later one is for the
comparison. Attributes overlap and their points add up all the same, which is the method's known
weakness: two attributes that the same leads have count twice.
"""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from leadscore.models.calibration import fit_affine
from leadscore.models.log_odds import to_log_odds
from leadscore.models.score_frame import read_term
from leadscore.pipeline.audit.audit import check_allowed
from leadscore.pipeline.config.project import Project
from leadscore.pipeline.config.yaml_io import KeyPath, write_yaml
from leadscore.pipeline.dataset.dataset import Dataset
from leadscore.pipeline.dataset.split import EarlierPeriod, Split, describe_earlier
from leadscore.pipeline.errors import ConfigError, RefusalError
from leadscore.pipeline.evaluation.close_rates import FALSE_SHARE, CloseRates, compare_close_rates
from leadscore.pipeline.evaluation.multiple_testing import benjamini_hochberg
from leadscore.pipeline.progress import Progress, silent
from leadscore.pipeline.sheets.attributes import Attribute, find_attributes
from leadscore.pipeline.sheets.config import SheetConfig
from leadscore.pipeline.sheets.sheet import Sheet, check_sheet
from leadscore.pipeline.signals.kinds import LeadAgeSignal
from leadscore.pipeline.training.prepare import prepare

_UNITS = (1.0, 0.25, 0.0625)
"""What points are rounded to: the coarsest that lets none vanish. All of them add up exactly."""


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


@dataclass(frozen=True)
class Learned:
    """A close-rate sheet that was learned.

    `text` is the file's; `rows` has every attribute that was looked at. `left_out` are the columns
    that the audit holds back; `ordered` says whether later leads are left to judge it on.
    """

    sheet: Sheet
    text: str
    rows: tuple[Row, ...]
    period: EarlierPeriod
    left_out: tuple[str, ...]
    ordered: bool

    @property
    def given(self) -> int:
        """How many attributes got points."""
        return sum(row.points != 0.0 for row in self.rows)


def learn_sheet(
    project: Project,
    path: Path,
    progress: Progress = silent,
    allowed_leaks: Collection[str] = (),
) -> Learned:
    """Learn a close-rate sheet from the earlier part of a project's history.

    `path` is where it will be written, for messages. `allowed_leaks` names signals, fields or
    columns to learn from although they leak by the audit. Raises DataError if the data is not what
    the configuration says. Raises RefusalError as ``prepare`` and ``count_sheet``. Raises
    ConfigError if `allowed_leaks` names nothing that a signal reads.
    """
    check_allowed(project, allowed_leaks)
    prepared = prepare(project, progress, allowed_leaks)
    progress("counting")
    return count_sheet(prepared.project, prepared.split, path, prepared.left_out)


def count_sheet(
    project: Project, split: Split, path: Path, left_out: tuple[str, ...] = ()
) -> Learned:
    """Count a close-rate sheet from the earlier part of a split.

    Raises RefusalError if no difference is more than chance, or the points do not rank leads the
    right way round.
    """
    earlier = split.earlier
    rows = measure_attributes(project, earlier)
    if not any(row.points for row in rows):
        raise RefusalError(
            f"of {len(rows)} attributes none closes at another rate than all leads, beyond chance; "
            "there is nothing to give points for: wait for more wins, or look for better signals"
        )
    content = write_criteria(rows)
    draft = check_sheet(project, path, _validate(content, {"mql": 0.0, "sql": 1.0}))
    cutoffs, shares = _find_cutoffs(project, draft, earlier, rows[0].unit)
    sheet = check_sheet(project, path, _validate(content, cutoffs))
    period = describe_earlier(split)
    text = write_sheet(project, rows, content, cutoffs, shares, period)
    return Learned(sheet, text, rows, period, left_out, earlier.order != "none")


def _validate(content: SheetText, cutoffs: Mapping[str, float]) -> SheetConfig:
    return SheetConfig.model_validate({**cutoffs, **content.mapping})


def measure_attributes(project: Project, earlier: Dataset) -> tuple[Row, ...]:
    """Measure every attribute, and give points to those that differ from all by more than chance.

    Attributes that too few leads have to tell anything are not among them.
    """
    overall = float(earlier.label.mean())
    ages = np.unique(earlier.age_days, return_inverse=True)[1]
    measured: list[tuple[Attribute, CloseRates]] = []
    for signal in project.catalog.signals:
        values = earlier.signals[signal.column]
        age = None if isinstance(signal.declaration, LeadAgeSignal) else ages
        for attribute in find_attributes(signal, values, earlier.lead, overall):
            lift = compare_close_rates(attribute.has, earlier.label, earlier.lead, age)
            if lift.can_tell:
                measured.append((attribute, lift))
    found = benjamini_hochberg(np.array([lift.p for _, lift in measured]))
    proven = [abs(lift.points) for (_, lift), is_in in zip(measured, found, strict=True) if is_in]
    smallest = min(proven, default=1.0)
    unit = next((unit for unit in _UNITS if unit <= smallest), _UNITS[-1])
    return tuple(
        Row(attribute, lift, round(lift.points / unit) * unit if is_found else 0.0, unit)
        for (attribute, lift), is_found in zip(measured, found, strict=True)
    )


def count_points(sheet: Sheet, signals: pd.DataFrame) -> npt.NDArray[np.float64]:
    """Return the points that a sheet gives each snapshot in all, of shape (n,).

    Columns in: one per signal of the sheet. Grain: one row per snapshot.
    """
    total = np.full(len(signals), sheet.config.start)
    for term in sheet.terms:
        if term.group is None:
            total += read_term(term, signals)
    for name, cap in sheet.caps.items():
        members = [read_term(term, signals) for term in sheet.terms if term.group == name]
        total += np.clip(np.sum(members, axis=0), cap.low, cap.high)
    return total


def _find_cutoffs(
    project: Project, sheet: Sheet, earlier: Dataset, unit: float
) -> tuple[dict[str, float], dict[str, float]]:
    """Return where MQL and SQL begin, in points, and the shares of snapshots from there on.

    They are the points at which, calibrated on the earlier part, the probabilities of bands.yaml
    are reached.
    """
    points = count_points(sheet, earlier.signals)
    factor, shift = fit_affine(points, earlier.label.astype(np.float64))
    if not factor > 0.0 or np.ptp(points) == 0.0:
        raise RefusalError(
            "the points that close rates give do not rank these leads the right way round, since "
            "their attributes overlap too much; train a model instead"
        )
    mql, sql = (
        round((to_log_odds(prob) - shift) / factor / unit) * unit
        for prob in (project.bands.mql, project.bands.sql)
    )
    sql = max(sql, mql + unit)
    cutoffs = {"mql": mql, "sql": sql}
    return cutoffs, {name: float((points >= cut).mean()) for name, cut in cutoffs.items()}


def write_criteria(rows: Sequence[Row]) -> SheetText:
    """Return one criterion per signal that has an attribute with points."""
    criteria: dict[str, Any] = {}
    comments: dict[KeyPath, str] = {}
    for name, group in groupby(rows, key=lambda row: row.attribute.signal.name):
        of_signal = list(group)
        if not any(row.points for row in of_signal):
            continue
        comments[("criteria", name)] = of_signal[0].attribute.signal.named("en")
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
    settings = {"cutoffs by level": bands.by is not None, "minimums": bool(bands.minimums.axes),
                "hysteresis": bool(bands.hysteresis)}  # fmt: skip
    lacking = ", ".join(name for name, is_given in settings.items() if is_given)
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
        *([f"Not taken over from bands.yaml, to be added by hand: {lacking}."] if lacking else []),
        "Edit freely (the grammar is in docs/rules.md); leadscore rules register with --sheet and",
        "this file then makes it the team's rule sheet.",
    ]
    return "".join(f"# {line}\n" for line in header) + f"{_MARK}{_digest(body)}\n{body}"


_MARK = "# as learned: "
"""Begins the line with the digest of what follows it, by which a file edited by hand is known."""


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
