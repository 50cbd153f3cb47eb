"""Describe a signal in words that sales people can read."""

from leadscore.pipeline.signals.catalog import Signal
from leadscore.pipeline.signals.kinds import (
    ActiveDaysSignal,
    ActivityFilter,
    Condition,
    CountSignal,
    DaysSinceSignal,
    DecayedSignal,
    LeadAgeSignal,
    ProfileSignal,
    PropertySignal,
    RateSignal,
    TextSignal,
    TouchSignal,
)

_TEXTS = {
    "title_seniority": "how high the job title in {0} stands",
    "title_function": "the function that the job title in {0} names",
    "mail_kind": "whether the address in {0} is of a business, free, disposable or a role's",
    "mail_company": "how the address in {0} fits the company in {1}",
    "message_length": "the number of characters in {0}",
    "message_language": "the language of {0}",
    "no_capitals": "whether {any} was typed without capitals",
    "keyboard_walk": "whether {any} has five neighbouring keys in a row",
    "gibberish": "whether {any} has a word that nobody could pronounce",
    "digits": "whether {any} has a digit",
    "completeness": "the share filled in of {all}",
    "pattern_mismatch": "how many answers in {all} do not look as asked for",
}


def describe_signal(signal: Signal) -> str:
    """Return the definition of a signal in words.

    Examples
    --------
    >>> from leadscore.pipeline.signals.kinds import CountSignal
    >>> visits = CountSignal(family="web", kind="count", activity="visit", window_days=7)
    >>> describe_signal(Signal(name="visits_7d", declaration=visits))
    'how many visit in the last 7 days'
    """
    declared = signal.declaration
    match declared:
        case ProfileSignal():
            return f"the {declared.kind} in the profile's {signal.stored}"
        case TextSignal():
            one, *others = declared.inputs
            return _TEXTS[declared.kind].format(
                one, *others, any=" or ".join(declared.inputs), all=", ".join(declared.inputs)
            )
        case LeadAgeSignal():
            return "days since the lead was created"
        case CountSignal():
            return f"how many {_what(declared)}{_window(declared.window_days)}"
        case ActiveDaysSignal():
            return f"on how many days {_what(declared)}{_window(declared.window_days)}"
        case DecayedSignal(half_life_days=None):
            days = _days(declared.linear_days or 0.0)
            return f"how many {_what(declared)}, each counting less until nothing after {days}"
        case DecayedSignal():
            days = _days(declared.half_life_days or 0.0)
            return f"how many {_what(declared)}, each counting half as much after every {days}"
        case DaysSinceSignal():
            return f"days since the last {_what(declared)}"
        case RateSignal():
            window = _window(declared.window_days)
            return f"share of {_what(declared.part)} per {_what(declared.whole)}{window}"
        case PropertySignal():
            word = {"sum": "sum of", "max": "largest", "last": "last known"}[declared.kind]
            window = _window(declared.window_days)
            return f"{word} {declared.property} of {_what(declared)}{window}"
        case TouchSignal():
            word = "first" if declared.kind == "first_touch" else "last"
            what = "kind" if declared.property is None else f"known {declared.property}"
            return f"{word} {what} of {_what(declared)}{_window(declared.window_days)}"


def _what(filter_: ActivityFilter) -> str:
    kinds = "activities" if filter_.activity is None else " or ".join(filter_.activity)
    tests = [f"{name} {_condition(condition)}" for name, condition in filter_.where.items()]
    return f"{kinds} with {' and '.join(tests)}" if tests else kinds


def _condition(condition: Condition) -> str:
    if condition.values is not None:
        return " or ".join(map(_value, condition.values))
    low = [] if condition.min is None else [f"from {_value(condition.min)}"]
    high = [] if condition.max is None else [f"up to {_value(condition.max)}"]
    return " ".join([*low, *high])


def _value(value: str | bool | float) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def _window(window_days: float | None) -> str:
    return "" if window_days is None else f" in the last {_days(window_days)}"


def _days(days: float) -> str:
    return "day" if days == 1.0 else f"{days:g} days"
