"""The commands of README and docs run as they are printed."""

import re
import shutil
import subprocess

import pytest
from support.programs import clean_environment
from support.real_data import ROOT
from support.worlds.spreadsheet import write_sheet

pytestmark = pytest.mark.proof

PAGES = ("README.md", *(f"docs/{page.name}" for page in sorted((ROOT / "docs").glob("*.md"))))


def commands_of(page: str) -> list[str]:
    """Return the blocks of commands of a page; every one that names leadscore has to be one."""
    text = (ROOT / page).read_text(encoding="utf-8")
    others = re.findall(r"```(?!sh\n)\w+\n(.*?)```", text, flags=re.DOTALL)
    assert not [block for block in others if re.search("^(leadscore|make) ", block, re.MULTILINE)]
    return re.findall(r"```sh\n(.*?)```", text, flags=re.DOTALL)


def test_the_lines_of_readme_and_docs_run_as_printed(tmp_path):
    files = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    copy = tmp_path / "leadscore"
    for file in files:
        (copy / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, copy / file, follow_symlinks=False)
    (copy / ".venv").symlink_to(ROOT / ".venv")
    write_sheet(copy / "hoja")
    blocks = [block for page in PAGES for block in commands_of(page)]
    assert len(PAGES) == 10
    assert len(blocks) >= 10
    # The environment is this one, by a link: it is not to be installed into again from the copy.
    lines = "\n".join(blocks).replace("make demo", "make -o .venv/.installed demo")
    done = subprocess.run(
        ["bash", "-e", "-c", lines],
        cwd=copy,
        capture_output=True,
        text=True,
        timeout=1800,
        env={**clean_environment(), "PYTHONPATH": str(copy)},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "probability" in done.stdout
    assert (copy / "var" / "demo" / "again.csv").is_file()
    assert (copy / "puntuados.csv").is_file()
    readme = (copy / "README.md").read_text()
    evidence = (copy / "docs" / "evidence.md").read_text()
    compared = re.search(r"\| demo, (\d+) wins.*? \| (\d+) \| (\d+) \| (\d+) \|", evidence)
    wins, model, sheet, counted = compared.groups()
    assert f"reached {model} of {wins} wins" in done.stdout
    assert f"close-rate sheet (version 1, challenger) {counted}" in done.stdout
    assert f"rule sheet (version 1, challenger) {sheet}." in done.stdout
    shown = re.search(
        r"<!-- output of make demo -->\n```text\n(.*?)\n\n",
        readme,
        re.DOTALL,
    )
    for line in shown.group(1).splitlines():
        assert line.rstrip() in done.stdout, line
