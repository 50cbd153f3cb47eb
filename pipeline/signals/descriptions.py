"""The definitions of signals in words, for people in sales."""

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
    "title_seniority": "the seniority of the job title in {0}",
    "title_function": "the function that the job title in {0} names",
    "mail_kind": "whether the address in {0} is a business, free, disposable or role address",
    "mail_company": "how the address in {0} fits the company in {1}",
    "message_length": "the number of characters in {0}",
    "message_language": "the language of {0}",
    "no_capitals": "whether {any} was typed without capitals",
    "keyboard_walk": "whether {any} has five neighbouring keys in a row",
    "gibberish": "whether {any} has a word that cannot be pronounced",
    "digits": "whether {any} has a digit",
    "completeness": "the share filled in of {all}",
    "pattern_mismatch": "how many answers in {all} do not have the expected form",
}


def describe_signal(signal: Signal) -> str:
    """Return the definition of a signal in words.

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
            return f"how many {_activities(declared)}{_window(declared.window_days)}"
        case ActiveDaysSignal():
            return f"on how many days {_activities(declared)}{_window(declared.window_days)}"
        case DecayedSignal(half_life_days=None):
            what, days = _activities(declared), _days(declared.linear_days or 0.0)
            return f"how many {what}, each counting less until nothing after {days}"
        case DecayedSignal():
            what, days = _activities(declared), _days(declared.half_life_days or 0.0)
            return f"how many {what}, each counting half as much after every {days}"
        case DaysSinceSignal():
            return f"days since the last {_activities(declared)}"
        case RateSignal():
            window = _window(declared.window_days)
            part, whole = _activities(declared.part), _activities(declared.whole)
            return f"share of {part} per {whole}{window}"
        case PropertySignal():
            word = {"sum": "sum of", "max": "largest", "last": "last known"}[declared.kind]
            activities = f"{_activities(declared)}{_window(declared.window_days)}"
            return f"{word} {declared.property} of {activities}"
        case TouchSignal():
            word = "first" if declared.kind == "first_touch" else "last"
            what = "kind" if declared.property is None else f"known {declared.property}"
            return f"{word} {what} of {_activities(declared)}{_window(declared.window_days)}"


def _activities(filter_: ActivityFilter) -> str:
    kinds = "activities" if filter_.activity is None else " or ".join(filter_.activity)
    tests = [f"{name} {_describe_condition(test)}" for name, test in filter_.where.items()]
    return f"{kinds} with {' and '.join(tests)}" if tests else kinds


def _describe_condition(condition: Condition) -> str:
    if condition.values is not None:
        return " or ".join(map(_write_value, condition.values))
    low = [] if condition.min is None else [f"from {_write_value(condition.min)}"]
    high = [] if condition.max is None else [f"up to {_write_value(condition.max)}"]
    return " ".join([*low, *high])


def _write_value(value: str | bool | float) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def _window(window_days: float | None) -> str:
    return "" if window_days is None else f" in the last {_days(window_days)}"


def _days(days: float) -> str:
    return "day" if days == 1.0 else f"{days:g} days"
