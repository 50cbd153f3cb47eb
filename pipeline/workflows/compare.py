"""Find the versions to compare, and record a comparison: a run in MLflow, and a page."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from leadscore.pipeline.comparison.evaluation_set import Contender
from leadscore.pipeline.comparison.records import Comparison
from leadscore.pipeline.config.project import Project
from leadscore.pipeline.errors import ConfigError, NotFoundError
from leadscore.pipeline.report.html_pages import write_comparison_page
from leadscore.pipeline.tracking.records import KINDS, ComparisonRecord, Version, parse_version
from leadscore.pipeline.tracking.store import CHALLENGER, CHAMPION, Store, open_store
from leadscore.pipeline.workflows.reports import save_report

COMPARISON_FILE = "comparison.json"


class RecordedComparison(NamedTuple):
    """The page of a comparison, and its run."""

    page: Path
    run_id: str


def record_comparison(store_folder: Path, comparison: Comparison) -> RecordedComparison:
    """Track a comparison and write its page, or raise StoreError."""
    page = write_comparison_page(comparison, store_folder / "cache")
    path = store_folder / "reports" / f"{comparison.project}-comparison.html"
    save_report(page, path)
    run_id = open_store(store_folder).record_comparison(
        ComparisonRecord(
            project=comparison.project,
            name=" against ".join(standing.key for standing in comparison.standings),
            params={
                "capacity": comparison.capacity_text,
                "capacity_assumed": comparison.capacity_assumed,
                "later_begins": comparison.begins,
                "horizon_days": comparison.horizon_days,
                "bootstrap_draws": comparison.bootstrap_draws,
                **{
                    f"contender_{number}": f"{standing.model}:{standing.version}"
                    for number, standing in enumerate(comparison.standings, start=1)
                },
            },
            metrics=_list_metrics(comparison),
            documents={COMPARISON_FILE: comparison.to_json()},
            pages={path.name: page},
            tags={"basis": comparison.basis, "verdict": comparison.verdict[0][:5000]},
        )
    )
    return RecordedComparison(path, run_id)


def _list_metrics(comparison: Comparison) -> dict[str, float]:
    """Name the figures as MLflow allows: no colon."""
    metrics = {"later_snapshots": float(comparison.snapshots), "later_wins": float(comparison.wins)}
    for standing in comparison.standings:
        key = standing.key.replace(":", "-")
        metrics |= {f"{key}/{name}": e.value for name, e in standing.metrics.items()}
    for pair in comparison.pairs:
        name = f"{pair.one}-against-{pair.other}".replace(":", "-")
        metrics[f"{name}/gain"] = pair.gain.wins.value
        metrics[f"{name}/gain_low"], metrics[f"{name}/gain_high"] = pair.gain.wins[1:]
        metrics[f"{name}/p"] = pair.p
    return metrics


def find_contenders(
    store_folder: Path, project: Project, written: Sequence[str]
) -> tuple[Contender, ...]:
    """Find the versions to compare, two or more, in the order written.

    A kind alone means its champion, else its challenger, else its newest version. Nothing written
    means every kind that has a version, or the champion and the challenger of the only one. A
    NotFoundError is raised if there is no such version or nothing to compare with, a ConfigError if
    only one version is named, or one twice.
    """
    store = open_store(store_folder)
    versions = [_find(store, project, word) for word in written] or _find_all(store, project)
    names = [f"{version.name} version {version.version}" for version in versions]
    for place, name in enumerate(names):
        if name in names[:place]:
            raise ConfigError(f"{name} is named twice; a comparison needs two versions or more")
    if len(names) == 1:
        raise ConfigError(
            f"only {names[0]} is named; name another one to compare it with, "
            "for example rules, challenger or a version's number"
        )
    return tuple(
        Contender(version, store.load_scorecard(version.name, str(version.version))[0])
        for version in versions
    )


def _find(store: Store, project: Project, word: str) -> Version:
    choice = parse_version(word, project.name)
    if word.removeprefix(f"{project.name}.") in KINDS:
        default = _find_default(store.list_versions(choice.name))
        if default is not None:
            return default
    return store.find_version(choice.name, choice.version)


def _find_default(versions: list[Version]) -> Version | None:
    """Return the champion, else the challenger, else the newest; None where there is none."""
    for alias in (CHAMPION, CHALLENGER):
        for version in versions:
            if alias in version.aliases:
                return version
    return versions[0] if versions else None


def _find_all(store: Store, project: Project) -> list[Version]:
    registered = {kind: store.list_versions(f"{project.name}.{kind}") for kind in KINDS}
    found = [v for kind in KINDS if (v := _find_default(registered[kind])) is not None]
    if len(found) == 1:
        others = [v for v in registered[found[0].name.rpartition(".")[2]] if v != found[0]]
        challengers = [v for v in others if CHALLENGER in v.aliases]
        found += challengers
    if len(found) < 2:
        there = found[0].name if found else "nothing"
        raise NotFoundError(
            f"{project.name}: {there} is registered, and a comparison needs two: train again, "
            f"register a rule sheet or a close-rate sheet, or name versions "
            f"(leadscore versions lists them)"
        )
    return found
