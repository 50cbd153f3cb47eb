"""What leaves the product as text: a scorecard, or the signals and the SQL that makes them."""

import io
from dataclasses import replace
from pathlib import Path

from leadscore.models.score_sql import score_sql
from leadscore.pipeline.config.project import Project
from leadscore.pipeline.dataset.dataset import Dataset, build_dataset
from leadscore.pipeline.errors import ConfigError
from leadscore.pipeline.ingest.tables import ingest
from leadscore.pipeline.signals.catalog import Catalog
from leadscore.pipeline.signals.history.signals_sql import signals_sql
from leadscore.pipeline.tracking.store import open_store
from leadscore.pipeline.tracking.version_names import parse_version
from leadscore.pipeline.values.times import days_to_us, format_time

FORMS = ("json", "sql", "signals", "signals-sql")


def export_text(project: Project, form: str, store_folder: Path, which: str, table: str) -> str:
    """Return what `form` names, as text.

    Parameters
    ----------
    project : Project
    form : str
        ``json`` or ``sql``: a registered scorecard. ``signals``: a CSV of all labelled snapshots,
        lead_id, as_of, one column per signal, label; blank where missing. ``signals-sql``: the
        statement that computes the signals from the normalised tables.
    store_folder : Path
        Of the store.
    which : str
        As ``parse_version`` reads it; of a sheet, signals are those of its version.
    table : str
        The table of signals that ``sql`` reads.

    Raises
    ------
    ConfigError
        If there is no such form.
    """
    if form not in FORMS:
        raise ConfigError(f"{form!r} is no form of export; {', '.join(FORMS)} are")
    choice = parse_version(which, project.name)
    if form in ("json", "sql"):
        scorecard, _ = open_store(store_folder).load_scorecard(*choice)
        if form == "json":
            return scorecard.sealed().to_json()  # a version of schema 1 is sealed anew
        return score_sql(scorecard, table) + ";\n"
    if choice.name != f"{project.name}.predictive":  # a sheet may have signals of its own
        scorecard, _ = open_store(store_folder).load_scorecard(*choice)
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
