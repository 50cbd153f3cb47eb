"""What a message tells before anybody reads it: how long it is, and in which language."""

import re

from leadscore.pipeline.signals.text.words import split_words

_READ = 160
"""So many characters are enough to tell the language."""
_COMMON = {
    "en": "the and of to is in for you we our your are this with that have would like can "
    "about please i am it on at my what how do be from need us more interested looking "
    "know could call send quote price hello hi thanks cost demo see there problem "
    "cannot log does",
    "es": "el los las del que y en un una para con por nos su sus es esta este mi me como mas "
    "pero gracias hola buenos dias quiero queremos somos estamos quisiera necesitamos "
    "sobre desde podrian pueden les se lo al tenemos saber informacion de la favor "
    "precio precios necesito presupuesto llamenme interesado interesada cuanto cuesta "
    "podemos ver tengo busco envienme quiere urgente empresa puedo",
    "fr": "le les des du et un une pour avec nous vous est sont je mon ma notre votre vos nos "
    "dans sur ce cette qui bonjour merci plus comment pas au aux souhaite voudrais "
    "avons sommes besoin pourriez de la que prix devis envoyez voir tous cherche "
    "demonstration peux rappeler quel quelle",
    "pt": "o os as do da dos das e um uma para com por nos que em na nao mais como ola "
    "obrigado obrigada queremos gostaria somos estamos voces seu sua sobre precisamos "
    "temos de preciso ajuda quanto custa preco",
    "de": "der die das und ist wir ich sie ein eine fur mit von zu auf den dem im nicht uns "
    "unsere ihre haben bitte danke mehr uber wie sind konnen mochten guten tag hallo",
    "it": "il lo gli dei del della e un una per con di che in siamo sono vorrei grazie "
    "buongiorno ciao nostra nostro vostra vostro non piu come abbiamo ci le la sul alla "
    "quanto costa prezzo prezzi",
}  # fmt: skip
_VOTES: dict[str, int] = {}
"""What each word counts for each language: a byte per language, so that one sum counts all."""
for _place, _words in enumerate(_COMMON.values()):
    for _word in set(_words.split()):
        _VOTES[_word] = _VOTES.get(_word, 0) + ((1 if len(_word) < 3 else 2) << 8 * _place)
_LINK = re.compile(r"\S*(?:://|www\.|@)\S*")
_NAMES = tuple(_COMMON)
_OTHER = "other"
_LEAST = 2
"""Two short words tell a language, or one of three letters and more."""

LISTS = {"language_words": _COMMON}


def measure_length(message: str) -> float:
    """Return the number of characters of a message.

    Examples
    --------
    >>> measure_length("Hola")
    4.0
    """
    return float(len(message))


def guess_language(message: str) -> str:
    """Return ``en``, ``es``, ``fr``, ``pt``, ``de``, ``it``, or ``other`` if words do not tell.

    The language whose commonest words occur most often, those of one or two letters counting half;
    links and addresses aside (stop-word counting, as in G. Grefenstette,
    "Comparing two language identification schemes", JADT 1995).

    Examples
    --------
    >>> guess_language("Quiero saber más sobre los precios"), guess_language("ok")
    ('es', 'other')
    """
    text = message[:_READ]
    if "://" in text or "www." in text or "@" in text:
        text = _LINK.sub(" ", text)
    votes = sum(filter(None, map(_VOTES.get, split_words(text))))
    counts = votes.to_bytes(len(_NAMES), "little")  # 160 characters make no 256 for any
    most = max(counts)
    return _NAMES[counts.index(most)] if most >= _LEAST and counts.count(most) == 1 else _OTHER
