"""What a command says if the packages of its extra are not installed."""

import tomllib
from importlib.metadata import packages_distributions

import pytest
from support.cli import run
from support.real_data import ROOT

from leadscore.serve.cli import context


def test_the_packages_of_an_extra_are_those_that_it_installs():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = packages_distributions()
    for extra, packages in context._EXTRAS.items():
        installed = {line.split(">=")[0] for line in project["optional-dependencies"][extra]}
        found = {name.lower().replace("_", "-") for package in packages for name in names[package]}
        assert found == installed


@pytest.mark.parametrize(
    ("words", "missing", "extra"),
    [
        (("train", "-p", "demo"), "altair", "report"),
        (("demo", "--tour"), "jinja2", "report"),
        (("serve", "-p", "demo"), "uvicorn", "serve"),
    ],
)
def test_a_command_names_what_to_install_before_it_begins(
    words, missing, extra, tmp_path, monkeypatch
):
    monkeypatch.setattr(context, "find_spec", lambda package: None if package == missing else 1)
    monkeypatch.chdir(tmp_path)
    done = run(*words)
    assert done.returncode == 2
    assert f"needs {missing}; run pip install 'leadscore[{extra}]'" in done.stderr
    assert not list(tmp_path.iterdir())
