"""Activities that machines left, and activities that belong to the outcome."""

import re

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from leadscore.models.sql_text import quote_text
from leadscore.pipeline.audit.records import Finding
from leadscore.pipeline.config.project import Project
from leadscore.pipeline.dataset.dataset import find_maturity
from leadscore.pipeline.engine.duckdb_engine import run_sql
from leadscore.pipeline.errors import GAP
from leadscore.pipeline.evaluation.close_rates import share_interval
from leadscore.pipeline.ingest.activities import ActivitiesRead
from leadscore.pipeline.ingest.tables import Ingested
from leadscore.pipeline.values.times import DAY_US

SECOND_US = 1_000_000
AFTER_ANOTHER_US, AFTER_SENT_US = 2 * SECOND_US, 5 * SECOND_US
"""Nobody opens or clicks twice, or reads what was just delivered, as quickly as that."""
SCANNED = 0.05
"""From this share of a kind on, machines are worth a warning."""
BELONGS, MOST, ENOUGH_LEADS = 0.9, 0.5, 20
_FEW = 5
_READ = frozenset(
    "open opens opened opening click clicks clicked clicking"
    " abre abrio abrió abierto abierta abiertos apertura aperturas clic clics cliqueo pulsa pulsado"
    " ouvert ouverte ouverts ouvre ouverture ouvertures clique cliqué cliquée".split()
)
_SENT = frozenset(
    "send sends sent deliver delivers delivered delivery envia envía enviado enviada enviados envio"
    " envío entrega entregado entregada envoi envoye envoyé envoyée envoyés livre livré remis"
    " distribue distribué".split()
)
_NO_MAIL = frozenset(
    "account ad ads app button case chat deal form opportunity page session site ticket trial web"
    " anuncio boton botón formulario oportunidad pagina página sitio bouton formulaire opportunite"
    " opportunité publicite publicité".split()
)
_WORD = re.compile(r"[^\W\d_]+")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")


def judge_activities(project: Project, tables: Ingested) -> list[Finding]:
    """Find opens and clicks that machines made, and kinds that only follow a win.

    Looked at for machines are kinds whose name says open or click in English, Spanish or French,
    unless it says that they are of a page, a form and the like: one is a machine's if it comes
    within 2 seconds after another of its kind of the same lead, or within 5 after a letter was sent
    or delivered to it. A kind belongs to the outcome if nearly all leads that have it won (lower
    end of Wilson's 95 % interval at least .9, of 20 leads or more that are won, lost, or not won
    though their horizon is over) and more than half of what won leads have of it lies at or after
    the day before their win. All findings are warnings, by kind. Raises DataError if the memory
    allowed does not suffice, even with spilling.
    """
    if tables.activities is None or not tables.activities.activities:
        return []
    activities = tables.activities
    return [*_judge_machines(project, activities), *_judge_outcomes(project, tables, activities)]


def _is_about(kind: str, meaning: frozenset[str]) -> bool:
    words = {word.lower() for word in _WORD.findall(_HUMP.sub(" ", kind))}
    return bool(words & meaning) and not words & _NO_MAIL


def _judge_machines(project: Project, activities: ActivitiesRead) -> list[Finding]:
    kinds = activities.kinds
    read = [kind for kind in kinds if _is_about(kind, _READ)]
    sent = [kind for kind in kinds if _is_about(kind, _SENT) and kind not in read]
    if not read:
        return []
    sql = _count_machines(read, sent)
    rows = run_sql(sql, {"activities": activities.path}, project.limits).to_pylist()
    todo = (
        "give those a kind of their own in the export, and name it with the reason under "
        "activities.excluded in data.yaml, as configs/demo does with machine_open and scanner_click"
    )
    return [
        Finding(
            "warning", "activities",
            f"{row['quick']:,} of {row['activities']:,} activities {GAP} "
            f"({row['quick'] / row['activities']:.1%}) come within 2 seconds after another of the "
            "same lead, or within 5 seconds after a letter was sent: mail scanners do that, people "
            "hardly",
            todo, (repr(row["kind"]),),
        )
        for row in rows
        if row["quick"] >= max(_FEW, SCANNED * row["activities"])
    ]  # fmt: skip


def _count_machines(read: list[str], sent: list[str]) -> str:
    """Count the activities of each kind, and those too quick for people; in one pass by lead."""
    all_kinds, reads = (", ".join(map(quote_text, k)) for k in ([*read, *sent], read))
    is_sent = f"kind IN ({', '.join(map(quote_text, sent))})" if sent else "1 = 0"
    return (
        "SELECT kind, COUNT(*) AS activities, COUNT(CASE WHEN "
        f"occurred_us - last_us <= {AFTER_ANOTHER_US} OR occurred_us - sent_us <= {AFTER_SENT_US} "
        "THEN 1 END) AS quick FROM (SELECT kind, occurred_us, "
        "LAG(occurred_us) OVER (PARTITION BY lead_id, kind ORDER BY occurred_us) AS last_us, "
        f"MAX(CASE WHEN {is_sent} THEN occurred_us END) OVER (PARTITION BY lead_id "
        f"ORDER BY occurred_us, CASE WHEN {is_sent} THEN 0 ELSE 1 END "
        "ROWS UNBOUNDED PRECEDING) AS sent_us "
        f"FROM activities WHERE kind IN ({all_kinds})) AS timed "
        f"WHERE kind IN ({reads}) GROUP BY kind ORDER BY kind"
    )


def _judge_outcomes(
    project: Project, tables: Ingested, activities: ActivitiesRead
) -> list[Finding]:
    sql = (
        "SELECT kind, COUNT(*) AS leads, COUNT(CASE WHEN is_won = 1 THEN 1 END) AS won, "
        "CAST(SUM(counted) AS BIGINT) AS counted, CAST(SUM(late) AS BIGINT) AS late "
        "FROM (SELECT a.kind, a.lead_id, MAX(o.is_won) AS is_won, "
        "COUNT(CASE WHEN o.is_won = 1 THEN 1 END) AS counted, "
        f"COUNT(CASE WHEN a.occurred_us >= o.won_us - {DAY_US} THEN 1 END) AS late "
        "FROM activities AS a JOIN outcomes AS o ON o.lead_id = a.lead_id "
        "GROUP BY a.kind, a.lead_id) AS had GROUP BY kind ORDER BY kind"
    )
    known = {"activities": activities.path, "outcomes": _find_outcomes(project, tables)}
    found = []
    for row in run_sql(sql, known, project.limits).to_pylist():
        leads, won = int(row["leads"]), int(row["won"])
        low = share_interval(np.array([won / leads]), np.array([float(leads)]))[0][0]
        if leads < ENOUGH_LEADS or low < BELONGS or row["late"] <= MOST * row["counted"]:
            continue
        text = (
            f"{won:,} of {leads:,} leads with {GAP} and a known outcome won "
            f"({won / leads:.1%}), and {row['late']:,} of {row['counted']:,} such activities of "
            "won leads come from one day before the win on: it belongs to the outcome"
        )
        todo = f"leave it out in data.yaml activities.excluded: {{{row['kind']}: the outcome}}"
        found.append(Finding("warning", "activities", text, todo, (repr(row["kind"]),)))
    return found


def _find_outcomes(project: Project, tables: Ingested) -> pa.Table:
    """Return lead_id, is_won (0 or 1) and won_us of the leads whose outcome is known."""
    outcomes, leads = tables.outcomes, tables.leads
    won = outcomes.filter(pc.equal(outcomes["status"], "won"))
    first = won.group_by("lead_id").aggregate([("closed_us", "min")]).to_pandas()
    lost = outcomes.filter(pc.equal(outcomes["status"], "lost"))["lead_id"].to_pandas()
    maturity = find_maturity(project, tables)
    others = [lost]
    if maturity is not None:
        over = pc.less_equal(leads["created_us"], maturity.extract_us - maturity.wait_us)
        others.append(leads.filter(over)["lead_id"].to_pandas())
    rest = pd.Index(pd.concat(others)).unique().difference(pd.Index(first["lead_id"]))
    none = [None] * len(rest)
    won_us = [None if pd.isna(us) else int(us) for us in first["closed_us_min"]] + none
    return pa.table(
        {
            "lead_id": pa.array([*first["lead_id"], *rest], pa.string()),
            "is_won": pa.array([1] * len(first) + [0] * len(rest), pa.int64()),
            "won_us": pa.array(won_us, pa.int64()),
        }
    )
