"""API keys: who is let in, what is kept, and what a broken file or ten thousand guesses change."""

import json
import multiprocessing
import os
import secrets
import time
from timeit import timeit

import pytest
from support.cli import run

from leadscore.pipeline.errors import ConfigError, NotFoundError
from leadscore.pipeline.values.times import DAY_US, read_moment
from leadscore.serve.service.auth.access import FAILURES_A_MINUTE, MOST_ADDRESSES, FailureLimiter
from leadscore.serve.service.auth.keys import (
    KEY_LENGTH,
    KeyRing,
    LiveKeys,
    create_key,
    read_keys,
    revoke_key,
)

NOW = read_moment("2026-03-01T00:00:00Z")
SECOND = 1_000_000


@pytest.fixture
def path(tmp_path):
    return tmp_path / "store" / "keys.json"


def ring(path) -> KeyRing:
    return KeyRing(read_keys(path))


def guess() -> str:
    return "Bearer lsk_" + secrets.token_urlsafe(32)


# ---------------------------------------------------------------- who is let in


def test_a_key_opens_what_its_scopes_name(path):
    scoring = create_key(path, "CRM", ["score"], NOW)
    both = create_key(path, "Ops", ["metrics", "score"], NOW)
    keys = ring(path)
    assert len(scoring.key) == KEY_LENGTH
    for scheme in ("Bearer", "bearer", "BEARER"):
        assert keys.check(f"{scheme} {scoring.key}", "score", NOW) == "ok"
    assert keys.check(f"Bearer {scoring.key}", "metrics", NOW) == "forbidden"
    assert keys.check(f"Bearer {both.key}", "metrics", NOW) == "ok"
    for nothing in (None, ""):
        assert keys.check(nothing, "score", NOW) == "missing"


def test_unknown_garbled_expired_and_revoked_are_one_outcome(path):
    kept = create_key(path, "kept", ["score"], NOW)
    revoked = create_key(path, "gone", ["score"], NOW)
    expired = create_key(path, "short", ["score"], NOW, days=1)
    revoke_key(path, revoked.record.id, NOW)
    keys = ring(path)
    assert keys.check(f"Bearer {expired.key}", "score", NOW + DAY_US - 1) == "ok"
    unknown = keys.check(guess(), "score", NOW + DAY_US)
    assert unknown == "unknown"
    for bad in (
        f"Bearer {revoked.key}",
        f"Bearer {expired.key}",
        f"Basic {kept.key}",
        kept.key,
        f"Bearer{kept.key}",
        f"Bearer {kept.key[:-1]}",
        f"Bearer {kept.key}x",
        f"Bearer {kept.key.lower()}",
        f"Bearer {kept.key[:-1]}é",
        f"Bearer {kept.key[:-1]}\ud800",
        f"Bearer {kept.record.sha256}",
        "Bearer",
        "Bearer " + "x" * 100_000,
    ):
        assert keys.check(bad, "score", NOW + DAY_US) == unknown, bad[:60]
        assert keys.check(bad, "metrics", NOW + DAY_US) == unknown, bad[:60]


def test_every_key_is_compared_even_after_one_fits(path, monkeypatch):
    made = [create_key(path, f"key {i}", ["score"], NOW) for i in range(5)]
    compared = []

    def compare(left, right):
        compared.append(left)
        return left == right

    monkeypatch.setattr("leadscore.serve.service.auth.keys.compare_digest", compare)
    keys = ring(path)
    for header in (f"Bearer {made[0].key}", guess()):
        compared.clear()
        keys.check(header, "score", NOW)
        assert len(compared) == 5


def test_ten_thousand_guesses_open_nothing_and_shut_nobody_out(path):
    made = create_key(path, "CRM", ["score"], NOW)
    keys, limiter = ring(path), FailureLimiter()
    waits = []
    for _ in range(10_000):
        assert keys.check(guess(), "score", NOW) == "unknown"
        waits.append(limiter.note_failure("192.0.2.7"))
    assert waits[:FAILURES_A_MINUTE] == [None] * FAILURES_A_MINUTE
    assert all(wait is not None and 1 <= wait <= 60 for wait in waits[FAILURES_A_MINUTE:])
    assert keys.check(f"Bearer {made.key}", "score", NOW) == "ok"


def test_a_check_takes_microseconds(path):
    made = [create_key(path, f"key {i}", ["score"], NOW) for i in range(5)]
    keys, header = ring(path), f"Bearer {made[2].key}"
    best = min(timeit(lambda: keys.check(header, "score", NOW), number=1000) for _ in range(5))
    assert best / 1000 < 50e-6


# ---------------------------------------------------------------- what is kept


def test_a_key_is_never_in_the_file_and_only_its_owner_may_read_that(path):
    made = create_key(path, "CRM", ["score"], NOW, days=30)
    again = create_key(path, "other", ["score"], NOW)
    for place in path.parent.iterdir():
        assert place.stat().st_mode & 0o777 == 0o600, place
        for key in (made.key, again.key):
            assert key[4:] not in place.read_text()
    assert {place.name for place in path.parent.iterdir()} == {"keys.json", "keys.json.lock"}
    first, second = read_keys(path)
    assert (first, second) == (made.record, again.record)
    assert first.expires_at == "2026-03-31T00:00:00Z"
    assert second.expires_at is None


def test_a_write_that_fails_leaves_the_file_as_it_was(path, monkeypatch):
    create_key(path, "CRM", ["score"], NOW)
    before = path.read_bytes()

    def fail(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("leadscore.serve.service.auth.keys.os.fsync", fail)
    with pytest.raises(ConfigError, match="No space left"):
        create_key(path, "more", ["score"], NOW)
    assert path.read_bytes() == before
    assert not list(path.parent.glob("*.unfinished"))


def _create_some(path, name):
    for i in range(10):
        create_key(path, f"{name} {i}", ["score"], NOW)


def test_commands_at_the_same_time_lose_no_key(path):
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_create_some, args=(path, name)) for name in "abc"]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert len(read_keys(path)) == 30


def spoil(path, **changes) -> None:
    document = json.loads(path.read_text())
    document["keys"][0] |= changes
    path.write_text(json.dumps(document))


@pytest.mark.parametrize(
    "changes",
    [
        {"revoked": True},
        {"revoked_at": ""},
        {"revoked_at": "yesterday"},
        {"expires_at": "2026-03-01"},
        {"scopes": []},
        {"scopes": ["everything"]},
        {"sha256": "abc"},
        {"id": "x"},
        {"name": 7},
    ],
)
def test_a_mistake_in_the_file_is_told_never_read_over(path, changes):
    create_key(path, "CRM", ["score"], NOW)
    spoil(path, **changes)
    with pytest.raises(ConfigError, match=r"keys\.json"):
        read_keys(path)


def test_a_key_that_is_there_twice_is_a_mistake(path):
    create_key(path, "CRM", ["score"], NOW)
    document = json.loads(path.read_text())
    document["keys"].append(document["keys"][0] | {"id": "00000000"})
    path.write_text(json.dumps(document))
    with pytest.raises(ConfigError, match="same sha256"):
        read_keys(path)


# ---------------------------------------------------------------- a file that changes


@pytest.fixture
def live(path):
    made = create_key(path, "CRM", ["score"], NOW)
    told = []
    keys = LiveKeys(path, told.append)
    keys.load()
    return keys, f"Bearer {made.key}", made.record, told


def test_a_revoked_key_is_noticed_within_a_second(path, live):
    keys, header, record, told = live
    assert keys.current(NOW).check(header, "score", NOW) == "ok"
    revoke_key(path, record.id, NOW)
    assert keys.current(NOW + SECOND - 1).check(header, "score", NOW) == "ok"
    assert keys.current(NOW + SECOND).check(header, "score", NOW) == "unknown"
    assert told == []


def test_the_file_is_looked_at_once_a_second_even_if_the_clock_is_set_back(live, monkeypatch):
    keys, _, _, _ = live
    looks, stat = [], os.stat

    def look(place, **options):
        if place == keys.path:
            looks.append(place)
        return stat(place, **options)

    monkeypatch.setattr("leadscore.serve.service.auth.keys.os.stat", look)
    for moment in range(NOW, NOW + SECOND, SECOND // 100):
        keys.current(moment)
    assert len(looks) == 1
    keys.current(NOW - 3600 * SECOND)
    assert len(looks) == 2


def test_a_file_with_a_mistake_keeps_the_last_good_ring_and_says_so_once(path, live):
    keys, header, _, told = live
    good = path.read_text()
    for turn, text in enumerate(["{", good.replace('"name"', '"nome"'), "[" * 100_000, "\xff", ""]):
        path.write_text(text)
        for moment in (NOW + 4 * turn * SECOND, NOW + (4 * turn + 2) * SECOND):
            assert keys.current(moment).check(header, "score", NOW) == "ok", text[:20]
            assert keys.current(moment).check(guess(), "score", NOW) == "unknown"
        assert len(told) == turn + 1, "each mistake once"
        assert "keys.json" in told[-1]
    path.write_text(good)
    keys.current(NOW + 100 * SECOND)
    assert told[-1] is None


def test_a_file_that_vanishes_lets_nobody_in_and_shuts_nobody_out(path, live):
    keys, header, _, told = live
    path.rename(path.with_suffix(".away"))
    now = NOW + 10 * SECOND
    assert keys.current(now).check(header, "score", now) == "ok"
    assert keys.current(now).check(guess(), "score", now) == "unknown"
    assert len(told) == 1
    path.with_suffix(".away").rename(path)
    keys.current(now + 2 * SECOND)
    assert told[-1] is None


def test_a_service_without_a_file_does_not_start_and_lets_nobody_in(path):
    keys = LiveKeys(path, lambda problem: None)
    with pytest.raises(NotFoundError, match="keys create"):
        keys.load()
    assert keys.current(NOW).check(guess(), "score", NOW) == "unknown"


# ---------------------------------------------------------------- addresses


def test_memory_stays_bounded_with_a_hundred_thousand_addresses():
    limiter = FailureLimiter()
    for number in range(100_000):
        limiter.note_failure(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    assert len(limiter._failures) == MOST_ADDRESSES


def test_the_address_with_the_oldest_failure_is_forgotten_first():
    limiter = FailureLimiter(failures_a_minute=1, most_addresses=2)
    assert [limiter.note_failure(address) for address in ("a", "b")] == [None, None]
    assert limiter.note_failure("a") is not None, "which makes b the oldest"
    assert limiter.note_failure("c") is None
    assert limiter.note_failure("a") is not None
    assert limiter.note_failure("b") is None


def test_addresses_wait_each_for_itself_and_a_network_as_one():
    limiter = FailureLimiter(failures_a_minute=3)
    assert [limiter.note_failure(f"2001:db8::{i:x}") is None for i in range(1, 6)] == [
        True, True, True, False, False,
    ]  # fmt: skip
    assert limiter.note_failure("2001:db8:0:1::1") is None
    for address in ("192.0.2.1", "::ffff:192.0.2.1", "192.0.2.1"):
        assert limiter.note_failure(address) is None
    assert limiter.note_failure("192.0.2.1") is not None
    assert limiter.note_failure("192.0.2.2") is None
    assert limiter.note_failure("testclient" * 1000) is None


def test_failures_are_forgiven_after_a_minute():
    now_s = [1_000.0]
    limiter = FailureLimiter(failures_a_minute=2, clock=lambda: now_s[0])
    assert [limiter.note_failure("a") for _ in range(3)] == [None, None, 60]
    now_s[0] += 45.5
    assert limiter.note_failure("a") == 15
    now_s[0] += 15.0
    assert limiter.note_failure("a") is None


# ---------------------------------------------------------------- the commands


def at(folder):
    return "--keys", folder / "keys.json"


def test_the_commands_make_list_and_revoke(tmp_path):
    done = run("keys", "create", "--name", "CRM", "--days", 30, *at(tmp_path))
    key = done.stdout.splitlines()[0]
    assert f"Authorization: Bearer {key}" in done.stdout, done.stderr
    assert KeyRing(read_keys(tmp_path / "keys.json")).check(
        f"Bearer {key}", "score", time.time_ns() // 1000
    ) == "ok"  # fmt: skip
    both = run("keys", "create", "--name", "Ops", "--scope", "score", "--scope", "metrics",
               *at(tmp_path), "--json")  # fmt: skip
    second = json.loads(both.stdout)
    assert second["scopes"] == ["score", "metrics"]
    assert "is revoked" in run("keys", "revoke", second["id"], *at(tmp_path)).stdout
    first = read_keys(tmp_path / "keys.json")[1].revoked_at
    run("keys", "revoke", second["id"], *at(tmp_path))
    assert read_keys(tmp_path / "keys.json")[1].revoked_at == first, "the first moment stays"
    listed = run("keys", "list", *at(tmp_path))
    assert "CRM" in listed.stdout
    assert "revoked" in listed.stdout
    as_json = run("keys", "list", *at(tmp_path), "--json")
    assert [entry["state"] for entry in json.loads(as_json.stdout)] == ["valid", "revoked"]
    for shown in (listed.stdout, as_json.stdout):
        assert key not in shown
        assert "sha256" not in shown


def test_what_the_commands_refuse(tmp_path):
    assert run("keys", "list", *at(tmp_path)).returncode == 5
    for words in (["--name", " "], ["--name", "a\nb"], ["--name", "a", "--scope", "all"]):
        assert run("keys", "create", *words, *at(tmp_path)).returncode == 2, words
    run("keys", "create", "--name", "CRM", *at(tmp_path))
    unknown = run("keys", "revoke", "00000000", *at(tmp_path))
    assert unknown.returncode == 5
    assert "keys list" in unknown.stderr
    (tmp_path / "keys.json").write_text("{}")
    for command in (["list"], ["create", "--name", "x"], ["revoke", "00000000"]):
        assert run("keys", *command, *at(tmp_path)).returncode == 2
    assert (tmp_path / "keys.json").read_text() == "{}"
