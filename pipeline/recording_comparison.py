"""Where a comparison is kept: as a run in MLflow, and for people among the home's reports."""

from pathlib import Path
from typing import NamedTuple

from pipeline.comparison.records import Comparison
from pipeline.report.comparison_page import write_comparison_page
from pipeline.report.kept import keep_report
from pipeline.tracking.records import ComparisonRecord
from pipeline.tracking.store import Store

COMPARISON_FILE = "comparison.json"


class Kept(NamedTuple):
    """The page of a comparison, and its run."""

    page: Path
    run_id: str


def keep_comparison(store: Store, comparison: Comparison, home: Path) -> Kept:
    """Track a comparison and write its page.

    Parameters
    ----------
    store : Store
    comparison : Comparison
    home : Path

    Returns
    -------
    Kept

    Raises
    ------
    StoreError
        If either cannot be written.
    """
    page = write_comparison_page(comparison, home / "cache")
    path = home / "reports" / f"{comparison.project}-comparison.html"
    keep_report(page, path)
    run_id = store.record_comparison(
        ComparisonRecord(
            project=comparison.project,
            name=" against ".join(standing.key for standing in comparison.standings),
            params={
                "capacity": comparison.capacity_said,
                "capacity_assumed": comparison.capacity_assumed,
                "later_begins": comparison.begins,
                "horizon_days": comparison.horizon_days,
                "resamples": comparison.resamples,
                **{
                    f"contender_{number}": f"{standing.model}:{standing.version}"
                    for number, standing in enumerate(comparison.standings, start=1)
                },
            },
            metrics=_list_metrics(comparison),
            documents={COMPARISON_FILE: comparison.to_json()},
            pages={path.name: page},
            tags={"basis": comparison.basis, "verdict": comparison.told[0][:5000]},
        )
    )
    return Kept(path, run_id)


def _list_metrics(comparison: Comparison) -> dict[str, float]:
    """Name the figures as MLflow allows: no colon."""
    metrics = {"later_snapshots": float(comparison.snapshots), "later_wins": float(comparison.wins)}
    for standing in comparison.standings:
        key = standing.key.replace(":", "-")
        metrics |= {f"{key}/{name}": e.value for name, e in standing.metrics.items()}
    for duel in comparison.duels:
        name = f"{duel.one}-against-{duel.other}".replace(":", "-")
        metrics[f"{name}/gain"] = duel.gain.wins.value
        metrics[f"{name}/gain_low"], metrics[f"{name}/gain_high"] = duel.gain.wins[1:]
        metrics[f"{name}/p"] = duel.p
    return metrics
