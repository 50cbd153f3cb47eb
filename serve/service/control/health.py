"""Whether the service lives, is ready, and what gives it trouble."""

from typing import Any, NamedTuple

import msgspec

from leadscore.serve.service.scorecards.cache import ScorecardCache
from leadscore.serve.service.scorecards.loaded import LoadedModels

STALE_S = 30.0
"""A registry that has not answered for so long makes the service degraded."""


class Trouble(NamedTuple):
    """What makes the service degraded: a code for everybody, and words for those with a key."""

    code: str
    detail: str


class Status(NamedTuple):
    """`ready` is whether leads can be scored; `trouble` what is wrong meanwhile."""

    ready: bool
    trouble: list[Trouble]
    staleness_s: float | None
    refused: int


def find_status(
    models: LoadedModels, cache: ScorecardCache, log_problem: str | None, began_ms: int, now_ms: int
) -> Status:
    """Find whether the service is ready, and what is wrong.

    `began_ms` is when this process began; both times are in milliseconds since 1970.
    """
    state = cache.read_state()
    trouble = []
    staleness_s = None
    asked_ms = began_ms if state is None else max(state.asked_ms, began_ms)
    if now_ms - asked_ms > 1000.0 * STALE_S:
        trouble.append(Trouble("follower_gone", "the registry was not asked for too long"))
    elif state is None or state.asked_ms < began_ms:
        trouble.append(Trouble("registry_not_asked", "the registry was not asked yet"))
    if state is not None:
        if state.answered_ms is not None:
            staleness_s = max(0.0, (now_ms - state.answered_ms) / 1000.0)
        if state.problem is not None:
            trouble.append(Trouble("registry_unreachable", state.problem))
        trouble += [
            Trouble("version_refused", f"{version}: {reason}")
            for version, reason in state.refused.items()
        ]
    if models.problem is not None:
        trouble.append(Trouble("model_not_served", models.problem))
    if log_problem is not None:
        trouble.append(Trouble("score_log", log_problem))
    refused = 0 if state is None else len(state.refused)
    return Status(models.current is not None, trouble, staleness_s, refused)


def show_status(status: Status, models: LoadedModels) -> dict[str, Any]:
    """Return the answer of ``GET /readyz``: codes, no details, since it needs no key."""
    current = models.current
    return {
        "status": "not ready" if not status.ready else "degraded" if status.trouble else "ready",
        "degraded": list(dict.fromkeys(trouble.code for trouble in status.trouble)),
        "model": None if current is None else msgspec.structs.asdict(current.champion.version),
        "model_staleness_seconds": status.staleness_s,
    }
