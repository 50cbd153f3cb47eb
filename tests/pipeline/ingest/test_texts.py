"""Texts on their way: from a file and its changes, alike in training, in batch and live."""

import csv

import pyarrow as pa
import pytest
from support.projects import lead, make_leads, merge, us, write_leads, write_project

from leadscore.models.score_lead import Scorer
from leadscore.pipeline.config.project import read_project
from leadscore.pipeline.dataset.dataset import build_dataset
from leadscore.pipeline.errors import ConfigError, RefusalError
from leadscore.pipeline.ingest.tables import ingest
from leadscore.pipeline.scoring.score_file import score_file
from leadscore.pipeline.signals.catalog import Catalog
from leadscore.pipeline.signals.live.reader import LiveReader
from leadscore.pipeline.training.train import train
from leadscore.pipeline.workflows import versions

TEXT_FIELDS = {"title": {}, "email": {}, "company": {}, "message": {}, "phone": {}}
SIGNALS = {
    "country": {"family": "demographic", "kind": "category"},
    "seniority": {"family": "demographic", "kind": "title_seniority", "field": "title"},
    "mail_kind": {"family": "form", "kind": "mail_kind", "field": "email"},
    "mail_company": {
        "family": "form", "kind": "mail_company", "field": "email", "company": "company",
    },
    "no_capitals": {"family": "spam", "kind": "no_capitals", "fields": ["company", "title"]},
    "filled": {
        "family": "form", "kind": "completeness", "fields": ["title", "phone", "employees"],
    },
    "off": {"family": "spam", "kind": "pattern_mismatch", "expected": {"phone": "[0-9 ]{6,}"}},
    "length": {"family": "form", "kind": "message_length", "field": "message"},
}  # fmt: skip
CHANGES = {
    "file": "changes.csv", "lead": "lead_id", "field": "field", "old": "old", "new": "new",
    "recorded": {"column": "at"},
    "fields": {"Job": "title", "Company": "company", "Staff": "employees"},
}  # fmt: skip
DATA = {"leads": {"fields": TEXT_FIELDS, "missing": ["n/a"]}}
PEOPLE = [
    {"title": "CEO", "email": "ana@acme.com", "company": "Acme", "phone": "600 123 456"},
    {"title": "becario", "email": "x@gmail.com", "company": "acme", "phone": "call me"},
    {"title": "n/a", "email": "", "company": "", "phone": "n/a"},
    {"title": "Jefa de compras", "email": "info@other.es", "company": "Acme", "message": "Hola"},
]


class OneScorecard:
    """A store of a single scorecard."""

    def __init__(self, scorecard):
        self.scorecard = scorecard

    def load_scorecard(self, name, which):
        return self.scorecard, int(which)


def person(number, **facts):
    blank = dict.fromkeys(TEXT_FIELDS, "")
    return {**blank, **PEOPLE[number % len(PEOPLE)], **facts}


def make_project(folder, rows, data=DATA, signals=SIGNALS, training=None):
    write_project(folder, data=data, signals=signals, training=training)
    write_leads(folder, rows)
    return read_project(folder)


def people(count):
    return [{**row, **person(number)} for number, row in enumerate(make_leads(count))]


def test_texts_of_a_file_are_told_and_only_what_signals_read_is_kept(tmp_path):
    rows = [lead(str(number), **person(number)) for number in range(4)]
    leads = ingest(make_project(tmp_path, rows)).leads
    stored = {"lead_id", "created_us", "arrival", "country"}
    assert set(leads.column_names) == {*stored, *read_project(tmp_path).catalog.stored}
    assert leads["demographic__seniority"].to_pylist() == ["executive", "student", None, "manager"]
    assert leads["form__mail_kind"].to_pylist() == ["business", "free", None, "role"]
    assert leads["form__mail_company"].to_pylist() == ["same", "private", None, "different"]
    assert leads["spam__no_capitals"].to_pylist() == [0.0, 1.0, None, 0.0]
    assert leads["form__filled"].to_pylist() == [1.0, 1.0, 1 / 3, 2 / 3]
    assert leads["spam__off"].to_pylist() == [0.0, 1.0, 0.0, 0.0]
    assert leads["form__length"].to_pylist() == [None, None, None, 4.0]


def test_training_batch_and_live_reader_say_the_same(tmp_path):
    rows = people(400)
    project = make_project(tmp_path, rows)
    scorecard = train(project).scorecard
    report = score_file(
        project, scorecard, "m:1", tmp_path / "leads.csv", tmp_path / "out.csv", None
    )
    assert report.scored == len(rows)
    reader = LiveReader(Catalog.model_validate(scorecard.definitions))
    scorer = Scorer(scorecard)
    with (tmp_path / "out.csv").open() as stream:
        for row, scored in zip(rows, csv.DictReader(stream), strict=True):
            live = scorer.score(reader.read_signals(row))
            assert float(scored["probability"]) == pytest.approx(live.probability, abs=1e-9)


def test_a_changed_text_is_read_as_it_was_known(tmp_path):
    """Company and title change; what both tell together changes with either."""
    data = merge(DATA, {"changes": CHANGES})
    training = {"snapshots": {"ages_days": [0, 10, 20, 30]}}
    rows = [lead("a", **person(0, company="Big Corp", title="Directora")), lead("b", **person(1))]
    rows += [lead(f"c{number}", **person(number)) for number in range(4)]
    signals = {**SIGNALS, "age": {"family": "form", "kind": "lead_age"}}
    project = make_project(tmp_path, rows, data, signals, training)
    (tmp_path / "changes.csv").write_text(
        "lead_id,field,old,new,at\n"
        "a,Company,acme,Acme,2025-01-08T00:00:00Z\n"
        "a,Company,Acme,Big Corp,2025-01-25T00:00:00Z\n"
        "a,Job,becaria,Directora,2025-01-15T00:00:00Z\n"
        "a,Staff,,12,2025-01-15T00:00:00Z\n"
        "b,Company,Acme,acme,2025-03-01T00:00:00Z\n"
        "nobody,Company,Acme,acme,2025-03-01T00:00:00Z\n"
    )
    dataset = build_dataset(project, ingest(project))
    mine = dataset.signals[dataset.lead_id == "a"]
    assert mine["form__age"].tolist() == [0, 10, 20, 30]
    assert mine["demographic__seniority"].tolist() == ["student"] * 2 + ["director"] * 2
    assert mine["form__mail_company"].tolist() == ["same", "same", "same", "different"]
    assert mine["spam__no_capitals"].tolist() == [1.0, 1.0, 0.0, 0.0]  # becaria, till she rose
    assert mine["form__filled"].tolist() == [2 / 3, 2 / 3, 1.0, 1.0]
    other = dataset.signals[dataset.lead_id == "b"]
    assert other["spam__no_capitals"].tolist() == [1.0] * 4  # its title is small anyway
    assert other["form__mail_company"].tolist() == ["private"] * 4


def test_a_file_is_scored_by_texts_as_they_were_known(tmp_path):
    data = merge(DATA, {"changes": CHANGES})
    rows = people(400)
    project = make_project(tmp_path, rows, data)
    (tmp_path / "changes.csv").write_text(
        "lead_id,field,old,new,at\n" + "".join(
            f"{row['lead_id']},Job,{row['title']},CEO,2025-06-01T00:00:00Z\n" for row in rows[:50]
        )
    )  # fmt: skip
    scorecard = train(project).scorecard
    reader, scorer = LiveReader(Catalog.model_validate(scorecard.definitions)), Scorer(scorecard)
    for as_of, title in (("2025-05-31T00:00:00Z", None), ("2025-06-02T00:00:00Z", "CEO")):
        target = tmp_path / "out.csv"
        score_file(project, scorecard, "m:1", tmp_path / "leads.csv", target, us(as_of))
        with target.open() as stream:
            for row, scored in zip(rows[:50], csv.DictReader(stream), strict=False):
                assert scored["lead_id"] == row["lead_id"]
                live = scorer.score(reader.read_signals({**row, "title": title or row["title"]}))
                assert float(scored["probability"]) == pytest.approx(live.probability, abs=1e-9)


def test_other_lists_of_words_are_refused(tmp_path, monkeypatch):
    project = make_project(tmp_path, people(400))
    scorecard = train(project).scorecard
    assert set(scorecard.definitions["word_lists"]) == {
        "title_words", "free_mail", "disposable_mail", "mail_roles", "company_words",
    }  # fmt: skip
    lists = {**scorecard.definitions["word_lists"], "free_mail": "0" * 64}
    other = scorecard.model_copy(
        update={"definitions": {**scorecard.definitions, "word_lists": lists}}
    )
    with pytest.raises(RefusalError, match="other lists of free_mail than this release"):
        score_file(project, other, "m:1", tmp_path / "leads.csv", tmp_path / "out.csv", None)
    with pytest.raises(ValueError, match="other lists of free_mail"):
        LiveReader(Catalog.model_validate(other.definitions))
    monkeypatch.setattr(versions, "open_store", lambda home: OneScorecard(other))
    with pytest.raises(RefusalError, match="other lists of free_mail"):
        versions.evaluate_version(tmp_path, project, "1")


@pytest.mark.parametrize(
    ("signal", "message"),
    [
        ({"kind": "title_seniority"}, "it.field: this key is needed and absent"),
        ({"kind": "title_seniority", "field": "job"}, "data.yaml has no field 'job'"),
        ({"kind": "title_seniority", "field": "employees"},
         "a title_seniority reads a field of type text, found number (employees in data.yaml)"),
        ({"kind": "gibberish", "fields": ["title", "tittle"]}, "did you mean 'title'?"),
        ({"kind": "gibberish", "fields": []}, "it.fields"),
        ({"kind": "pattern_mismatch", "expected": {"phone": "[0-9"}}, "not a regular expression"),
        ({"kind": "pattern_mismatch", "expected": {}}, "it.expected"),
        ({"kind": "completness", "fields": ["title"]}, "did you mean 'completeness'?"),
        ({"kind": "mail_company", "field": "email"}, "it.company: this key is needed and absent"),
        ({"kind": "digits", "fields": ["gender"]}, "reads the sensitive field 'gender'"),
    ],
)  # fmt: skip
def test_mistakes_in_a_signal_of_texts_are_told(tmp_path, signal, message):
    data = merge(DATA, {"leads": {"fields": {"gender": {}}}})
    with pytest.raises(ConfigError) as caught:
        make_project(tmp_path, [lead("a")], data, {"it": {"family": "form", **signal}})
    assert message in str(caught.value)


def test_completeness_counts_fields_of_any_type(tmp_path):
    signals = {
        "filled": {"family": "form", "kind": "completeness", "fields": ["newsletter", "employees"]}
    }
    rows = [lead("a"), lead("b", newsletter="", employees=""), lead("c", newsletter="")]
    leads = ingest(make_project(tmp_path, rows, None, signals)).leads
    assert leads["form__filled"].to_pylist() == [1.0, 0.0, 0.5]


def test_a_field_may_not_bear_the_name_of_a_signal_made_from_texts(tmp_path):
    data = merge(DATA, {"leads": {"fields": {"form__mail_kind": {}}}})
    with pytest.raises(ConfigError, match="a signal made from texts has this name"):
        make_project(tmp_path, [lead("a")], data)


def test_parquet_and_csv_tell_the_same(tmp_path):
    rows = [lead(str(number), **person(number)) for number in range(8)]
    by_csv = ingest(make_project(tmp_path / "csv", rows)).leads
    folder = tmp_path / "parquet"
    write_project(folder, data=merge(DATA, {"leads": {"file": "leads.parquet"}}), signals=SIGNALS)
    write_leads(folder, pa.Table.from_pylist(rows), "leads.parquet")
    assert ingest(read_project(folder)).leads.equals(by_csv)


def test_a_moment_counts_where_no_signal_needs_one(tmp_path):
    """Leads created later are rejects, and so is a row that training would refuse."""
    rows = people(400)
    project = make_project(tmp_path, rows)
    scorecard = train(project).scorecard
    write_leads(tmp_path, [*rows, {**rows[0], "lead_id": "TOTAL", "created_at": ""}], "new.csv")
    as_of = "2025-02-01T00:00:00Z"
    for moment, scored in ((None, len(rows)), (as_of, sum(r["created_at"] <= as_of for r in rows))):
        found = score_file(
            project, scorecard, "m:1", tmp_path / "new.csv", tmp_path / "out.csv",
            None if moment is None else us(moment),
        )  # fmt: skip
        assert (found.scored, found.rejected) == (scored, 1)
        assert found.not_yet == len(rows) - scored
