"""`leadscore serve` prints what it serves, and that it serves nothing only if that is certain."""

import pytest

from leadscore.serve.cli import serve
from leadscore.serve.service.settings import Settings

MODEL = {"name": "demo.predictive", "version": 1, "fingerprint": "abc"}
NOT_ASKED = {"model": None, "degraded": ["registry_not_asked"]}
NOT_YET = {"model": None, "degraded": []}
SERVED = {"model": MODEL, "degraded": []}


@pytest.fixture
def greet(monkeypatch, tmp_path):
    """Return the printed lines when the service gives these answers, a second apart."""

    def run(*told) -> list[str]:
        said, now, answers = [], [0.0], iter(told)
        monkeypatch.setattr(serve, "print_line", said.append)
        monkeypatch.setattr(serve, "_ask", lambda _: next(answers))
        monkeypatch.setattr(serve.time, "monotonic", lambda: now[0])
        message = serve.StartupMessage("here:1", Settings(str(tmp_path), "demo"))
        for _ in told:
            now[0] += 1.0
            message.print_when_known()
        return said

    return run


def test_a_worker_a_moment_behind_the_registry_is_waited_for(greet):
    first, keys = greet(None, NOT_ASKED, NOT_YET, NOT_YET, SERVED, SERVED)
    assert first.startswith("demo.predictive version 1 (abc) is served at http://here:1")
    assert keys == "No API key is required."


def test_that_there_is_no_champion_is_said_once(greet):
    said = greet(*[NOT_YET] * 8)
    assert said[0].startswith("http://here:1 answers, but there is no version of demo to serve yet")
    assert len(said) == 2


def test_a_registry_that_does_not_answer_is_told_after_a_minute(greet):
    assert greet(*[NOT_ASKED] * 59) == []
    assert "no version of demo" in greet(*[NOT_ASKED] * 62)[0]
