"""The leads' file as it stands: every column as text, with what became of each lead."""

from collections.abc import Mapping

import pandas as pd
import pyarrow.compute as pc

from leadscore.pipeline.config.project import Project
from leadscore.pipeline.dataset.dataset import find_maturity
from leadscore.pipeline.ingest.leads import LEAD_ID
from leadscore.pipeline.ingest.tables import Ingested

WON, CLOSED = "#won", "#closed"


def make_source_frame(project: Project, tables: Ingested) -> pd.DataFrame:
    """Return every column of the leads' file as text, with what became of each lead.

    Raises ValueError if the tables were read without ``keep_source``.

    Returns
    -------
    DataFrame
        One row per row of the file, repeated lead ids included, in the file's order: its columns as
        text or None, ``#lead_id``, ``#won`` (True, False, or None where that is not known yet: the
        lead is open, and its horizon not over) and ``#closed`` (bool: won or lost).
    """
    if tables.source is None:
        raise ValueError("the leads' file was read without keeping its columns as text")
    source: pd.DataFrame = tables.source.to_pandas()
    leads = project.data.leads
    words = {config.column or name: config.missing for name, config in leads.fields.items()}
    for name in tables.source.column_names:
        missing = {word.strip() for word in (*leads.missing, *words.get(name, ()))}
        if missing and name != LEAD_ID:
            source[name] = source[name].where(~source[name].isin(missing), None)
    won, closed = find_outcomes(project, tables)
    source[WON] = source[LEAD_ID].map(won)
    source[CLOSED] = source[LEAD_ID].isin(closed)
    return source


def find_outcomes(project: Project, tables: Ingested) -> tuple[Mapping[str, bool], set[str]]:
    """Return what became of each lead as far as it is known by the extract.

    The first part says whether each lead was ever won. Open leads whose horizon is not over are not
    in it. The second part has the leads that were won or lost.
    """
    outcomes, leads = tables.outcomes, tables.leads
    won = set(outcomes.filter(pc.equal(outcomes["status"], "won"))["lead_id"].to_pylist())
    lost = set(outcomes.filter(pc.equal(outcomes["status"], "lost"))["lead_id"].to_pylist())
    known = {**dict.fromkeys(lost, False), **dict.fromkeys(won, True)}
    if project.training.horizon_days is not None and tables.extract_us is not None:
        maturity = find_maturity(project, tables)
        until = tables.extract_us - (0 if maturity is None else maturity.wait_us)
        old = leads.filter(pc.less_equal(leads["created_us"], until))["lead_id"].to_pylist()
        known = {**dict.fromkeys(old, False), **known}
    return known, won | lost
