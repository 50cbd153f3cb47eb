"""Who the leads are: the facts of each, as codes, and what they are worth.

What a fact is worth is added to the logarithm of the lead's daily chances of being won. The worths
are the world's truth; no model is told them.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from leadscore.pipeline.demo.job_titles import FUNCTIONS, LANGUAGES, LEVELS, exists

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

BEGIN_S = 1_704_067_200
"""2024-01-01T00:00:00Z, in seconds."""

DAYS = 730
DAY_S = 86_400
EXTRACT_S = BEGIN_S + DAYS * DAY_S
OFFER_CHANGED_S = BEGIN_S + 210 * DAY_S
SMALL = 20.0
"""Companies below so many employees are who the changed offer is for."""

SPAM_SHARE = 0.06
JOB_CHANGE_SHARE = 0.04  # of all leads; about half of them close, or the extract comes, before it

_BASE = -2.4
_SPAM_WORTH = -9.0
_OFFER_WORTH = 0.15
_HUMP_WORTH = 1.5
_REACH_WORTH = 1.0
_PHONE_WORTH = 0.6
_OPT_IN_WORTH = 0.7
_OTHER_DOMAIN_WORTH = -0.8

# Each level: its share, or its shares at the beginning and at the end of the two years; its worth.
_COUNTRY = {"ES": (0.24, 0.15), "MX": (0.10, -0.15), "AR": (0.06, -0.7), "CO": (0.05, -0.5),
            "CL": (0.05, 0.0), "FR": (0.15, 0.0), "US": (0.19, 0.7), "GB": (0.12, 0.5),
            "IE": (0.04, 0.5)}  # fmt: skip
_LEVEL = {"owner": (0.09, 1.2), "executive": (0.08, 1.2), "director": (0.12, 0.9),
          "manager": (0.22, 0.5), "senior": (0.14, 0.0), "staff": (0.20, -0.35),
          "junior": (0.07, -1.0), "student": (0.05, -2.05),
          "not_working": (0.03, -2.05)}  # fmt: skip
_FUNCTION = {"management": (0.0, 0.35), "sales": (0.14, 0.7), "marketing": (0.16, 0.9),
             "finance": (0.09, 0.0), "people": (0.08, -0.5), "technology": (0.14, 0.7),
             "engineering": (0.07, -0.35), "operations": (0.11, 0.15), "product": (0.05, 0.35),
             "design": (0.05, -0.7), "legal": (0.04, -1.0), "support": (0.07, -0.5),
             "other": (0.0, 0.0)}  # fmt: skip
_INDUSTRY = {"software": (0.20, 1.0), "manufacturing": (0.16, 0.5), "retail": (0.15, -0.35),
             "health": (0.11, 0.0), "finance": (0.10, 0.7), "logistics": (0.10, 0.35),
             "education": (0.09, -0.9), "public": (0.09, -1.2)}  # fmt: skip
_SOURCE = {"search": (0.33, 0.37, 0.15), "partner": (0.08, 0.10, 1.0), "event": (0.08, 0.07, 0.7),
           "webinar": (0.10, 0.12, 0.5), "social": (0.13, 0.12, -0.15),
           "advert": (0.16, 0.13, -0.5),
           "list": (0.12, 0.09, -0.9)}  # fmt: skip
_FORM = {"contact": (0.45, 0.15), "demo": (0.25, 0.9), "newsletter": (0.30, -0.7)}
_TOPIC = {"price": (0.22, 0.9), "demo": (0.23, 0.9), "information": (0.35, 0.0),
          "support": (0.10, -1.0), "other": (0.10, -0.7), "": (0.0, -0.15)}  # fmt: skip
_MESSAGE = {"none": (0.3, -0.35), "short": (0.4, 0.0), "long": (0.3, 0.55)}
_MAIL = {"business": (0.62, 0.35), "free": (0.29, -1.0), "role": (0.085, -0.5),
         "disposable": (0.005, -2.05)}  # fmt: skip
_NEVER_CALLED = {"search": 0.12, "partner": 0.03, "event": 0.06, "webinar": 0.10, "social": 0.16,
                 "advert": 0.22, "list": 0.35}  # fmt: skip
_SEEKERS = {"junior": 0.08, "student": 0.4, "not_working": 0.5}
_OTHER_SEEKERS = 0.015
_SPAM_MAIL = (0.05, 0.40, 0.0, 0.55)

COUNTRIES, INDUSTRIES, SOURCES = tuple(_COUNTRY), tuple(_INDUSTRY), tuple(_SOURCE)
FORMS, TOPICS, MESSAGES, MAILS = tuple(_FORM), tuple(_TOPIC), tuple(_MESSAGE), tuple(_MAIL)
_LANGUAGE_OF = {"FR": "fr", "US": "en", "GB": "en", "IE": "en"}
LANGUAGE_OF_COUNTRY = np.array([LANGUAGES.index(_LANGUAGE_OF.get(c, "es")) for c in COUNTRIES])
ZONE_HOURS = np.array([1, -6, -3, -5, -4, 1, -5, 0, 0])
"""Hours from UTC to the clock on the wall, by country; summer time aside."""


@dataclass(frozen=True)
class Facts:
    """What is true of n leads, one array each; codes are places in the tuples of their names.

    `score` is the sum of the worths before a change of jobs, `score_after` after it; `change_day`
    is the day of the chain from which the second counts, -1 for leads that change none. `seeker` is
    the chance of being after a job and not a product, `never_called` that sales never call.
    `exposure` scales all that the lead does.
    """

    created: Codes
    country: Codes
    level: Codes
    function: Codes
    industry: Codes
    employees: Floats
    source: Codes
    form: Codes
    topic: Codes
    message: Codes
    phone: Flags
    opt_in: Flags
    mail: Codes
    own_domain: Flags
    followers: Floats
    spam: Flags
    change_day: Codes
    new_level: Codes
    new_function: Codes
    score: Floats
    score_after: Floats
    seeker: Floats
    never_called: Floats
    exposure: Floats

    def __len__(self) -> int:
        """Return the number of leads."""
        return len(self.created)


def draw_creations(random: np.random.Generator, leads: int) -> Codes:
    """Draw when each lead was created, in seconds of UTC, increasing; a quiet August, slow growth.

    Parameters
    ----------
    random : Generator
    leads : int

    Returns
    -------
    int64 array of shape (leads,)
    """
    day = np.arange(DAYS)
    weekday = np.array([1.15, 1.2, 1.15, 1.1, 1.0, 0.5, 0.5])[day % 7]  # 2024 began on a Monday
    season = 1.0 + 0.1 * np.cos(2.0 * np.pi * (day - 60) / 365.25)
    season[(day % 366 >= 213) & (day % 366 < 243)] *= 0.8
    weight = weekday * season * (1.0 + 0.2 * day / DAYS)
    days = random.choice(DAYS, leads, p=weight / weight.sum())
    created = BEGIN_S + days * DAY_S + draw_time_of_day(random, leads)
    return np.sort(created).astype(np.int64)


def draw_time_of_day(random: np.random.Generator, count: int) -> Codes:
    """Draw seconds since midnight: the morning and the early afternoon, some of the evening."""
    hour = np.where(
        random.random(count) < 0.8,
        random.normal(12.5, 3.0, count),
        random.normal(20.5, 1.5, count),
    )
    return (np.mod(hour, 24.0) * 3600.0).astype(np.int64) % DAY_S


def draw_facts(random: np.random.Generator, created: Codes) -> Facts:
    """Draw the facts of leads created at these seconds.

    Parameters
    ----------
    random : Generator
    created : int64 array of shape (n,)

    Returns
    -------
    Facts
    """
    count = len(created)
    spam = random.random(count) < SPAM_SHARE
    level, function = _draw_job(random, count)
    change_day = np.where(
        (random.random(count) < JOB_CHANGE_SHARE) & ~spam, random.integers(2, 120, count), -1
    )
    rises = np.maximum(level - 1, 1)  # up a step, never to owner
    new_level = np.where(random.random(count) < 0.7, rises, _draw(random, _LEVEL, count))
    new_level = np.where((level >= LEVELS.index("student")), LEVELS.index("junior"), new_level)
    new_function = _draw_function(random, new_level)
    source = _draw_source(random, created)
    form = _draw(random, _FORM, count)
    newsletter = form == FORMS.index("newsletter")
    topic = np.where(newsletter, TOPICS.index(""), _draw(random, _TOPIC, count))
    message = np.where(newsletter, 0, _draw(random, _MESSAGE, count))
    mail = _draw(random, _MAIL, count)
    mail = np.where(spam, random.choice(len(MAILS), count, p=_SPAM_MAIL), mail)
    drawn = {
        "country": _draw(random, _COUNTRY, count),
        "industry": _draw(random, _INDUSTRY, count),
        "employees": np.round(np.exp(random.normal(4.2, 1.6, count))) + 1.0,
        "phone": random.random(count) < np.where(newsletter, 0.15, 0.6),
        "opt_in": random.random(count) < 0.45,
        "own_domain": random.random(count) < 0.85,
        "followers": np.round(np.exp(random.normal(5.3, 1.3, count))),
        "source": source, "form": form, "topic": topic, "message": message, "mail": mail,
    }  # fmt: skip
    common = _add_worths(created, drawn, spam)
    seekers = np.array([_SEEKERS.get(name, _OTHER_SEEKERS) for name in LEVELS])
    never = np.array(list(_NEVER_CALLED.values()))
    return Facts(
        created=created, level=level, function=function, spam=spam, change_day=change_day,
        new_level=new_level, new_function=new_function,
        score=common + _worth(_LEVEL)[level] + _worth(_FUNCTION)[function],
        score_after=common + _worth(_LEVEL)[new_level] + _worth(_FUNCTION)[new_function],
        seeker=seekers[level],
        never_called=np.where(spam, 0.9, never[source]),
        exposure=np.where(spam, 0.15, 1.0),
        **drawn,
    )  # fmt: skip


def _add_worths(
    created: Codes, drawn: Mapping[str, npt.NDArray[np.generic]], spam: Flags
) -> Floats:
    """Add up all but the job's worth."""
    tables: dict[str, Mapping[str, tuple[float, ...]]] = {
        "country": _COUNTRY, "industry": _INDUSTRY, "source": _SOURCE, "form": _FORM,
        "topic": _TOPIC, "message": _MESSAGE, "mail": _MAIL,
    }  # fmt: skip
    total = np.full(len(created), _BASE) + _SPAM_WORTH * spam
    for name, table in tables.items():
        total += _worth(table)[drawn[name].astype(np.int64)]
    employees = drawn["employees"].astype(np.float64)
    total += _HUMP_WORTH * np.exp(-(((np.log(employees) - 5.0) / 1.3) ** 2))
    total += _OFFER_WORTH * ((employees < SMALL) & (created >= OFFER_CHANGED_S))
    total += _REACH_WORTH * (np.log10(drawn["followers"].astype(np.float64) + 1.0) - 2.3)
    total += _PHONE_WORTH * drawn["phone"].astype(np.float64)
    total += _OPT_IN_WORTH * drawn["opt_in"].astype(np.float64)
    foreign = ~drawn["own_domain"].astype(bool) & (drawn["mail"] == MAILS.index("business"))
    return np.asarray(total + _OTHER_DOMAIN_WORTH * foreign, np.float64)


def _worth(table: Mapping[str, tuple[float, ...]]) -> Floats:
    return np.array([entry[-1] for entry in table.values()])


def _draw(random: np.random.Generator, table: Mapping[str, tuple[float, ...]], count: int) -> Codes:
    shares = np.array([entry[0] for entry in table.values()])
    return random.choice(len(table), count, p=shares / shares.sum())


def _draw_source(random: np.random.Generator, created: Codes) -> Codes:
    """Draw where leads come from; the shares move slowly and evenly over the two years."""
    first, last, _ = np.array(list(_SOURCE.values())).T
    part = ((created - BEGIN_S) / (DAYS * DAY_S))[:, None]
    edges = np.cumsum(first / first.sum() * (1.0 - part) + last / last.sum() * part, axis=1)
    found = (random.random(len(created))[:, None] > edges).sum(axis=1)
    return np.asarray(np.minimum(found, len(_SOURCE) - 1), np.int64)


def _draw_job(random: np.random.Generator, count: int) -> tuple[Codes, Codes]:
    level = _draw(random, _LEVEL, count)
    return level, _draw_function(random, level)


def _draw_function(random: np.random.Generator, level: Codes) -> Codes:
    """Draw a function that exists at each level."""
    shares = np.array([entry[0] for entry in _FUNCTION.values()])
    table = np.zeros((len(LEVELS), len(FUNCTIONS)))
    for row, name in enumerate(LEVELS):
        possible = np.array([exists(name, function) for function in FUNCTIONS])
        weights = np.where(possible, np.maximum(shares, 1e-9), 0.0)
        if name == "executive":
            weights[FUNCTIONS.index("management")] = weights.sum()
        table[row] = np.cumsum(weights / weights.sum())
    found = (random.random(len(level))[:, None] > table[level]).sum(axis=1)
    return np.asarray(np.minimum(found, len(FUNCTIONS) - 1), np.int64)
