"""The contenders, and the evaluation set: the same later snapshots, scored by all of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from leadscore.models.calibration import Affine, fit_affine
from leadscore.models.score_frame import FrameScores, score_frame
from leadscore.models.scorecard import Scorecard
from leadscore.pipeline.config.project import Project
from leadscore.pipeline.config.training import SplitConfig
from leadscore.pipeline.dataset.dataset import Dataset, build_dataset
from leadscore.pipeline.dataset.split import earlier_than, split_dataset
from leadscore.pipeline.errors import RefusalError
from leadscore.pipeline.evaluation.close_rates import count_leads
from leadscore.pipeline.ingest.tables import ingest
from leadscore.pipeline.progress import Progress
from leadscore.pipeline.scoring.inputs import read_catalog
from leadscore.pipeline.signals.catalog import Catalog, Signal
from leadscore.pipeline.signals.kinds import DisplayName
from leadscore.pipeline.tracking.records import KIND_WORDS, Version

Floats = npt.NDArray[np.float64]
FEWEST_WINS = 5
"""With fewer leads that won, even leads swapped all one way could prove nothing."""


@dataclass(frozen=True)
class Contender:
    """A registered scorecard; `version` is its entry in the registry."""

    version: Version
    scorecard: Scorecard

    @property
    def key(self) -> str:
        """The name in JSON, and to be typed: ``rules:2``."""
        return f"{self.version.name.rpartition('.')[2]}:{self.version.version}"

    @property
    def name(self) -> str:
        """The name in a table for people: ``rule sheet 2``."""
        return f"{KIND_WORDS[self.scorecard.kind]} {self.version.version}"

    @property
    def title(self) -> str:
        """The name in a sentence: ``the rule sheet (version 2, champion)``."""
        aliases = "".join(f", {alias}" for alias in self.version.aliases)
        return f"the {KIND_WORDS[self.scorecard.kind]} (version {self.version.version}{aliases})"

    @property
    def cut(self) -> float | None:
        """From when on leads may judge it; None where it learned from none."""
        cut = self.scorecard.training.get("cut")
        return None if cut is None else float(cut)


def check_horizons(horizon_days: float | None, contenders: Sequence[Contender]) -> None:
    """Refuse contenders that do not predict wins within the project's horizon.

    Raises RefusalError if a horizon differs, or a contender learned from leads without any order.
    """
    for contender in contenders:
        found, expected = (
            "an open time" if days is None else f"{days:g} days"
            for days in (contender.scorecard.horizon_days, horizon_days)
        )
        if contender.scorecard.horizon_days != horizon_days:
            raise RefusalError(
                f"{contender.key} predicts who is won within {found}, training.yaml says "
                f"{expected}; set horizon_days back, or train or register it again"
            )
        if contender.scorecard.kind != "rules" and contender.cut is None:
            raise RefusalError(
                f"{contender.key} learned from leads without order in time, so none are later than "
                "those it knows; give leads.created or leads.order in data.yaml and train again"
            )


@dataclass(frozen=True)
class ScoredContender:
    """A contender with its scores of the n later snapshots, in the order of `EvaluationSet.later`.

    `equal` is the scale and shift that fit its log-odds to the earlier snapshots.
    """

    contender: Contender
    signals: pd.DataFrame
    scores: FrameScores
    equal: Affine


@dataclass(frozen=True)
class EvaluationSet:
    """The later snapshots, whose `lead` numbers count from 0, with the scores of all contenders."""

    later: Dataset
    contenders: tuple[ScoredContender, ...]
    cut: float
    earlier_snapshots: int
    notes: tuple[str, ...]

    @property
    def leads(self) -> int:
        """The number of leads."""
        return int(self.later.lead.max()) + 1

    @property
    def won(self) -> npt.NDArray[np.bool_]:
        """Which leads won, (leads,): those with a snapshot whose label is won."""
        return np.bincount(self.later.lead, self.later.label) > 0


def prepare_evaluation_set(
    project: Project, contenders: Sequence[Contender], progress: Progress
) -> EvaluationSet:
    """Read the data and score the leads that are new to all contenders.

    The set has the leads created from the latest of the contenders' cuts on. So no contender is
    evaluated on leads that it learned from. Raises RefusalError if the leads have no order, the
    contenders do not see the same leads, or too few won. Raises DataError if data.yaml lacks what a
    contender reads.
    """
    check_horizons(project.training.horizon_days, contenders)
    catalogs = [read_catalog(c.scorecard, project.data, c.key) for c in contenders]
    merged, numbers = _merge_catalogs(project.catalog, catalogs)
    datasets: dict[int, Dataset] = {}
    digest = ""
    for number in sorted(set(numbers)):
        progress("reading the leads and computing signals")
        part = replace(project, catalog=merged[number])
        tables = ingest(part)
        datasets[number] = build_dataset(part, tables)
        if part.catalog == project.catalog:
            digest = tables.digest
    whole, *others = datasets.values()
    for other in others:
        _check_same(whole, other)
    cut = _find_cut(project.training.split, whole, contenders)
    later = whole.rows(whole.begin >= cut)
    later = replace(later, lead=pd.factorize(later.lead)[0])
    earlier = _find_earlier(project.training.split.gap, whole, cut)
    if not earlier.any():
        raise RefusalError(
            "no lead before the later period has a known outcome, so the contenders' probabilities "
            "cannot be treated alike; see split in training.yaml"
        )
    _check_wins(later)
    progress("scoring")
    scored = []
    for contender, number in zip(contenders, numbers, strict=True):
        dataset, scorecard = datasets[number], contender.scorecard
        signals = dataset.signals[dataset.begin >= cut].reset_index(drop=True)
        before = score_frame(scorecard, dataset.signals[earlier]).log_odds
        equal = _treat(before, whole.label[earlier].astype(np.float64))
        scores = score_frame(scorecard, signals)
        scored.append(ScoredContender(contender, signals, scores, equal))
    notes = _note_digests(project, contenders, catalogs, digest or ingest(project).digest)
    return EvaluationSet(later, tuple(scored), cut, int(earlier.sum()), notes)


def _find_earlier(gap: int, whole: Dataset, cut: float) -> npt.NDArray[np.bool_]:
    """Mark what was known before the cut; by arrival, the leads of the gap were not known yet."""
    earlier = earlier_than(whole, cut)
    if whole.order != "arrival" or not gap:
        return earlier
    begins = np.unique(whole.begin[earlier])
    before: npt.NDArray[np.bool_] = whole.begin < begins[-min(gap, len(begins))]
    return earlier & before


def _treat(log_odds: Floats, label: Floats) -> Affine:
    """Fit scale and shift; a score that ranks the wrong way round is given the base rate alone."""
    fitted = fit_affine(log_odds, label)
    if fitted.factor > 0.0:
        return fitted
    share = min(max(float(label.mean()), 1e-6), 1.0 - 1e-6)
    return Affine(0.0, float(np.log(share / (1.0 - share))))


def _check_same(one: Dataset, other: Dataset) -> None:
    same = np.array_equal(one.lead_id, other.lead_id) and all(
        np.array_equal(getattr(one, name), getattr(other, name))
        for name in ("label", "begin", "age_days")
    )
    if not same:
        raise RefusalError(
            "the contenders read fields of the same name in different ways, and rows that one can "
            "read another rejects, so they do not see the same leads; bring data.yaml and the "
            "definitions together and train or register again (leadscore check counts rejects)"
        )


def _find_cut(config: SplitConfig, dataset: Dataset, contenders: Sequence[Contender]) -> float:
    if dataset.order == "none":
        raise RefusalError(
            "these leads have no order in time, so none are later than those the contenders know; "
            "give leads.created or leads.order in data.yaml and train again"
        )
    cuts = [contender.cut for contender in contenders if contender.cut is not None]
    return max(cuts) if cuts else split_dataset(dataset, config).cut


def _check_wins(later: Dataset) -> None:
    wins, leads = count_leads(later, later.label == 1), int(later.lead.max()) + 1
    if wins < FEWEST_WINS or later.label.all():
        raise RefusalError(
            f"{wins} leads won among the {leads} that came after the latest "
            f"training; at least {FEWEST_WINS} wins, and some that did not win, are needed to "
            "compare by: wait for more, or train on an earlier cut (split in training.yaml)"
        )


def _note_digests(
    project: Project, contenders: Sequence[Contender], catalogs: Sequence[Catalog], digest: str
) -> tuple[str, ...]:
    """Name the contenders that learned from other data; a digest covers the catalogue's fields."""
    other = []
    for contender, catalog in zip(contenders, catalogs, strict=True):
        learned = contender.scorecard.training.get("data")
        if contender.scorecard.kind == "rules" or learned == digest:
            continue
        if learned != ingest(replace(project, catalog=catalog)).digest:
            other.append(contender.key)
    if not other:
        return ()
    return (
        f"the data are not those that {', '.join(other)} learned from: leads count as later by "
        "their creation or arrival number alone, so see to it that those still mean the same",
    )


def _merge_catalogs(first: Catalog, catalogs: Sequence[Catalog]) -> tuple[list[Catalog], list[int]]:
    """Merge catalogues into as few as there can be, so that signals are computed once.

    `first` is the project's own, which the others join if they can. A catalogue that declares a
    column, a field or a property differently from those before it is read on its own. The second
    list has, for each of `catalogs`, the number of the catalogue to read it by.
    """
    merged, of = [first], []
    for catalog in catalogs:
        joined = [*(_join(one, catalog) for one in merged), catalog]
        place, both = next((n, one) for n, one in enumerate(joined) if one is not None)
        merged[place : place + 1] = [both]
        of.append(place)
    return merged, of


def _join(one: Catalog, other: Catalog) -> Catalog | None:
    """Return both in one, or None where they contradict each other."""
    signals = {signal.column: signal for signal in one.signals}
    stored = {signal.stored: signal for signal in one.signals if signal.stored is not None}
    added = []
    for signal in other.signals:
        there = signals.get(signal.column)
        if there is None:
            clash = None if signal.stored is None else stored.get(signal.stored)
            if clash is not None and clash.declaration.kind != signal.declaration.kind:
                return None
            added.append(signal)
        elif _meaning(there) != _meaning(signal):
            return None
    shared_fields = set(one.fields) & set(other.fields)
    alike = (
        _agree(one.fields, other.fields)
        and _agree(one.properties, other.properties)
        and one.day_offset_hours == other.day_offset_hours
        and one.excluded_kinds == other.excluded_kinds
        and shared_fields & set(one.changing) == shared_fields & set(other.changing)
    )
    if not alike or not added:
        return one if alike else None
    return one.model_copy(
        update={
            "signals": (*one.signals, *added),
            "fields": {**other.fields, **one.fields},
            "changing": tuple(dict.fromkeys((*one.changing, *other.changing))),
            "properties": {**other.properties, **one.properties},
            "word_lists": {**other.word_lists, **one.word_lists},
        }
    )


def _meaning(signal: Signal) -> Signal:
    """Return the signal without the words it is called by."""
    silent = signal.declaration.model_copy(update={"label": DisplayName()})
    return signal.model_copy(update={"declaration": silent})


def _agree(one: Mapping[str, object], other: Mapping[str, object]) -> bool:
    return all(one[name] == other[name] for name in set(one) & set(other))
