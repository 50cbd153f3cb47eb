"""The JavaScript that draws the charts: Vega, Vega-Lite and Vega-Embed in one text."""

import hashlib
import os
import tempfile
from contextlib import suppress
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

_SNIPPET = "window.vegaEmbed = vegaEmbed;"


@lru_cache(maxsize=1)
def read_bundle(cache: Path) -> str:
    """Return the bundle, from the cache if it lies there unharmed.

    vl-convert carries the libraries and takes some seconds to bundle them, without a network.

    Parameters
    ----------
    cache : Path
        A folder, made if absent.
    """
    path = cache / f"vega-{version('vl-convert-python')}.js"
    try:
        digest, _, text = path.read_bytes().decode("utf-8").partition("\n")
        if digest == _digest(text):
            return text
    except (OSError, UnicodeDecodeError):
        pass
    text = _make_bundle()
    with suppress(OSError):  # without a cache the next report takes longer, and that is all
        _write_whole(path, f"{_digest(text)}\n{text}")
    return text


def _make_bundle() -> str:
    import vl_convert  # of several megabytes, and needed once in a while only

    return str(vl_convert.javascript_bundle(_SNIPPET)).replace("</script", "<\\/script")


def _digest(text: str) -> str:
    return f"// sha256 {hashlib.sha256(text.encode()).hexdigest()}"


def _write_whole(path: Path, text: str) -> None:
    """Write a file so that nobody ever reads half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, scratch = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
        stream.write(text)
    os.replace(scratch, path)
