"""What a signal is called by people of sales, in their language."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict

from pipeline.values import Word

Language = Literal["en", "es"]
LONGEST_LABEL = 80


def _check_length(text: str) -> str:
    if not 1 <= len(text) <= LONGEST_LABEL:
        raise ValueError(f"1 to {LONGEST_LABEL} characters are needed")
    return text


Phrase = Annotated[Word, AfterValidator(_check_length)]


class Label(BaseModel):
    """A signal's name in words, by language; it goes on after "because of"."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    en: Phrase | None = None
    es: Phrase | None = None

    def find(self, language: Language) -> str | None:
        """Return the words in a language, else in English, else None."""
        return (self.es if language == "es" else None) or self.en
