"""How wins arrive after a lead's creation, what share the horizon catches, and which would do."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow.compute as pc
from scipy.stats import CensoredData, ecdf

from leadscore.pipeline.audit.records import Arrival, Finding
from leadscore.pipeline.config.project import Project
from leadscore.pipeline.dataset.dataset import find_maturity
from leadscore.pipeline.dataset.labels import Maturity, label_snapshots
from leadscore.pipeline.dataset.snapshots import take_snapshots
from leadscore.pipeline.ingest.tables import Ingested
from leadscore.pipeline.values.times import DAY_US, days_to_us, read_moment

HORIZONS_DAYS = (7, 14, 30, 60, 90, 120, 180, 365)
ENOUGH_LEADS = 50
"""The curve ends where fewer leads than this have been watched for as long."""
ENOUGH_WINS = 10
CATCHES_WELL, CATCHES_LITTLE = 0.8, 0.6
_POINTS = 200
Floats = npt.NDArray[np.float64]


class LeadFollowUp(NamedTuple):
    """n leads: days watched until the extract, and days until the win (inf without one by then)."""

    watched: Floats
    win: Floats


def find_arrival(project: Project, tables: Ingested) -> Arrival | None:
    """Find what share of all wins to come has come by each number of days after creation.

    One minus the Kaplan-Meier estimate, divided by its value at the longest follow-up that
    ``ENOUGH_LEADS`` leads have: what comes later is not known. A lead that is not won, open or
    lost, is censored at the extract: a lost lead could not have won, so it stays in the risk set
    until then, rather than leave it when it is lost, which would pass for "could still win". Left
    out are leads created before ``outcomes.since`` or after the extract, and those won at an
    unknown time. What comes at or before the creation counts as day 0. `days` and `won` are at most
    some 200 steps of the curve, from the first win to the longest follow-up. `horizon_share` counts
    the wins in ``(age, age + horizon_days]`` after creation for one of the ages of the snapshots.
    The result is None without times of closing, with fewer than 10 wins or with fewer than 50
    leads.

    References
    ----------
    E. L. Kaplan, P. Meier, "Nonparametric estimation from incomplete observations", Journal of the
    American Statistical Association 53 (1958), 457-481.
    """
    leads = _follow(project, tables)
    if leads is None or len(leads.watched) < ENOUGH_LEADS:
        return None
    longest = float(np.sort(leads.watched)[-ENOUGH_LEADS])
    if (leads.win <= longest).sum() < ENOUGH_WINS:
        return None
    days, won = estimate_arrival(leads, longest)
    settle = project.training.settle_days
    suggested = [
        float(horizon)
        for horizon in HORIZONS_DAYS
        if _share(days, won, horizon) >= CATCHES_WELL and horizon + settle <= longest
    ]
    shown = np.unique(np.linspace(0, len(days) - 1, _POINTS).round().astype(int))
    points = tuple(map(float, days[shown])), tuple(map(float, won[shown]))
    caught, horizon_days = None, project.training.horizon_days
    if horizon_days is not None:
        ages = project.training.snapshots.ages
        spans = [(days > age) & (days <= age + horizon_days) for age in ages]
        caught = float(np.diff(won, prepend=0.0)[np.any(spans, axis=0)].sum())
    return Arrival(*points, caught, suggested[0] if suggested else None)


def judge_arrival(project: Project, tables: Ingested, arrival: Arrival | None) -> list[Finding]:
    """Find what the horizon catches, and whether any lead has been watched for that long.

    It is a problem if the data are shorter than the horizon, or no snapshot is mature. It is a
    warning if the horizon catches less than 60 % of the wins, otherwise a note. Raises DataError if
    there is a horizon, and no time in the data says when it was taken.
    """
    maturity = find_maturity(project, tables)
    if maturity is None:
        return []
    better = None if arrival is None else arrival.suggested_days
    advice = (
        f"for example {better:g} days" if better is not None else "see how fast your deals close"
    )
    created = pc.min(tables.leads["created_us"]).as_py()
    wait_days = maturity.wait_us / DAY_US
    begin_us = max(created, maturity.since_us or created)
    length_days = (maturity.extract_us - begin_us) / DAY_US
    setting = f"horizon_days in training.yaml is {maturity.horizon_days:g}"
    if maturity.settle_days:
        setting += f", with {maturity.settle_days:g} days to settle"
    if length_days <= wait_days:
        text = (
            f"{setting}, and the data go on for {length_days:,.0f} days from the first lead to the "
            f"extract: no lead has been watched for {wait_days:,.0f} days, so of no lead is it "
            "known that it was not won in time"
        )
        todo = f"set a shorter horizon_days in training.yaml ({advice}), or wait for more data"
        return [Finding("problem", "horizon", text, todo)]
    if not _any_mature(project, tables, maturity):
        text = f"{setting}, and not one snapshot of a lead has an outcome that is known by now"
        todo = f"shorten horizon_days ({advice}) or ages_days in training.yaml, or wait"
        return [Finding("problem", "horizon", text, todo)]
    if arrival is None or arrival.horizon_share is None:
        return []
    half, most = (
        next(days for days, won in zip(arrival.days, arrival.won, strict=True) if won >= share)
        for share in (0.5, CATCHES_WELL)
    )
    text = (
        f"{setting}; it catches {arrival.horizon_share:.1%} of the wins: half of all wins come "
        f"within {half:,.0f} days after creation, 80% within {most:,.0f}"
    )
    if arrival.horizon_share >= CATCHES_LITTLE:
        return [Finding("note", "horizon", text)]
    todo = "the other wins count as not won; "
    todo += (
        f"{better:g} days would catch four fifths: set horizon_days in training.yaml"
        if better is not None
        else "no usual horizon catches four fifths yet: wait for older leads"
    )
    return [Finding("warning", "horizon", text, todo)]


def _follow(project: Project, tables: Ingested) -> LeadFollowUp | None:
    config, extract_us = project.data, tables.extract_us
    if config.outcomes.closed is None or config.leads.created is None or extract_us is None:
        return None
    wins = tables.outcomes.filter(pc.equal(tables.outcomes["status"], "won"))
    undated = wins.filter(pc.is_null(wins["closed_us"]))["lead_id"]
    leads = tables.leads.select(["lead_id", "created_us"])
    leads = leads.filter(pc.invert(pc.is_in(leads["lead_id"], undated.combine_chunks())))
    created = pd.Series(leads["created_us"].to_numpy(), leads["lead_id"].to_pylist())
    if config.outcomes.since is not None:
        created = created[created >= read_moment(config.outcomes.since)]
    created = created[created <= extract_us]
    dated = wins.filter(pc.is_valid(wins["closed_us"]))
    closed = pd.Series(dated["closed_us"].to_numpy(), dated["lead_id"].to_pylist())
    first = closed[closed <= extract_us].groupby(level=0).min()
    win = (first.reindex(created.index) - created) / DAY_US
    watched = ((extract_us - created) / DAY_US).to_numpy(dtype=np.float64)
    return LeadFollowUp(watched, win.clip(lower=0.0).fillna(np.inf).to_numpy(dtype=np.float64))


def estimate_arrival(leads: LeadFollowUp, longest: float) -> tuple[Floats, Floats]:
    """Return the steps of 1 - Kaplan-Meier up to `longest`, as a share of the value there."""
    is_won = np.isfinite(leads.win)
    data = CensoredData(uncensored=leads.win[is_won], right=leads.watched[~is_won])
    days = np.unique(leads.win[leads.win <= longest])
    won = ecdf(data).cdf.evaluate(days)
    return np.append(days, longest), np.append(won / won[-1], 1.0)


def _share(days: Floats, won: Floats, until: float) -> float:
    place = int(np.searchsorted(days, until, side="right"))
    return float(won[place - 1]) if place else 0.0


def _any_mature(project: Project, tables: Ingested, maturity: Maturity) -> bool:
    created = pc.min(tables.leads["created_us"]).as_py()
    for age in project.training.snapshots.ages:
        if created + days_to_us(age) + maturity.wait_us > maturity.extract_us:
            return False
        snapshots = take_snapshots(tables.leads, [age])
        if label_snapshots(snapshots, tables.outcomes, maturity).known.any():
            return True
    return False
