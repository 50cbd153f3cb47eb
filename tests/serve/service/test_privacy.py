"""What people tell about themselves is nowhere but in the answer: F5, with planted canaries."""

import json
import shutil
import sqlite3
import time

import pytest
from support.services import demo_lead, make_key, raw_request, running_service

from leadscore.pipeline.tracking.relocation import relocate
from leadscore.pipeline.workflows.record_training import record_training

EMAIL, NAME, PHONE = "zqcanary.mail@acme.example", "Zqcanaryname", "+34 655 443 322"
ADDRESS, KEY = "198.51.100.77", "lsk_zqcanaryzqcanaryzqcanaryzqcanaryzqcanary123"
CANARIES = (EMAIL, NAME, PHONE, ADDRESS, KEY, "zqcanary", "655 443", "655443")
HEADERS = {"X_Forwarded_For": ADDRESS, "Forwarded": f"for={ADDRESS}", "X_Real_IP": ADDRESS,
           "User_Agent": NAME, "Referer": f"https://{EMAIL}/",
           "Cookie": f"name={NAME}"}  # fmt: skip


def lead() -> dict:
    """A lead with a canary in every text."""
    made = demo_lead(lead_id=f"{EMAIL}")
    made["profile"] |= {
        "first_name": NAME, "last_name": NAME, "email": EMAIL, "company": NAME, "phone": PHONE,
        "title": NAME, "message": f"Call {NAME} at {PHONE}", "nickname": NAME,
    }  # fmt: skip
    for activity in made["activities"]:
        activity |= {"activity_id": f"{NAME}-{EMAIL}", "properties": {"page": NAME, "ip": ADDRESS}}
    return made


def broken_leads() -> list[dict]:
    """The same, unfit in every way that comes to mind, the canary always in the unfit value."""
    unfit = []
    for name in ("lead_id", "as_of", "created_at", "previous_band", "profile", "activities",
                 "signals"):  # fmt: skip
        unfit.append(lead() | {name: [NAME]})
        unfit.append(lead() | {name: NAME + "\0"})
    for name in ("employees", "opt_in", "followers"):
        unfit.append(lead() | {"profile": {name: EMAIL}})
    for name in ("email", "company", "message"):
        unfit.append(lead() | {"profile": {name: NAME + "\0"}})
        unfit.append(lead() | {"profile": {name: [NAME]}})
    for name in ("kind", "occurred_at", "recorded_at", "activity_id", "properties"):
        activity = {"kind": "page_view", "occurred_at": "2026-01-20T10:00:00Z"}
        unfit.append(lead() | {"activities": [activity | {name: NAME + "\0"}]})
        unfit.append(lead() | {"activities": [activity | {name: [NAME]}]})
    unfit.append(lead() | {"signals": {"web__pricing_views": EMAIL}, "activities": []})
    unfit.append(lead() | {"signals": {"email__opt_in": NAME}})
    return unfit


def ask_everything(service, key: str) -> list[bytes]:
    """Ask in every way that succeeds and fails; return the bodies of all that is no success."""
    told = []

    def note(answer) -> None:
        if answer.status_code != 200:
            told.append(answer.content)
            told.append(repr(sorted(answer.headers.items())).encode())

    good = {**HEADERS, "Authorization": f"Bearer {key}"}
    for path in ("/v1/score", "/v1/explain"):
        assert service.post(path, lead(), **good).status_code == 200
        for body in broken_leads():
            answer = service.post(path, body, **good)
            assert answer.status_code == 422, (body, answer.text)
            note(answer)
        note(service.post(path, lead(), **good | {"Prefer": "handling=strict"}))
    batch = service.post("/v1/score/batch", {"leads": [lead(), *broken_leads()]}, **good).json()
    assert batch["scored"] == 1
    told += [json.dumps(r["problem"]).encode() for r in batch["results"] if "problem" in r]
    text = json.dumps(lead()).encode()
    note(service.post("/invocations", {"instances": [{"form__age": NAME}]}, **good))
    note(service.post("/invocations", f"form__age\n{NAME}\n".encode(), **good,
                      Content_Type="text/csv"))  # fmt: skip
    for path in ("/v1/score", "/v1/score/batch", "/v1/explain", "/invocations"):
        for body in (text[:-1], text.replace(b"Zq", b"\xff"), b"[" + text, b"", text * 2_000):
            note(service.post(path, body, **good))
        note(service.post(path, text, **good, Content_Encoding="gzip"))
        note(service.post(path, text, **good, Content_Encoding=NAME))
        note(service.post(path, text, **good | {"Content_Type": NAME}))
        note(service.post(f"{path}?model={NAME}&email={EMAIL}&key={KEY}", text, **good))
        note(service.post(f"{path}/{NAME}", text, **good))
        note(service.client.put(path, headers={"Authorization": f"Bearer {key}"}))
        note(service.post(path, text, **HEADERS | {"Authorization": f"Bearer {KEY}"}))
    for path in (f"/{EMAIL}", f"/v1/model?model={NAME}", f"/docs/{NAME}", f"/livez/{PHONE}"):
        note(service.client.get(path, headers={"Authorization": f"Bearer {key}"}))
    start = b"POST /v1/score?x=zqcanary HTTP/1.1\r\nHost: zqcanary\r\n"
    for rest in (b"bad zqcanary: x\r\n\r\n", b"Content-Length: zqcanary\r\n\r\n",
                 b"X: " + b"zqcanary" * 9_000 + b"\r\n\r\n"):  # fmt: skip
        told.append(raw_request(service.port, start + rest, wait_s=2.0))
    return told


def find_canaries(text: bytes) -> list[str]:
    return [canary for canary in CANARIES if canary.lower().encode() in text.lower()]


@pytest.fixture(scope="module")
def with_challenger(registered, promoted, tmp_path_factory):
    """A store folder with a champion, and a challenger for the shadow."""
    store_folder = tmp_path_factory.mktemp("canaries") / "store"
    shutil.copytree(promoted, store_folder)
    relocate(store_folder)
    assert record_training(registered.training, store_folder).version.version == 2
    return store_folder


@pytest.mark.parametrize("keep", [False, True], ids=["scores kept", "requests kept"])
def test_no_canary_is_found_where_none_belongs(with_challenger, tmp_path, keep):
    path, key = make_key(tmp_path, "score", "metrics")
    log = tmp_path / "scores.db"
    options = ["--log-requests"] if keep else []
    with running_service(
        with_challenger, "--keys", str(path), "--access-log", "--shadow", "--log-scores", str(log),
        *options,
    ) as service:  # fmt: skip
        opened = {"Authorization": f"Bearer {key}"}
        service.wait_for(lambda: b'"challenger":"2"' in service.client.get(
            "/v1/model", headers=opened).content)  # fmt: skip
        told = ask_everything(service, key)
        assert len(told) > 100
        metrics = service.client.get("/metrics", headers={"Authorization": f"Bearer {key}"})
        assert metrics.status_code == 200
        for text in (*told, metrics.content):
            assert not find_canaries(text), text[:600]
        ready = service.client.get("/readyz").content
        time.sleep(1.0)
    logged = service.log_path.read_bytes()
    assert b'"event":"shadow"' in logged
    assert logged.count(b'"event":"request"') > 100
    for text in (logged, ready):
        assert not find_canaries(text)
        assert key.encode() not in text
    kept = b"".join(part.read_bytes() for part in tmp_path.glob("scores.db*"))
    with sqlite3.connect(log) as database:
        dump = "\n".join(database.iterdump()).encode()
    rows = dump.lower().count(b"insert into")
    assert rows > 3
    if keep:
        assert find_canaries(kept)
    else:
        private = [c for c in find_canaries(kept + dump) if c not in (EMAIL, "zqcanary")]
        assert not private, "but for the lead's own id and levels nothing personal is kept"
