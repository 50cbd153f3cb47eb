"""Who may ask: keys, their scopes, and a limit to those who guess."""

import secrets
import time

import pytest
from support.cli import run
from support.services import demo_lead, make_key, running_service
from support.services_in_process import check_problem, fill_cache, service_inside

from leadscore.serve.service.auth.access import FAILURES_A_MINUTE
from leadscore.serve.service.auth.keys import create_key, revoke_key

OPEN = ("/livez", "/readyz", "/ping", "/health", "/version", "/openapi.json", "/docs")
SHUT = ("/v1/model", "/metrics", "/nowhere", "/v1/score")


@pytest.fixture(scope="module")
def store_folder(registered, tmp_path_factory):
    store_folder = tmp_path_factory.mktemp("security")
    fill_cache(store_folder, {1: registered.training.scorecard}, champion=1)
    return store_folder


@pytest.fixture
def guarded(store_folder, tmp_path):
    """A service that asks for keys, one key for scores, and the file of keys."""
    path, key = make_key(tmp_path)
    with service_inside(store_folder, keys=str(path)) as service:
        yield service, key, path


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def without_id(answer) -> dict:
    told = check_problem(answer)
    del told["request_id"]
    return told


def test_a_key_opens_what_is_shut_and_probes_are_open(guarded):
    service, key, _ = guarded
    assert service.post("/v1/score", demo_lead(), **bearer(key)).status_code == 200
    assert (
        service.post("/v1/score", demo_lead(), Authorization=f"bearer  {key} ").status_code == 200
    )
    for path in OPEN:
        assert service.get(path).status_code == 200
    for path in SHUT:
        answer = service.post(path, demo_lead())
        check_problem(answer, 401)
        assert answer.headers["www-authenticate"].startswith("Bearer")
    document = service.get("/openapi.json").json()
    assert document["components"]["securitySchemes"]["key"]["scheme"] == "bearer"


def test_a_garbled_expired_revoked_or_unknown_key_is_told_the_same(guarded):
    service, key, path = guarded
    now_us = time.time_ns() // 1_000
    expired = create_key(path, "old", ["score"], now_us - 10**12, days=1.0).key
    revoked = create_key(path, "gone", ["score"], now_us)
    revoke_key(path, revoked.record.id, now_us)
    unknown = "lsk_" + secrets.token_urlsafe(32)
    time.sleep(1.1)
    told = [
        without_id(service.post("/v1/score", demo_lead(), **bearer(wrong)))
        for wrong in (expired, revoked.key, unknown, key[:-1], key + "x", key.upper(), "lsk_")
    ]
    assert all(one == told[0] for one in told)
    assert told[0]["status"] == 401
    for header in (key, f"Basic {key}", f"Token {key}", f"Bearer {key} {key}"):
        answer = service.post("/v1/score", demo_lead(), Authorization=header)
        assert without_id(answer) == told[0]


def test_a_key_in_the_query_is_none(guarded):
    service, key, _ = guarded
    for name in ("key", "api_key", "access_token", "token", "authorization"):
        answer = service.post(f"/v1/score?{name}={key}", demo_lead())
        check_problem(answer, 401)
        assert key not in answer.text
    answer = service.post("/v1/score", demo_lead(), X_API_Key=key, Cookie=f"key={key}")
    check_problem(answer, 401)


def test_a_key_opens_its_own_scopes_alone(store_folder, tmp_path):
    path, scores = make_key(tmp_path)
    watcher = create_key(path, "watcher", ["metrics"], time.time_ns() // 1_000).key
    with service_inside(store_folder, keys=str(path)) as service:
        assert service.get("/metrics", **bearer(watcher)).status_code == 200
        check_problem(service.get("/metrics", **bearer(scores)), 403)
        check_problem(service.get("/v1/model", **bearer(watcher)), 403)
        check_problem(service.post("/v1/score", demo_lead(), **bearer(watcher)), 403)
        check_problem(service.post("/invocations", {"instances": []}, **bearer(watcher)), 403)


def test_who_guesses_is_held_off_and_who_has_a_key_is_not(guarded):
    service, key, _ = guarded
    statuses = [
        service.post("/v1/score", demo_lead(), **bearer("lsk_" + secrets.token_urlsafe(32)))
        for _ in range(FAILURES_A_MINUTE + 5)
    ]
    assert [a.status_code for a in statuses] == [401] * FAILURES_A_MINUTE + [429] * 5
    check_problem(statuses[-1], 429)
    assert 1 <= int(statuses[-1].headers["retry-after"]) <= 60
    assert service.post("/v1/score", demo_lead(), **bearer(key)).status_code == 200
    assert service.get("/livez").status_code == 200


def test_a_key_is_revoked_and_made_while_the_service_runs(promoted, tmp_path):
    path, key = make_key(tmp_path)
    with running_service(promoted, "--keys", str(path), "--access-log") as service:

        def status(which: str) -> int:
            return service.post("/v1/score", demo_lead(), **bearer(which)).status_code

        assert status(key) == 200
        now_us = time.time_ns() // 1_000
        second = create_key(path, "second", ["score"], now_us)
        time.sleep(1.2)
        assert status(second.key) == 200
        revoke_key(path, second.record.id, now_us)
        time.sleep(1.2)
        assert status(second.key) == 401
        path.write_text("no JSON")
        time.sleep(1.2)
        assert status(key) == 200, "a broken file shuts nobody out"
        assert status(second.key) == 401
        text = service.log_path.read_text()
        assert "No API key is required" not in text
        for secret in (key, second.key):
            assert secret not in text
            assert secret[4:20] not in text


def test_who_can_be_reached_from_elsewhere_needs_keys_or_a_word(tmp_path):
    done = run("serve", "-p", "demo", "--store", tmp_path, "--host", "0.0.0.0", "--port", "0")
    assert done.returncode == 2
    assert "leadscore keys create --name NAME --keys" in done.stderr
    assert "--insecure" in done.stderr
    assert len(done.stderr.strip().splitlines()) <= 3
    path, _ = make_key(tmp_path)
    done = run(
        "serve", "-p", "demo", "--store", tmp_path, "--keys", path, "--insecure", "--port", "0"
    )
    assert done.returncode == 2
    missing = run(
        "serve", "-p", "demo", "--store", tmp_path, "--keys", tmp_path / "none.json", "--port", "0"
    )
    assert missing.returncode != 0


def test_insecure_is_a_word_that_is_obeyed(promoted):
    with running_service(promoted, "--host", "0.0.0.0", "--insecure") as service:
        assert service.post("/v1/score", demo_lead()).status_code == 200
        service.wait_for(lambda: "No API key is required" in service.log_path.read_text())
