"""Keep cells of the data out of sentences that are kept or shown to others."""

import re

from pipeline.ingestion.activities import UNREAD_KINDS

_QUOTED = re.compile(r"""(?<!\w)(['"])(?:\\.|(?!\1).)*\1(?!\w)""")
HIDDEN = "[…]"


def hide_values(note: str) -> str:
    """Return a note without the texts of the data that it quotes, which may be a person's.

    Examples
    --------
    >>> hide_values("3 activities of unknown leads, 'ana@example.com' for one")
    '3 activities of unknown leads, […] for one'
    """
    if note.startswith(UNREAD_KINDS):
        return f"{UNREAD_KINDS}: {HIDDEN}"
    return _QUOTED.sub(HIDDEN, note)
