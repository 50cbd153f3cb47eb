"""Who starts the service is told what is served, and that nothing is only when that is so."""

import pytest

from leadscore.serve.cli import serve as serve_command
from leadscore.serve.service.settings import Settings

MODEL = {"name": "demo.predictive", "version": 1, "fingerprint": "abc"}
NOT_ASKED = {"model": None, "degraded": ["registry_not_asked"]}
NOT_YET = {"model": None, "degraded": []}
SERVED = {"model": MODEL, "degraded": []}


@pytest.fixture
def greet(monkeypatch, tmp_path):
    """Return what is said while the service tells one thing after the other, a second apart."""

    def run(*told) -> list[str]:
        said, now, answers = [], [0.0], iter(told)
        monkeypatch.setattr(serve_command, "print_line", said.append)
        monkeypatch.setattr(serve_command, "_ask", lambda _: next(answers))
        monkeypatch.setattr(serve_command.time, "monotonic", lambda: now[0])
        look = serve_command._make_greeting("here:1", Settings(str(tmp_path), "demo"))
        for _ in told:
            now[0] += 1.0
            look()
        return said

    return run


def test_a_worker_a_moment_behind_the_registry_is_waited_for(greet):
    first, keys = greet(None, NOT_ASKED, NOT_YET, NOT_YET, SERVED, SERVED)
    assert first.startswith("demo.predictive version 1 (abc) is served at http://here:1")
    assert keys == "no key is asked for"


def test_that_there_is_no_champion_is_said_once(greet):
    said = greet(*[NOT_YET] * 8)
    assert said[0].startswith("http://here:1 answers, but nothing of demo can be served yet")
    assert len(said) == 2


def test_a_registry_that_does_not_answer_is_told_after_a_minute(greet):
    assert greet(*[NOT_ASKED] * 59) == []
    assert "nothing of demo" in greet(*[NOT_ASKED] * 62)[0]
