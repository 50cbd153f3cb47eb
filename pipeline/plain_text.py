"""A quicker way to normalise what most requests hold: plain ASCII text, numbers and flags."""

from pipeline.values import (
    LARGEST_NUMBER,
    LONGEST_TEXT,
    FieldSpec,
    Normalised,
    Normaliser,
    make_normaliser,
)


def make_quick_normaliser(spec: FieldSpec) -> Normaliser:
    """Return what ``make_normaliser`` returns, by a shorter way for what most requests hold.

    A text of ASCII is in NFC and has no half of a surrogate pair, so it is only stripped and held
    against the texts that mean missing. A number that is one is only held against its bounds, where
    none means missing. Everything else goes through the definition.
    """
    normalise = make_normaliser(spec)
    if spec.type == "number":
        return normalise if spec.missing else _make_number(normalise)
    if spec.type == "flag":
        return _make_flag(normalise)
    return _make_text(normalise, {"", *(str(text).strip() for text in spec.missing)})


def _make_text(normalise: Normaliser, missing: set[str]) -> Normaliser:
    def normalise_text(value: object) -> Normalised:
        if type(value) is str and value.isascii() and "\0" not in value:
            text = value.strip()
            if len(text) <= LONGEST_TEXT:
                return None if text in missing else text
        return None if value is None else normalise(value)

    return normalise_text


def _make_number(normalise: Normaliser) -> Normaliser:
    def normalise_number(value: object) -> Normalised:
        if (type(value) is int or type(value) is float) and (
            -LARGEST_NUMBER <= value <= LARGEST_NUMBER
        ):
            return value + 0.0
        return None if value is None else normalise(value)

    return normalise_number


def _make_flag(normalise: Normaliser) -> Normaliser:
    def normalise_flag(value: object) -> Normalised:
        if value is True:
            return 1.0
        return 0.0 if value is False else normalise(value)

    return normalise_flag
