"""Who the leads are: the facts of each lead, as codes, and what they are worth.

What a fact is worth is added to the logarithm of the lead's daily chance of being won. The worths
are the truth of the world; no model sees them.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from leadscore.pipeline.demo.job_titles import FUNCTIONS, LANGUAGES, LEVELS, has_titles
from leadscore.pipeline.demo.tables import Codes, Flags, Floats, read_column

BEGIN_S = 1_704_067_200
"""2024-01-01T00:00:00Z, in seconds."""

DAYS = 730
DAY_S = 86_400
EXTRACT_S = BEGIN_S + DAYS * DAY_S
OFFER_CHANGED_S = BEGIN_S + 210 * DAY_S
SMALL = 20.0
"""The changed offer is for companies of fewer employees."""

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

_SPAM_MAIL = (0.05, 0.40, 0.0, 0.55)


@dataclass(frozen=True)
class _Fact:
    """The values of one fact, from the list of facts: their shares, and what each is worth."""

    names: tuple[str, ...]
    shares: Floats
    worths: Floats

    @classmethod
    def read(cls, fact: str) -> "_Fact":
        names = read_column("facts", "value", fact=fact)
        return cls(names, _read_numbers(fact, "share"), _read_numbers(fact, "worth"))

    def draw(self, random: np.random.Generator, count: int) -> Codes:
        return random.choice(len(self.names), count, p=self.shares / self.shares.sum())


def _read_numbers(fact: str, column: str) -> Floats:
    return np.array([float(text) for text in read_column("facts", column, fact=fact)])


_FACTS = {
    name: _Fact.read(name)
    for name in ("country", "level", "function", "industry", "source", "form", "topic", "message",
                 "mail")
}  # fmt: skip
COUNTRIES, INDUSTRIES, SOURCES, FORMS, TOPICS, MESSAGES, MAILS = (
    _FACTS[name].names
    for name in ("country", "industry", "source", "form", "topic", "message", "mail")
)
LANGUAGE_OF_COUNTRY = np.array([LANGUAGES.index(x) for x in read_column("countries", "language")])
ZONE_HOURS = np.array([int(hours) for hours in read_column("countries", "zone_hours")])
"""Hours from UTC to the local time, by country; summer time does not count."""


@dataclass(frozen=True)
class Facts:
    """The facts of n leads, one array each; codes are places in the tuples of their names.

    `score` is the sum of the worths before a change of jobs, `score_after` after it. From
    `change_day` of the chain on the second counts; it is -1 for leads that do not change their job.
    `seeker` is the chance that the lead looks for a job and not for a product, `never_called` the
    chance that sales never call. `exposure` scales how much the lead does.
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
    """Draw the sorted seconds of UTC of creation; August is quiet, and the numbers grow slowly."""
    day = np.arange(DAYS)
    weekday = np.array([1.15, 1.2, 1.15, 1.1, 1.0, 0.5, 0.5])[day % 7]  # 2024 began on a Monday
    season = 1.0 + 0.1 * np.cos(2.0 * np.pi * (day - 60) / 365.25)
    season[(day % 366 >= 213) & (day % 366 < 243)] *= 0.8
    weight = weekday * season * (1.0 + 0.2 * day / DAYS)
    days = random.choice(DAYS, leads, p=weight / weight.sum())
    created = BEGIN_S + days * DAY_S + draw_time_of_day(random, leads)
    return np.sort(created).astype(np.int64)


def draw_time_of_day(random: np.random.Generator, count: int) -> Codes:
    """Draw seconds since midnight: mostly in the morning and afternoon, some in the evening."""
    hour = np.where(
        random.random(count) < 0.8,
        random.normal(12.5, 3.0, count),
        random.normal(20.5, 1.5, count),
    )
    return (np.mod(hour, 24.0) * 3600.0).astype(np.int64) % DAY_S


def draw_facts(random: np.random.Generator, created: Codes) -> Facts:
    """Draw the facts of leads that were created at these seconds."""
    count = len(created)
    spam = random.random(count) < SPAM_SHARE
    level = _FACTS["level"].draw(random, count)
    function = _draw_function(random, level)
    change_day = np.where(
        (random.random(count) < JOB_CHANGE_SHARE) & ~spam, random.integers(2, 120, count), -1
    )
    rises = np.maximum(level - 1, 1)  # up a step, never to owner
    new_level = np.where(random.random(count) < 0.7, rises, _FACTS["level"].draw(random, count))
    new_level = np.where((level >= LEVELS.index("student")), LEVELS.index("junior"), new_level)
    new_function = _draw_function(random, new_level)
    source = _draw_source(random, created)
    form = _FACTS["form"].draw(random, count)
    newsletter = form == FORMS.index("newsletter")
    topic = np.where(newsletter, TOPICS.index(""), _FACTS["topic"].draw(random, count))
    message = np.where(newsletter, 0, _FACTS["message"].draw(random, count))
    mail = _FACTS["mail"].draw(random, count)
    mail = np.where(spam, random.choice(len(MAILS), count, p=_SPAM_MAIL), mail)
    drawn = {
        "country": _FACTS["country"].draw(random, count),
        "industry": _FACTS["industry"].draw(random, count),
        "employees": np.round(np.exp(random.normal(4.2, 1.6, count))) + 1.0,
        "phone": random.random(count) < np.where(newsletter, 0.15, 0.6),
        "opt_in": random.random(count) < 0.45,
        "own_domain": random.random(count) < 0.85,
        "followers": np.round(np.exp(random.normal(5.3, 1.3, count))),
        "source": source, "form": form, "topic": topic, "message": message, "mail": mail,
    }  # fmt: skip
    common = _add_worths(created, drawn, spam)
    worth_of_level, worth_of_function = _FACTS["level"].worths, _FACTS["function"].worths
    return Facts(
        created=created, level=level, function=function, spam=spam, change_day=change_day,
        new_level=new_level, new_function=new_function,
        score=common + worth_of_level[level] + worth_of_function[function],
        score_after=common + worth_of_level[new_level] + worth_of_function[new_function],
        seeker=_read_numbers("level", "seekers")[level],
        never_called=np.where(spam, 0.9, _read_numbers("source", "never_called")[source]),
        exposure=np.where(spam, 0.15, 1.0),
        **drawn,
    )  # fmt: skip


def _add_worths(
    created: Codes, drawn: Mapping[str, npt.NDArray[np.generic]], spam: Flags
) -> Floats:
    """Add up the worths of all facts but the job."""
    total = np.full(len(created), _BASE) + _SPAM_WORTH * spam
    for name in ("country", "industry", "source", "form", "topic", "message", "mail"):
        total += _FACTS[name].worths[drawn[name].astype(np.int64)]
    employees = drawn["employees"].astype(np.float64)
    total += _HUMP_WORTH * np.exp(-(((np.log(employees) - 5.0) / 1.3) ** 2))
    total += _OFFER_WORTH * ((employees < SMALL) & (created >= OFFER_CHANGED_S))
    total += _REACH_WORTH * (np.log10(drawn["followers"].astype(np.float64) + 1.0) - 2.3)
    total += _PHONE_WORTH * drawn["phone"].astype(np.float64)
    total += _OPT_IN_WORTH * drawn["opt_in"].astype(np.float64)
    foreign = ~drawn["own_domain"].astype(bool) & (drawn["mail"] == MAILS.index("business"))
    return np.asarray(total + _OTHER_DOMAIN_WORTH * foreign, np.float64)


def _draw_source(random: np.random.Generator, created: Codes) -> Codes:
    """Draw the sources of leads; the shares move slowly and evenly over the two years."""
    first, last = _FACTS["source"].shares, _read_numbers("source", "last_share")
    part = ((created - BEGIN_S) / (DAYS * DAY_S))[:, None]
    edges = np.cumsum(first / first.sum() * (1.0 - part) + last / last.sum() * part, axis=1)
    found = (random.random(len(created))[:, None] > edges).sum(axis=1)
    return np.asarray(np.minimum(found, len(SOURCES) - 1), np.int64)


def _draw_function(random: np.random.Generator, level: Codes) -> Codes:
    """Draw a function that exists at each level."""
    shares = _FACTS["function"].shares
    table = np.zeros((len(LEVELS), len(FUNCTIONS)))
    for row, name in enumerate(LEVELS):
        possible = np.array([has_titles(name, function) for function in FUNCTIONS])
        weights = np.where(possible, np.maximum(shares, 1e-9), 0.0)
        if name == "executive":
            weights[FUNCTIONS.index("management")] = weights.sum()
        table[row] = np.cumsum(weights / weights.sum())
    found = (random.random(len(level))[:, None] > table[level]).sum(axis=1)
    return np.asarray(np.minimum(found, len(FUNCTIONS) - 1), np.int64)
