"""The names of signals for people in sales, in their language."""

from typing import Annotated, Literal

from pydantic import AfterValidator

from leadscore.pipeline.values.fields import Closed, Word

Language = Literal["en", "es"]
LONGEST_DISPLAY_NAME = 80


def _check_length(text: str) -> str:
    if not 1 <= len(text) <= LONGEST_DISPLAY_NAME:
        raise ValueError(f"1 to {LONGEST_DISPLAY_NAME} characters are expected")
    return text


Phrase = Annotated[Word, AfterValidator(_check_length)]


class DisplayName(Closed):
    """A signal's name in words, by language; it must fit after "because of"."""

    en: Phrase | None = None
    es: Phrase | None = None

    def find(self, language: Language) -> str | None:
        """Return the name in a language, else in English, else None."""
        return (self.es if language == "es" else None) or self.en
