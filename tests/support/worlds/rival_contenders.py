"""Contenders made by hand and registered: a rule sheet for the demo, versions for any project."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from support.scorecards import make_scorecard, make_term

from leadscore.models.golden_leads import add_golden_leads
from leadscore.models.scorecard import Scorecard, Term
from leadscore.models.shapes import Steps, Table
from leadscore.pipeline.comparison.evaluation_set import Contender
from leadscore.pipeline.config.project import Project
from leadscore.pipeline.tracking.records import RunRecord, Version
from leadscore.pipeline.tracking.store import open_store


def demo_rules(project: Project, **training: Any) -> Scorecard:
    """A plausible rule sheet for the demo world: some of what matters, roughly weighed."""
    terms = (
        _table("demographic__seniority", {"c_level": 1.0, "vp": 0.8, "director": 0.6}),
        _steps("web__pricing_views", (0.5, 1.5), (0.0, 0.8, 1.2)),
        _steps("web__demo_views", (0.5,), (0.0, 1.0)),
        _steps("web__downloads", (0.5,), (0.0, 0.5)),
        _steps("email__clicks", (0.5, 1.5), (0.0, 0.4, 0.8)),
        _steps("email__unsubscribed", (0.5,), (0.0, -1.0)),
        _table("spam__mail_kind", {"free": -0.5, "disposable": -1.5}),
    )
    return rule_sheet(project, *terms, training=training)


def _table(signal: str, levels: Mapping[str, float]) -> Term:
    return make_term(Table(levels=dict(levels), missing=0.0, other=0.0), signal)


def _steps(signal: str, edges: tuple[float, ...], values: tuple[float, ...]) -> Term:
    return make_term(Steps(edges=edges, values=values, missing=0.0), signal)


def rule_sheet(
    project: Project, *terms: Term, training: Mapping[str, Any] | None = None, **changes: Any
) -> Scorecard:
    """A sealed rule sheet of these terms over the project's own signals."""
    content: dict[str, Any] = {
        "project": project.name,
        "horizon_days": project.training.horizon_days,
        "base": -2.5,
        "bands": project.bands,
        "definitions": project.catalog.to_definitions(),
        "training": dict(training or {}),
    }
    return add_golden_leads(make_scorecard(*terms, **(content | changes))).sealed()


def register(store_folder: Path, scorecard: Scorecard) -> Version:
    """Register a scorecard as its project's challenger of its kind."""
    record = RunRecord(scorecard.project, scorecard, {}, {}, {}, {}, [], [])
    return open_store(store_folder).record_training(record)


def contender(scorecard: Scorecard, number: int = 1, *aliases: str) -> Contender:
    """A contender as if it were registered."""
    name = f"{scorecard.project}.{scorecard.kind}"
    version = Version(name, number, aliases, "run", scorecard.fingerprint, 0, "", {})
    return Contender(version, scorecard)


def country_sheet(project: Project, **changes: Any) -> Scorecard:
    """For the project of `projects.py`: Spain and large companies, which is how its leads win."""
    return rule_sheet(
        project,
        _table("demographic__country", {"ES": 1.5}),
        _steps("firmographic__employees", (30.0,), (0.0, 2.0)),
        **changes,
    )


def newsletter_sheet(project: Project, **changes: Any) -> Scorecard:
    """For the same project: the newsletter, which says nothing."""
    return rule_sheet(project, _steps("email__newsletter", (0.5,), (0.0, 1.0)), **changes)
