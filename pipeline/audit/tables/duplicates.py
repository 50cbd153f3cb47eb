"""The same lead twice with two outcomes: labels that contradict each other."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from leadscore.pipeline.audit.columns.subjects import CLOSED, WON
from leadscore.pipeline.audit.records import Finding, Severity
from leadscore.pipeline.config.project import Project
from leadscore.pipeline.evaluation.close_rates import share_interval
from leadscore.pipeline.ingest.leads import LEAD_ID
from leadscore.pipeline.ingest.outcomes import status_reader
from leadscore.pipeline.ingest.tables import Ingested
from leadscore.pipeline.values.times import DAY_US

MANY, SOME = 0.2, 0.02
"""Shares of the wins that contradict a loss: a problem, and a warning."""
Counts = npt.NDArray[np.signedinteger]
_IDENTIFIES, _FILLED = 0.5, 0.5
_TIME = r"\d{4}-\d\d?-\d\d?([T ].*)?|\d{1,2}[/.]\d{1,2}[/.]\d{2,4}( .*)?"
_KEY = r"[A-Za-z]{0,4}[-_ ]?\d+|[0-9A-Fa-f]{8}(-?[0-9A-Fa-f]{4,}){2,}"


def judge_duplicates(project: Project, tables: Ingested, raw: pd.DataFrame) -> list[Finding]:
    """Find leads that are in the tables twice, once won and once not.

    Three kinds: rows of one lead id with several outcomes; twins, which are different ids with the
    same identity; deals of one lead, one won and one lost within a day of each other.

    Identity is equality, in any case, in all columns that nearly identify somebody: filled in at
    least half of the leads, and at least half of what is filled is distinct. Ids, order, outcome
    and times, also those that only look like it, do not count, and neither do serial numbers that
    differ in every row. A lead that has none of these columns filled has no twin. Without such
    columns, identity is equality in all columns but these and those that data.yaml leaves out.
    There, twins come by chance, so only the excess counts: the share of the won leads that have a
    twin that is not won, less the same share of leads that are not won. Where no column identifies,
    large groups that win often would make that an excess too, so chance is at least ``1 - p ** (n -
    1)`` for each won lead of a group of n, with p the win rate of all groups of n: no world in
    which wins fall independently within groups has more (by Jensen's inequality). The lower end of
    the 95 % interval (Wilson's) of the won leads' share must lie above chance. A problem is from a
    fifth of the wins on, a warning from 2 % on, and less is a note.
    """
    leads = raw.drop_duplicates(LEAD_ID)
    return [*_judge_rows(project, raw), *_judge_twins(project, leads), *_judge_deals(tables)]


def _weigh(share: float) -> Severity:
    return "problem" if share >= MANY else "warning" if share >= SOME else "note"


def _judge_rows(project: Project, raw: pd.DataFrame) -> list[Finding]:
    outcomes = project.data.outcomes
    is_apart = outcomes.file is not None or outcomes.column not in raw
    if is_apart or project.data.leads.duplicates == "first":
        return []
    doubled = raw[raw[LEAD_ID].notna() & raw.duplicated(LEAD_ID, keep=False)]
    read = status_reader(outcomes)
    status = doubled[outcomes.column].map(lambda text: read(text) or outcomes.other_is)
    different = status.groupby(doubled[LEAD_ID]).nunique()
    won = set(doubled.loc[status == "won", LEAD_ID])
    both = [lead_id for lead_id in different.index[different > 1] if lead_id in won]
    if not both:
        return []
    all_won = raw.loc[raw[outcomes.column].map(read) == "won", LEAD_ID].nunique()
    share = len(both) / all_won
    text = (
        f"{len(both):,} lead ids stand in several rows with different outcomes, one of them won: "
        f"{share:.1%} of the won leads; expected is one row per lead. The first row counts"
    )
    todo = (
        "leave one row per lead in the leads' file, with its last outcome, or set "
        "leads.duplicates to first in data.yaml and give the outcomes a file of their own"
    )
    return [Finding(_weigh(share), "duplicates", text, todo)]


def _judge_twins(project: Project, leads: pd.DataFrame) -> list[Finding]:
    columns, identifies = _find_identity(project, leads)
    if not columns:
        return []
    won = leads[WON].eq(True).fillna(False).to_numpy(dtype=bool)
    lost = leads[WON].eq(False).fillna(False).to_numpy(dtype=bool)
    if not won.any() or not lost.any():
        return []
    written = leads[columns].apply(lambda texts: texts.str.strip().str.casefold())
    same = written.groupby(columns, dropna=False, sort=False).ngroup().to_numpy()
    someone = leads[columns].notna().any(axis=1).to_numpy()
    if identifies:
        same = np.where(someone, same, same.max() + 1 + np.arange(len(same)))
    losses, wins = (np.bincount(same[of], minlength=same.max() + 1) for of in (lost, won))
    twins = int((losses[same[won]] > 0).sum())
    share, chance = twins / int(won.sum()), float((losses[same[lost]] > 1).mean())
    if not identifies:
        chance = max(chance, _chance_at_most(wins, losses))
    low = share_interval(np.array([share]), np.array([float(won.sum())]))[0][0]
    excess = share - chance if low > chance else 0.0
    if not twins or (excess < SOME and not identifies):
        return []
    by = ", ".join(columns[:5]) + (" and more" if len(columns) > 5 else "")
    text = (
        f"{twins:,} of {won.sum():,} won leads ({share:.1%}) have a twin that is not won: another "
        f"lead id, and the same {by}; {chance:.1%} would have one by chance"
    )
    todo = (
        "merge the duplicates in the CRM, or leave the copies out of the leads' file: nobody can "
        "be won and not won"
    )
    return [Finding(_weigh(excess), "duplicates", text, todo)]


def _find_identity(project: Project, leads: pd.DataFrame) -> tuple[list[str], bool]:
    """Return the columns that make up an identity, and whether they nearly identify somebody."""
    config, outcomes = project.data.leads, project.data.outcomes
    times = (config.created, config.first_called, outcomes.closed, outcomes.recorded)
    apart = {LEAD_ID, WON, CLOSED, config.id, config.order}
    apart |= {spec.column for spec in times if spec}
    if outcomes.file in (None, config.file):
        apart |= {outcomes.column, outcomes.lead}
    columns, near = [], []
    for column in leads.columns:
        filled = leads[column].dropna()
        if column in apart or filled.empty or _looks_apart(filled):
            continue
        columns.append(column)
        if len(filled) >= _FILLED * len(leads) and filled.nunique() >= _IDENTIFIES * len(filled):
            near.append(column)
    if near:
        return near, True
    return [column for column in columns if column not in project.data.excluded], False


def _looks_apart(filled: "pd.Series[str]") -> bool:
    """Say whether texts are times, or serial numbers that differ in every row."""
    words = filled.astype(str).str.strip()
    if words.str.fullmatch(_TIME).mean() >= 0.9:
        return True
    return bool(words.is_unique and words.str.fullmatch(_KEY).mean() >= 0.9)


def _chance_at_most(won: Counts, lost: Counts) -> float:
    """Return the share of the won leads that could at most have a not-won twin by chance."""
    size = won + lost
    rate = np.bincount(size, weights=won) / np.maximum(np.bincount(size, weights=size), 1)
    groups = size > 0
    chance = 1.0 - rate[size[groups]] ** (size[groups] - 1)
    return float((won[groups] * chance).sum() / won.sum())


def _judge_deals(tables: Ingested) -> list[Finding]:
    deals = tables.outcomes.select(["lead_id", "status", "closed_us"]).to_pandas()
    won, lost = (deals[deals["status"] == word] for word in ("won", "lost"))
    if won.empty:
        return []
    leads, found = won["lead_id"].nunique(), []
    several = int((won["lead_id"].value_counts() > 1).sum())
    if several:
        text = f"{several:,} leads have several wins; the first after each snapshot counts"
        found.append(Finding("note", "deals", text))
    both = won.merge(lost, on="lead_id", suffixes=("", "_lost"))
    if both.empty:
        return found
    near = (both["closed_us"] - both["closed_us_lost"]).abs() <= DAY_US
    close, count = both.loc[near, "lead_id"].nunique(), both["lead_id"].nunique()
    share = close / leads
    text = (
        f"{count:,} of {leads:,} won leads have a lost deal too; {close:,} of them ({share:.1%}) "
        "within a day of the win"
    )
    if share < SOME:
        return [*found, Finding("note", "deals", f"{text}: deals that were opened again, likely")]
    todo = "find out which of the two is true, and leave the other deal out of the outcomes' file"
    return [*found, Finding(_weigh(share), "deals", text, todo)]
