"""From a decoded request to signals and a score: every route that takes leads goes through this."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache, lru_cache
from typing import NamedTuple

import msgspec

from leadscore.models.score_lead import LeadScore, find_percentile
from leadscore.pipeline.signals.live.activities import ActivityColumns
from leadscore.pipeline.signals.live.reader import ReadyConflict
from leadscore.pipeline.values.fields import FieldSpec, Normalised, make_normaliser
from leadscore.serve.service.problems import Fault, Problem, join_pointer
from leadscore.serve.service.requests.decode import (
    LONGEST_ID,
    LONGEST_NAME,
    MOST_ACTIVITIES,
    LeadBody,
    find_type_fault,
)
from leadscore.serve.service.requests.reader import UnusedNames, read_time
from leadscore.serve.service.scorecards.served import ServedModel

FUTURE_US = 300_000_000
"""Clocks may differ by five minutes before a moment counts as one of the future."""
_MOST_WARNINGS = 20
normalise_text = make_normaliser(FieldSpec())
normalise_number = make_normaliser(FieldSpec(type="number"))
_UNFIT = "the request does not fit"


class RequestWarning(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something in a request that did not stop the score, and that its sender should know."""

    code: str
    detail: str
    pointer: str | None = None


class ScoredLead(NamedTuple):
    """A lead's signals and score, its percentile and axes, and warnings for the sender."""

    signals: dict[str, Normalised]
    score: LeadScore
    as_of_us: int
    created_us: int | None
    warnings: list[RequestWarning]
    percentile: float | None
    fit: str | None
    engagement: str | None


def rate_score(
    model: ServedModel,
    signals: dict[str, Normalised],
    score: LeadScore,
    as_of_us: int,
    created_us: int | None = None,
    warnings: Sequence[RequestWarning] = (),
) -> ScoredLead:
    """Complete a score by its percentile and its place on both axes."""
    percentile = find_percentile(model.quantiles, score.log_odds)
    axes = model.read_axes(score.contributions)
    return ScoredLead(signals, score, as_of_us, created_us, list(warnings), percentile, *axes)


class _LeadFacts(NamedTuple):
    """A request as it was read: no fault was found."""

    as_of_us: int
    created_us: int | None
    ready: dict[str, Normalised] | None
    activities: ActivityColumns | None


def score_lead(model: ServedModel, body: LeadBody, now_us: int, strict: bool) -> ScoredLead:
    """Read a lead's signals and score it.

    `now_us` is used if the request names no ``as_of``. With `strict` names that no signal reads are
    faults instead of warnings. Raises Problem: 422 with every fault and its place.
    """
    warnings: list[RequestWarning] = []
    facts = _read_facts(model, body, now_us, strict, warnings)
    try:
        signals = model.reader.read_signals(
            body.profile, facts.activities, as_of_us=facts.as_of_us, created_us=facts.created_us,
            ready=facts.ready,
        )  # fmt: skip
    except ReadyConflict as conflict:
        raise Problem(422, _UNFIT, [
            Fault(join_pointer("signals", column), "both a ready value and activities that feed it")
            for column in conflict.columns
        ]) from None  # fmt: skip
    except ValueError as error:
        raise Problem(422, _UNFIT, list(_find_value_faults(model, body))) from error
    _drop_unsent_forms(model, body, facts, signals, warnings)
    _warn_of_facts(model, body, facts, warnings)
    _warn_of_values(model, body, signals, warnings)
    score = model.scorer.score(signals, body.previous_band)
    return rate_score(model, signals, score, facts.as_of_us, facts.created_us, warnings)


def _read_facts(
    model: ServedModel, body: LeadBody, now_us: int, strict: bool, warnings: list[RequestWarning]
) -> _LeadFacts:
    faults: list[Fault] = []
    unused: UnusedNames = {}
    _check_profile(model, body, unused, faults)
    as_of_us = _read_time("as_of", body.as_of, faults)
    created_us = _read_time("created_at", body.created_at, faults)
    if not 1 <= len(body.lead_id) <= LONGEST_ID or "\0" in body.lead_id:
        faults.append(Fault("/lead_id", f"1 to {LONGEST_ID} characters without NUL are expected"))
    ready = _read_ready(model, body, faults) if body.given_signals else None
    activities = None
    if body.activities is not None:
        if len(body.activities) > MOST_ACTIVITIES:
            faults.append(Fault("/activities", f"at most {MOST_ACTIVITIES:,} are taken"))
        else:
            activities, more = model.request_reader.read_activities(body.activities, unused)
            faults += more
    if strict:
        faults += [Fault(join_pointer(*at), _UNUSED[code]) for (code, _), at in unused.items()]
    if faults:
        raise Problem(422, _UNFIT, faults)
    if as_of_us is None:
        as_of_us = now_us
    elif as_of_us > now_us + FUTURE_US:
        warnings.append(_AS_OF_IN_FUTURE)
    if created_us is not None and created_us > as_of_us:
        warnings.append(_CREATED_LATER)
        created_us = as_of_us
    if unused:
        warnings += _warn_of_unused(unused)
    return _LeadFacts(as_of_us, created_us, ready, activities)


def _check_profile(
    model: ServedModel, body: LeadBody, unused: UnusedNames, faults: list[Fault]
) -> None:
    types = model.request_reader.field_types
    for name, value in body.profile.items():
        wanted = types.get(name)
        if wanted is None:
            unused["unread_field", name] = ("profile", name[:LONGEST_NAME])
        elif type(value) is not wanted:
            fault = find_type_fault(name, value, wanted, "profile")
            if fault is not None:
                faults.append(fault)


def _read_time(name: str, text: str | None, faults: list[Fault]) -> int | None:
    if text is None:
        return None
    try:
        return read_time(text)
    except ValueError as error:
        faults.append(Fault("/" + name, str(error)))
        return None


def _read_ready(model: ServedModel, body: LeadBody, faults: list[Fault]) -> dict[str, Normalised]:
    """Check the ready values; flags may be booleans, or 0 and 1 as a table of signals has them."""
    types, ready = model.request_reader.signal_types, dict[str, Normalised]()
    for column, value in body.signals.items():
        wanted = types.get(column)
        if wanted is None:
            faults.append(Fault(join_pointer("signals", column[:LONGEST_NAME]), "no such signal"))
        elif value is None:
            continue
        elif wanted is bool and type(value) is not str and value in (0, 1):
            ready[column] = float(value)
        elif fault := find_type_fault(column, value, wanted, "signals"):
            faults.append(fault)
        else:
            try:
                ready[column] = (normalise_text if wanted is str else normalise_number)(value)
            except ValueError as error:
                faults.append(Fault(join_pointer("signals", column), str(error)))
    return ready


def _find_value_faults(model: ServedModel, body: LeadBody) -> Iterator[Fault]:
    """Find the values that a reader refused, each with its place."""
    for name, normalise in model.request_reader.field_normalisers.items():
        try:
            normalise(body.profile.get(name))
        except ValueError as error:
            yield Fault(join_pointer("profile", name), str(error))


def _drop_unsent_forms(
    model: ServedModel,
    body: LeadBody,
    facts: _LeadFacts,
    signals: dict[str, Normalised],
    warnings: list[RequestWarning],
) -> None:
    """Make signals of a form missing if not all its fields were sent, unless they came ready."""
    for column, fields in model.forms:
        if not fields.issubset(body.profile) and column not in (facts.ready or ()):
            signals[column] = None
            warnings.append(_form_unknown(fields.difference(body.profile)))


def _warn_of_unused(unused: UnusedNames) -> list[RequestWarning]:
    found = [
        RequestWarning(code, _UNUSED[code], join_pointer(*place))
        for (code, _), place in list(unused.items())[:_MOST_WARNINGS]
    ]
    if len(unused) > _MOST_WARNINGS:
        found.append(
            RequestWarning("unread_more", f"and {len(unused) - _MOST_WARNINGS} more are not read")
        )
    return found


def _warn_of_facts(
    model: ServedModel, body: LeadBody, facts: _LeadFacts, warnings: list[RequestWarning]
) -> None:
    """Warn of what was not sent, or is late or old, and of what the model itself learned from."""
    if facts.activities is None:
        if not model.activity_columns <= body.signals.keys():
            warnings.append(_NO_ACTIVITIES)
    elif facts.activities.latest_us > facts.as_of_us:
        warnings.append(_LATER_ACTIVITIES)
    created_us, oldest_us = facts.created_us, model.oldest_us
    if created_us is None and model.age_columns and model.age_columns.isdisjoint(body.signals):
        warnings.append(_NO_AGE)
    if created_us is not None and oldest_us is not None and facts.as_of_us - created_us > oldest_us:
        warnings.append(_older_than_training(model.scorecard.training["oldest_days"]))
    if model.leaks:
        warnings.append(_LEAKS)


def _warn_of_values(
    model: ServedModel,
    body: LeadBody,
    signals: Mapping[str, Normalised],
    warnings: list[RequestWarning],
) -> None:
    """Warn of levels that the model has not met, and of fields that a ready value replaces."""
    for column, name, levels in model.levels:
        if signals[column] not in levels:
            is_ready = column in body.signals
            warnings.append(
                _level_not_met(*(("signals", column) if is_ready else ("profile", name)))
            )
    for column, value in body.signals.items():
        inputs = () if value is None else model.inputs.get(column, ())
        if any(body.profile.get(name) is not None for name in inputs):
            warnings.append(
                RequestWarning("ready_value_used", _READY_USED, join_pointer("signals", column))
            )


_UNUSED = {
    "unread_field": "no signal reads this field",
    "unread_kind": "no signal reads activities of this kind",
    "unread_property": "no signal reads this property",
}
_NOT_MET = "rare in training or never met: it counts as any other; is it misspelt?"
_READY_USED = "used in place of what the profile would give"
_AS_OF_IN_FUTURE = RequestWarning("as_of_in_future", "as_of lies in the future", "/as_of")
_CREATED_LATER = RequestWarning(
    "created_after_as_of", "created after as_of; its age counts as 0", "/created_at"
)
_LEAKS = RequestWarning("allowed_leaks", "the model learned from signals that its audit says leak")
_NO_ACTIVITIES = RequestWarning(
    "activities_unknown",
    "no activities were sent, so their signals are missing; send [] if there were none",
    "/activities",
)
_LATER_ACTIVITIES = RequestWarning(
    "later_activities", "activities after as_of, or recorded after it, were ignored", "/activities"
)
_NO_AGE = RequestWarning(
    "age_unknown", "no created_at was sent, so the lead's age is missing", "/created_at"
)


@cache
def _older_than_training(days: float) -> RequestWarning:
    detail = f"the model learned from leads of up to {days:g} days; this one is older"
    return RequestWarning("older_than_training", detail, "/created_at")


@lru_cache(256)  # there are as many as subsets of the form's fields
def _form_unknown(fields: frozenset[str]) -> RequestWarning:
    detail = (
        f"without {', '.join(sorted(fields))} it is not known how much of the form was filled in; "
        "send null for what was left blank"
    )
    return RequestWarning("form_unknown", detail, "/profile")


@cache
def _level_not_met(part: str, name: str) -> RequestWarning:
    return RequestWarning("level_not_met", _NOT_MET, join_pointer(part, name))
