"""Commands as a user types them, in this process or in one of their own."""

import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from typer.testing import CliRunner

from leadscore.serve.cli.main import app

LEADSCORE = Path(sys.executable).with_name("leadscore")


class Done(NamedTuple):
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


def run(*words: object) -> Done:
    """Run a command in this process, which spares a few seconds of imports for each."""
    result = CliRunner().invoke(app, [str(word) for word in words])
    return Done(result.exit_code, result.stdout, result.stderr)


def run_process(*words: object) -> Done:
    done = subprocess.run(
        [str(LEADSCORE), *map(str, words)], capture_output=True, text=True, timeout=300
    )
    return Done(done.returncode, done.stdout, done.stderr)
