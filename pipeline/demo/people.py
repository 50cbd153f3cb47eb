"""The leads' names, companies, addresses and forms, as people type them."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from leadscore.pipeline.demo import names_and_texts as words
from leadscore.pipeline.demo.job_titles import LANGUAGES, write_titles
from leadscore.pipeline.demo.leads import (
    COUNTRIES,
    FORMS,
    INDUSTRIES,
    LANGUAGE_OF_COUNTRY,
    MAILS,
    MESSAGES,
    SOURCES,
    TOPICS,
    Codes,
    Facts,
)

Flags = npt.NDArray[np.bool_]

LOWER_CASE_SHARE = 0.03
BLANK_SHARES = {"title": 0.01, "employees": 0.02, "industry": 0.01, "city": 0.10}
COMPANY_CHANGE_SHARE = 0.4
_DIALS = {"ES": "+34 6", "MX": "+52 55", "AR": "+54 9 11", "CO": "+57 31", "CL": "+56 9",
          "FR": "+33 6", "US": "+1 20", "GB": "+44 77", "IE": "+353 8"}  # fmt: skip
_TOP_LEVEL = {"ES": "es", "MX": "com.mx", "AR": "com.ar", "CO": "com.co", "CL": "cl", "FR": "fr",
              "US": "com", "GB": "co.uk", "IE": "ie"}  # fmt: skip
_CITIES = {"ES": "Madrid Barcelona Valencia Sevilla Bilbao", "MX": "Monterrey Guadalajara Puebla",
           "AR": "Rosario Mendoza", "CO": "Medellín Cali", "CL": "Valparaíso Santiago",
           "FR": "Lyon Nantes Lille Toulouse", "US": "Boston Austin Denver Seattle",
           "GB": "Leeds Bristol Manchester", "IE": "Cork Dublin"}  # fmt: skip
_ACCENTS = str.maketrans("áàâéèêëíîïóôöúùûüñçÁÉÍÓÚÑ", "aaaeeeeiiiooouuuuncAEIOUN")


@dataclass(frozen=True)
class People:
    """What n leads typed: the columns of their table, and those of their jobs before a change.

    `columns` holds the values of today; `before` title, company and email as they were at first.
    `moved` marks those whose company changed with the job.
    """

    columns: dict[str, pa.Array]
    before: dict[str, pa.Array]
    moved: Flags


@cache
def _table(name: str) -> tuple[pa.Array, Codes, Codes]:
    """Return the words of all languages, where each language begins, and how many it has."""
    of_language = getattr(words, name)
    lists = [_split(of_language[language]) for language in LANGUAGES]
    sizes = np.array([len(entries) for entries in lists])
    return pa.array([w for entries in lists for w in entries]), np.cumsum(sizes) - sizes, sizes


def _split(entries: str | tuple[str, ...]) -> list[str]:
    return entries.split() if isinstance(entries, str) else list(entries)


def _pick(random: np.random.Generator, name: str, language: Codes) -> pa.Array:
    table, begin, size = _table(name)
    chance = random.random(len(language))
    return table.take(pa.array(begin[language] + (chance * size[language]).astype(np.int64)))


def _pick_first(random: np.random.Generator, language: Codes, woman: Flags) -> pa.Array:
    table, begin, size = _table("FIRST_NAMES")
    pair = (random.random(len(language)) * (size[language] // 2)).astype(np.int64)
    return table.take(pa.array(begin[language] + 2 * pair + ~woman))


def _take(entries: tuple[str, ...] | list[str], codes: npt.NDArray[np.integer]) -> pa.Array:
    return pa.array(entries).take(pa.array(codes))


def _choose(random: np.random.Generator, entries: tuple[str, ...], count: int) -> pa.Array:
    return _take(entries, random.integers(0, len(entries), count))


def _join(*parts: object) -> pa.Array:
    return pc.binary_join_element_wise(*parts, "")


def _either(which: Flags, yes: object, no: object) -> pa.Array:
    return pc.if_else(pa.array(which), yes, no)


def _plain(texts: pa.Array) -> pa.Array:
    """Return lower-case texts without accents and spaces; each distinct one is made once."""
    encoded = texts.dictionary_encode()
    made = [t.translate(_ACCENTS).lower().replace(" ", "") for t in encoded.dictionary.to_pylist()]
    return pa.array(made, pa.string()).take(encoded.indices)


def _digits(random: np.random.Generator, count: int, length: int) -> pa.Array:
    numbers = pa.array(random.integers(0, 10**length, count)).cast(pa.string())
    return pc.utf8_lpad(numbers, length, "0")


def write_people(random: np.random.Generator, facts: Facts, ids: pa.Array) -> People:
    """Write down what the leads typed into the form.

    Parameters
    ----------
    random : Generator
    facts : Facts
    ids : Array of n strings

    Returns
    -------
    People
        With None where something was left blank.
    """
    count, language = len(facts), LANGUAGE_OF_COUNTRY[facts.country]
    woman = random.random(count) < 0.5
    first, last = _write_names(random, facts, language, woman)
    company, domain = _write_companies(random, facts, language)
    spam = facts.spam
    name = _either(spam, _choose(random, words.SPAM_COMPANIES, count), company)
    email = _write_mails(random, facts, first, last, domain)
    title = write_titles(language, woman, facts.level, facts.function, random.random(count))
    new_title = write_titles(
        language, woman, facts.new_level, facts.new_function, random.random(count)
    )
    changes = facts.change_day >= 0
    moved = changes & (random.random(count) < COMPANY_CHANGE_SHARE)
    new_company, new_domain = _write_companies(random, facts, language)
    new_email = _write_mails(random, facts, first, last, new_domain)
    lower = (random.random(count) < LOWER_CASE_SHARE) & ~spam
    first, last = (_either(lower, pc.utf8_lower(part), part) for part in (first, last))
    name, new_company = (_either(lower, pc.utf8_lower(c), c) for c in (name, new_company))
    blank = {key: random.random(count) < share for key, share in BLANK_SHARES.items()}
    cities = pa.array([city.split() for city in _CITIES.values()]).take(pa.array(facts.country))
    spread = random.integers(0, 60, count) % pc.list_value_length(cities).to_numpy()
    city = _element(cities, spread)
    columns = {
        "lead_id": ids,
        "created_at": pa.array(facts.created).cast(pa.timestamp("s", "UTC")),
        "first_name": first,
        "last_name": last,
        "email": _either(moved, new_email, email),
        "phone": _write_phones(random, facts),
        "company": _either(moved, new_company, name),
        "title": _blank(blank["title"] | spam & (random.random(count) < 0.6),
                        _either(changes, new_title, title)),
        "country": _take(COUNTRIES, facts.country),
        "city": _blank(blank["city"], city),
        "industry": _blank(blank["industry"], _take(INDUSTRIES, facts.industry)),
        "employees": _blank(blank["employees"], pa.array(facts.employees).cast(pa.int64())),
        "followers": pa.array(facts.followers).cast(pa.int64()),
        "source": _take(SOURCES, facts.source),
        "campaign": _write_campaigns(random, facts),
        "form": _take(FORMS, facts.form),
        "opt_in": pa.array(["no", "yes"]).take(pa.array(facts.opt_in.astype(np.int64))),
        "topic": _blank(facts.topic == TOPICS.index(""), _take(TOPICS, facts.topic)),
        "message": _write_messages(random, facts, language),
    }  # fmt: skip
    return People(columns, {"title": title, "company": name, "email": email}, moved)


def _element(lists: pa.Array, place: Codes) -> pa.Array:
    """Return the element of each list at its place."""
    return lists.flatten().take(pa.array(lists.offsets.to_numpy()[:-1] + place))


def _blank(gone: Flags, values: pa.Array) -> pa.Array:
    return pc.if_else(pa.array(gone), pa.scalar(None, values.type), values)


def _write_names(
    random: np.random.Generator, facts: Facts, language: Codes, woman: Flags
) -> tuple[pa.Array, pa.Array]:
    """Write names; half of the spam has made-up ones, the rest plain ones in lower case."""
    made_up = facts.spam & (random.random(len(facts)) < 0.7)
    names = []
    for plain in (_pick_first(random, language, woman), _pick(random, "LAST_NAMES", language)):
        typed = _either(facts.spam, pc.utf8_lower(plain), plain)
        names.append(_either(made_up, _choose(random, words.SPAM_NAMES, len(facts)), typed))
    return names[0], names[1]


def _write_companies(
    random: np.random.Generator, facts: Facts, language: Codes
) -> tuple[pa.Array, pa.Array]:
    """Write the companies' names and the domains that go with them."""
    count = len(facts)
    roots = [_choose(random, tuple(words.COMPANY_ROOTS), count) for _ in range(2)]
    kind = _pick(random, "COMPANY_KINDS", language)
    double = random.random(count) < 0.6
    name = _join(roots[0], _either(double, _join(" ", roots[1]), ""), " ", kind)
    slug = _join(roots[0], _either(double, roots[1], ""),
                 _either(random.random(count) < 0.6, kind, ""))  # fmt: skip
    top = _take([_TOP_LEVEL[country] for country in COUNTRIES], facts.country)
    forms = [form for country in COUNTRIES for form in words.LEGAL_FORMS[country]]
    legal = _take(forms, 4 * facts.country + random.integers(0, 4, count))
    return _join(name, legal), _join(_plain(slug), ".", top)


def _write_mails(
    random: np.random.Generator, facts: Facts, first: pa.Array, last: pa.Array, domain: pa.Array
) -> pa.Array:
    count, language = len(facts), LANGUAGE_OF_COUNTRY[facts.country]
    foreign = ~facts.own_domain
    other = _join(_plain(_choose(random, tuple(words.COMPANY_ROOTS), count)),
                  _choose(random, ("group", "net", "hub", "works"), count), ".com")  # fmt: skip
    person = _join(_plain(first), _choose(random, (".", "", "_"), count), _plain(last))
    initial = _join(pc.utf8_slice_codeunits(_plain(first), 0, 1), _plain(last))
    number = _either(random.random(count) < 0.5, _digits(random, count, 2), "")
    role = _pick(random, "ROLE_MAIL", language)
    is_role = facts.mail == MAILS.index("role")
    at = _either(facts.mail == MAILS.index("free"), _pick(random, "FREE_MAIL", language),
                 _either(facts.mail == MAILS.index("disposable"),
                         _choose(random, words.DISPOSABLE_MAIL, count),
                         _either(foreign & ~is_role, other, domain)))  # fmt: skip
    local = _either(facts.mail == MAILS.index("business"),
                    _either(random.random(count) < 0.3, initial, person),
                    _either(is_role, role, _join(person, number)))  # fmt: skip
    return _join(local, "@", at)


def _write_phones(random: np.random.Generator, facts: Facts) -> pa.Array:
    count = len(facts)
    number = _join(_take([_DIALS[country] for country in COUNTRIES], facts.country),
                   _digits(random, count, 2), " ", _digits(random, count, 3), " ",
                   _digits(random, count, 3))  # fmt: skip
    nonsense = _choose(random, words.SPAM_PHONES, count)
    typed = _either(facts.spam & (random.random(count) < 0.7), nonsense, number)
    return _blank(~facts.phone, typed)


def _write_campaigns(random: np.random.Generator, facts: Facts) -> pa.Array:
    quarter = pc.quarter(pa.array(facts.created).cast(pa.timestamp("s"))).cast(pa.string())
    name = _join(_take(SOURCES, facts.source), " Q", quarter,
                 _choose(random, (" A", " B"), len(facts)))  # fmt: skip
    return _blank(random.random(len(facts)) < 0.08, name)


def _write_messages(random: np.random.Generator, facts: Facts, language: Codes) -> pa.Array:
    """Write what stands in the message: a sentence on the topic, and two more in long ones."""
    count = len(facts)
    short = pa.nulls(count, pa.string())
    for place, name in enumerate(LANGUAGES):
        for topic, forms in words.SHORT_MESSAGES[name].items():
            here = (language == place) & (facts.topic == TOPICS.index(topic))
            short = _either(here, _choose(random, forms, count), short)
    parts = [_take([words.LONG_MESSAGES[name][i] for name in LANGUAGES], language) for i in (0, 1)]
    long = facts.message == MESSAGES.index("long")
    typed = _join(short, _either(long, _join(*parts), ""))
    typed = _blank(facts.message == MESSAGES.index("none"), typed)
    return _either(facts.spam, _choose(random, words.SPAM_MESSAGES, count), typed)
