"""What a request means: its types are strict, and what was not said is missing, never 0."""

import math

import pytest
from support.services import demo_lead
from support.services_in_process import fill_cache, service_inside, vary

from leadscore.models.bands import Bands
from leadscore.models.log_odds import to_probability
from leadscore.models.score_lead import Scorer
from leadscore.pipeline.signals.live.activities import Activity
from leadscore.pipeline.signals.live.reader import LiveReader
from leadscore.pipeline.values.times import read_moment


@pytest.fixture(scope="module")
def service(registered, tmp_path_factory):
    store_folder = tmp_path_factory.mktemp("requests")
    fill_cache(store_folder, {1: registered.training.scorecard}, champion=1)
    with service_inside(store_folder) as service:
        yield service


def explained(service, lead: dict, **headers: str) -> dict:
    """Return the values that a lead's reasons name, by signal."""
    answer = service.post("/v1/explain", lead, **headers)
    assert answer.status_code == 200, answer.text
    return {reason["signal"]: reason["value"] for reason in answer.json()["reasons"]}


def warned(answer: dict) -> dict[str, str | None]:
    return {warning["code"]: warning.get("pointer") for warning in answer["warnings"]}


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("employees", "12", "a string where a number or null is expected"),
        ("employees", True, "a boolean where a number or null is expected"),
        ("followers", False, "a boolean where a number or null is expected"),
        ("opt_in", 1, "a number where a boolean or null is expected"),
        ("opt_in", 0, "a number where a boolean or null is expected"),
        ("opt_in", "true", "a string where a boolean or null is expected"),
        ("opt_in", 1.0, "a number where a boolean or null is expected"),
        ("company", 12, "a number where a string or null is expected"),
        ("country", True, "a boolean where a string or null is expected"),
    ],
)
def test_a_field_takes_its_own_json_type_alone(service, field, value, told):
    assert service.faults(demo_lead(profile={field: value})) == {f"/profile/{field}": told}


@pytest.mark.parametrize(
    ("signal", "value"),
    [("web__pricing_views", "3"), ("web__pricing_views", True), ("email__opt_in", "yes"),
     ("email__opt_in", 2), ("web__source", 3), ("web__source", True), ("web__misspelt", 1)],
)  # fmt: skip
def test_a_ready_signal_takes_its_own_json_type_alone(service, signal, value):
    lead = {"lead_id": "L", "signals": {signal: value}}
    assert list(service.faults(lead)) == [f"/signals/{signal}"]


@pytest.mark.parametrize("value", [True, 1, 1.0])
def test_a_ready_flag_may_be_one_as_a_table_of_signals_has_it(service, value):
    lead = {"lead_id": "L", "activities": [], "signals": {"email__opt_in": value}}
    assert explained(service, lead)["email__opt_in"] == 1.0


@pytest.mark.parametrize("value", ["12", 1, True])
def test_times_and_ids_are_texts(service, value):
    if value != "12":
        assert list(service.faults(demo_lead(lead_id=value))) == ["/lead_id"]
    for name in ("as_of", "created_at"):
        assert list(service.faults(demo_lead(**{name: value}))) == [f"/{name}"]


def test_every_fault_of_a_request_is_told_at_once(service):
    lead = demo_lead(
        lead_id="", as_of="soon", profile={"employees": "12", "opt_in": 1},
        signals={"email__opt_in": "yes"}, activities=[{"kind": " ", "occurred_at": "never"}],
    )  # fmt: skip
    assert service.faults(lead).keys() == {
        "/lead_id", "/as_of", "/profile/employees", "/profile/opt_in", "/signals/email__opt_in",
        "/activities/0/kind", "/activities/0/occurred_at",
    }  # fmt: skip


@pytest.mark.parametrize("place", ["as_of", "created_at", "occurred_at", "recorded_at"])
def test_a_time_without_a_zone_is_refused(service, place):
    naive = "2026-01-20T10:00:00"
    if place in ("as_of", "created_at"):
        lead, pointer = demo_lead(**{place: naive}), f"/{place}"
    else:
        activity = {"kind": "page_view", "occurred_at": "2026-01-20T10:00:00Z", place: naive}
        lead, pointer = demo_lead(activities=[activity]), f"/activities/0/{place}"
    assert "without a zone" in service.faults(lead)[pointer]


def test_the_same_instant_in_any_zone_is_the_same_lead(service):
    shifted = demo_lead(created_at="2026-01-10T13:30:00+05:30", as_of="2026-01-30T19:00:00-05:00")
    first, second = service.score(demo_lead()), service.score(shifted)
    assert first["as_of"] == second["as_of"] == "2026-01-31T00:00:00Z"
    assert first["log_odds"] == second["log_odds"]


def test_fields_that_no_signal_reads_are_told_in_the_order_of_the_request(service):
    names = [f"colour_{i * 7 % 30}" for i in range(30)]
    told = service.score(demo_lead(profile=dict.fromkeys(names, 1)))["warnings"]
    pointers = [one["pointer"] for one in told if one["code"] == "unread_field"]
    assert pointers == [f"/profile/{name}" for name in names[:20]]


def read_by_reader(registered, lead: dict) -> dict:
    """Read a lead's signals as the reader of files and requests does, without the service."""
    scorecard = registered.training.scorecard
    activities = None
    if "activities" in lead:
        activities = []
        for one in lead["activities"]:
            at = read_moment(one["occurred_at"])
            activities.append(Activity(one["kind"], at, at, None, one.get("properties", {})))
    return LiveReader(registered.project.catalog).read_signals(
        lead["profile"], activities, as_of_us=read_moment(lead["as_of"]),
        created_us=read_moment(lead["created_at"]) if "created_at" in lead else None,
    ) | {"scorecard": scorecard}  # fmt: skip


@pytest.mark.parametrize("lacking", [None, "activities", "created_at", "employees", "company"])
def test_what_is_absent_is_missing_and_never_nothing(service, registered, lacking):
    lead = demo_lead()
    lead.pop(lacking, None)
    lead["profile"].pop(lacking, None)
    expected = read_by_reader(registered, lead)
    scorecard = expected.pop("scorecard")
    if lacking in ("employees", "company"):
        expected["form__form_filled"] = None  # they are fields of the form
    found = explained(service, lead)
    assert {k: v for k, v in expected.items() if k in found} == found
    answer = service.score(lead)
    assert answer["log_odds"] == Scorer(scorecard).score(expected).log_odds
    assert answer["probability"] == to_probability(answer["log_odds"])
    if lacking == "activities":
        assert found["web__pricing_views"] is None
        assert found["email__letters"] is None
        assert warned(answer) == {"activities_unknown": "/activities"}
    elif lacking == "created_at":
        assert warned(answer) == {"age_unknown": "/created_at"}
    elif lacking == "employees":
        assert found["firmographic__employees"] is None
        nothing = demo_lead()
        nothing["profile"]["employees"] = 0
        assert service.score(nothing)["log_odds"] != answer["log_odds"]


def test_no_activities_are_a_fact_and_count_nothing(service):
    found = explained(service, demo_lead(activities=[]))
    assert found["web__pricing_views"] == 0.0
    assert found["email__letters"] == 0.0
    assert found["web__days_since_visit"] is None, "who never came has no last visit"
    assert warned(service.score(demo_lead(activities=[]))) == {}
    assert warned(service.score(demo_lead(activities=None))) == {
        "activities_unknown": "/activities"
    }


def test_null_is_missing_as_absence_is(service):
    null, absent = demo_lead(), demo_lead()
    null["profile"] |= {"source": None, "country": None}
    for name in ("source", "country"):
        del absent["profile"][name]
    assert service.score(null)["log_odds"] == service.score(absent)["log_odds"]


@pytest.mark.parametrize("lacking", [["phone"], ["company", "message"], None])
def test_how_a_form_was_filled_in_is_known_if_all_of_its_fields_are_sent(service, lacking):
    lead = demo_lead()
    for name in lacking or list(lead["profile"]):
        del lead["profile"][name]
    assert explained(service, lead)["form__form_filled"] is None
    (told,) = [w for w in service.score(lead)["warnings"] if w["code"] == "form_unknown"]
    assert all(name in told["detail"] for name in lacking or ["phone", "message", "title"])
    assert explained(service, demo_lead())["form__form_filled"] == 0.6
    assert "form_unknown" not in warned(service.score(demo_lead()))
    ready = {**lead, "signals": {"form__form_filled": 0.8}}
    assert explained(service, ready)["form__form_filled"] == 0.8
    assert "form_unknown" not in warned(service.score(ready))


def test_a_ready_value_that_is_null_is_none_and_nothing_is_said_of_it(service):
    lead = demo_lead(signals={"demographic__country": None})
    assert explained(service, lead)["demographic__country"] == "ES"
    assert "ready_value_used" not in warned(service.score(lead))


def test_a_ready_value_and_activities_that_feed_it_contradict_each_other(service):
    lead = demo_lead(signals={"web__pricing_views": 3, "email__clicks": 1})
    assert service.faults(lead) == {
        "/signals/web__pricing_views": "both a ready value and activities that feed it"
    }
    del lead["signals"]["web__pricing_views"]
    assert explained(service, lead)["email__clicks"] == 1.0
    assert explained(service, demo_lead(activities=[], signals={"web__pricing_views": 3}))


def test_activities_after_as_of_are_not_seen(service):
    before = demo_lead()
    later = demo_lead()
    later["activities"] = [
        *later["activities"],
        {"kind": "page_view", "occurred_at": "2026-01-31T00:00:00.000001Z",
         "properties": {"page": "pricing"}},
    ]  # fmt: skip
    first, second = service.score(before), service.score(later)
    assert first["log_odds"] == second["log_odds"]
    assert warned(second) == {"later_activities": "/activities"}
    later["activities"][-1]["occurred_at"] = "2026-01-31T00:00:00Z"
    at_once = service.score(later)
    assert at_once["log_odds"] != first["log_odds"]
    assert warned(at_once) == {}
    later["activities"][-1] |= {
        "occurred_at": "2026-01-30T00:00:00Z", "recorded_at": "2026-02-02T00:00:00Z",
    }  # fmt: skip
    assert service.score(later)["log_odds"] == first["log_odds"], "not known at as_of yet"


UNREAD = {
    "/profile/shoe_size": lambda lead: lead["profile"].update(shoe_size=43),
    "/activities/0/kind": lambda lead: lead["activities"][0].update(kind="phone_call"),
    "/activities/0/properties/colour": lambda lead: lead["activities"][0]["properties"].update(
        colour="red"
    ),
}


@pytest.mark.parametrize("pointer", UNREAD)
def test_words_that_no_signal_reads_are_warnings_or_strictly_faults(service, pointer):
    lead = demo_lead()
    UNREAD[pointer](lead)
    (code,) = (answer := warned(service.score(lead)))
    assert code.startswith("unread_")
    assert answer[code] == pointer
    for wish in ("handling=strict", "respond-async, handling = Strict"):
        assert list(service.faults(lead, Prefer=wish)) == [pointer]
    assert service.score(lead, Prefer="handling=lenient")
    answer = service.post("/v1/score", demo_lead(), Prefer="handling=strict")
    assert answer.status_code == 200
    assert answer.headers["preference-applied"] == "handling=strict"


def test_an_unknown_part_of_a_request_is_always_a_fault(service):
    for lead, pointer in (
        (demo_lead(activites=[]), "/activites"),
        (demo_lead(activities=[{"kind": "a", "ocurred_at": "2026-01-20T10:00:00Z"}]),
         "/activities/0/ocurred_at"),
        ({"lead_id": "L", "signals": {"web__misspelt": 1}}, "/signals/web__misspelt"),
    ):  # fmt: skip
        assert list(service.faults(lead)) == [pointer]


def test_kinds_left_out_of_training_are_known_words(service):
    activities = [{"kind": "machine_open", "occurred_at": "2026-01-20T10:00:00Z"}]
    answer = service.score(demo_lead(activities=activities))
    assert warned(answer) == {}
    assert answer["log_odds"] == service.score(demo_lead(activities=[]))["log_odds"]


def test_a_lead_made_after_as_of_is_new_born_with_a_warning(service):
    early = demo_lead(created_at="2026-02-10T00:00:00Z")
    answer = service.score(early)
    assert warned(answer) == {"created_after_as_of": "/created_at"}
    assert explained(service, early)["form__age"] == 0.0
    assert answer["log_odds"] == service.score(demo_lead(created_at=early["as_of"]))["log_odds"]


def test_an_as_of_that_lies_ahead_is_told(service):
    answer = service.score(demo_lead(as_of="2099-01-01T00:00:00Z"))
    assert warned(answer)["as_of_in_future"] == "/as_of"
    assert math.isfinite(answer["log_odds"])
    assert "as_of_in_future" not in warned(service.score({"lead_id": "L"}))


def test_a_lead_near_a_cutoff_stays_in_its_band(registered, tmp_path):
    lead = demo_lead()
    fill_cache(tmp_path, {1: registered.training.scorecard}, champion=1)
    with service_inside(tmp_path) as plain:
        probability = plain.score(lead)["probability"]
        assert plain.score(demo_lead(previous_band="SQL"))["band"] == plain.score(lead)["band"]
    assert 0.03 < probability < 0.7
    bands = Bands(mql=0.02, sql=probability + 0.01, hysteresis=0.015)
    fill_cache(tmp_path, {2: vary(registered.training.scorecard, bands=bands)}, champion=2)
    with service_inside(tmp_path) as steady:
        assert steady.score(lead)["band"] == "MQL"
        assert steady.score(demo_lead(previous_band="MQL"))["band"] == "MQL"
        assert steady.score(demo_lead(previous_band="SQL"))["band"] == "SQL"
        told = steady.post("/v1/explain", demo_lead(previous_band="SQL")).json()
        assert told["band"] == "SQL"
        assert steady.score(demo_lead(previous_band="cold"))["band"] == "MQL"
        for wrong in ("sql", "hot", 1, True):
            assert list(steady.faults(demo_lead(previous_band=wrong))) == ["/previous_band"]
