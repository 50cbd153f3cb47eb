"""Whatever a request holds, it is scored, or told what is wrong and where; never a 500."""

import json
import math
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.scorecards import LAW
from support.services import demo_lead
from support.services_in_process import check_problem, check_score, fill_cache, find, service_inside

CANARY = "Zq7canary"
CANARY_NUMBER = 7331733173317
MANY = settings(LAW, max_examples=600)
FIELDS = ("first_name", "email", "company", "title", "country", "employees", "followers", "opt_in",
          "message", "phone", "campaign")  # fmt: skip
SIGNALS = ("email__opt_in", "email__clicks", "web__pricing_views", "web__source", "form__age",
           "demographic__seniority", "form__form_filled", "spam__digits",
           "web__misspelt")  # fmt: skip
PLACES = [
    *(("profile", name) for name in FIELDS),
    *(("signals", name) for name in SIGNALS),
    *(("activities", 1, name)
      for name in ("kind", "occurred_at", "recorded_at", "activity_id", "properties", "colour")),
    *(("activities", 1, "properties", name) for name in ("page", "form", "colour")),
    *((name,) for name in ("lead_id", "created_at", "as_of", "previous_band", "profile",
                           "activities", "signals", "colour")),
    ("activities", 1),
]  # fmt: skip

TEXTS = [
    "", " ", "12", "-0", "NaN", "true", "null", "cold", "MQL", "download", "page_view", "a@b@c",
    "@", "2026-01-20T10:00:00Z", "2026-01-20T10:00:00", "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59.999999-12:00", "2026-02-30T00:00:00Z", "20260120T100000Z", "\ud800",
    "\udfff\ud800", "a\0b", "x" * 256, "x" * 257, "x" * 10_000, "x" * 10_001, "ﬁ" * 10_000,
    "é" * 10_001, "'; drop table leads; --",
]  # fmt: skip
NUMBERS = [0, -0.0, 1, True, False, 0.5, 1e308, -1e308, 1e300, 5e-324, math.nan, math.inf,
           -math.inf, 10**400, -(10**30), 2**63, 2**64, CANARY_NUMBER]  # fmt: skip
texts = st.text(max_size=12) | st.sampled_from(TEXTS)
texts = texts | texts.map(lambda text: text + CANARY)
numbers = st.sampled_from(NUMBERS) | st.integers() | st.floats()
keys = st.text(max_size=8) | st.sampled_from(["company", "a/b~c", "\ud800", "x" * 100, ""])
values = st.recursive(
    st.none() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=5,
)


@pytest.fixture(scope="module")
def service(registered, tmp_path_factory):
    store_folder = tmp_path_factory.mktemp("hostile")
    fill_cache(store_folder, {1: registered.training.scorecard}, champion=1)
    with service_inside(store_folder) as service:
        yield service


def put(lead: dict, place: tuple, value: object) -> None:
    """Put a value somewhere into a lead."""
    *way, last = place
    inside = lead
    for step in way:
        inside = inside.setdefault(step, {}) if isinstance(step, str) else inside[step]
    inside[last] = value


def check(answer, body: bytes) -> list[str]:
    """Hold an answer to what is promised for any request at all; return where its faults are."""
    if answer.status_code == 200:
        check_score(answer.json())
        return []
    told = check_problem(answer)
    assert answer.status_code in (400, 422), answer.text
    assert CANARY not in answer.text
    assert str(CANARY_NUMBER) not in answer.text
    pointers = [fault["pointer"] for fault in told.get("errors", [])]
    if answer.status_code == 422:
        assert pointers
        for pointer in pointers:
            find(json.loads(body), pointer)
    return pointers


def leads_with(place: tuple, value: object, ascii_only: bool = True) -> bytes:
    lead = demo_lead(lead_id=f"L-{CANARY}")
    put(lead, place, value)
    text = json.dumps(lead, ensure_ascii=ascii_only)
    return text.encode("utf-8", "surrogatepass")


def check_one(service, place: tuple, value: object, ascii_only: bool, route: str, **headers: str):
    """A lead with one hostile value is scored, or all that is told lies at its place."""
    body = leads_with(place, value, ascii_only)
    answer = service.post(f"/v1/{route}", body, **headers)
    pointer = "".join(f"/{step}" for step in place)
    for told in check(answer, body):
        assert told.startswith(pointer), f"{told} is told, {pointer} is wrong"


@pytest.mark.parametrize("place", PLACES, ids=lambda place: ".".join(map(str, place)))
def test_every_place_takes_or_refuses_every_value(service, place):
    told = [text + CANARY for text in TEXTS]
    for value in [None, [], {}, [None], {"a": 1}, *NUMBERS, *TEXTS, *told]:
        for ascii_only in (True, False):
            check_one(service, place, value, ascii_only, "score")


@MANY
@given(st.sampled_from(PLACES), values, st.booleans(), st.booleans())
def test_one_hostile_value_is_scored_or_named(service, place, value, ascii_only, strict):
    headers = {"Prefer": "handling=strict"} if strict else {}
    check_one(service, place, value, ascii_only, "explain", **headers)


@MANY
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "lead_id": values, "previous_band": values, "as_of": values, "created_at": values,
            "profile": st.dictionaries(st.sampled_from(FIELDS), values, max_size=6) | values,
            "signals": st.dictionaries(st.sampled_from(SIGNALS), values, max_size=4) | values,
            "activities": st.lists(
                st.fixed_dictionaries(
                    {},
                    optional={
                        "kind": values, "occurred_at": values, "recorded_at": values,
                        "activity_id": values, "properties": values,
                    },
                ),
                max_size=3,
            ) | values,
        },
    ) | values,
    st.booleans(),
)  # fmt: skip
def test_many_hostile_values_are_told_all_at_once(service, lead, as_batch):
    if as_batch:
        body = json.dumps({"leads": [demo_lead(), lead]}).encode()
        answer = service.post("/v1/score/batch", body)
        if answer.status_code != 200:
            check(answer, body)
            return
        first, second = answer.json()["results"]
        assert first["status"] == 200
        if second["status"] == 200:
            check_score(second["answer"])
        else:
            assert CANARY not in answer.text
            for fault in second["problem"].get("errors", []):
                find(lead, fault["pointer"])
    else:
        body = json.dumps(lead).encode()
        check(service.post("/v1/score", body), body)


def lead_text(field: str, literal: str) -> bytes:
    """A lead with a literal that no JSON library would write."""
    text = json.dumps(demo_lead())
    return re.sub(f'"{field}": [^,}}]+', lambda _: f'"{field}": {literal}', text).encode()


@pytest.mark.parametrize("literal", ["NaN", "Infinity", "-Infinity", "01", "1.", "0x1", "'a'"])
def test_literals_that_are_no_json_are_400(service, literal):
    answer = service.post("/v1/score", lead_text("employees", literal))
    assert "the body is no JSON" in check_problem(answer, 400)["detail"]


@pytest.mark.parametrize("literal", ["1e999", "-1e999", "1e308", "-1e301", "9" * 400])
def test_numbers_beyond_all_measure_are_422_at_their_place(service, literal):
    faults = service.faults(lead_text("employees", literal))
    assert list(faults) == ["/profile/employees"]


@pytest.mark.parametrize("literal", ["-0.0", "-0", "0", "1e-999", "5e-324", "2500000000000000000"])
def test_small_and_large_numbers_that_are_ones_are_scored(service, literal):
    answer = service.post("/v1/score", lead_text("employees", literal))
    assert answer.status_code == 200, answer.text
    check_score(answer.json())


def test_minus_nothing_is_nothing(service):
    first, second = (service.score(lead_text("employees", zero)) for zero in ("0", "-0.0"))
    assert first["log_odds"] == second["log_odds"]
    assert {r["value"] for a in (first, second) for r in a["reasons"]}.isdisjoint({"-0.0"})


@pytest.mark.parametrize("text", ["\ud800", "a\udfffb", "\udc00\ud800"], ids=ascii)
def test_half_a_surrogate_pair_is_refused_escaped_or_raw(service, text):
    for ascii_only in (True, False):
        answer = service.post("/v1/score", leads_with(("profile", "company"), text, ascii_only))
        assert answer.status_code in (400, 422)
        check_problem(answer)


def test_a_text_may_have_ten_thousand_characters_and_no_nul(service):
    for name in ("company", "message", "country"):
        assert service.score(demo_lead(profile={name: "x" * 10_000}))
        assert list(service.faults(demo_lead(profile={name: "x" * 10_001}))) == [f"/profile/{name}"]
        assert list(service.faults(demo_lead(profile={name: "a\0b"}))) == [f"/profile/{name}"]
    activity = {"kind": "page_view", "occurred_at": "2026-01-20T10:00:00Z"}
    for name, text in (("activity_id", "x" * 10_001), ("kind", "x" * 10_001), ("kind", "a\0b"),
                       ("activity_id", "a\0b")):  # fmt: skip
        faults = service.faults(demo_lead(activities=[{**activity, name: text}]))
        assert list(faults) == [f"/activities/0/{name}"]


def test_the_last_of_two_equal_keys_counts(service):
    text = json.dumps(demo_lead())
    doubled = text.replace('"employees": 250', '"employees": 3, "employees": 250')
    assert doubled != text
    assert service.score(doubled.encode()) | {"request_id": ""} == (
        service.score(text.encode()) | {"request_id": ""}
    )


LEAD = json.dumps(demo_lead()).encode()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400), (b" ", 400), (b"\xef\xbb\xbf" + LEAD, 400), (LEAD + b"x", 400),
        (LEAD + b"\n \t", 200), (LEAD + LEAD, 400), (LEAD[:-1], 400), (LEAD[: len(LEAD) // 2], 400),
        (b"\x00" + LEAD, 400), (LEAD.decode().encode("utf-16"), 400), (b'{"lead_id": "\xff"}', 400),
        (b'{"lead_id": "\xed\xa0\x80"}', 400), (b"null", 422), (b"[]", 422), (b'"lead"', 422),
        (b"3", 422), (b"true", 422), (b"{}", 422), (b"[" + LEAD + b"]", 422),
        (b"[" * 100_000, None), (b"[" * 100_000 + b"]" * 100_000, 422),
        (b'{"lead_id":' * 50_000, None),
        (b'{"lead_id": "L", "profile": {"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}}", None),
        (b'{"lead_id": "L", "colour": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", None),
    ],
    ids=lambda value: repr(value)[:40],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/v1/score", "/v1/explain", "/v1/score/batch", "/invocations"])
def test_bodies_that_are_no_lead(service, path, body, status):
    answer = service.post(path, body)
    if path in ("/v1/score/batch", "/invocations") or status is None:
        assert answer.status_code in (400, 422)
    else:
        assert answer.status_code == status
    if answer.status_code != 200:
        check_problem(answer)


@pytest.mark.parametrize(
    ("text", "status"),
    [(b"{", 400), (b'{"leads": []}', 422), (b'{"leads": {}}', 422), (b'{"leads": null}', 422),
     (b'{"leads": [], "more": 1}', 422), (b'{"leads": [{}', 400)],
)  # fmt: skip
def test_batches_that_are_none(service, text, status):
    told = check_problem(service.post("/v1/score/batch", text), status)
    for fault in told.get("errors", []):
        find(json.loads(text), fault["pointer"])


def test_a_batch_takes_a_thousand_leads_and_no_more(service):
    lead = {"lead_id": "L"}
    assert service.post("/v1/score/batch", {"leads": [lead] * 1_000}).json()["scored"] == 1_000
    told = check_problem(service.post("/v1/score/batch", {"leads": [lead] * 1_001}), 422)
    assert told["errors"][0]["pointer"] == "/leads"


def test_five_thousand_activities_are_taken_and_no_more(service):
    activity = {"kind": "page_view", "occurred_at": "2026-01-20T10:00:00Z"}
    assert service.score(demo_lead(activities=[activity] * 5_000))
    assert list(service.faults(demo_lead(activities=[activity] * 5_001))) == ["/activities"]
