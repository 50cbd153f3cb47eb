"""Job titles as people type them in three languages, made of a seniority and a function."""

from functools import cache

import numpy as np
import pyarrow as pa

from leadscore.pipeline.demo.tables import Codes, Flags, Floats, read_column

LANGUAGES = ("es", "en", "fr")
LEVELS = read_column("facts", "value", fact="level")
FUNCTIONS = read_column("facts", "value", fact="function")


@cache
def _read_gendered_words(language: str, woman: bool) -> dict[str, str]:
    """Return the word of a woman or a man for every word that has two forms."""
    men, women = (read_column("title_words", who, language=language) for who in ("man", "woman"))
    chosen = women if woman else men
    return {**dict(zip(men, chosen, strict=True)), **dict(zip(women, chosen, strict=True))}


def adapt_title(title: str, language: str, woman: bool) -> str:
    """Return the form of a title for a woman or a man."""
    words = _read_gendered_words(language, woman)
    if language == "fr" and title.split(" ")[0] in ("Commercial", "Commerciale"):
        title = title.replace("Commerciale", "Commercial").replace(
            "Commercial", "Commerciale" if woman else "Commercial"
        )
    return " ".join(words.get(word, word) for word in title.split(" "))


def list_titles(language: str, level: str, function: str) -> tuple[str, ...]:
    """Return the titles of a level and a function, not yet adapted to a woman or a man."""
    for whose in (language, "any"):
        whole = read_column("titles", "title", language=whose, level=level, function=function)
        if whole:
            return whole
    areas, roles = (
        read_column("title_parts", "text", language=language, function=function, part=part)
        for part in ("area", "role")
    )
    patterns = read_column("title_patterns", "pattern", language=language, level=level)
    made = (p.format(area=area, role=role) for p in patterns for area in areas for role in roles)
    return tuple(dict.fromkeys(made))


@cache
def _build_title_table() -> tuple[pa.Array, Codes, Codes]:
    """Return all titles, and where those of a language, woman, level, function begin; how many."""
    titles: list[str] = []
    shape = (len(LANGUAGES), 2, len(LEVELS), len(FUNCTIONS))
    begin, count = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    for place in np.ndindex(shape):
        language = LANGUAGES[place[0]]
        plain = list_titles(language, LEVELS[place[2]], FUNCTIONS[place[3]])
        forms = tuple(dict.fromkeys(adapt_title(t, language, bool(place[1])) for t in plain))
        begin[place], count[place] = len(titles), len(forms)
        titles += forms
    return pa.array(titles), begin, count


def has_titles(level: str, function: str) -> bool:
    """Return whether there are titles of this level and function."""
    return bool(list_titles("en", level, function))


def write_titles(
    language: Codes, woman: Flags, level: Codes, function: Codes, chance: Floats
) -> pa.Array:
    """Return a title for each of n leads, chosen among those of its language, level and function.

    `language`, `level` and `function` are places in ``LANGUAGES``, ``LEVELS``, ``FUNCTIONS``.
    `woman` chooses the form, if a title has two. `chance`, between 0 and 1, chooses the title.
    """
    titles, begin, count = _build_title_table()
    place = (language, woman.astype(np.int64), level, function)
    return titles.take(pa.array(begin[place] + (chance * count[place]).astype(np.int64)))
