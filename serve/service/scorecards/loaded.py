"""The versions that a worker has loaded: champion, challenger, and any other that was asked for."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import msgspec

from leadscore.models.errors import ScorecardError
from leadscore.pipeline.tracking.records import parse_version
from leadscore.serve.service.problems import Problem
from leadscore.serve.service.scorecards.cache import Index, ScorecardCache, VersionEntry
from leadscore.serve.service.scorecards.served import ServedModel

CHAMPION, CHALLENGER = "champion", "challenger"
_MOST_KEPT = 8
_AGAIN_S = 1.0
_Key = tuple[str, str, str]


class Current(NamedTuple):
    """What is served now. It is replaced as a whole, so that no answer mixes two versions."""

    champion: ServedModel
    challenger: ServedModel | None
    registered: Index


class LoadedModels:
    """The versions that one worker serves, kept as the cache has them.

    The champion of the model `name` answers requests that name no version. `report` is called with
    every event: a name, and facts about it.
    """

    def __init__(self, cache: ScorecardCache, name: str, report: Callable[..., None]) -> None:
        self.current: Current | None = None
        self.problem: str | None = None
        self._cache = cache
        self._name = name
        self._report = report
        self._stamp: object = None
        self._again_s = 0.0
        self._met: str | None = None
        self._unreadable: set[_Key] = set()
        self._kept: OrderedDict[_Key, ServedModel] = OrderedDict()

    def refresh(self) -> None:
        """Bring what is served up to date, loading here what is new: for the start."""
        index = self._look()
        if index is not None:
            found = {}
            for key, entry in self._wanted(index):
                with self._noted():
                    found[key[1]] = self._keep(key, self._cache.load(*key[:2], entry))
            self._swap(index, found)

    async def follow(self, every_s: float) -> None:
        """Keep what is served up to date until cancelled; new versions are made in a thread."""
        while True:
            with self._noted():
                index = self._look()
                if index is not None:
                    found = {}
                    for key, entry in self._wanted(index):
                        with self._noted():
                            found[key[1]] = await self._fetch(key, entry)
                    self._swap(index, found)
            await asyncio.sleep(every_s)

    def _look(self) -> Index | None:
        """Return the index if it has changed; while there is a problem, once a second anyway."""
        stamp, now = self._cache.stamp(), time.monotonic()
        overdue = self.problem is not None and now > self._again_s
        if stamp is None or (stamp == self._stamp and not overdue):
            return None
        self._stamp, self._again_s, self._met = stamp, now + _AGAIN_S, None
        return self._cache.read_index()

    def _wanted(self, index: Index) -> list[tuple[_Key, VersionEntry]]:
        model = index.models.get(self._name)
        if model is None:
            return []
        numbers = [model.aliases[a] for a in (CHAMPION, CHALLENGER) if a in model.aliases]
        return [
            ((self._name, n, model.versions[n].sha256), model.versions[n])
            for n in dict.fromkeys(numbers)
            if n in model.versions
        ]

    async def _fetch(self, key: _Key, entry: VersionEntry) -> ServedModel:
        found = self._kept.get(key)
        if found is None:
            found = await asyncio.to_thread(self._cache.load, *key[:2], entry)
        return self._keep(key, found)

    def _keep(self, key: _Key, served: ServedModel) -> ServedModel:
        self._kept[key] = served
        self._kept.move_to_end(key)
        while len(self._kept) > _MOST_KEPT:
            self._kept.popitem(last=False)
        return served

    def _swap(self, index: Index, found: dict[str, ServedModel]) -> None:
        model = index.models.get(self._name)
        aliases = {} if model is None else model.aliases
        champion = found.get(aliases.get(CHAMPION, ""))
        before = None if self.current is None else self.current.champion
        if champion is None and self._met is None:
            self._note(f"{self._name} has no champion that can be served")
        self.problem = self._met
        champion = champion or before  # the last that was good
        if champion is None:
            return
        self.current = Current(champion, found.get(aliases.get(CHALLENGER, "")), index)
        if before is not champion:
            self._report("champion", **msgspec.structs.asdict(champion.version))

    @contextmanager
    def _noted(self) -> Iterator[None]:
        """Note an error instead of raising it: whatever the cache holds, this goes on."""
        try:
            yield
        except ScorecardError as error:
            self._note(str(error))
        except Exception as error:
            self._note(f"the cache: {type(error).__name__}")

    def _note(self, problem: str) -> None:
        """Note a problem, and report it unless it is the one reported last."""
        self._met = problem
        if problem != self.problem:
            self.problem = problem
            self._report("not_served", problem=problem)

    async def pick(self, which: str | None) -> ServedModel:
        """Return the version that a request asks for.

        `which` is an alias or a number, None for the champion; for another model its kind or whole
        name comes first, as in ``rules:champion`` or ``rules:3``. Raises Problem: 503 if nothing is
        served yet, 404 if there is no such version.
        """
        current = self.current
        if current is None:
            raise Problem(
                503, "nothing is served yet: no champion is registered, or none could be read",
                headers={"Retry-After": "2"},
            )  # fmt: skip
        if which is None or which == CHAMPION:
            return current.champion
        name, version = parse_version(which, current.registered.project)
        model = current.registered.models.get(name)
        number = version if model is None else model.aliases.get(version, version)
        entry = None if model is None else model.versions.get(number)
        if entry is None:
            if model is not None and version in (CHAMPION, CHALLENGER):
                raise Problem(
                    404, f"{name} has no {version}: `leadscore promote` makes a champion; "
                    "any version can be asked for by its number",
                )  # fmt: skip
            raise Problem(404, "no such model or version; GET /v1/model lists them")
        key = (name, number, entry.sha256)
        try:
            return await self._fetch(key, entry)
        except ScorecardError as error:
            if key not in self._unreadable:
                self._unreadable.add(key)
                self._report("not_served", problem=str(error))
            raise Problem(
                503, "this version cannot be read; the log says why", headers={"Retry-After": "2"}
            ) from error
