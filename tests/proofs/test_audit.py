"""The audit finds the leaks that are known to be there, and leaves the rest alone."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest
from support.audit_checks import (
    ACCUSED,
    DOUBTED,
    accused,
    audit_folder,
    by_column,
    show,
    tell,
    try_seed,
)
from support.projects import write_project
from support.real_data import ROOT, real_data
from support.seeds import FULL, seeds_of_the_day
from support.worlds.lookalikes import write_buyers, write_funnel, write_sessions, write_silence
from support.worlds.refused import REFUSED, rows_of_one_id, sound

from leadscore.pipeline.audit.audit import audit_project
from leadscore.pipeline.audit.records import Audit
from leadscore.pipeline.config.folder import find_project
from leadscore.pipeline.config.project import read_project
from leadscore.pipeline.config.yaml_io import read_yaml
from leadscore.pipeline.demo.world import write_world
from leadscore.pipeline.errors import DataError

pytestmark = pytest.mark.proof
SEEDS = seeds_of_the_day(20, 5)
CUT_HOURS = 24


@pytest.fixture(scope="module", params=[True, False], ids=["with history", "without history"])
def trials(request, tmp_path_factory):
    place = tmp_path_factory.mktemp("planted")
    return request.param, [try_seed(place / f"{s}", s, request.param) for s in SEEDS]


def test_planted_leaks_are_found(trials):
    has_history, tried = trials
    if has_history:
        assert all(trial.recall == trial.leaks for trial in tried), show(tried)
    else:
        least = 9 if FULL else 8
        assert sum(trial.recall for trial in tried) >= least * len(tried), show(tried)


def test_at_most_one_honest_column_is_accused_per_seed(trials):
    _, tried = trials
    assert all(len(trial.falsely) <= 1 for trial in tried), show(tried)


def field_of(column: str) -> str:
    return re.sub("[^a-z0-9]+", "_", column.casefold()).strip("_")


def audit_all_columns(
    folder: Path, file: Path, delimiter: str, outcome: tuple[str, str, str], leads: dict
) -> Audit:
    """Audit a file without dates of which every column but key, order and outcome is a signal."""
    frame = pd.read_csv(file, sep=delimiter)
    column, won, lost = outcome
    kept = frame.drop(columns=[column, *(c for c in leads.values() if c in frame)])
    is_number = {c: pd.api.types.is_numeric_dtype(kept[c]) for c in kept}
    fields = {
        field_of(c): {"column": c, "type": "number" if is_number[c] else "text"} for c in kept
    }
    data = {
        "leads": {"file": file.name, "delimiter": delimiter, **leads, "fields": fields},
        "outcomes": {"column": column, "won": [won], "lost": [lost]},
    }
    signals = {
        field_of(c): {"family": "form", "kind": "number" if is_number[c] else "category"}
        for c in kept
    }
    training = {"horizon_days": None, "allow_sensitive": True, "min_wins": 50}
    write_project(folder, data=json.dumps(data), signals=signals, training=training)
    return audit_project(read_project(folder, file.parent))


@pytest.fixture(scope="module")
def x_education(tmp_path_factory) -> Audit:
    return audit_all_columns(
        tmp_path_factory.mktemp("x_education"), real_data("xeducation_leads.csv.gz"), ",",
        ("Converted", "1", "0"), {"id": "Prospect ID", "order": "Lead Number"},
    )  # fmt: skip


X_REFUSED = ("Tags", "Lead Quality")
X_DOUBTED = (
    "Lead Profile", "Last Notable Activity",
    "Asymmetrique Activity Index", "Asymmetrique Profile Index",
    "Asymmetrique Activity Score", "Asymmetrique Profile Score",
)  # fmt: skip
X_LEAKS = (*X_REFUSED, *X_DOUBTED, "Last Activity")


def test_x_education_shows_its_leaks_to_who_is_told_nothing(x_education):
    found = by_column(x_education)
    assert [found[c].verdict for c in X_REFUSED] == ["refuse"] * 2, tell(x_education, X_REFUSED)
    quiet = [c for c in X_DOUBTED if found[c].verdict not in ("quarantine", "not vouched for")]
    assert not quiet, tell(x_education, quiet)


def test_x_education_has_at_most_two_honest_columns_accused(x_education):
    falsely = [c for c in accused(x_education) if c not in X_LEAKS]
    assert len(falsely) <= 2, tell(x_education, falsely)


def test_the_duration_of_the_deciding_call_is_not_vouched_for(tmp_path):
    audit = audit_all_columns(
        tmp_path, real_data("bank-additional-full.csv.gz"), ";", ("y", "yes", "no"),
        {"id": "#row", "order": "#row"},
    )  # fmt: skip
    assert by_column(audit)["duration"].verdict in DOUBTED, tell(audit, ["duration"])


def test_a_count_of_what_came_after_the_cut_is_refused(tmp_path):
    audit = audit_project(read_project(write_bpic_with_a_later_count(tmp_path)))
    assert by_column(audit)["steps_later"].verdict == "refuse", tell(audit, ["steps_later"])


def write_bpic_with_a_later_count(folder: Path) -> Path:
    """Write configs/bpic2012 with a file of leads of its own, which counts what came too late."""
    log_path = real_data("bpic2012_events.csv.gz")
    log = pd.read_csv(log_path, dtype=str)
    begun, at = (pd.to_datetime(log[c], utc=True, format="ISO8601") for c in ("reg_date", "ts"))
    late = at > begun + pd.Timedelta(hours=CUT_HOURS)
    leads = log.drop_duplicates("case")[["case", "reg_date", "amount_req"]].copy()
    leads["steps_later"] = leads["case"].map(late.groupby(log["case"]).sum())
    config = ROOT / "configs" / "bpic2012"
    written = read_yaml(config / "data.yaml")
    data = {**written, "folder": ".", "leads": {
        "file": "leads.csv", "id": "case", "created": {"column": "reg_date"},
        "fields": {**written["leads"]["fields"], "steps_later": {"type": "number"}},
    }}  # fmt: skip
    signals = {
        **read_yaml(config / "signals.yaml"),
        "steps_later": {"family": "form", "kind": "number"},
    }
    training = (config / "training.yaml").read_text(encoding="utf-8")
    write_project(folder, data=json.dumps(data, default=str), signals=signals, training=training)
    leads.to_csv(folder / "leads.csv", index=False)
    (folder / log_path.name).symlink_to(log_path)
    return folder


def test_clean_worlds_may_be_learned_from(tmp_path):
    refused = []
    for seed in SEEDS:
        folder = tmp_path / f"{seed}"
        write_world(folder, 2000, seed, "parquet")
        audit = audit_project(read_project(find_project("demo/parquet"), folder))
        if audit.verdict == "do not train":
            refused.append(f"seed {seed}: {'; '.join(audit.reasons)}")
    assert not refused, "\n".join(refused)


@pytest.mark.parametrize("seed", seeds_of_the_day(3, 1))
@pytest.mark.parametrize("write", REFUSED, ids=lambda write: write.__name__)
def test_what_must_not_be_learned_from_is_refused(write, seed, tmp_path):
    write(tmp_path, seed)
    audit = audit_folder(tmp_path)
    assert audit.verdict == "do not train", audit.reasons


def test_a_file_of_which_too_much_is_rejected_is_refused_one_way_or_the_other(tmp_path):
    """Every winner's second row is a reject here, and more than are allowed: no file to learn from.

    An error that says so does as well as a verdict.
    """
    rows_of_one_id(tmp_path, 0, max_reject_share=0.05)
    try:
        verdict = audit_folder(tmp_path).verdict
    except DataError:
        verdict = "do not train"
    assert verdict == "do not train"


@pytest.mark.parametrize("seed", seeds_of_the_day(3, 1))
def test_the_world_that_they_were_made_of_may_be_learned_from(seed, tmp_path):
    sound(tmp_path, seed)
    audit = audit_folder(tmp_path)
    assert audit.verdict != "do not train", audit.reasons


@pytest.mark.parametrize("seed", seeds_of_the_day(3, 1))
def test_a_column_computed_from_the_purchases_is_doubted(seed, tmp_path):
    shop = write_sessions(tmp_path, seed)
    audit = audit_folder(shop.folder)
    verdicts = [by_column(audit)[column].verdict for column in shop.leaks]
    assert all(verdict in DOUBTED for verdict in verdicts), tell(audit, shop.leaks)


@pytest.mark.parametrize("seed", seeds_of_the_day(3, 1))
@pytest.mark.parametrize("write", [write_buyers, write_funnel], ids=lambda write: write.__name__)
def test_what_only_winners_have_is_accused(write, seed, tmp_path):
    looks = write(tmp_path, seed)
    audit = audit_folder(looks.folder)
    assert accused(audit, looks.leaks) == sorted(looks.leaks), tell(audit, looks.leaks)
    falsely = [column for column in accused(audit) if column not in looks.leaks]
    assert len(falsely) <= 1, tell(audit, falsely)


@pytest.mark.parametrize("seed", seeds_of_the_day(3, 1))
def test_where_nothing_tells_anything_nobody_is_accused_and_nothing_is_learned(seed, tmp_path):
    audit = audit_folder(write_silence(tmp_path, seed).folder)
    guilty = [finding.name for finding in audit.columns if finding.verdict in ACCUSED]
    assert not guilty, tell(audit, accused(audit))
    assert audit.verdict == "do not train", audit.reasons
