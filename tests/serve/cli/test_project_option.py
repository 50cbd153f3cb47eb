"""Which project a command works on: the current folder, or the one that -p names, never another."""

import json
import shlex
import subprocess
import sys

import pytest
from support.cli import LEADSCORE, run, run_process
from support.projects import make_leads, write_leads, write_project

from leadscore.pipeline.config.folder import find_project
from leadscore.pipeline.config.project import read_project
from leadscore.serve.cli.terminal import write_command

COMMANDS = ("check", "audit", "train", "evaluate", "describe", "compare", "versions", "report",
            "serve", "rules register", "rules learn", "rules audit", "promote 1", "export json",
            "explain --lead L1", "score leads.csv scored.csv")  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_outside_a_project_a_command_fails_in_one_line(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = run(*command.split())
    assert done.returncode == 2
    (line,) = done.stderr.strip().splitlines()
    assert "the current folder is not a project" in line
    assert "-p DIR" in line
    assert "leadscore demo" in line
    assert not list(tmp_path.iterdir())


def test_the_current_folder_is_the_project_if_it_is_one(tmp_path, monkeypatch):
    folder = write_project(tmp_path / "mine")
    write_leads(folder, make_leads(60))
    monkeypatch.chdir(folder)
    here = json.loads(run("check", "--json").stdout)
    assert here["project"] == "mine"
    monkeypatch.chdir(tmp_path)
    for name in ("mine", folder, "./mine"):
        assert json.loads(run("check", "-p", name, "--json").stdout) == here
    assert json.loads(run("check", "--project", "mine", "--json").stdout) == here


def test_files_of_the_user_do_not_replace_those_of_the_product(tmp_path):
    """The current folder has modules of the same names; the command starts all the same."""
    for taken in ("models.py", "pipeline.py", "serve/__init__.py", "leadscore.py"):
        (tmp_path / taken).parent.mkdir(exist_ok=True)
        (tmp_path / taken).write_text("raise ImportError('this is not leadscore')")
    folder = write_project(tmp_path / "mine")
    write_leads(folder, make_leads(60))
    done = subprocess.run(
        [str(LEADSCORE), "check", "-p", "mine", "--json"],
        cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert json.loads(done.stdout)["project"] == "mine", done.stderr


def test_the_commands_that_demo_prints_can_be_pasted(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = run_process("demo", "--leads", 1000)
    assert done.returncode == 0, done.stderr
    (line,) = (text for text in done.stdout.splitlines() if " check " in text)
    program, *words = shlex.split(line)
    assert program in ("leadscore", str(LEADSCORE))
    report = json.loads(run(*words, "--json").stdout)
    assert report["leads"] == 1000
    assert report["leads_path"] == str(tmp_path / "var" / "demo" / "leads.csv")


def test_a_printed_command_starts_the_program_as_it_was_started(monkeypatch):
    for called, printed in (
        (".venv/bin/leadscore", ".venv/bin/leadscore"),
        ("/x/leadscore/serve/cli/main.py", "leadscore"),
    ):
        monkeypatch.setattr(sys, "argv", [called])
        assert write_command("check", "-p", "my leads") == f"{printed} check -p 'my leads'"
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(sys, "argv", ["/usr/bin/leadscore"])
    assert write_command("check") == "leadscore check"


def test_data_of_a_project_in_a_wheel_lie_below_the_current_folder(tmp_path, monkeypatch):
    configs, here = tmp_path / "site" / "_configs", tmp_path / "here"
    write_project(configs / "demo", data={"folder": "../../var/demo"})
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setattr("leadscore.pipeline.config.folder._in_wheel", lambda: configs)
    project = read_project(find_project("demo"))
    assert project.folder == configs / "demo"
    assert project.data_folder == here / "var" / "demo"
