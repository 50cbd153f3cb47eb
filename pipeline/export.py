"""What leaves the product as text: a scorecard, or the signals and the SQL that makes them."""

import io
from pathlib import Path

from models.sql import score_sql
from pipeline.dataset import Dataset, build_dataset
from pipeline.errors import ConfigError
from pipeline.ingest import ingest
from pipeline.registered import model_name
from pipeline.settings import Project
from pipeline.signals.history import signals_sql
from pipeline.tracking.store import open_store
from pipeline.values import days_to_us, format_time

FORMS = ("json", "sql", "signals", "signals-sql")


def export_text(project: Project, form: str, home: Path, which: str, table: str) -> str:
    """Return what `form` names, as text.

    Parameters
    ----------
    project : Project
    form : str
        ``json`` or ``sql``: a registered scorecard. ``signals``: a CSV of all labelled snapshots,
        lead_id, as_of, one column per signal, label; blank where missing. ``signals-sql``: the
        statement that computes the signals from the normalised tables.
    home : Path
        Of the store.
    which : str
        ``champion``, ``challenger`` or a version's number.
    table : str
        The table of signals that ``sql`` reads.

    Raises
    ------
    ConfigError
        If there is no such form.
    """
    if form not in FORMS:
        raise ConfigError(f"{form!r} is no form of export; {', '.join(FORMS)} are")
    if form == "signals-sql":
        return signals_sql(project.catalog) + ";\n"
    if form == "signals":
        return _to_csv(build_dataset(project, ingest(project)))
    scorecard, _ = open_store(home).load_scorecard(model_name(project), which)
    return scorecard.to_json() if form == "json" else score_sql(scorecard, table) + ";\n"


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
