"""The names, companies, addresses and forms of the leads, as people type them."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

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
    Facts,
)
from leadscore.pipeline.demo.tables import (
    Codes,
    Flags,
    blank,
    choose,
    either,
    join,
    pad_numbers,
    read_column,
    take,
    to_times,
)

LOWER_CASE_SHARE = 0.03
BLANK_SHARES = {"title": 0.01, "employees": 0.02, "industry": 0.01, "city": 0.10}
COMPANY_CHANGE_SHARE = 0.4
_ROOTS = read_column("companies", "word", part="root")
_ACCENTS = str.maketrans("áàâéèêëíîïóôöúùûüñçÁÉÍÓÚÑ", "aaaeeeeiiiooouuuuncAEIOUN")


@dataclass(frozen=True)
class People:
    """What n leads typed: the columns of their table, and their jobs before a change.

    `columns` holds the values of today, `before` the first title, company and email.
    """

    columns: dict[str, pa.Array]
    before: dict[str, pa.Array]


@dataclass(frozen=True)
class _Choices:
    """The texts of several lists, one after another; where each list begins, and its length."""

    texts: pa.Array
    begin: Codes
    size: Codes

    @classmethod
    def join(cls, lists: list[tuple[str, ...]]) -> "_Choices":
        """Put lists one after another."""
        size = np.array([len(entries) for entries in lists])
        return cls(pa.array([t for entries in lists for t in entries]), size.cumsum() - size, size)

    def take(self, which: Codes, place: Codes) -> pa.Array:
        """Return the text at a place of each row's list."""
        return self.texts.take(pa.array(self.begin[which] + place))


@cache
def _read_choices(name: str, column: str, part: str) -> _Choices:
    """Return the texts of a list by language; `part` is empty if the list has no parts."""
    where = {"part": part} if part else {}
    return _Choices.join([read_column(name, column, language=x, **where) for x in LANGUAGES])


@cache
def _read_country_lists(column: str) -> _Choices:
    return _Choices.join([tuple(row.split("|")) for row in read_column("countries", column)])


def _pick(
    random: np.random.Generator, language: Codes, name: str, column: str, part: str = ""
) -> pa.Array:
    """Draw an entry of a list in each lead's language."""
    choices = _read_choices(name, column, part)
    chance = random.random(len(language))
    return choices.take(language, (chance * choices.size[language]).astype(np.int64))


def _pick_first(random: np.random.Generator, language: Codes, woman: Flags) -> pa.Array:
    women, men = (
        [read_column("first_names", who, language=name) for name in LANGUAGES]
        for who in ("woman", "man")
    )
    choices = _Choices.join([one + other for one, other in zip(women, men, strict=True)])
    half = choices.size[language] // 2
    place = (random.random(len(language)) * half).astype(np.int64)
    return choices.take(language, place + np.where(woman, 0, half))


def _choose_spam(random: np.random.Generator, field: str, count: int) -> pa.Array:
    return choose(random, read_column("spam", "text", field=field), count)


def _plain(texts: pa.Array) -> pa.Array:
    """Return texts in small letters without accents and spaces; equal texts are made once."""
    encoded = texts.dictionary_encode()
    made = [t.translate(_ACCENTS).lower().replace(" ", "") for t in encoded.dictionary.to_pylist()]
    return pa.array(made, pa.string()).take(encoded.indices)


def _draw_digits(random: np.random.Generator, count: int, length: int) -> pa.Array:
    return pad_numbers(random.integers(0, 10**length, count), length)


def write_people(random: np.random.Generator, facts: Facts, ids: pa.Array) -> People:
    """Write what the leads typed into the form; a field that was left blank is None."""
    count, language = len(facts), LANGUAGE_OF_COUNTRY[facts.country]
    woman = random.random(count) < 0.5
    first, last = _write_names(random, facts, language, woman)
    company, domain = _write_companies(random, facts, language)
    spam = facts.spam
    name = either(spam, _choose_spam(random, "company", count), company)
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
    first, last = (either(lower, pc.utf8_lower(part), part) for part in (first, last))
    name, new_company = (either(lower, pc.utf8_lower(c), c) for c in (name, new_company))
    blanks = {key: random.random(count) < share for key, share in BLANK_SHARES.items()}
    cities = _read_country_lists("cities")
    city = cities.take(facts.country, random.integers(0, 60, count) % cities.size[facts.country])
    columns = {
        "lead_id": ids,
        "created_at": to_times(facts.created),
        "first_name": first,
        "last_name": last,
        "email": either(moved, new_email, email),
        "phone": _write_phones(random, facts),
        "company": either(moved, new_company, name),
        "title": blank(blanks["title"] | spam & (random.random(count) < 0.6),
                        either(changes, new_title, title)),
        "country": take(COUNTRIES, facts.country),
        "city": blank(blanks["city"], city),
        "industry": blank(blanks["industry"], take(INDUSTRIES, facts.industry)),
        "employees": blank(blanks["employees"], pa.array(facts.employees).cast(pa.int64())),
        "followers": pa.array(facts.followers).cast(pa.int64()),
        "source": take(SOURCES, facts.source),
        "campaign": _write_campaigns(random, facts),
        "form": take(FORMS, facts.form),
        "opt_in": pa.array(["no", "yes"]).take(pa.array(facts.opt_in.astype(np.int64))),
        "topic": blank(facts.topic == TOPICS.index(""), take(TOPICS, facts.topic)),
        "message": _write_messages(random, facts, language),
    }  # fmt: skip
    return People(columns, {"title": title, "company": name, "email": email})


def _write_names(
    random: np.random.Generator, facts: Facts, language: Codes, woman: Flags
) -> tuple[pa.Array, pa.Array]:
    """Write names; seven in ten of spam are invented, the others are written in small letters."""
    made_up = facts.spam & (random.random(len(facts)) < 0.7)
    names = []
    for plain in (
        _pick_first(random, language, woman),
        _pick(random, language, "last_names", "name"),
    ):
        typed = either(facts.spam, pc.utf8_lower(plain), plain)
        names.append(either(made_up, _choose_spam(random, "name", len(facts)), typed))
    return names[0], names[1]


def _write_companies(
    random: np.random.Generator, facts: Facts, language: Codes
) -> tuple[pa.Array, pa.Array]:
    """Write the names of companies and the domains that go with them."""
    count = len(facts)
    roots = [choose(random, _ROOTS, count) for _ in range(2)]
    kind = _pick(random, language, "companies", "word", "kind")
    double = random.random(count) < 0.6
    name = join(roots[0], either(double, join(" ", roots[1]), ""), " ", kind)
    slug = join(roots[0], either(double, roots[1], ""),
                 either(random.random(count) < 0.6, kind, ""))  # fmt: skip
    top = take(read_column("countries", "domain"), facts.country)
    legal = _read_country_lists("legal_forms").take(facts.country, random.integers(0, 4, count))
    legal = either(pc.equal(legal, ""), "", join(" ", legal))
    return join(name, legal), join(_plain(slug), ".", top)


def _write_mails(
    random: np.random.Generator, facts: Facts, first: pa.Array, last: pa.Array, domain: pa.Array
) -> pa.Array:
    count, language = len(facts), LANGUAGE_OF_COUNTRY[facts.country]
    foreign = ~facts.own_domain
    other = join(_plain(choose(random, _ROOTS, count)),
                  choose(random, ("group", "net", "hub", "works"), count), ".com")  # fmt: skip
    person = join(_plain(first), choose(random, (".", "", "_"), count), _plain(last))
    initial = join(pc.utf8_slice_codeunits(_plain(first), 0, 1), _plain(last))
    number = either(random.random(count) < 0.5, _draw_digits(random, count, 2), "")
    role = _pick(random, language, "mail", "text", "role")
    is_role = facts.mail == MAILS.index("role")
    at = either(facts.mail == MAILS.index("free"), _pick(random, language, "mail", "text", "free"),
                 either(facts.mail == MAILS.index("disposable"),
                         choose(random, read_column("mail", "text", part="disposable"), count),
                         either(foreign & ~is_role, other, domain)))  # fmt: skip
    local = either(facts.mail == MAILS.index("business"),
                    either(random.random(count) < 0.3, initial, person),
                    either(is_role, role, join(person, number)))  # fmt: skip
    return join(local, "@", at)


def _write_phones(random: np.random.Generator, facts: Facts) -> pa.Array:
    count = len(facts)
    number = join(take(read_column("countries", "phone"), facts.country),
                   _draw_digits(random, count, 2), " ", _draw_digits(random, count, 3), " ",
                   _draw_digits(random, count, 3))  # fmt: skip
    nonsense = _choose_spam(random, "phone", count)
    typed = either(facts.spam & (random.random(count) < 0.7), nonsense, number)
    return blank(~facts.phone, typed)


def _write_campaigns(random: np.random.Generator, facts: Facts) -> pa.Array:
    quarter = pc.quarter(pa.array(facts.created).cast(pa.timestamp("s"))).cast(pa.string())
    name = join(take(SOURCES, facts.source), " Q", quarter,
                 choose(random, (" A", " B"), len(facts)))  # fmt: skip
    return blank(random.random(len(facts)) < 0.08, name)


def _write_messages(random: np.random.Generator, facts: Facts, language: Codes) -> pa.Array:
    """Write the message: a sentence on the topic, and two more if it is long."""
    count = len(facts)
    short = pa.nulls(count, pa.string())
    for place, name in enumerate(LANGUAGES):
        for code, topic in enumerate(TOPICS[:-1]):  # the last topic is none
            here = (language == place) & (facts.topic == code)
            forms = read_column("messages", "text", language=name, topic=topic)
            short = either(here, choose(random, forms, count), short)
    parts = [take(read_column("messages", "text", topic=f"long {i}"), language) for i in (1, 2)]
    long = facts.message == MESSAGES.index("long")
    typed = join(short, either(long, join(" ", parts[0], " ", parts[1]), ""))
    typed = blank(facts.message == MESSAGES.index("none"), typed)
    return either(facts.spam, _choose_spam(random, "message", count), typed)
