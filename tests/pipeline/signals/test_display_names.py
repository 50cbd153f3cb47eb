"""Labels: what people of sales call a signal. They are words, and change nothing but words."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from support.histories import CATALOG, stories, tables_of
from support.projects import SIGNALS, make_leads, write_leads, write_project

from leadscore.pipeline.config.folder import find_project
from leadscore.pipeline.config.project import read_project
from leadscore.pipeline.errors import ConfigError
from leadscore.pipeline.signals.catalog import Catalog, Signal
from leadscore.pipeline.signals.history.reader import read_history
from leadscore.pipeline.signals.history.signals_sql import signals_sql
from leadscore.pipeline.signals.live.reader import LiveReader
from leadscore.pipeline.training.train import train
from leadscore.pipeline.workflows.check import SignalDescription
from leadscore.serve.cli.score import show_description

BOTH = {"en": "views of the pricing page", "es": "las visitas a la página de precios"}


def named(language, **label):
    visits = {"family": "web", "kind": "count", "display_name": label}
    return Signal(name="pricing_views", declaration=visits).named(language)


def test_a_signal_is_named_in_the_language_else_in_english_else_by_its_name():
    assert [named(language, **BOTH) for language in ("en", "es")] == [*BOTH.values()]
    assert named("es", en="views of the pricing page") == "views of the pricing page"
    assert named("es", es="las visitas") == "las visitas"
    assert named("en", es="las visitas") == "pricing views"
    assert named("es") == named("en") == "pricing views"


def labelled(catalog: Catalog) -> Catalog:
    definitions = catalog.to_definitions()
    for signal in definitions["signals"]:
        signal["declaration"]["display_name"] = {"en": f"the {signal['name']}", "es": "la señal"}
    return Catalog.model_validate(definitions)


def test_every_kind_may_have_a_label_and_keeps_it():
    catalog = labelled(CATALOG)
    assert {signal.named("es") for signal in catalog.signals} == {"la señal"}
    assert Catalog.model_validate(catalog.to_definitions()) == catalog


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.data_too_large])
@given(st.lists(stories(), min_size=10, max_size=20))
def test_a_label_changes_no_signal(drawn):
    catalog = labelled(CATALOG)
    assert signals_sql(catalog) == signals_sql(CATALOG)
    with tables_of(drawn) as (snapshots, history):
        assert_frame_equal(
            read_history(catalog, snapshots, history), read_history(CATALOG, snapshots, history)
        )
    for story in drawn:
        one, other = (
            LiveReader(c).read_signals(story.profile, story.activities, as_of_us=story.as_of[0])
            for c in (catalog, CATALOG)
        )
        assert one == other


def test_a_label_changes_no_score(tmp_path):
    words = {name: {**declared, "display_name": BOTH} for name, declared in SIGNALS.items()}
    scorecards = []
    for name, signals in (("plain", SIGNALS), ("worded", words)):
        folder = write_project(tmp_path / name / "mine", signals=signals)
        write_leads(folder, make_leads(600))
        scorecards.append(train(read_project(folder)).scorecard)
    plain, worded = scorecards
    assert plain.fingerprint != worded.fingerprint
    words_of = {"definitions", "training", "sha256"}
    assert plain.model_dump(exclude=words_of) == worded.model_dump(exclude=words_of)


@pytest.mark.parametrize(
    ("label", "said"),
    [
        ({"fr": "les visites"}, "country.display_name.fr: unknown key; known are en, es"),
        ({"en": " "}, "country.display_name.en: 1 to 80 characters are expected"),
        ({"es": "x" * 81}, "country.display_name.es: 1 to 80 characters are expected"),
        ("the country", "country.display_name"),
    ],
)
def test_a_label_that_is_none_is_a_mistake(tmp_path, label, said):
    signals = {**SIGNALS, "country": {**SIGNALS["country"], "display_name": label}}
    with pytest.raises(ConfigError) as caught:
        read_project(write_project(tmp_path, signals=signals))
    (line,) = str(caught.value).splitlines()
    assert said in line


def test_describe_shows_a_label_and_nothing_where_there_is_none(capsys):
    plain = SignalDescription("web__a", "web", None, "how many a", 1.0, 2, [])
    show_description(
        [plain, replace(plain, column="web__b", label="views of b")], "mine", "", "none"
    )
    shown = capsys.readouterr().out
    assert "web__a: how many a" in shown
    assert "web__b (views of b): how many a" in shown


@pytest.mark.parametrize("name", ["demo", "x_education", "bank_marketing", "bpic2012"])
def test_every_signal_of_the_shipped_projects_has_words_of_its_own_in_both_languages(name):
    signals = read_project(find_project(name)).catalog.signals
    for language in ("en", "es"):
        words = [getattr(signal.declaration.display_name, language) for signal in signals]
        assert None not in words
        assert len(set(words)) == len(words)
        assert all(text[0].islower() for text in words)
