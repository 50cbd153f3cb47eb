"""Use a registered version: judge it, score a file with it, explain a lead by it."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pyarrow.compute as pc

from models.reasons import Explanation, explain_lead
from models.scorecard import Kind, Scorecard
from models.scoring import Scorer
from pipeline.batch import BatchReport, score_file
from pipeline.batch_inputs import Known, check_word_lists, find_as_of, read_catalog
from pipeline.choice import Choice, read_choice
from pipeline.errors import ConfigError, NotFoundError, RefusalError
from pipeline.evaluate import Evaluation
from pipeline.ingest import ingest
from pipeline.progress import Progress, silent
from pipeline.settings import Project
from pipeline.signals.catalog import Catalog
from pipeline.signals.matrix import read_history
from pipeline.snapshots import look_at
from pipeline.tracking.records import EVALUATION_FILE
from pipeline.tracking.store import CHAMPION, Store, has_store, open_store
from pipeline.train import evaluate_registered
from pipeline.values import format_time, read_moment


def find_scorecard(home: Path, project: Project, which: str) -> tuple[Scorecard | None, str]:
    """Return a registered scorecard and its name, or None and why there is none yet."""
    name, number = read_choice(which, project.name)
    if not has_store(home):
        return None, "nothing is registered yet"
    try:
        scorecard, version = open_store(home).load_scorecard(name, number)
    except NotFoundError as error:
        if which != CHAMPION:
            raise
        return None, str(error)
    return scorecard, f"{name} version {version}"


def evaluate_version(store: Store, project: Project, which: str) -> tuple[Evaluation, Choice]:
    """Judge a registered version on the leads that came after those it learned from.

    Where leads have no order, nothing is later, and the figures that its training cross-validated
    are read back instead.

    Parameters
    ----------
    store : Store
    project : Project
    which : str
        As ``read_choice`` reads it.

    Returns
    -------
    Evaluation
    Choice
        The version by its number.
    """
    name, number = read_choice(which, project.name)
    scorecard, version = store.load_scorecard(name, number)
    catalog = Catalog.model_validate(scorecard.definitions)
    check_word_lists(catalog, name)
    found = Choice(name, str(version))
    if scorecard.training["cut"] is not None:
        return evaluate_registered(replace(project, catalog=catalog), scorecard), found
    own = replace(project, catalog=catalog)  # a sheet reads fewer fields, which are other data
    if ingest(own).digest != scorecard.training["data"]:
        raise RefusalError(
            "the data are not those of the training, and leads without any order cannot be told "
            "apart into learned from and new; train again, or give leads.created or leads.order"
        )
    run_id = store.find_version(name, str(version)).run_id
    return Evaluation.from_json(store.read_document(run_id, EVALUATION_FILE)), found


def score_with_version(
    store: Store,
    project: Project,
    which: str,
    source: Path,
    target: Path,
    as_of: str | None,
    activities: Sequence[Path] = (),
    progress: Progress = silent,
) -> BatchReport:
    """Score a file with a registered version; see ``score_file``.

    Raises
    ------
    ConfigError
        If `as_of` is no moment with a zone.
    """
    as_of_us = _read_as_of(as_of)
    name, number = read_choice(which, project.name)
    scorecard, version = store.load_scorecard(name, number)
    model = f"{name}:{version}"
    return score_file(project, scorecard, model, source, target, as_of_us, activities, progress)


def _read_as_of(as_of: str | None) -> int | None:
    try:
        return None if as_of is None else read_moment(as_of)
    except ValueError as error:
        raise ConfigError(f"--as-of: {error}") from error


class ExplainedLead(NamedTuple):
    """An explanation, the version it is by, and as of when, None without times.

    `kind` is the scorecard's, and `first` what its waterfall begins with: the average lead, or of a
    sheet what every lead has.
    """

    explanation: Explanation
    kind: Kind
    version: Choice
    as_of_us: int | None

    @property
    def first(self) -> str:
        """The name of the first step."""
        return "the average lead" if self.kind == "predictive" else "every lead"


def explain_with_version(
    store: Store, project: Project, which: str, lead_id: str, as_of: str | None = None
) -> ExplainedLead:
    """Explain the score of one lead of the project's own tables.

    It is scored as of `as_of`; the moment by default is the same as for a file.

    Raises
    ------
    ConfigError
        If `as_of` is no moment with a zone.
    NotFoundError
        If there is no such lead, or not yet as of then.
    """
    name, number = read_choice(which, project.name)
    scorecard, version = store.load_scorecard(name, number)
    catalog = read_catalog(scorecard, project, name)
    tables = ingest(replace(project, catalog=catalog))
    leads = tables.leads.filter(pc.equal(tables.leads["lead_id"], lead_id))
    if not len(leads):
        rejected = " (some rows were rejected: see leadscore check)" if tables.rejects else ""
        raise NotFoundError(f"{project.leads_path}: no lead {lead_id!r}{rejected}")
    known = Known(tables.activities, tables.changes)
    as_of_us = find_as_of(project, catalog, known, _read_as_of(as_of))
    created_us = leads["created_us"][0].as_py()
    if as_of_us is not None and created_us is not None and created_us > as_of_us:
        raise NotFoundError(
            f"lead {lead_id!r} was created at {format_time(created_us)}, after "
            f"{format_time(as_of_us)}, as of which it is scored; see --as-of"
        )
    history = replace(tables.history, leads=leads)
    signals = read_history(catalog, look_at(leads, as_of_us), history, project.limits)
    row = signals.astype(object).where(signals.notna(), None).iloc[0]
    values = {column: row[column] for column in catalog.columns}
    explanation = explain_lead(Scorer(scorecard), values)
    return ExplainedLead(explanation, scorecard.kind, Choice(name, str(version)), as_of_us)
