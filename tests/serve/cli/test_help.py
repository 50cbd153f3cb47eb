"""The help of the program and of every command: whole lines, plain sentences, fast."""

import subprocess
import sys
from importlib.metadata import version

import pytest
import typer
from support.cli import run

from leadscore.serve.cli.main import app

HEAVY = ("mlflow", "sklearn", "pandas", "numpy", "duckdb", "pyarrow", "matplotlib", "scipy",
         "altair", "vl_convert", "jinja2")  # fmt: skip


def find_commands(command, words=()):
    """Yield the words of the program and of each command, with the command."""
    yield words, command
    for name, child in getattr(command, "commands", {}).items():
        yield from find_commands(child, (*words, name))


COMMANDS = dict(find_commands(typer.main.get_command(app)))


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_no_line_of_a_help_is_cut(words):
    done = run(*words, "--help")
    assert done.returncode == 0, done.stderr
    _, *lines = done.stdout.splitlines()  # the first is the usage, where dots are syntax
    assert not [line for line in lines if line.endswith("...")]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_help_is_made_of_sentences(words):
    command = COMMANDS[words]
    first = command.help.split("\n")[0]
    assert len(first) <= 55 or not words, first
    texts = {"the command": first}
    for parameter in command.params:
        texts[parameter.name] = getattr(parameter, "help", None)
    for name, text in texts.items():
        assert text, name
        assert text[0].isupper() or text.startswith("MLFLOW_"), (name, text)
        assert text.endswith("."), (name, text)


@pytest.mark.parametrize("words", ["--help", "--version"])
def test_help_and_version_import_nothing_heavy(words):
    code = (
        "import sys\n"
        "from leadscore.serve.cli.main import app\n"
        "try:\n"
        f"    app([{words!r}])\n"
        "except SystemExit:\n"
        "    pass\n"
        f"print('HEAVY', [name for name in {HEAVY!r} if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "HEAVY []" in done.stdout, done.stdout + done.stderr
    assert "promote" in done.stdout or done.stdout.startswith(f"leadscore {version('leadscore')}\n")
