"""The folder of a project: its place, its files, and the project's name."""

from importlib.resources import files
from pathlib import Path

from leadscore.pipeline.errors import ConfigError

_FILES = ("data", "signals", "training", "bands")


def find_project(where: str | None) -> Path:
    """Return the folder of a project by its path or the name of a shipped one.

    None means the current folder. A ConfigError is raised if there is no such project.
    """
    if where is None:
        if _has_files(Path()):
            return Path()
        raise ConfigError(
            "the current folder is not a project (it has no data.yaml); name a project with "
            "-p DIR, or try the demo: run leadscore demo, then this command with -p demo"
        )
    if Path(where).is_dir():
        return Path(where)
    candidates = [_in_wheel(), _in_wheel().parent.parent / "configs"]
    shipped = [folder for folder in candidates if folder.is_dir()]
    for folder in shipped:
        if _has_files(folder / where):
            return folder / where
    names = sorted({child.name for folder in shipped for child in folder.iterdir()})
    raise ConfigError(
        f"{where}: no such folder, and leadscore has no project of that name ({', '.join(names)})"
    )


def _has_files(folder: Path) -> bool:
    return any((folder / f"{name}.yaml").is_file() for name in _FILES)


def _in_wheel() -> Path:
    return Path(str(files("leadscore"))) / "_configs"


def find_data(path: Path, folder: str) -> Path:
    """Return the folder of the data that data.yaml names, relative to that file.

    In an installed wheel it is relative to ``configs/<project>`` below the current folder, because
    nobody keeps data among installed packages.
    """
    base = path.resolve().parent
    if base.is_relative_to(_in_wheel()):
        base = Path("configs").resolve() / base.relative_to(_in_wheel())
    return (base / folder).resolve()


def find_files(folder: Path) -> dict[str, Path]:
    """Return the path of each configuration file of a project.

    A variant has only some of the files; each other file is that of the folder above, if it exists
    there.
    """
    return {name: _find_file(folder, f"{name}.yaml") for name in _FILES}


def find_rules(folder: Path) -> Path | None:
    """Return the path of the project's rule sheet, or of that of the folder above; or None."""
    own, inherited = folder / "rules.yaml", folder.parent / "rules.yaml"
    if own.is_file():
        return own
    return inherited if _is_variant(folder) and inherited.is_file() else None


def name_project(folder: Path) -> str:
    """Return the name of a project: its folder's name, for a variant ``above-folder``."""
    folder = folder.resolve()
    return f"{folder.parent.name}-{folder.name}" if _is_variant(folder) else folder.name


def _is_variant(folder: Path) -> bool:
    return any(path.parent != folder for path in find_files(folder).values())


def _find_file(folder: Path, name: str) -> Path:
    own, inherited = folder / name, folder.parent / name
    is_inherited = _has_files(folder) and not own.is_file() and inherited.is_file()
    return inherited if is_inherited else own
