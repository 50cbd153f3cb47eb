"""The reader and writer of YAML, and the messages about mistakes in its keys."""

import re
from collections.abc import Iterator, Mapping
from math import inf
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from leadscore.pipeline.errors import ConfigError, suggest_name

_FLAG_WORDS: dict[bool, str] = {True: "true", False: "false"}
"""As keys, true and false are words."""


class _Loader(yaml.SafeLoader):
    """A SafeLoader that keeps yes, no, on, off and dates as text, and rejects repeated keys."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key_node, _ in node.value:
            key = str(self.construct_object(key_node, deep=True))
            if key in seen:
                line = key_node.start_mark.line + 1
                raise yaml.YAMLError(f"line {line}: the key {key!r} is there twice")
            seen.add(key)
        content = super().construct_mapping(node, deep)
        return {
            _FLAG_WORDS[key] if isinstance(key, bool) else key: value
            for key, value in content.items()
        }


_REMOVED = {
    "tag:yaml.org,2002:bool",
    "tag:yaml.org,2002:timestamp",
    "tag:yaml.org,2002:merge",
    "tag:yaml.org,2002:int",
}
_Loader.yaml_implicit_resolvers = {
    first: [(tag, regexp) for tag, regexp in resolvers if tag not in _REMOVED]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(?:true|false)$"), ["t", "f"])
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:int", re.compile("^[-+]?(?:0|[1-9][0-9]*)$"), list("-+0123456789")
)


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML file that holds a mapping; an empty file gives an empty one.

    Only ``true`` and ``false`` are booleans. ``yes``, ``no`` and dates stay text, because many
    files have them as outcomes. A ConfigError is raised if the file is absent, is not YAML, has a
    key twice, or does not hold a mapping.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ConfigError(
            f"{path}: no such file; a project has data.yaml, signals.yaml, "
            "training.yaml and bands.yaml"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    try:
        content = yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise ConfigError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: a mapping of keys is expected, found {type(content).__name__}")
    return content


KeyPath = tuple[str, ...]
"""The keys from the outermost mapping to a value."""
_COMMENT_COLUMN = 40


def write_yaml(content: Mapping[str, Any], comments: Mapping[KeyPath, str]) -> str:
    """Return the text of a YAML file, one key a line, that ``read_yaml`` reads as `content`.

    Whole numbers are written without a decimal point. A comment follows its key in the same line.
    If the value is a mapping, or the comment has several lines, it precedes the key.
    """
    return "\n".join(_write_lines(content, comments, ())) + "\n"


def _write_lines(
    content: Mapping[str, Any], comments: Mapping[KeyPath, str], parents: KeyPath
) -> Iterator[str]:
    indent = "  " * len(parents)
    for key, value in content.items():
        here = (*parents, str(key))
        comment = comments.get(here, "")
        lines = comment.splitlines()
        if comment and (isinstance(value, Mapping) or len(lines) > 1):
            yield from (f"{indent}# {line}".rstrip() for line in lines)
            comment = ""
        line = f"{indent}{_write_plain(key)}:"
        if not isinstance(value, Mapping):
            line += f" {_write_plain(value)}"
        yield f"{line:<{_COMMENT_COLUMN}} # {comment}" if comment else line
        if isinstance(value, Mapping):
            yield from _write_lines(value, comments, here)


def _write_plain(value: Any) -> str:
    """Write a text, a number or a flag; a text that YAML would read otherwise gets quotes."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    breaks = isinstance(value, str) and not value.isprintable()
    in_list = yaml.safe_dump(
        [value], default_flow_style=True, allow_unicode=True, width=inf,
        default_style='"' if breaks else None,
    )  # fmt: skip
    return str(in_list).strip().removeprefix("[").removesuffix("]")


_LONGEST_VALUE = 60
"""Characters of a value that a message shows."""


def describe_mistakes(error: ValidationError, record: type[BaseModel]) -> Iterator[str]:
    """Yield one line per mistake in a record: the key, what was expected, what was found.

    The line of an unknown key has the most similar known key.
    """
    problems = error.errors(include_url=False)
    locations = [problem["loc"] for problem in problems]
    for problem in problems:
        here = problem["loc"]
        if problem["type"] == "too_short" and any(
            other != here and other[: len(here)] == here for other in locations
        ):
            continue  # the mistakes inside it have lines of their own
        where = ".".join(str(part) for part in here) or "the whole file"
        if problem["type"] == "extra_forbidden":
            known = sorted(_keys_near(here, record))
            hint = suggest_name(str(here[-1]), known, f"known are {', '.join(known)}")
            yield f"{where}: unknown key; {hint}"
        elif problem["type"] == "missing":
            yield f"{where}: this key is needed and absent"
        else:
            message = problem["msg"].removeprefix("Value error, ")
            yield f"{where}: {message}, found {show_value(problem['input'])}"


def show_value(value: object) -> str:
    """Write a value for a message, and cut it if it is long."""
    text = repr(value)
    return text if len(text) <= _LONGEST_VALUE else text[:_LONGEST_VALUE] + "..."


def _keys_near(location: tuple[int | str, ...], record: type[BaseModel]) -> set[str]:
    here: type[BaseModel] = record
    for part in location[:-1]:
        inner = here.model_fields.get(str(part))
        if inner is not None:
            here = next(_records_in(inner.annotation), here)
    return {field.alias or name for name, field in here.model_fields.items()}


def _records_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in getattr(annotation, "__args__", ()):
        yield from _records_in(part)
