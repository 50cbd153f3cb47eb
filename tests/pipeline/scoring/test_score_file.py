"""A file scored with activities: as of a moment, row by row, and as one lead alone is scored."""

import csv
import json
import random
from dataclasses import dataclass, replace

import pyarrow.parquet as pq
import pytest
from support.projects import AGED, lead, make_leads, merge, us, write_leads, write_project

from leadscore.models.score_lead import AxesReader, Scorer
from leadscore.models.scorecard import Scorecard
from leadscore.pipeline.config.project import Project, read_project
from leadscore.pipeline.errors import ConfigError, DataError
from leadscore.pipeline.scoring.inputs import find_as_of
from leadscore.pipeline.scoring.score_file import score_file
from leadscore.pipeline.signals.catalog import Catalog
from leadscore.pipeline.signals.live.activities import Activity
from leadscore.pipeline.signals.live.reader import LiveReader
from leadscore.pipeline.training.train import train
from leadscore.pipeline.values.times import TimeSpec, format_time

EXTRACT = "2025-06-30T00:00:00Z"
AS_OF = "2025-04-10T00:00:00Z"
VISITS = {
    "file": "visits.csv",
    "lead": "lead_id",
    "kind": {"constant": "visit"},
    "occurred": {"column": "at"},
    "recorded": {"column": "told_at"},
    "id": "id",
    "properties": {"page": {}, "seconds": {"type": "number"}},
}
MAILS = {"file": "mails.csv", "lead": "lead_id", "kind": "kind", "occurred": {"column": "at"}}
CHANGES = {
    "file": "changes.csv", "lead": "lead_id", "field": "field", "old": "old", "new": "new",
    "recorded": {"column": "at"}, "fields": {"country": "country"},
}  # fmt: skip
DATA = {"activities": [VISITS, MAILS], "changes": CHANGES, "extracted_at": EXTRACT}
SIGNALS = {
    **AGED,
    "visits": {"family": "web", "kind": "count", "activity": "visit", "window_days": 60},
    "seconds": {"family": "web", "kind": "sum", "property": "seconds"},
    "page": {"family": "web", "kind": "last_touch", "property": "page"},
    "recent": {"family": "web", "kind": "decayed", "half_life_days": 14},
    "since": {"family": "web", "kind": "days_since"},
    "clicks": {
        "family": "email", "kind": "rate",
        "part": {"activity": "click"}, "whole": {"activity": "open"},
    },
}  # fmt: skip


@dataclass(frozen=True)
class World:
    """A project with activities, what is in its files, and the scorecard learned from it."""

    project: Project
    scorecard: Scorecard
    leads: list[dict]
    visits: list[dict]
    mails: list[dict]
    changes: list[dict]


def at(begin, days):
    return format_time(us(begin) + round(days * 86_400_000_000))


def make_activities(leads, seed=0):
    """Make what leads did: those who buy visit more; some visits come late, some come twice."""
    dice = random.Random(seed)
    visits, mails = [], []
    for row in leads[10:]:  # the first ten are silent for ever
        born = row["created_at"]
        for number in range(dice.randrange(3 + 3 * (row["status"] == "won"))):
            occurred = at(born, dice.uniform(-5, 40))
            visit = {
                "id": f"{row['lead_id']}-{number}",
                "lead_id": row["lead_id"],
                "at": occurred,
                "told_at": dice.choice([None, None, at(occurred, 10)]),
                "page": dice.choice(["/pricing", "/jobs", None]),
                "seconds": dice.choice([None, 5, 60.5]),
            }
            visits += [visit] * dice.choice([1, 1, 1, 2])
        for _ in range(dice.randrange(3)):
            mails.append(
                {"lead_id": row["lead_id"], "kind": dice.choice(["open", "click"]),
                 "at": at(born, dice.uniform(0, 40))}
            )  # fmt: skip
    return visits, mails


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shop")
    leads = make_leads(400)
    visits, mails = make_activities(leads)
    changes = [
        {"lead_id": row["lead_id"], "field": "country", "old": "MX", "new": row["country"],
         "at": at(row["created_at"], 20)}
        for row in leads[::5]
    ]  # fmt: skip
    training = {"horizon_days": 30, "snapshots": {"ages_days": [0, 14]}}
    write_project(folder, data=DATA, signals=SIGNALS, training=training)
    write_leads(folder, leads)
    write_leads(folder, visits, "visits.csv")
    write_leads(folder, mails, "mails.csv")
    write_leads(folder, changes, "changes.csv")
    project = read_project(folder)
    return World(project, train(project).scorecard, leads, visits, mails, changes)


def score(world, folder, leads, as_of=AS_OF, activities=(), ending="csv", project=None):
    """Score leads; return the report and the rows of the result."""
    folder.mkdir(parents=True, exist_ok=True)
    columns = ["lead_id", "created_at", "country", "employees", "newsletter"]
    rows = [{name: row[name] for name in columns} for row in leads]
    source, target = write_leads(folder, rows, "new.csv"), folder / f"scored.{ending}"
    report = score_file(
        project or world.project, world.scorecard, "shop:1", source, target,
        None if as_of is None else us(as_of), activities,
    )  # fmt: skip
    return report, read_rows(target)


def read_rows(path):
    if path.suffix == ".parquet":
        return pq.read_table(path).to_pylist()
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def read_rejects(report):
    return [(int(r["line"]), r["column"], r["reason"]) for r in read_rows(report.rejects_path)]


def ids(rows):
    return [row["lead_id"] for row in rows]


def probs(rows):
    return [float(row["probability"]) for row in rows]


def score_alone(world, row, as_of=AS_OF, visits=None, mails=None):
    """Score one lead as the service does: by the live reader and the Scorer."""
    as_of_us = us(as_of)
    mine = [
        Activity(
            "visit", us(v["at"]), us(v["told_at"] or v["at"]), v["id"],
            {"page": v["page"], "seconds": v["seconds"] and float(v["seconds"])},
        )
        for v in (world.visits if visits is None else visits) if v["lead_id"] == row["lead_id"]
    ]  # fmt: skip
    mine += [
        Activity(m["kind"], us(m["at"]), us(m["at"]))
        for m in (world.mails if mails is None else mails) if m["lead_id"] == row["lead_id"]
    ]  # fmt: skip
    country = row["country"]
    for change in world.changes:
        if change["lead_id"] == row["lead_id"]:
            country = change["new"] if us(change["at"]) <= as_of_us else change["old"]
    profile = {**row, "country": country}
    reader = LiveReader(Catalog.model_validate(world.scorecard.definitions))
    signals = reader.read_signals(
        profile, mine, as_of_us=as_of_us, created_us=us(row["created_at"])
    )
    return Scorer(world.scorecard).score(signals)


def check_alone(world, rows, leads, **how):
    assert ids(rows) == ids(leads)
    alone = [score_alone(world, row, **how) for row in leads]
    assert probs(rows) == pytest.approx([one.probability for one in alone], rel=1e-9)
    assert [row["band"] for row in rows] == [one.band for one in alone]
    axes = [AxesReader(world.scorecard).read(one.contributions) for one in alone]
    assert [(row["fit"], row["engagement"]) for row in rows] == axes


# One lead in a file is one lead alone


def test_the_model_has_learned_from_activities_and_changes(world):
    used = {term.signal for term in world.scorecard.terms}
    assert {"web__visits", "web__page", "email__clicks", "demographic__country"} <= used
    assert len(set(probs_of(world))) > 50


def probs_of(world):
    return [round(score_alone(world, row).probability, 9) for row in world.leads[:100]]


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_every_lead_is_scored_as_it_is_alone_in_the_order_of_the_file(world, tmp_path, ending):
    leads = random.Random(1).sample(world.leads[:390], 300)
    report, rows = score(world, tmp_path, leads, ending=ending)
    check_alone(world, rows, leads)
    assert {row["as_of"] for row in rows} == {AS_OF}
    assert list(rows[0])[4:9] == ["points", "band", "fit", "engagement", "model"]
    assert {row["fit"] for row in rows} == set("ABCD")
    assert {"1", "4"} <= {row["engagement"] for row in rows} <= set("1234")
    assert (report.rows, report.scored, report.rejected, report.not_yet) == (300, 300, 0, 0)
    assert report.rejects_path is None
    assert report.mean_prob == pytest.approx(sum(probs(rows)) / 300)
    assert sum(report.bands.values()) == 300
    assert json.loads(json.dumps(report.to_json()))["as_of"] == AS_OF


def test_chunks_are_scored_as_the_whole_file_is(world, tmp_path, monkeypatch):
    leads = random.Random(2).sample(world.leads[:390], 40)
    whole = score(world, tmp_path / "whole", leads)
    monkeypatch.setattr("leadscore.pipeline.scoring.inputs._ROWS_WITH_ACTIVITIES", 9)
    report, rows = score(world, tmp_path / "chunks", leads)
    assert rows == whole[1]
    assert report.bands == whole[0].bands


def test_a_silent_lead_is_scored_and_so_is_one_nobody_has_heard_of(world, tmp_path):
    silent = [world.leads[0], lead("never seen", created_at="2025-03-01T00:00:00Z")]
    assert not {row["lead_id"] for row in silent} & {v["lead_id"] for v in world.visits}
    report, rows = score(world, tmp_path, silent)
    check_alone(world, rows, silent)
    assert report.scored == 2


# As of a moment


def test_without_a_moment_the_extract_is_taken(world, tmp_path):
    report, rows = score(world, tmp_path, world.leads[:20], as_of=None)
    assert report.as_of == EXTRACT
    check_alone(world, rows, world.leads[:20], as_of=EXTRACT)


def test_without_an_extract_the_moment_is_where_the_first_file_of_activities_ends(world, tmp_path):
    data = world.project.data.model_copy(update={"extracted_at": None})
    project = replace(world.project, data=data)
    report, rows = score(world, tmp_path, world.leads[:5], as_of=None, project=project)
    last = min(max(us(row["at"]) for row in rows) for rows in (world.visits, world.mails))
    assert report.as_of == format_time(last)
    check_alone(world, rows, world.leads[:5], as_of=format_time(last))


def test_signals_that_need_a_moment_and_find_none_say_so(world):
    catalog = Catalog.model_validate(world.scorecard.definitions)
    with pytest.raises(ConfigError, match="--as-of: these signals need a moment"):
        find_as_of(None, catalog, None, None)
    plain = catalog.model_copy(update={"signals": catalog.signals[:3], "changing": ()})
    assert find_as_of(None, plain, None, None) is None


def with_visits(world, folder, more):
    """Write the visits and some more, and return both files of activities."""
    folder.mkdir(parents=True, exist_ok=True)
    visits = write_leads(folder, [*world.visits, *more], "visits.csv")
    return [visits, world.project.data_folder / "mails.csv"]


def visit(lead_id, occurred, told=None):
    return {"id": None, "lead_id": lead_id, "at": occurred, "told_at": told, "page": "/pricing",
            "seconds": 900}  # fmt: skip


def test_what_occurs_or_is_recorded_after_the_moment_changes_nothing(world, tmp_path):
    leads = world.leads[:30]
    _, before = score(world, tmp_path / "before", leads)
    later = [
        visit(row["lead_id"], *times)
        for row in leads
        for times in (("2025-04-10T00:00:00.000001Z",), ("2025-05-01T00:00:00Z",),
                      ("2025-04-01T00:00:00Z", "2025-04-10T00:00:00.000001Z"))
    ]  # fmt: skip
    files = with_visits(world, tmp_path / "more", later)
    _, rows = score(world, tmp_path / "after", leads, activities=files)
    assert rows == before
    files = with_visits(world, tmp_path / "just", [visit(row["lead_id"], AS_OF) for row in leads])
    _, rows = score(world, tmp_path / "now", leads, activities=files)
    assert all(a != b for a, b in zip(probs(rows), probs(before), strict=True))


def test_the_same_lead_is_scored_anew_as_of_another_moment(world, tmp_path):
    leads = world.leads[:30]
    for number, moment in enumerate(("2025-02-01T00:00:00Z", "2025-03-01T00:00:00Z")):
        _, rows = score(world, tmp_path / str(number), leads, as_of=moment)
        check_alone(world, rows, leads, as_of=moment)


def test_a_lead_created_after_the_moment_is_listed_and_not_unreadable(world, tmp_path):
    leads = [
        lead("at once", created_at=AS_OF),
        lead("unborn", created_at="2025-04-10T00:00:00.000001Z"),
        lead("bad", created_at="2025-01-01T00:00:00Z", employees="many"),
        lead("old", created_at="2025-01-01T00:00:00Z"),
        lead("far", created_at="2026-01-01T00:00:00Z"),
    ]
    report, rows = score(world, tmp_path, leads)
    assert ids(rows) == ["at once", "old"]
    assert (report.rows, report.scored, report.rejected, report.not_yet) == (5, 2, 1, 2)
    unborn = f"created after {AS_OF}, the moment of scoring"
    assert read_rejects(report) == [
        (3, "", unborn), (4, "employees", "'many' where a number is expected"), (6, "", unborn),
    ]  # fmt: skip


def test_leads_not_yet_there_do_not_count_against_the_readable_ones(world, tmp_path):
    unborn = [lead(f"{i}", created_at="2026-01-01T00:00:00Z") for i in range(9)]
    born = [lead("old", created_at="2025-01-01T00:00:00Z")]
    assert not score(world, tmp_path / "1", [*unborn, *born])[0].too_many_rejects
    bad = [lead("bad", created_at="soon")]
    assert score(world, tmp_path / "2", [*unborn, *born, *bad])[0].too_many_rejects


def test_a_file_of_nobody_yet_is_an_empty_result_with_its_header(world, tmp_path):
    for ending in ("csv", "parquet"):
        leads = [lead("unborn", created_at="2026-01-01T00:00:00Z")]
        report, rows = score(world, tmp_path, leads, ending=ending)
        assert (rows, report.scored, report.not_yet, report.mean_prob) == ([], 0, 1, None)
    assert (tmp_path / "scored.csv").read_text().startswith("lead_id,as_of,probability")


# Leads that stand in several rows


def test_a_lead_standing_twice_gets_two_rows_each_with_its_own_profile(world, tmp_path):
    first, other = world.leads[50], world.leads[60]
    small, large = {**first, "employees": 1}, {**first, "employees": 500}
    leads = [small, other, large, small, other]
    report, rows = score(world, tmp_path, leads)
    check_alone(world, rows, leads)
    assert rows[0]["probability"] != rows[2]["probability"]
    assert report.scored == 5


def test_a_lead_standing_in_two_chunks_gets_two_rows_too(world, tmp_path, monkeypatch):
    monkeypatch.setattr("leadscore.pipeline.scoring.inputs._ROWS_WITH_ACTIVITIES", 2)
    leads = [world.leads[50], world.leads[60], {**world.leads[50], "employees": 500}]
    check_alone(world, score(world, tmp_path, leads)[1], leads)


def test_where_leads_are_repeated_the_first_row_of_each_is_scored(world, tmp_path, monkeypatch):
    monkeypatch.setattr("leadscore.pipeline.scoring.inputs._ROWS_WITH_ACTIVITIES", 2)
    config = world.project.data.leads.model_copy(update={"duplicates": "first"})
    data = world.project.data.model_copy(update={"leads": config})
    first, other = world.leads[50], world.leads[60]
    leads = [first, {**first, "employees": 500}, other, {**first, "employees": 1}, other]
    report, rows = score(world, tmp_path, leads, project=replace(world.project, data=data))
    check_alone(world, rows, [first, other])
    assert (report.scored, report.rejects_path) == (2, None)


def test_a_lead_in_more_than_a_hundred_rows_is_an_error_and_leaves_no_file(world, tmp_path):
    with pytest.raises(DataError, match="a lead stands in the file more than 100 times"):
        score(world, tmp_path, [world.leads[50]] * 101)
    assert [path.name for path in tmp_path.iterdir()] == ["new.csv"]


def test_as_many_rows_of_a_lead_as_allowed_are_scored(world, tmp_path, monkeypatch):
    monkeypatch.setattr("leadscore.pipeline.scoring.inputs._MOST_COPIES", 3)
    leads = [world.leads[50], world.leads[60]] * 3
    check_alone(world, score(world, tmp_path, leads)[1], leads)
    with pytest.raises(DataError, match="more than 3 times"):
        score(world, tmp_path, [*leads, world.leads[60]])


# Files of activities


def test_other_files_of_activities_replace_those_of_the_project(world, tmp_path):
    leads = world.leads[:40]
    visits, mails = [visit(leads[3]["lead_id"], "2025-03-01T00:00:00Z")], world.mails[:5]
    files = [write_leads(tmp_path, visits, "v.csv"), write_leads(tmp_path, mails, "m.csv")]
    report, rows = score(world, tmp_path, leads, activities=files)
    check_alone(world, rows, leads, visits=visits, mails=mails)
    assert f"6 activities from {files[0]}, {files[1]}" in report.notes


@pytest.mark.parametrize("count", [1, 3])
def test_too_few_or_too_many_files_of_activities_are_a_mistake(world, tmp_path, count):
    files = [world.project.data_folder / "visits.csv"] * count
    said = f"--activities: {count} files given, data.yaml describes 2"
    with pytest.raises(ConfigError, match=said):
        score(world, tmp_path, world.leads[:5], activities=files)
    assert not (tmp_path / "scored.csv").exists()


def test_files_of_activities_in_the_wrong_order_are_told_by_their_columns(world, tmp_path):
    files = [world.project.data_folder / name for name in ("mails.csv", "visits.csv")]
    with pytest.raises(DataError, match=r"mails\.csv: no column"):
        score(world, tmp_path, world.leads[:5], activities=files)


def test_a_file_of_activities_that_cannot_be_trusted_stops_the_scoring(world, tmp_path):
    files = with_visits(world, tmp_path, [visit("00001", "soon")] * len(world.visits))
    with pytest.raises(DataError, match=r"visits\.csv: \d+ of \d+ rows rejected"):
        score(world, tmp_path, world.leads[:5], activities=files)


def changed(world, folder, **data):
    """Return the project with other data.yaml but the same files."""
    training = {"horizon_days": 30, "snapshots": {"ages_days": [0, 14]}}
    signals = {"employees": AGED["employees"], "age": AGED["age"]}
    write_project(folder, data=merge(DATA, data), signals=signals, training=training)
    return read_project(folder, world.project.data_folder)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"activities": []}, "data.yaml has no activities with page, seconds, which shop:1 reads"),
        (
            {"activities": [VISITS | {"properties": {"page": {}}}, MAILS]},
            "activities with seconds,",
        ),
        ({"changes": None}, "data.yaml has no changes, which the model reads"),
    ],
)
def test_a_project_that_lacks_what_the_model_reads_is_told_so(world, tmp_path, data, said):
    with pytest.raises(DataError, match=said):
        score(world, tmp_path, world.leads[:5], project=changed(world, tmp_path / "p", **data))


def test_the_signals_are_those_of_the_scorecard_whatever_signals_yaml_says_today(world, tmp_path):
    project = changed(world, tmp_path / "p")
    assert not project.catalog.reads_activities
    leads = world.leads[:20]
    check_alone(world, score(world, tmp_path, leads, project=project)[1], leads)


def test_the_age_needs_the_time_of_creation(world, tmp_path):
    rows = [{name: row[name] for name in ("lead_id", "country", "employees", "newsletter")}
            for row in world.leads[:5]]  # fmt: skip
    source = write_leads(tmp_path, rows, "new.csv")
    with pytest.raises(DataError, match=r"new\.csv: no column 'created_at'"):
        score_file(world.project, world.scorecard, "shop:1", source, tmp_path / "s.csv", us(AS_OF))


def test_leads_older_than_any_the_model_learned_from_are_noted(world, tmp_path):
    """It learned at 0 and 14 days; a day more is let pass."""
    born = [at(AS_OF, -days) for days in (14, 15, 15.001, 300)]
    leads = [lead(str(i), created_at=moment) for i, moment in enumerate(born)]
    report, _ = score(world, tmp_path, leads)
    assert (
        "2 of 4 leads are older than any the model learned from (14 days): read their scores with "
        "care"
    ) in report.notes


def test_leads_with_a_deal_closed_by_the_moment_are_counted_where_deals_are_on_file(
    world, tmp_path
):
    """The model learned from open leads; of the others its user should hear."""
    some = world.leads[:10]
    deals = [
        {"who": some[0]["lead_id"], "stage": "won", "closed": "2025-01-02T00:00:00Z"},
        {"who": some[1]["lead_id"], "stage": "won", "closed": "2099-01-02T00:00:00Z"},
    ]
    write_leads(tmp_path, deals, "deals.csv")
    outcomes = world.project.data.outcomes.model_copy(
        update={
            "file": str(tmp_path / "deals.csv"), "lead": "who", "column": "stage",
            "closed": TimeSpec(column="closed"),
        }
    )  # fmt: skip
    data = world.project.data.model_copy(update={"outcomes": outcomes})
    report, _ = score(world, tmp_path, some, project=replace(world.project, data=data))
    assert any(note.startswith("1 of 10 leads had a deal closed by then") for note in report.notes)
    report, _ = score(world, tmp_path, some)
    assert not any("had a deal closed" in note for note in report.notes)
