"""Every way to one number: scikit-learn, a frame, one lead, two SQL engines, shap; any threads."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing

import duckdb
import numpy as np
import pandas as pd
import pytest

from leadscore.models.bands import Bands
from leadscore.models.log_odds import to_log_odds, to_probability
from leadscore.models.predictive import decide
from leadscore.models.score_frame import score_frame
from leadscore.models.score_lead import Scorer
from leadscore.models.score_sql import score_sql
from leadscore.models.shapes import Table
from leadscore.models.sql_text import quote_name

pytestmark = pytest.mark.proof
LEADS = 100_000


@pytest.fixture(scope="module")
def leads(registered) -> pd.DataFrame:
    """A hundred thousand leads: every signal drawn for itself, so that odd ones meet; numbers
    also between and beyond those of the later period, levels also such as nobody has met."""
    later = registered.training.later.signals
    dice = np.random.default_rng(5)
    drawn = {}
    for column in later.columns:
        values = later[column].to_numpy()[dice.integers(len(later), size=LEADS)]
        odd = dice.random(LEADS) < 0.2
        if later[column].dtype == object:
            values[odd & (dice.random(LEADS) < 0.1)] = "a level nobody has met"
        else:
            values = np.where(odd, values * dice.uniform(-1.0, 3.0, LEADS), values)
        drawn[column] = values
    return pd.DataFrame(drawn).astype(later.dtypes.to_dict())


@pytest.fixture(scope="module")
def scorecard(registered, leads):
    """The scorecard, its bands beginning at two of the leads, to the last bit of their log-odds."""
    made = registered.training.scorecard
    found = sorted(score_frame(made, leads).log_odds.tolist())
    exact = [one for one in found if to_log_odds(to_probability(one)) == one]
    mql, sql = (to_probability(exact[int(share * len(exact))]) for share in (0.7, 0.9))
    return made.model_copy(update={"bands": Bands(mql=mql, sql=sql)}).sealed()


@pytest.fixture(scope="module")
def scores(scorecard, leads):
    return score_frame(scorecard, leads)


def test_scikit_learn_says_the_same_of_a_hundred_thousand_leads(registered, scores, leads):
    said = decide(registered.training.pipeline, leads)
    assert np.abs(scores.log_odds - said).max() < 1e-9


def test_one_lead_at_a_time_is_scored_to_the_same_bits(scorecard, scores, leads):
    scorer = Scorer(scorecard)
    found = [
        scorer.score(dict(zip(leads.columns, row, strict=True)))
        for row in leads.itertuples(index=False)
    ]
    assert [one.log_odds for one in found] == scores.log_odds.tolist()
    assert [one.band for one in found] == list(scores.band)
    cutoffs = scorecard.bands.cutoff_log_odds
    for cutoff, band in ((cutoffs.mql, "MQL"), (cutoffs.sql, "SQL")):
        assert {one.band for one in found if one.log_odds == cutoff} == {band}


def read_by_duckdb(query: str, leads: pd.DataFrame) -> list[tuple]:
    with duckdb.connect() as engine:
        engine.register("signals", leads.assign(lead_id=range(LEADS)))
        return engine.execute(query).fetchall()


def read_by_sqlite(query: str, leads: pd.DataFrame) -> list[tuple]:
    known = leads.astype(object).where(leads.notna(), None)
    names = ", ".join(quote_name(column) for column in leads.columns)
    with closing(sqlite3.connect(":memory:")) as engine:
        engine.execute(f"CREATE TABLE signals (lead_id INTEGER, {names})")
        engine.executemany(
            f"INSERT INTO signals VALUES ({', '.join('?' * (1 + len(leads.columns)))})",
            [(number, *row) for number, row in enumerate(known.itertuples(index=False))],
        )
        return engine.execute(query).fetchall()


@pytest.mark.parametrize("read", [read_by_duckdb, read_by_sqlite])
def test_sql_says_the_same_and_has_the_same_bands(scorecard, scores, leads, read):
    rows = read(score_sql(scorecard, "signals") + " ORDER BY lead_id", leads)
    assert len(rows) == LEADS
    log_odds, probability = (np.array([row[at] for row in rows]) for at in (1, 2))
    assert np.abs(log_odds - scores.log_odds).max() < 1e-9
    assert np.abs(probability - scores.probability).max() < 1e-9
    assert [row[4] for row in rows] == list(scores.band)


def test_reasons_are_what_shap_says(registered):
    """shap's linear explainer on scikit-learn's own columns, against the earlier leads."""
    import shap  # takes seconds, which the quick tests need not spend

    training = registered.training
    signals, regression = training.pipeline[:-1], training.pipeline[-1]
    background = signals.transform(training.earlier.signals)
    some = training.later.signals.head(500)
    explainer = shap.LinearExplainer(
        (regression.coef_[0], regression.intercept_[0]),
        shap.maskers.Independent(background, max_samples=len(background)),
    )
    told = explainer.shap_values(signals.transform(some))
    columns = signals[0]
    by_signal = {term.signal: np.zeros(len(some)) for term in training.scorecard.terms}
    for name, _, (column,) in columns.transformers_:
        if name != "remainder":
            by_signal[column] += told[:, columns.output_indices_[name]].sum(axis=1)
    scored = score_frame(training.scorecard, some)
    for place, term in enumerate(training.scorecard.terms):
        reason = scored.contributions[:, place] - term.mean
        assert np.abs(reason - by_signal[term.signal]).max() < 1e-6, term.signal
    assert any(isinstance(term.shape, Table) for term in training.scorecard.terms)
    total = training.scorecard.base + scored.contributions.sum(axis=1)
    assert np.abs(total - decide(training.pipeline, some)).max() < 1e-9


TRAIN = """
import sys
from pathlib import Path
from leadscore.pipeline.config.folder import find_project
from leadscore.pipeline.config.project import read_project
from leadscore.pipeline.training.train import train
print(train(read_project(find_project("demo"), Path(sys.argv[1]))).scorecard.sha256)
"""


def test_the_number_of_threads_changes_no_byte(registered):
    shas = []
    for threads in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", TRAIN, str(registered.store_folder / "demo")],
            env={**os.environ, "OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads},
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        shas.append(done.stdout.split()[-1])
    assert shas == [registered.training.scorecard.sha256] * 2
