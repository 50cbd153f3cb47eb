"""The service under load, while versions change: every number belongs to the version it names."""

import itertools
import json
import math
import re
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing

import pytest
from support.load import Load, p99_ms, report
from support.services import demo_lead, running_service
from support.versions import NAME, change, expect_probability

pytestmark = [pytest.mark.proof, pytest.mark.alone]
SECONDS, MOVED_EVERY_S, LEAST_SWAPS = 8.0, 0.05, 100


class Mover(threading.Thread):
    """Moves the champion from version to version until stopped."""

    def __init__(self, registry, numbers):
        super().__init__()
        self.moves, self._registry, self._numbers = 0, registry, numbers
        self.stopping = threading.Event()

    def run(self):
        due = time.monotonic()
        for number in itertools.cycle(self._numbers):
            if self.stopping.wait(max(0.0, due - time.monotonic())):
                return
            self._registry.point(number)
            self.moves += 1
            due = max(due + MOVED_EVERY_S, time.monotonic())


def test_the_champion_moves_under_load_and_no_answer_mixes_two_versions(registry, capsys):
    cards = {1: registry.scorecard}
    for factor, shift in ((0.5, -1.0), (0.9, 0.7), (1.1, -0.4)):
        card = change(registry.scorecard, factor, shift)
        cards[registry.add(card)] = card
    expected = {(n, card.fingerprint): expect_probability(card) for n, card in cards.items()}
    assert len(set(expected.values())) == len(cards) == 4
    with running_service(registry.store_folder) as service:
        mover = Mover(registry, list(cards))
        with Load(service.port, pause_s=0.003) as load:
            mover.start()
            time.sleep(SECONDS)
            mover.stopping.set()
            mover.join()
    assert not load.failed
    seen = [answer.model for answer in sorted(load.answers, key=lambda a: a.done_s)]
    wrong = [a for a in load.answers if a.body["probability"] != expected[a.model]]
    assert not wrong
    swaps = sum(before != after for before, after in itertools.pairwise(seen))
    report(capsys, f"{len(seen)} answers, {mover.moves} moves, {swaps} swaps seen, "
           f"p99 {p99_ms(load.answers):.1f} ms")  # fmt: skip
    assert swaps >= LEAST_SWAPS


def test_the_shadow_scores_every_lead_and_changes_no_answer(registry):
    challenger = change(registry.scorecard, 0.5, -1.0)
    number = registry.add(challenger)
    registry.point(number, "challenger")
    leads = [demo_lead(lead_id=f"L{i}", created_at=None if i % 3 else "2025-10-01T00:00:00Z")
             for i in range(40)]  # fmt: skip
    with running_service(registry.store_folder) as service:
        plain = [service.post("/v1/score", lead, X_Request_ID=lead["lead_id"]) for lead in leads]
    with running_service(registry.store_folder, "--shadow") as service:
        shadowed = [service.post("/v1/score", lead, X_Request_ID=lead["lead_id"]) for lead in leads]
        service.wait_for(lambda: len(events(service, "shadow")) == len(leads))
        counted = service.client.get("/metrics").text
        noted = {line["request_id"]: line for line in events(service, "shadow")}
    assert [answer.content for answer in shadowed] == [answer.content for answer in plain]
    for lead, answer in zip(leads, shadowed, strict=True):
        line = noted[lead["lead_id"]]
        gap = math.log(odds(challenger, lead) / odds(registry.scorecard, lead))
        assert line["log_odds_gap"] == pytest.approx(gap, abs=1e-9)
        assert (line["champion"], line["challenger"]) == (1, number)
        assert line["band"] == answer.json()["band"]
    total = re.findall(r"^leadscore_shadow_leads_total\{.*\} (\S+)$", counted, re.MULTILINE)
    assert sum(map(float, total)) == len(leads)
    assert f'model="{NAME}",version="{number}"' not in counted  # a shadow is not an answer


def events(service, name: str) -> list[dict]:
    return [line for line in service.log() if line["event"] == name]


def odds(card, lead: dict) -> float:
    probability = expect_probability(card, lead)
    return probability / (1.0 - probability)


@pytest.mark.parametrize("options", [(), ("--log-requests",)])
def test_what_was_answered_over_three_promotions_is_replayed_and_one_changed_number_found(
    registry, options
):
    log = registry.store_folder / "scores.db"
    numbers = [1] + [
        registry.add(change(registry.scorecard, factor, 0.1)) for factor in (0.5, 0.8, 1.2)
    ]
    with running_service(registry.store_folder, "--log-scores", str(log), *options) as service:
        for turn, number in enumerate(numbers):
            registry.point(number)
            service.wait_for(lambda n=number: service.version() == n)
            for i in range(50):
                lead = demo_lead(lead_id=f"L{i}")
                lead["profile"]["employees"] = None if i == 7 else 10 * i * (turn + 1)
                answer = service.post("/v1/score", lead)
                assert answer.json()["model"]["version"] == number
    code, found = replay(log)
    assert (code, found["recomputed"], found["differing"], found["failed"]) == (0, 200, 0, 0)
    assert sorted(v["version"] for v in found["versions"]) == numbers
    assert [v["recomputed"] for v in found["versions"]] == [50] * 4
    with closing(sqlite3.connect(log)) as connection, connection:
        kept = connection.execute("SELECT count(request) FROM scores").fetchone()[0]
        connection.execute("UPDATE scores SET log_odds = log_odds + 1e-12 WHERE row = 123")
    assert kept == (200 if options else 0)
    code, found = replay(log)
    assert (code, found["recomputed"], found["differing"]) == (4, 200, 1)
    assert found["differences"][0]["field"] == "log_odds"


def replay(log) -> tuple[int, dict]:
    done = subprocess.run(
        [sys.executable, "-m", "leadscore.serve.cli.main", "replay", "--log", str(log), "--json"],
        capture_output=True,
        timeout=60,
    )
    return done.returncode, json.loads(done.stdout)
