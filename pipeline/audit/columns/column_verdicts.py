"""The audit of columns: every signal, and every column of the leads' file that no signal reads."""

import unicodedata
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from leadscore.pipeline.audit.columns.statistics import (
    ColumnStatistics,
    measure_auc,
    measure_column,
    predict_alone,
    predict_together,
)
from leadscore.pipeline.audit.columns.subjects import (
    CLOSED,
    Leads,
    Subject,
    find_columns,
    find_subjects,
    last_snapshots,
    leads_of,
    read_values,
)
from leadscore.pipeline.audit.columns.suspicions import (
    Suspicion,
    judge_identity,
    judge_name,
    list_suspicions,
)
from leadscore.pipeline.audit.columns.timing import (
    count_activities,
    judge_field_timing,
    judge_following,
    measure_field_timing,
)
from leadscore.pipeline.audit.records import ColumnFinding, ColumnVerdict
from leadscore.pipeline.config.project import Project
from leadscore.pipeline.dataset.dataset import Dataset
from leadscore.pipeline.evaluation.metrics import Estimate
from leadscore.pipeline.ingest.leads import LEAD_ID
from leadscore.pipeline.ingest.tables import Ingested
from leadscore.pipeline.signals.kinds import ProfileSignal, TextSignal

WEIGHTS: tuple[ColumnVerdict, ...] = ("use", "not vouched for", "quarantine", "refuse")
_FILLED_OPEN, _FILLED_CLOSED = 0.1, 0.5
_MIN_CLOSED = 50
STRONG_ALONE_AUC = 0.75
"""From this AUC on, one signal as strong as all others together is worth a question."""


def judge_columns(
    project: Project,
    tables: Ingested,
    dataset: Dataset,
    raw: pd.DataFrame,
    allowed: Collection[str],
) -> tuple[tuple[ColumnFinding, ...], Estimate | None]:
    """Judge every signal, and every other column of the leads' file.

    `raw` comes from `make_source_frame`. Signals come first, in the order of the catalogue, then
    the other columns in the order of the file. The estimate is the out-of-fold AUC of all signals
    that may be used together, None if there are none.
    """
    snapshots = last_snapshots(dataset)
    leads = leads_of(snapshots)
    counts = count_activities(tables, dataset)
    found = [
        (subject, *_list_signs(tables, subject, raw, counts, _is_from_text(subject)))
        for subject in find_subjects(project, tables, snapshots, raw)
    ]
    for subject, seen, signs in found:
        signs += [] if seen is None else _check_identity(subject)
    _inherit_suspicions(project, allowed, tables, raw, counts, found)
    coarse = {
        signal.column: read_values(snapshots.signals[signal.column], signal.is_category).coarse
        for signal in project.catalog.signals
    }
    verdicts = [_decide(project, allowed, _names_of(s), _worst(signs))[0] for s, _, signs in found]
    kept = [
        subject.name
        for (subject, _, _), verdict in zip(found, verdicts, strict=True)
        if subject.signal is not None and verdict in ("use", "not vouched for")
    ]
    together = None
    if kept:
        scores = predict_together([coarse[name] for name in kept], leads.won)
        together = measure_auc(scores, leads.won)
    _question_strongest(found, kept, coarse, leads)
    return tuple(_conclude(project, allowed, *each) for each in found), together


def _list_signs(
    tables: Ingested,
    subject: Subject,
    raw: pd.DataFrame,
    counts: pd.DataFrame | None,
    from_text: bool,
) -> tuple[ColumnStatistics | None, list[Suspicion]]:
    leads, signs = subject.leads, list[Suspicion]()
    if subject.history == "creation" or not 0 < leads.won.sum() < len(leads.won):
        return None, signs
    seen, signal = measure_column(subject.values, leads.won, leads.order), subject.signal
    signs += list_suspicions(seen, subject.history != "none", from_text)
    if subject.history == "changes" and signal is not None:
        for name in dict.fromkeys([*signal.inputs, signal.stored]):
            timings = map(judge_field_timing, measure_field_timing(tables, name or ""))
            signs += [("quarantine", text) for text in timings if text]
    if subject.history == "none":
        signs += _check_without_history(subject, seen, raw, counts)
    return seen, list(dict.fromkeys(signs))


def _is_from_text(subject: Subject) -> bool:
    return subject.signal is not None and isinstance(subject.signal.declaration, TextSignal)


def _check_identity(subject: Subject) -> list[Suspicion]:
    if subject.signal is not None and not isinstance(subject.signal.declaration, ProfileSignal):
        return []
    identity = judge_identity(subject.values, subject.leads.order)
    return [] if identity is None else [("quarantine", identity)]


def _inherit_suspicions(
    project: Project,
    allowed: Collection[str],
    tables: Ingested,
    raw: pd.DataFrame,
    counts: pd.DataFrame | None,
    found: list[tuple[Subject, ColumnStatistics | None, list[Suspicion]]],
) -> None:
    """Add the suspicions against its columns to each signal that is made from texts.

    Such a signal shows whether its columns are filled in, and something of their values. So a
    column is judged by its values and by its presence, whether a signal of its own reads it or not.
    Its single values and identifiers are no reason, because the signal does not show them.
    """
    derived = [
        (subject, signs) for subject, _, signs in found
        if _is_from_text(subject) and subject.history == "none"
    ]  # fmt: skip
    columns = sorted({column for subject, _ in derived for column in subject.columns})
    fields = project.data.leads.fields
    against: dict[str, list[Suspicion]] = {}
    for column in find_columns(tables, raw, columns):
        presence = replace(column, values=column.values.presence)
        _, signs = _list_signs(tables, column, raw, counts, from_text=True)
        signs += _list_signs(tables, presence, raw, counts, from_text=False)[1]
        names = {name for name, config in fields.items() if (config.column or name) == column.name}
        verdict = _worst(signs)
        if _decide(project, allowed, {*names, column.name}, verdict)[0] == verdict:
            against[column.name] = list(dict.fromkeys(signs))
    for subject, signs in derived:
        signs += [
            (verdict, f"it reads {name}: {reason}")
            for name in subject.columns
            for verdict, reason in against.get(name, ())
            if verdict != "use"
        ]


def _check_without_history(
    subject: Subject, seen: ColumnStatistics, raw: pd.DataFrame, counts: pd.DataFrame | None
) -> Iterator[Suspicion]:
    """Yield the suspicions against a column without a history of changes."""
    if len(subject.columns) == 1:
        (column,) = subject.columns
        name = judge_name(column)
        if name is not None and seen.auc.low > 0.5:
            yield "not vouched for", f"{name}, and no history shows its earlier values"
        once = raw.drop_duplicates(LEAD_ID)
        closed = once[CLOSED].to_numpy(bool)
        if column in once and min(closed.sum(), (~closed).sum()) >= _MIN_CLOSED:
            filled = once[column].notna().to_numpy()
            done, still = filled[closed].mean(), filled[~closed].mean()
            if done >= _FILLED_CLOSED and still <= _FILLED_OPEN * done:
                yield (
                    "quarantine",
                    f"filled only once a lead is closed: {done:.0%} of the closed leads, "
                    f"{still:.0%} of the open ones",
                )
    if counts is not None and subject.values.kind == "number":
        names = np.r_[np.nan, np.asarray(subject.values.names, float)]
        numbers = pd.Series(names[subject.values.exact], index=subject.leads.lead_id)
        following = judge_following(numbers, counts)
        if following is not None:
            yield "refuse", following


def _question_strongest(
    found: list[tuple[Subject, ColumnStatistics | None, list[Suspicion]]],
    kept: list[str],
    coarse: Mapping[str, npt.NDArray[np.intp]],
    leads: Leads,
) -> None:
    """Add a suspicion against the strongest signal if it is as strong as all others together."""
    candidates = [
        (seen.auc.value, place) for place, (subject, seen, _) in enumerate(found)
        if seen is not None and subject.name in kept and subject.history == "none"
    ]  # fmt: skip
    if len(kept) < 4 or not candidates:
        return
    subject, _, signs = found[max(candidates)[1]]
    name = subject.name
    alone = measure_auc(predict_alone(coarse[name], leads.won), leads.won)
    others = [coarse[other] for other in kept if other != name]
    rest = measure_auc(predict_together(others, leads.won), leads.won)
    if alone.value < STRONG_ALONE_AUC or alone.value < rest.value - 0.01:
        return
    reason = (
        "it tells as much by itself as all other signals together, which reach AUC "
        f"{rest.value:.3f}: what is it that knows so much?"
    )
    signs.append(("not vouched for", reason))


def _worst(signs: list[Suspicion]) -> ColumnVerdict:
    return max((verdict for verdict, _ in signs), key=WEIGHTS.index, default="use")


def _conclude(
    project: Project,
    allowed: Collection[str],
    subject: Subject,
    seen: ColumnStatistics | None,
    signs: list[Suspicion],
) -> ColumnFinding:
    found = _worst(signs)
    signs = sorted(signs, key=lambda sign: -WEIGHTS.index(sign[0]))
    reasons = [reason for _, reason in signs]
    verdict, why = _decide(project, allowed, _names_of(subject), found)
    reasons += [why] if why else []
    override = None
    if subject.signal is not None and found == "refuse":
        override = f"--allow-leak {subject.name}"
    elif subject.signal is not None and found != "use":
        override = f"trusted: {{{subject.name}: why it was known by then}} in data.yaml"
    left_out = project.data.excluded.get(subject.name)
    if left_out is not None:
        reasons.append(f"left out in data.yaml: {left_out}")
    return ColumnFinding(
        name=subject.name,
        columns=subject.columns,
        used=subject.signal is not None,
        history=subject.history,
        verdict=verdict,
        reasons=tuple(reasons),
        override=override,
        overridden=found if verdict != found else None,
        filled=float(subject.values.filled.mean()) if seen is None else seen.filled,
        filled_won=None if seen is None else seen.filled_won,
        filled_not_won=None if seen is None else seen.filled_not_won,
        values=len(subject.values.names) if seen is None else seen.values,
        auc=None if seen is None else seen.auc,
        auc_earlier=None if seen is None else seen.auc_earlier,
        auc_later=None if seen is None else seen.auc_later,
    )


def _names_of(subject: Subject) -> set[str]:
    """Return the names by which a user can vouch for a subject or allow it.

    A signal of several fields has its own names only: who vouches for one field does not vouch for
    the others.
    """
    names, signal = {subject.name}, subject.signal
    if signal is not None:
        names.add(signal.name)
    if len(subject.columns) == 1:
        names |= {*subject.columns, *(() if signal is None else signal.inputs)}
    return names


def _decide(
    project: Project, allowed: Collection[str], known_as: Collection[str], found: ColumnVerdict
) -> tuple[ColumnVerdict, str | None]:
    """Return the verdict after what the user says of a subject, by any of its names; and what."""
    names = set(map(compose, known_as))
    vouched = [why for name, why in project.data.trusted.items() if compose(name) in names]
    if names & set(map(compose, allowed)) and found != "use":
        return "use", "used all the same: --allow-leak"
    if vouched and found in ("not vouched for", "quarantine"):
        return "use", f"vouched for in data.yaml: {vouched[0]}"
    if vouched and found == "refuse":
        return found, "vouched for in data.yaml, but a refusal gives way to --allow-leak only"
    return found, None


def compose(name: str) -> str:
    """Return a name with its accents composed, as two systems may write them differently."""
    return unicodedata.normalize("NFC", name)
