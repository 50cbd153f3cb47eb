"""From a decoded request to signals and a score: what every route for one lead goes through."""

from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from typing import NamedTuple

import msgspec

from leadscore.models.score_lead import LeadScore
from leadscore.pipeline.signals.live.activities import ActivityColumns
from leadscore.pipeline.signals.live.reader import ReadyConflict
from leadscore.pipeline.values.fields import FieldSpec, Normalised, make_normaliser
from leadscore.serve.service.problems import Fault, Problem, join_pointer
from leadscore.serve.service.requests.decode import (
    LONGEST_ID,
    LONGEST_NAME,
    MOST_ACTIVITIES,
    LeadBody,
    find_type_faults,
)
from leadscore.serve.service.requests.reader import UnusedNames
from leadscore.serve.service.scorecards.served import ServedModel

FUTURE_US = 300_000_000
"""Clocks may differ by so much before a moment counts as one of the future: five minutes."""
_MOST_WARNINGS = 20
_TEXT = make_normaliser(FieldSpec())
_NUMBER = make_normaliser(FieldSpec(type="number"))
_UNFIT = "the request does not fit"


class RequestWarning(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something in a request that did not stop the score, and that its sender should know."""

    code: str
    detail: str
    pointer: str | None = None


class ScoredLead(NamedTuple):
    """A lead's signals and score, as of when, and what its sender should know."""

    signals: dict[str, Normalised]
    score: LeadScore
    as_of_us: int
    created_us: int | None
    warnings: list[RequestWarning]


def score_lead(model: ServedModel, body: LeadBody, now_us: int, strict: bool) -> ScoredLead:
    """Read a lead's signals and score it.

    Parameters
    ----------
    model : ServedModel
    body : LeadBody
    now_us : int
        Taken where the request names no ``as_of``.
    strict : bool
        Whether words that no signal reads are faults instead of warnings.

    Raises
    ------
    Problem
        422 with every fault and its place.
    """
    words, profile = model.vocabulary, body.profile
    faults: list[Fault] = []
    warnings: list[RequestWarning] = []
    unread: UnusedNames = {}
    plain = words.plain_fields.issuperset(zip(profile, map(type, profile.values()), strict=True))
    if not plain:
        faults += find_type_faults(profile, words.field_types, "profile")
        for name in profile:
            if name not in words.field_types:
                unread["unread_field", name] = ("profile", name[:LONGEST_NAME])
    as_of_us = _read_time(model, "as_of", body.as_of, faults)
    created_us = _read_time(model, "created_at", body.created_at, faults)
    if not 1 <= len(body.lead_id) <= LONGEST_ID or "\0" in body.lead_id:
        faults.append(Fault("/lead_id", f"1 to {LONGEST_ID} characters without NUL are expected"))
    ready = _read_ready(model, body, faults) if body.given_signals else None
    activities = None
    if body.activities is not None:
        if len(body.activities) > MOST_ACTIVITIES:
            faults.append(Fault("/activities", f"at most {MOST_ACTIVITIES:,} are taken"))
        else:
            activities, more = words.read_activities(body.activities, unread)
            faults += more
    if strict:
        faults += [
            Fault(join_pointer(*place), _UNREAD[code]) for (code, _), place in unread.items()
        ]
    if faults:
        raise Problem(422, _UNFIT, faults)
    if as_of_us is None:
        as_of_us = now_us
    elif as_of_us > now_us + FUTURE_US:
        warnings.append(RequestWarning("as_of_in_future", "as_of lies in the future", "/as_of"))
    if created_us is not None and created_us > as_of_us:
        warnings.append(
            RequestWarning(
                "created_after_as_of", "created after as_of; its age counts as 0", "/created_at"
            )
        )
        created_us = as_of_us
    try:
        signals = model.reader.read_signals(
            profile, activities, as_of_us=as_of_us, created_us=created_us, ready=ready
        )
    except ReadyConflict as conflict:
        raise Problem(422, _UNFIT, [
            Fault(join_pointer("signals", column), "both a ready value and activities that feed it")
            for column in conflict.columns
        ]) from None  # fmt: skip
    except ValueError as error:
        raise Problem(422, _UNFIT, list(_find_value_faults(model, body))) from error
    for column, fields in model.forms:
        if not fields.issubset(profile) and (ready is None or column not in ready):
            signals[column] = None
            warnings.append(_tell_not_sent(fields.difference(profile)))
    if unread:
        warnings += _warn_unread(unread)
    _warn(model, body, warnings, as_of_us, created_us, activities)
    _warn_values(model, body, signals, warnings)
    return ScoredLead(
        signals, model.scorer.score(signals, body.previous_band), as_of_us, created_us, warnings
    )


def _read_time(model: ServedModel, name: str, text: str | None, faults: list[Fault]) -> int | None:
    if text is None:
        return None
    try:
        return model.vocabulary.read_time(text)
    except ValueError as error:
        faults.append(Fault("/" + name, str(error)))
        return None


def _read_ready(model: ServedModel, body: LeadBody, faults: list[Fault]) -> dict[str, Normalised]:
    """Check the ready values; flags may be booleans, or 0 and 1 as a table of signals has them."""
    types, ready = model.vocabulary.signal_types, dict[str, Normalised]()
    for column, value in body.signals.items():
        wanted = types.get(column)
        if wanted is None:
            faults.append(Fault(join_pointer("signals", column[:LONGEST_NAME]), "no such signal"))
        elif value is None:
            continue
        elif wanted is bool and type(value) is not str and value in (0, 1):
            ready[column] = float(value)
        elif type(value) is not wanted and not (wanted is float and type(value) is int):
            faults += find_type_faults({column: value}, types, "signals")
        else:
            try:
                ready[column] = (_TEXT if wanted is str else _NUMBER)(value)
            except ValueError as error:
                faults.append(Fault(join_pointer("signals", column), str(error)))
    return ready


_UNREAD = {
    "unread_field": "no signal reads this field",
    "unread_kind": "no signal reads activities of this kind",
    "unread_property": "no signal reads this property",
}


def _find_value_faults(model: ServedModel, body: LeadBody) -> Iterable[Fault]:
    """Look for the values that a reader refused, to tell each with its place."""
    for name, normalise in model.vocabulary.field_normalisers.items():
        try:
            normalise(body.profile.get(name))
        except ValueError as error:
            yield Fault(join_pointer("profile", name), str(error))


def _warn_unread(unread: UnusedNames) -> list[RequestWarning]:
    told = [
        RequestWarning(code, _UNREAD[code], join_pointer(*place))
        for (code, _), place in list(unread.items())[:_MOST_WARNINGS]
    ]
    if len(unread) > _MOST_WARNINGS:
        told.append(
            RequestWarning("unread_more", f"and {len(unread) - _MOST_WARNINGS} more are not read")
        )
    return told


def _warn(
    model: ServedModel,
    body: LeadBody,
    warnings: list[RequestWarning],
    as_of_us: int,
    created_us: int | None,
    activities: ActivityColumns | None,
) -> None:
    if activities is None:
        if not model.activity_columns <= body.signals.keys():
            warnings.append(_NO_ACTIVITIES)
    elif activities.latest_us > as_of_us:
        warnings.append(_LATER)
    if created_us is None and model.age_columns and model.age_columns.isdisjoint(body.signals):
        warnings.append(_NO_AGE)
    oldest = model.oldest_us
    if oldest is not None and created_us is not None and as_of_us - created_us > oldest:
        warnings.append(_tell_older(model.scorecard.training["oldest_days"]))
    if model.leaks:
        warnings.append(_LEAKS)


def _warn_values(
    model: ServedModel,
    body: LeadBody,
    signals: Mapping[str, Normalised],
    warnings: list[RequestWarning],
) -> None:
    """Warn of levels that the model has not met, and of fields that a ready value stands for."""
    for column, name, levels in model.levels:
        if signals[column] not in levels:
            brought = column in body.signals
            warnings.append(_tell_not_met(*(("signals", column) if brought else ("profile", name))))
    for column, value in body.signals.items() if body.given_signals else ():
        inputs = () if value is None else model.inputs.get(column, ())
        if any(body.profile.get(name) is not None for name in inputs):
            warnings.append(
                RequestWarning("ready_value_used", _READY, join_pointer("signals", column))
            )


_NOT_MET = "rare in training or never met: it counts as any other; is it misspelt?"
_READY = "used in place of what the profile would give"


@cache
def _tell_older(days: float) -> RequestWarning:
    told = f"the model learned from leads of up to {days:g} days; this one is older"
    return RequestWarning("older_than_training", told, "/created_at")


@lru_cache(256)  # there are as many as subsets of the form's fields
def _tell_not_sent(fields: frozenset[str]) -> RequestWarning:
    told = f"without {', '.join(sorted(fields))} it is not known how much of the form was filled in"
    return RequestWarning("form_unknown", f"{told}; send null for what was left blank", "/profile")


@cache
def _tell_not_met(part: str, name: str) -> RequestWarning:
    return RequestWarning("level_not_met", _NOT_MET, join_pointer(part, name))


_LEAKS = RequestWarning("allowed_leaks", "the model learned from signals that its audit says leak")
_NO_ACTIVITIES = RequestWarning(
    "activities_unknown",
    "no activities were sent, so their signals are missing; send [] if there were none",
    "/activities",
)
_LATER = RequestWarning(
    "later_activities", "activities after as_of, or recorded after it, were ignored", "/activities"
)
_NO_AGE = RequestWarning(
    "age_unknown", "no created_at was sent, so the lead's age is missing", "/created_at"
)
