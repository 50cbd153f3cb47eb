"""The ground that all contenders stand on: the same later snapshots, each scored by all."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.calibration import Affine, fit_affine
from models.frame import FrameScores, score_frame
from pipeline.batch_inputs import read_catalog
from pipeline.comparison.catalogs import merge_catalogs
from pipeline.comparison.contenders import Contender, check_horizons
from pipeline.dataset import Dataset, build_dataset, earlier_than, split_dataset
from pipeline.errors import RefusalError
from pipeline.ingest import ingest
from pipeline.progress import Progress
from pipeline.settings import Project
from pipeline.signals.catalog import Catalog

Floats = npt.NDArray[np.float64]
FEWEST_WINS = 5
"""With fewer leads that won, even leads swapped all one way could prove nothing."""


@dataclass(frozen=True)
class Entrant:
    """A contender with what it says of the n later snapshots, in the order of ``Ground.later``.

    `equal` is the scale and shift that fit its log-odds to the earlier snapshots.
    """

    contender: Contender
    signals: pd.DataFrame
    scores: FrameScores
    equal: Affine


@dataclass(frozen=True)
class Ground:
    """The later snapshots, whose `lead` numbers count from 0, and all that is said of them."""

    later: Dataset
    entrants: tuple[Entrant, ...]
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


def prepare_ground(project: Project, contenders: Sequence[Contender], progress: Progress) -> Ground:
    """Read the data and let every contender score the leads that are new to all of them.

    Judged on are the leads created from the latest of the contenders' cuts on, so none of them is
    judged on leads that it learned from.

    Raises
    ------
    RefusalError
        If the leads have no order, the contenders do not see the same leads, or too few won.
    DataError
        If data.yaml lacks what a contender reads.
    """
    check_horizons(project, contenders)
    catalogs = [read_catalog(c.scorecard, project, c.key) for c in contenders]
    groups = merge_catalogs(project.catalog, catalogs)
    datasets: list[Dataset] = []
    digest = ""
    for catalog in groups.catalogs:
        progress("reading the leads and computing signals")
        part = replace(project, catalog=catalog)
        tables = ingest(part)
        datasets.append(build_dataset(part, tables))
        if catalog == project.catalog:
            digest = tables.digest
    whole = datasets[0]
    for other in datasets[1:]:
        _check_same(whole, other)
    cut = _find_cut(project, whole, contenders)
    later = _number(whole.rows(whole.begin >= cut))
    earlier = _find_earlier(project, whole, cut)
    if not earlier.any():
        raise RefusalError(
            "no lead before the later period has a known outcome, so the contenders' probabilities "
            "cannot be treated alike; see split in training.yaml"
        )
    _check_wins(later)
    progress("scoring")
    entrants = []
    for contender, group in zip(contenders, groups.of, strict=True):
        dataset = datasets[group]
        signals = dataset.signals[dataset.begin >= cut].reset_index(drop=True)
        before = score_frame(contender.scorecard, dataset.signals[earlier]).log_odds
        equal = _treat(before, whole.label[earlier].astype(np.float64))
        entrants.append(
            Entrant(contender, signals, score_frame(contender.scorecard, signals), equal)
        )
    digest = digest or ingest(project).digest
    caveats = _note_digests(project, contenders, catalogs, digest)
    return Ground(later, tuple(entrants), cut, int(earlier.sum()), caveats)


def _find_earlier(project: Project, whole: Dataset, cut: float) -> npt.NDArray[np.bool_]:
    """Mark what was known before the cut; by arrival, the leads of the gap were not known yet."""
    earlier = earlier_than(whole, cut)
    gap = project.training.split.gap
    if whole.order != "arrival" or not gap:
        return earlier
    begins = np.unique(whole.begin[earlier])
    before: npt.NDArray[np.bool_] = whole.begin < begins[-min(gap, len(begins))]
    return earlier & before


def _number(later: Dataset) -> Dataset:
    """Return a part with its leads numbered from 0, in its order."""
    return replace(later, lead=pd.factorize(later.lead)[0])


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


def _find_cut(project: Project, dataset: Dataset, contenders: Sequence[Contender]) -> float:
    if dataset.order == "none":
        raise RefusalError(
            "these leads have no order in time, so none are later than those the contenders know; "
            "give leads.created or leads.order in data.yaml and train again"
        )
    cuts = [contender.cut for contender in contenders if contender.cut is not None]
    return max(cuts) if cuts else split_dataset(dataset, project.training.split).cut


def _check_wins(later: Dataset) -> None:
    wins = len(np.unique(later.lead[later.label == 1]))
    if wins < FEWEST_WINS or later.label.all():
        raise RefusalError(
            f"{wins} leads won among the {len(np.unique(later.lead))} that came after the latest "
            f"training; at least {FEWEST_WINS} wins, and some that did not win, are needed to "
            "compare by: wait for more, or train on an earlier cut (split in training.yaml)"
        )


def _note_digests(
    project: Project, contenders: Sequence[Contender], catalogs: Sequence[Catalog], digest: str
) -> tuple[str, ...]:
    """Tell who learned from other data; a digest is of the fields that a catalogue reads."""
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
