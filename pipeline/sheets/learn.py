"""Learn a close-rate sheet: count what leads with each attribute close at, and give points for it.

Points are the close rate with the attribute minus that of all leads (of the same age, where
snapshots are taken at several), in percentage points, where the difference is more than chance:
Benjamini and Hochberg over all attributes looked at, so that of those that get points at most one
in twenty is chance, on average. Only the earlier part is looked at; the later one is for the
comparison. Attributes overlap and their points add up all the same, which is the method's known
weakness: two attributes that the same leads have count twice.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from leadscore.models.calibration import fit_affine
from leadscore.models.log_odds import to_log_odds
from leadscore.pipeline.audit.audit import check_allowed
from leadscore.pipeline.config.project import Project
from leadscore.pipeline.dataset.dataset import Dataset, EarlierPeriod, Split, describe_earlier
from leadscore.pipeline.errors import RefusalError
from leadscore.pipeline.evaluation.close_rates import CloseRates, compare_close_rates
from leadscore.pipeline.evaluation.multiple_testing import benjamini_hochberg
from leadscore.pipeline.progress import Progress, silent
from leadscore.pipeline.sheets.attributes import Attribute, find_attributes
from leadscore.pipeline.sheets.config import SheetConfig
from leadscore.pipeline.sheets.criteria import count_points
from leadscore.pipeline.sheets.sheet import Sheet, check_sheet
from leadscore.pipeline.sheets.write import Row, SheetText, write_criteria, write_sheet
from leadscore.pipeline.signals.kinds import LeadAgeSignal
from leadscore.pipeline.training.prepare import prepare

_UNITS = (1.0, 0.25, 0.0625)
"""What points are rounded to: the coarsest that lets none vanish. All of them add up exactly."""


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
    proven = [lift.points for (_, lift), is_found in zip(measured, found, strict=True) if is_found]
    unit = _choose_unit(proven)
    return tuple(
        Row(attribute, lift, round(lift.points / unit) * unit if is_found else 0.0, unit)
        for (attribute, lift), is_found in zip(measured, found, strict=True)
    )


def _choose_unit(points: Collection[float]) -> float:
    smallest = min((abs(p) for p in points), default=1.0)
    return next((unit for unit in _UNITS if unit <= smallest), _UNITS[-1])


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
