"""Keep cells of the data out of sentences that are kept or shown to others."""

import re

_QUOTED = re.compile(r"""(?<!\w)(['"])(?:\\.|(?!\1).)*\1(?!\w)""")
HIDDEN = "[…]"


def redact_values(note: str) -> str:
    """Return a note without the texts of the data that it quotes, which may be a person's.

    Examples
    --------
    >>> redact_values("3 activities of unknown leads, 'ana@example.com' for one")
    '3 activities of unknown leads, […] for one'
    """
    if note.startswith(UNREAD_KINDS):
        return f"{UNREAD_KINDS}: {HIDDEN}"
    return _QUOTED.sub(HIDDEN, note)


UNREAD_KINDS = "kinds of activities that no signal names"
