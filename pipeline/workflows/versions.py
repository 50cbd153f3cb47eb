"""Use a registered version: evaluate it, score a file, explain a lead's score, export it."""

import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from leadscore.models.score_frame import score_frame
from leadscore.models.score_lead import Explanation, Scorer, explain_lead
from leadscore.models.score_sql import score_sql
from leadscore.models.scorecard import Kind, Scorecard
from leadscore.pipeline.config.project import Project
from leadscore.pipeline.dataset.dataset import Dataset, build_dataset
from leadscore.pipeline.errors import ConfigError, NotFoundError, RefusalError
from leadscore.pipeline.evaluation.evaluate import Evaluation, Verdict, evaluate_scores
from leadscore.pipeline.ingest.tables import ingest
from leadscore.pipeline.progress import Progress, silent
from leadscore.pipeline.scoring.inputs import (
    check_word_lists,
    find_as_of,
    find_lead,
    read_catalog,
    read_side_tables,
    read_signals,
)
from leadscore.pipeline.scoring.score_file import BatchReport, score_file
from leadscore.pipeline.signals.catalog import Catalog
from leadscore.pipeline.signals.history.signals_sql import signals_sql
from leadscore.pipeline.tracking.records import EVALUATION_FILE, VersionRef, parse_version
from leadscore.pipeline.tracking.store import CHAMPION, has_store, open_store
from leadscore.pipeline.values.times import days_to_us, format_time, read_moment


def find_scorecard(
    store_folder: Path, project: Project, which: str
) -> tuple[Scorecard | None, str]:
    """Return a registered scorecard and its name, or None and why there is none yet."""
    if not has_store(store_folder):
        return None, "nothing is registered yet"
    try:
        scorecard, version = _load_version(store_folder, project, which)
    except NotFoundError as error:
        if which != CHAMPION:
            raise
        return None, str(error)
    return scorecard, version.title


def _load_version(store_folder: Path, project: Project, which: str) -> tuple[Scorecard, VersionRef]:
    """Load a registered scorecard, and return it with its version by number."""
    name, written = parse_version(which, project.name)
    scorecard, number = open_store(store_folder).load_scorecard(name, written)
    return scorecard, VersionRef(name, str(number))


def evaluate_version(
    store_folder: Path, project: Project, which: str
) -> tuple[Evaluation, VersionRef]:
    """Evaluate a registered version on leads that came after those it learned from.

    Where leads have no order, nothing is later, and the figures that its training cross-validated
    are read back instead. The returned version has its number.
    """
    scorecard, version = _load_version(store_folder, project, which)
    catalog = Catalog.model_validate(scorecard.definitions)
    check_word_lists(catalog, version.name)
    own = replace(project, catalog=catalog)  # a sheet reads fewer fields, which are other data
    if scorecard.training["cut"] is not None:
        return _evaluate_later(own, scorecard), version
    if ingest(own).digest != scorecard.training["data"]:
        raise RefusalError(
            "the data are not those of the training, and without an order of the leads nobody "
            "knows which are new; train again, or give leads.created or leads.order"
        )
    store = open_store(store_folder)
    run_id = store.find_version(*version).run_id
    return Evaluation.from_json(store.read_document(run_id, EVALUATION_FILE)), version


def score_with_version(
    store_folder: Path,
    project: Project,
    which: str,
    source: Path,
    target: Path,
    as_of: str | None,
    activities: Sequence[Path] = (),
    progress: Progress = silent,
) -> BatchReport:
    """Score a file with a registered version; see ``score_file``."""
    as_of_us = _read_as_of(as_of)
    scorecard, version = _load_version(store_folder, project, which)
    model = ":".join(version)
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
    version: VersionRef
    as_of_us: int | None

    @property
    def first(self) -> str:
        """The name of the first step."""
        return "the average lead" if self.kind == "predictive" else "every lead"


def explain_with_version(
    store_folder: Path, project: Project, which: str, lead_id: str, as_of: str | None = None
) -> ExplainedLead:
    """Explain the score of one lead of the project's own tables.

    It is read and scored as a row of a file is, and by default as of the same moment. A
    NotFoundError is raised if there is no such lead, or not yet as of then.
    """
    scorecard, version = _load_version(store_folder, project, which)
    catalog, as_of_us = read_catalog(scorecard, project.data, version.name), _read_as_of(as_of)
    lead = find_lead(project, catalog, lead_id)
    with TemporaryDirectory(prefix="leadscore-") as folder:
        known = read_side_tables(project, catalog, (), Path(folder))
        as_of_us = find_as_of(project.data.extracted_at, catalog, known.activities, as_of_us)
        created_us = lead["created_us"][0].as_py()
        if as_of_us is not None and created_us is not None and created_us > as_of_us:
            raise NotFoundError(
                f"lead {lead_id!r} was created at {format_time(created_us)}, after "
                f"{format_time(as_of_us)}, the moment of scoring; see --as-of"
            )
        signals = read_signals(catalog, lead, known, as_of_us, project.limits)
    first = {column: signals[column][0] for column in catalog.columns}
    values = {column: None if value != value else value for column, value in first.items()}
    explanation = explain_lead(Scorer(scorecard), values)
    return ExplainedLead(explanation, scorecard.kind, version, as_of_us)


def _evaluate_later(project: Project, scorecard: Scorecard) -> Evaluation:
    """Evaluate a registered scorecard on the data as it is now.

    The evaluation uses the leads created from the training's own cut on, wherever the configuration
    would cut today. So it never uses a lead that the scorecard learned from. A RefusalError is
    raised if there are too few later ones.
    """
    if scorecard.horizon_days != project.training.horizon_days:
        raise RefusalError(
            f"the model predicts wins within {scorecard.horizon_days} days, training.yaml now has "
            f"{project.training.horizon_days}; set horizon_days back, or train again"
        )
    tables = ingest(project)
    dataset = build_dataset(project, tables)
    later = dataset.rows(dataset.begin >= scorecard.training["cut"])
    if not 0 < later.label.sum() < len(later):
        raise RefusalError(
            f"{int(later.label.sum())} wins among the {len(later)} snapshots from the cut on; "
            "an evaluation needs both wins and others"
        )
    scores = score_frame(scorecard, later.signals)
    evaluation = evaluate_scores(
        later,
        scores.log_odds,
        scores.band,
        scorecard.training["earlier"]["base_rate"],
        project.training.bootstrap_draws,
        project.training.seed,
    )
    if tables.digest != scorecard.training["data"]:
        text = (
            "The data are not those of the training: leads count as later by their creation or "
            "arrival number alone, so see to it that those still mean the same."
        )
        verdicts = (*evaluation.verdicts, Verdict("other data", text))
        return replace(evaluation, verdicts=verdicts)
    return evaluation


FORMS = ("json", "sql", "signals", "signals-sql")


def export_text(project: Project, form: str, store_folder: Path, which: str, table: str) -> str:
    """Return an export as text.

    ``json`` and ``sql`` are a registered scorecard; the SQL reads `table`. ``signals`` is a CSV of
    all labelled snapshots: lead_id, as_of, one column per signal, label; blank where missing.
    ``signals-sql`` is the statement that computes the signals from the normalised tables. With a
    sheet, signals are those of its version. A ConfigError is raised for any other form.
    """
    if form not in FORMS:
        raise ConfigError(f"{form!r} is no form of export; {', '.join(FORMS)} are")
    if form in ("json", "sql"):
        scorecard, _ = _load_version(store_folder, project, which)
        if form == "json":
            return scorecard.sealed().to_json()  # a version of schema 1 is sealed anew
        return score_sql(scorecard, table) + ";\n"
    if parse_version(which, project.name).name != f"{project.name}.predictive":
        # a sheet may have signals of its own
        scorecard, _ = _load_version(store_folder, project, which)
        project = replace(project, catalog=Catalog.model_validate(scorecard.definitions))
    if form == "signals-sql":
        return signals_sql(project.catalog) + ";\n"
    return _to_csv(build_dataset(project, ingest(project)))


def _to_csv(dataset: Dataset) -> str:
    frame = dataset.signals.copy()
    frame.insert(0, "lead_id", dataset.lead_id)
    frame.insert(1, "as_of", _moments(dataset))
    frame["label"] = dataset.label
    stream = io.StringIO()
    frame.to_csv(stream, index=False)
    return stream.getvalue()


def _moments(dataset: Dataset) -> list[str]:
    if dataset.order != "time":
        return [""] * len(dataset)
    return [
        format_time(int(begin) + days_to_us(age))
        for begin, age in zip(dataset.begin, dataset.age_days, strict=True)
    ]
