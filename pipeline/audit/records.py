"""What an audit finds: of each column and signal, of the tables, and of the whole."""

from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from leadscore.pipeline.errors import fill_gaps
from leadscore.pipeline.evaluation.close_rates import MIN_GROUP_LEADS
from leadscore.pipeline.evaluation.metrics import Estimate

ColumnVerdict = Literal["use", "not vouched for", "quarantine", "refuse"]
"""From harmless to a leak. Training leaves out what is in quarantine, and stops at a refusal."""
AuditVerdict = Literal["train", "train with warnings", "do not train"]
Severity = Literal["note", "warning", "problem"]
"""A problem forbids training, a warning does not, a note is for the reader."""


@dataclass(frozen=True)
class Finding:
    """One thing found in the tables: about what, what was found, and what to do about it.

    `text` has a gap for each of the `values`, which come from the data.
    """

    severity: Severity
    subject: str
    text: str
    todo: str = ""
    values: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return all of it in one line, with the values."""
        text = f"{self.subject}: {fill_gaps(self.text, self.values)}"
        return f"{text}; {self.todo}" if self.todo else text


@dataclass(frozen=True)
class ColumnFinding:
    """What was found about one signal, or one column of the leads' file that no signal reads.

    `name` is the signal's column ``family__name``, or that of the file; `columns` are those of the
    file that it reads, and `used` says whether a signal does. `verdict` comes with its `reasons`,
    and `override` is what to write to use it all the same. `history` says how its values are known
    as of a moment: from ``changes``, from ``activities``, or ``none``. `overridden` is what the
    verdict would be if the configuration did not vouch for it (or allow the leak). Shares are of
    leads; `auc` is what it carries alone, out of fold, with its 95 % interval.
    """

    name: str
    columns: tuple[str, ...]
    used: bool
    history: str
    verdict: ColumnVerdict
    reasons: tuple[str, ...]
    override: str | None
    overridden: ColumnVerdict | None
    filled: float
    filled_won: float | None
    filled_not_won: float | None
    values: int
    auc: Estimate | None
    auc_earlier: float | None
    auc_later: float | None


@dataclass(frozen=True)
class Arrival:
    """How wins arrive: `won` is the share of all wins to come within `days` after creation.

    `horizon_share` is what the horizon catches, `suggested_days` the shortest of the usual horizons
    that catches four fifths; None where outcomes have no times or wins are too few.
    """

    days: tuple[float, ...]
    won: tuple[float, ...]
    horizon_share: float | None
    suggested_days: float | None


@dataclass(frozen=True)
class Month:
    """The leads created in one month (or one stretch of arrival numbers), and how many won.

    `leads` are those whose outcome is known; `low` and `high` are the ends of the 95 % interval.
    """

    name: str
    leads: int
    wins: int
    rate: float
    low: float
    high: float


@dataclass(frozen=True)
class SampleSize:
    """What the number of wins allows: half widths of the 95 % intervals to expect.

    `wins` are those to judge by; `auc` is the half width of the interval of an AUC of .75, `lift`
    that of a lift of 2 at a tenth.
    """

    wins: int
    auc: float
    lift: float


@dataclass(frozen=True)
class Audit:
    """All that an audit found."""

    project: str
    rows: int
    leads: int
    wins: int
    columns: tuple[ColumnFinding, ...]
    findings: tuple[Finding, ...]
    arrival: Arrival | None = None
    months: tuple[Month, ...] = ()
    strength: SampleSize | None = None
    together: Estimate | None = None
    allowed_leaks: tuple[str, ...] = field(default=())

    @property
    def verdict(self) -> AuditVerdict:
        """Whether to train on these data."""
        if any(finding.severity == "problem" for finding in self.findings):
            return "do not train"
        return "train with warnings" if self.reasons else "train"

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why the verdict is what it is, and what to do: problems first, then warnings."""
        problems = [str(finding) for finding in self.findings if finding.severity == "problem"]
        warnings = [str(finding) for finding in self.findings if finding.severity == "warning"]
        used = [column for column in self.columns if column.used]
        for verdict, what in (("quarantine", "left out of training"), ("not vouched for", "used")):
            names = [column.name for column in used if column.verdict == verdict]
            if names:
                warnings.append(f"{verdict}, and {what}: {', '.join(names)}")
        leaks = [column.name for column in used if column.overridden == "refuse"]
        if leaks:
            warnings.append(f"used though they leak (--allow-leak): {', '.join(leaks)}")
        return (*problems, *warnings)

    def to_json(self) -> dict[str, Any]:
        """Return the audit as plain data, the values in their texts."""
        found = asdict(self)
        for finding in found["findings"]:
            finding["text"] = fill_gaps(finding["text"], finding.pop("values"))
        return {"project": self.project, "verdict": self.verdict, "reasons": self.reasons, **found}


def suppress_cells(audit: Audit) -> Audit:
    """Return an audit without values from the data, for whatever leaves the terminal.

    Reasons about columns stay: they name no value that fewer than thirty leads have. Months of
    fewer leads are left out.
    """
    findings = tuple(replace(finding, values=()) for finding in audit.findings)
    months = tuple(month for month in audit.months if month.leads >= MIN_GROUP_LEADS)
    return replace(audit, findings=findings, months=months)
