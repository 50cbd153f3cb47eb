"""What a sender is told beside a score, and from when on keys are asked for."""

import pytest
from support.services import demo_lead
from support.services_in_process import fill_cache, service_inside

from leadscore.serve.service.auth.access import AccessControl
from leadscore.serve.service.auth.keys import LiveKeys
from leadscore.serve.service.problems import Problem


@pytest.fixture(scope="module")
def service(registered, tmp_path_factory):
    store_folder = tmp_path_factory.mktemp("told")
    fill_cache(store_folder, {1: registered.training.scorecard}, champion=1)
    with service_inside(store_folder) as service:
        yield service


def codes(service, lead: dict) -> set[tuple[str, str]]:
    warnings = service.post("/v1/score", lead).json()["warnings"]
    return {(warning["code"], warning.get("pointer", "")) for warning in warnings}


def test_a_level_that_was_never_met_is_told(service):
    lead = demo_lead()
    assert not any(code == "level_not_met" for code, _ in codes(service, lead))
    lead["profile"]["country"] = "Spain"
    assert ("level_not_met", "/profile/country") in codes(service, lead)


def test_a_ready_value_beside_its_field_is_told(service):
    ready = {"firmographic__employees": 9}
    told = codes(service, demo_lead(signals=ready))
    assert ("ready_value_used", "/signals/firmographic__employees") in told


def test_an_activity_that_became_known_later_is_told(service):
    late = {"kind": "attended", "occurred_at": "2026-01-20T10:00:00Z",
            "recorded_at": "2026-02-20T10:00:00Z"}  # fmt: skip
    assert ("later_activities", "/activities") in codes(service, demo_lead(activities=[late]))


def test_marks_of_spam_are_one_reason_in_the_sentence(service):
    lead = demo_lead()
    lead["profile"] |= {"first_name": "asdfgh", "last_name": "qwerty", "email": "x@mailinator.com"}
    assert "doubts about name" in service.post("/v1/explain", lead).json()["sentence"]
    nothing = service.post("/v1/explain", {"lead_id": "z"}).json()["sentence"]
    assert "doubts" not in nothing
    assert "not known" not in nothing


def test_keys_are_needed_as_soon_as_their_file_exists(tmp_path):
    now = [10_000_000]
    keys = LiveKeys(tmp_path / "keys.json", lambda _: None)
    access = AccessControl(keys, True, lambda _: None, lambda: now[0])
    access.authorize("/v1/score", {}, ("127.0.0.1", 1))
    keys.path.write_text('{"schema_version": 1, "keys": []}')
    now[0] += 2_000_000
    with pytest.raises(Problem) as refused:
        access.authorize("/v1/score", {}, ("127.0.0.1", 1))
    assert refused.value.status == 401
