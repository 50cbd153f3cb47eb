"""What the tests of the audit ask of it: whom it accused, whom it missed, in words."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from support.worlds.planted.world import Planted, write_planted

from leadscore.pipeline.audit.audit import audit_project
from leadscore.pipeline.audit.records import Audit, ColumnFinding
from leadscore.pipeline.config.project import read_project

ACCUSED = ("quarantine", "refuse")
DOUBTED = ("not vouched for", *ACCUSED)


def by_column(audit: Audit) -> dict[str, ColumnFinding]:
    """Return the findings by the column of the leads' file that they read."""
    return {column: finding for finding in audit.columns for column in finding.columns}


def accused(audit: Audit, among: Iterable[str] | None = None) -> list[str]:
    """Return the columns that are accused, of all or of some, in alphabetical order."""
    found = by_column(audit)
    return sorted(c for c in (found if among is None else among) if found[c].verdict in ACCUSED)


def tell(audit: Audit, columns: Iterable[str]) -> str:
    """Return the verdicts on some columns and the reasons given, one line each."""
    found = by_column(audit)
    return "\n".join(f"  {c}: {found[c].verdict}; {'; '.join(found[c].reasons)}" for c in columns)


@dataclass(frozen=True)
class Trial:
    """What an audit missed among the planted leaks of one seed, and whom it accused falsely."""

    seed: int
    leaks: int
    missed: Mapping[str, str]
    falsely: Mapping[str, str]

    @property
    def recall(self) -> int:
        return self.leaks - len(self.missed)

    def __str__(self) -> str:
        missed = ", ".join(f"{c} ({what})" for c, what in self.missed.items()) or "nothing"
        falsely = ", ".join(f"{c} ({what})" for c, what in self.falsely.items()) or "nobody"
        return f"seed {self.seed}: missed {missed}; falsely accused {falsely}"


def try_seed(folder: Path, seed: int, history: bool) -> Trial:
    """Write the planted world of a seed, audit it, and compare."""
    return judge(
        seed, planted := write_planted(folder, seed, history), audit_folder(planted.folder)
    )


def audit_folder(folder: Path) -> Audit:
    return audit_project(read_project(folder))


def judge(seed: int, planted: Planted, audit: Audit) -> Trial:
    found = by_column(audit)
    absent = {*planted.leaky, *planted.honest} - {*found}
    assert not absent, f"the audit says nothing about {sorted(absent)}"
    return Trial(
        seed,
        len(planted.leaky),
        {c: w for c, w in planted.leaky.items() if found[c].verdict not in ACCUSED},
        {c: w for c, w in planted.honest.items() if found[c].verdict in ACCUSED},
    )


def show(trials: Iterable[Trial]) -> str:
    return "\n" + "\n".join(map(str, trials))
