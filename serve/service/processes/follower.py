"""The process that asks the registry, so that no answer ever waits for it.

It checks what it finds and puts it into the cache (see ``scorecards.cache``), where workers take it
from. If the registry is down, slow or holds garbage, the cache stays as it is.
"""

import argparse
import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from leadscore.models.errors import ScorecardError
from leadscore.pipeline.errors import LeadscoreError
from leadscore.pipeline.tracking.records import KINDS, RegisteredModel
from leadscore.pipeline.tracking.registry_reader import fetch_scorecard
from leadscore.pipeline.tracking.store import Store, has_store, open_store
from leadscore.serve.service.logs import Logger, make_logger
from leadscore.serve.service.scorecards.cache import (
    Index,
    ModelEntry,
    RegistryState,
    ScorecardCache,
    Stamp,
    VersionEntry,
    stamp_file,
)
from leadscore.serve.service.scorecards.served import (
    LARGEST_SCORECARD,
    VersionNote,
    build_served_model,
)
from leadscore.serve.service.settings import Settings

MOST_VERSIONS = 50
"""Of each model, the newest; and those that an alias points to."""

_LOOK_S = 0.02
_WATCH_S = 0.5
_QUICK_S = 0.05
_QUICK_FOR_S = 5.0
_LIST_EVERY_S = 30.0
_OTHERS_EVERY_S = 1.0
_RETRY_S = 30.0
_HUNG_S = 60.0
_STORE_FILES = ("mlflow.db", "mlflow.db-wal")
_SWITCHES = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1", "MLFLOW_HTTP_REQUEST_TIMEOUT": "2"}


@dataclass
class Follower:
    """Keep a cache as the registry has it.

    `open_registry` returns the store, or None if there is none yet; `beat` is called before every
    question that may take long. `owes` is true if some models were left out the last time, and are
    to be asked for within a second.
    """

    cache: ScorecardCache
    project: str
    open_registry: Callable[[], Store | None]
    logger: Logger
    beat: Callable[[], None] = lambda: None
    owes: bool = False
    _store: Store | None = None
    _known: dict[str, dict[int, VersionEntry]] = field(default_factory=dict)
    _listed: dict[str, tuple[int, float, list[int]]] = field(default_factory=dict)
    _refused: dict[str, str] = field(default_factory=dict)
    _retry: dict[str, float] = field(default_factory=dict)
    _others: dict[str, ModelEntry] = field(default_factory=dict)
    _others_due: float = 0.0
    _checked: dict[str, Stamp] = field(default_factory=dict)
    _mended: bool = False
    _written: Index | None = None
    _stamp: Stamp | None = None
    _answered_ms: int | None = None

    def __post_init__(self) -> None:
        self._stamp = self.cache.stamp()
        try:
            self._written = self.cache.read_index()
        except ScorecardError as error:
            self.logger.warning("index_unreadable", problem=str(error))
        before = {} if self._written is None else self._written.models
        self._known = {
            name: {int(number): entry for number, entry in model.versions.items()}
            for name, model in before.items()
        }
        state = self.cache.read_state()
        self._answered_ms = None if state is None else state.answered_ms

    def follow(self) -> bool:
        """Ask once, and bring the cache up to date; return whether anything has changed.

        Nothing is raised: an error goes into the state of the registry and into the log.
        """
        problem = None
        try:
            changed = self._ask()
            self._answered_ms = _now_ms()
        except (LeadscoreError, ScorecardError, OSError) as error:
            problem, changed, self._store = str(error)[:300], False, None
        except Exception as error:
            problem, changed, self._store = type(error).__name__, False, None
        self._write_state(problem)
        return changed

    def _write_state(self, problem: str | None) -> None:
        before = self.cache.read_state()
        if problem is not None and (before is None or before.problem != problem):
            self.logger.error("registry_unreachable", problem=problem)
        elif problem is None and before is not None and before.problem is not None:
            self.logger.info("registry_back")
        state = RegistryState(_now_ms(), self._answered_ms, problem, dict(self._refused))
        try:
            self.cache.write_state(state)
        except OSError as error:
            self.logger.error("cache_unwritable", problem=type(error).__name__)

    def _ask(self) -> bool:
        if self._store is None:
            self._store = self.open_registry()
        models = {} if self._store is None else self._ask_models(self._store)
        index = Index(self.project, models)
        if not models and self._written is None:
            return False
        if index == self._written and self.cache.stamp() == self._stamp and not self._mended:
            return False
        self.cache.write_index(index)
        self._written, self._stamp, self._mended = index, self.cache.stamp(), False
        kept = {v.sha256: None for model in models.values() for v in model.versions.values()}
        self.cache.drop_others(kept)
        for name, model in models.items():
            self.logger.info("registry_followed", name=name, aliases=model.aliases)
        return True

    def _ask_models(self, store: Store) -> dict[str, ModelEntry]:
        """Ask for the model that answers by default; for the others no more than once a second.

        Asking takes the processor a while, and a champion that moves often must not wait for them.
        """
        first, *others = (f"{self.project}.{kind}" for kind in KINDS)
        models = self._ask_model(store, first)
        self.owes = time.monotonic() < self._others_due
        if not self.owes:
            self._others = {}
            for name in others:
                self._others |= self._ask_model(store, name)
            self._others_due = time.monotonic() + _OTHERS_EVERY_S
        return models | self._others

    def _ask_model(self, store: Store, name: str) -> dict[str, ModelEntry]:
        self.beat()
        found = store.find_model(name)
        if found is None or not found.newest:
            return {}
        return {name: self._follow_model(store, found)}

    def _follow_model(self, store: Store, found: RegisteredModel) -> ModelEntry:
        numbers = {*self._list(store, found), *found.aliases.values()}
        known = self._known.setdefault(found.name, {})
        for number in sorted(numbers):
            entry = known.get(number)
            if entry is None or not self._holds(found.name, number, entry):
                entry = self._take(store, found.name, number)
                if entry is not None:
                    known[number] = entry
        before = None if self._written is None else self._written.models.get(found.name)
        aliases = {a: str(n) for a, n in found.aliases.items() if n in known}
        if before is not None:  # an alias that moved to what is refused stays where it was
            held = {
                a: n for a, n in before.aliases.items() if found.aliases.get(a, -1) not in known
            }
            aliases |= {a: n for a, n in held.items() if a in found.aliases and int(n) in known}
        kept = numbers | {int(n) for n in aliases.values()}
        versions = {str(n): known[n] for n in sorted(kept) if n in known}
        return ModelEntry(versions, aliases)

    def _holds(self, name: str, number: int, entry: VersionEntry) -> bool:
        """Return whether the cache holds a sound scorecard; a file that changed is read anew."""
        stamp = self.cache.stamp_scorecard(entry.sha256)
        if stamp is None:
            return False
        if self._checked.get(entry.sha256) != stamp:
            try:
                self.cache.load(name, str(number), entry)
            except ScorecardError:
                return False
            self._checked[entry.sha256] = stamp
        return True

    def _list(self, store: Store, found: RegisteredModel) -> list[int]:
        newest, at, numbers = self._listed.get(found.name, (-1, 0.0, []))
        if newest != found.newest or time.monotonic() - at > _LIST_EVERY_S:
            numbers = store.list_numbers(found.name)[:MOST_VERSIONS]
            self._listed[found.name] = (found.newest, time.monotonic(), numbers)
        return numbers

    def _take(self, store: Store, name: str, number: int) -> VersionEntry | None:
        """Fetch a version and check it as a worker will; None, and why, if it is not to be used."""
        key = f"{name}:{number}"
        if time.monotonic() < self._retry.get(key, 0.0):
            return None
        try:
            self.beat()
            text = fetch_scorecard(store, name, number, LARGEST_SCORECARD)
            noted = store.read_version(name, number)
            served = build_served_model(text, VersionNote(name, number))
            if served.scorecard.project != self.project:
                raise ScorecardError(f"a scorecard of the project {served.scorecard.project}")
        except ScorecardError as error:
            self._refuse(key, str(error))
            return None
        except LeadscoreError as error:
            if store.find_model(name) is None:  # raises if the registry is what fails
                return None
            self._refuse(key, str(error))
            return None
        self._refused.pop(key, None)
        sha256 = served.scorecard.sha256
        entry = VersionEntry(sha256, noted.created_ms, dict(noted.metrics), noted.basis)
        if not self._holds(name, number, entry):
            self.cache.write_scorecard(sha256, text)
            self._mended = True
        return entry

    def _refuse(self, key: str, reason: str) -> None:
        if self._refused.get(key) != reason[:300]:
            self.logger.error("version_refused", version=key, reason=reason[:300])
        self._refused[key] = reason[:300]
        self._retry[key] = time.monotonic() + _RETRY_S


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


@dataclass
class Watchdog:
    """Watches this process from a thread, and ends it if it cannot end by itself.

    It ends when its `parent` is gone, a second after `stop` is set, and when `hung_after_s` seconds
    pass between two calls of ``beat``; `report` is called before that last end.
    """

    parent: int
    stop: threading.Event
    hung_after_s: float
    report: Callable[[], None]
    _beaten_s: float = field(default_factory=time.monotonic)

    def beat(self) -> None:
        """Note that this process makes progress."""
        self._beaten_s = time.monotonic()

    def start(self) -> None:
        """Start the thread."""
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    def _watch(self) -> None:
        stopping = False
        while os.getppid() == self.parent and not stopping:
            if time.monotonic() - self._beaten_s > self.hung_after_s:
                self.report()
                os._exit(1)
            stopping = self.stop.wait(_WATCH_S)
        time.sleep(1.0)  # in which it may end by itself
        os._exit(0)


def run(store_folder: Path, project: str, poll_s: float, parent: int) -> None:
    """Follow the registry until a signal to stop, or until the parent process is gone.

    It is asked every `poll_s`, and at once when a local store's files change. A server has no
    file to watch; it is asked more often for a few seconds after a change.
    """
    os.environ.update(_SWITCHES)  # a registry that does not answer fails soon
    stop, logger = threading.Event(), make_logger("follower")
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    local = not os.environ.get("MLFLOW_TRACKING_URI")
    watchdog = Watchdog(parent, stop, _HUNG_S, lambda: logger.error("registry_hangs"))
    watchdog.start()
    follower = Follower(
        ScorecardCache(Settings(str(store_folder), project).folder), project,
        lambda: open_store(store_folder) if has_store(store_folder) else None,
        logger, watchdog.beat,
    )  # fmt: skip
    seen: object = None
    due = hurry_until = 0.0
    while not stop.is_set():
        watchdog.beat()
        stamp = [stamp_file(store_folder / name) for name in _STORE_FILES] if local else None
        if time.monotonic() >= due or stamp != seen:
            seen = stamp
            if follower.follow() and not local:
                hurry_until = time.monotonic() + _QUICK_FOR_S
            now = time.monotonic()
            rest_s = min(poll_s, _OTHERS_EVERY_S) if follower.owes else poll_s
            due = now + (_QUICK_S if now < hurry_until else rest_s)
        stop.wait(_LOOK_S)


def main() -> None:
    """Run as a process of its own."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--project", required=True)
    parser.add_argument("--poll", type=float, required=True)
    parser.add_argument("--parent", type=int, required=True)
    asked = parser.parse_args()
    run(asked.store, asked.project, asked.poll, asked.parent)


if __name__ == "__main__":
    main()
