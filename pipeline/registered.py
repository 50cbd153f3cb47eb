"""Use a registered version: judge it, score a file with it, explain a lead by it."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pyarrow.compute as pc

from models.reasons import Explanation, explain_lead
from models.scorecard import Scorecard
from models.scoring import Scorer
from pipeline.batch import BatchReport, score_file
from pipeline.batch_inputs import Known, check_word_lists, find_as_of, read_catalog
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


def model_name(project: Project) -> str:
    """Return the name under which a project's predictive model is registered."""
    return f"{project.name}.predictive"


def find_scorecard(home: Path, project: Project, which: str) -> tuple[Scorecard | None, str]:
    """Return a registered scorecard and its name, or None and why there is none yet."""
    name = model_name(project)
    if not has_store(home):
        return None, "nothing is registered yet"
    try:
        scorecard, version = open_store(home).load_scorecard(name, which)
    except NotFoundError as error:
        if which != CHAMPION:
            raise
        return None, str(error)
    return scorecard, f"{name} version {version}"


def evaluate_version(store: Store, project: Project, which: str) -> tuple[Evaluation, int]:
    """Judge a registered version on the leads that came after those it learned from.

    Where leads have no order, nothing is later, and the figures that its training cross-validated
    are read back instead.

    Parameters
    ----------
    store : Store
    project : Project
    which : str
        ``champion``, ``challenger`` or a version's number.

    Returns
    -------
    Evaluation
    int
        The version.
    """
    scorecard, version = store.load_scorecard(model_name(project), which)
    check_word_lists(Catalog.model_validate(scorecard.definitions), model_name(project))
    if scorecard.training["cut"] is not None:
        return evaluate_registered(project, scorecard), version
    if ingest(project).digest != scorecard.training["data"]:
        raise RefusalError(
            "the data are not those of the training, and leads without any order cannot be told "
            "apart into learned from and new; train again, or give leads.created or leads.order"
        )
    run_id = store.find_version(model_name(project), str(version)).run_id
    return Evaluation.from_json(store.read_document(run_id, EVALUATION_FILE)), version


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
    scorecard, version = store.load_scorecard(model_name(project), which)
    model = f"{model_name(project)}:{version}"
    return score_file(project, scorecard, model, source, target, as_of_us, activities, progress)


def _read_as_of(as_of: str | None) -> int | None:
    try:
        return None if as_of is None else read_moment(as_of)
    except ValueError as error:
        raise ConfigError(f"--as-of: {error}") from error


class ExplainedLead(NamedTuple):
    """An explanation, the version it is by, and the moment it is as of; None without times."""

    explanation: Explanation
    version: int
    as_of_us: int | None


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
    scorecard, version = store.load_scorecard(model_name(project), which)
    catalog = read_catalog(scorecard, project, model_name(project))
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
    return ExplainedLead(explain_lead(Scorer(scorecard), values), version, as_of_us)
