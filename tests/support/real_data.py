"""Where the checkout lies, and the real data beside it."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
REAL_DATA = ROOT.parent / "shared" / "data"


def real_data(file: str) -> Path:
    path = REAL_DATA / file
    if not path.is_file():
        pytest.skip(f"{file} is not beside the checkout, in shared/data/")
    return path
