"""The reader and writer of YAML: safe, and without the unexpected words of YAML 1.1."""

import re
from collections.abc import Iterator, Mapping
from math import inf
from pathlib import Path
from typing import Any

import yaml

from leadscore.pipeline.errors import ConfigError

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
    """Read a YAML file that holds a mapping.

    Only ``true`` and ``false`` are booleans. ``yes``, ``no`` and dates stay text, because many
    files have them as outcomes.

    Returns
    -------
    dict
        Empty for an empty file.

    Raises
    ------
    ConfigError
        If the file is absent, is not YAML, has a key twice, or does not hold a mapping.
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

    Parameters
    ----------
    content : mapping
        Mappings, texts, numbers and flags; whole numbers are written without a decimal point.
    comments : mapping of tuple of str to str
        A comment follows its key in the same line. If the value is a mapping, or the comment has
        several lines, it precedes the key.
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
