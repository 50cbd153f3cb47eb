"""A quicker way to normalise the text that most requests hold: plain ASCII."""

from pipeline.values import LONGEST_TEXT, FieldSpec, Normalised, Normaliser, make_normaliser


def make_quick_normaliser(spec: FieldSpec) -> Normaliser:
    """Return what ``make_normaliser`` returns, by a shorter way for texts of ASCII.

    Such a text is in NFC and has no half of a surrogate pair, so it is only stripped and held
    against the texts that mean missing. Everything else goes through the definition.
    """
    normalise = make_normaliser(spec)
    if spec.type != "text":
        return normalise
    missing = {"", *(str(text).strip() for text in spec.missing)}

    def normalise_text(value: object) -> Normalised:
        if type(value) is str and value.isascii() and "\0" not in value:
            text = value.strip()
            if len(text) <= LONGEST_TEXT:
                return None if text in missing else text
        return normalise(value)

    return normalise_text
