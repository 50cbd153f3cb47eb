"""The folder of a project: where it is, which files it has, and the project's name."""

from importlib.resources import files
from pathlib import Path

from leadscore.pipeline.errors import ConfigError

_FILES = ("data", "signals", "training", "bands")


def find_project(where: str | None) -> Path:
    """Return the folder of a project.

    Parameters
    ----------
    where : str or None
        A path, or the name of a project that comes with the product. None means the current
        folder.

    Raises
    ------
    ConfigError
        If there is no such project, or the current folder is none.
    """
    if where is None:
        return _find_current()
    folder = Path(where)
    if folder.is_dir():
        return folder
    for shipped in _shipped_folders():
        if any((shipped / where / f"{name}.yaml").is_file() for name in _FILES):
            return shipped / where
    names = sorted({child.name for place in _shipped_folders() for child in place.iterdir()})
    raise ConfigError(
        f"{where}: no such folder, and no project of that name comes with leadscore "
        f"({', '.join(names)})"
    )


def _find_current() -> Path:
    here = Path()
    if any((here / f"{name}.yaml").is_file() for name in _FILES):
        return here
    raise ConfigError(
        "the current folder is not a project (it has no data.yaml); name a project with -p DIR, "
        "or try the demo: run leadscore demo, then this command with -p demo"
    )


def _shipped_folders() -> list[Path]:
    candidates = [_in_wheel(), _in_wheel().parent.parent / "configs"]
    return [place for place in candidates if place.is_dir()]


def _in_wheel() -> Path:
    return Path(str(files("leadscore"))) / "_configs"


def find_data(path: Path, folder: str) -> Path:
    """Return the folder of a project's data.

    Parameters
    ----------
    path : Path
        The project's data.yaml.
    folder : str
        The folder that it names, relative to the file. Projects in an installed wheel are among
        the installed packages, where nobody keeps data. Their folders count from
        ``configs/<project>`` below the current folder instead, where a checkout has them.
    """
    base = path.resolve().parent
    if base.is_relative_to(_in_wheel()):
        base = Path("configs").resolve() / base.relative_to(_in_wheel())
    return (base / folder).resolve()


def find_files(folder: Path) -> dict[str, Path]:
    """Return the path of each configuration file, of which a variant lacks some.

    Where a folder has some of them, one that it lacks is that of the folder above, if that has it.
    """
    return {name: _find_file(folder, f"{name}.yaml") for name in _FILES}


def find_rules(folder: Path) -> Path | None:
    """Return the path of the project's rule sheet, of its own or that of a variant; or None."""
    here, above = folder / "rules.yaml", folder.parent / "rules.yaml"
    if here.is_file():
        return here
    is_variant = any(path.parent != folder for path in find_files(folder).values())
    return above if is_variant and above.is_file() else None


def name_project(folder: Path) -> str:
    """Return the name of a project: its folder's, after that of the folder it is a variant of."""
    folder = folder.resolve()
    is_variant = any(path.parent != folder for path in find_files(folder).values())
    return f"{folder.parent.name}-{folder.name}" if is_variant else folder.name


def _find_file(folder: Path, name: str) -> Path:
    """Return a file of the project's folder, or of the one above where that alone has it."""
    here, above = folder / name, folder.parent / name
    is_variant = any((folder / f"{other}.yaml").is_file() for other in _FILES)
    return above if is_variant and not here.is_file() and above.is_file() else here
