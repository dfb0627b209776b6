"""Documents that somebody else may have written, read as data: catalog entries, study files, the records of a folder.

Limits are looked at before anything is built: size, depth, number of values. YAML has no aliases, no tags, no key twice and
one document; what looks like a date, a clock or an octal number stays the text it is. Nothing is ever expanded or run.
"""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml

from gridcal.errors import GridcalError

YAML_BYTES = 1_000_000
JSON_BYTES = 20_000_000
DEPTH = 20
VALUES = 20_000
_NULL = ("", "~", "null", "Null", "NULL")
_TRUTH = dict.fromkeys(("true", "yes", "on"), True) | dict.fromkeys(("false", "no", "off"), False)
_WHOLE = re.compile(r"[-+]?(0|[1-9][0-9_]{0,30})")
_NUMBER = re.compile(r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?|[-+]?[0-9]+[eE][-+]?[0-9]+")
_ODD = {sign + word: float(sign + word[1:]) for word in (".inf", ".Inf", ".INF") for sign in ("", "+", "-")}
_ODD |= dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan"))
_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]', re.DOTALL)
Refusal = Callable[[str, str], GridcalError]
"""Makes an error from what is wrong with a document ("is larger than ...") and the repair."""


def refusing(error: type[GridcalError], what: str) -> Refusal:
    """Errors of one type about one document, e.g. ``refusing(ConfigError, "study file 'a.yml'")``."""
    return lambda problem, repair: error(f"{what} {problem}", repair)


def read_yaml(path: Path, refuse: Refusal, *, about: str = "It is a page of YAML") -> dict[str, Any]:
    """The mapping of a YAML file.

    Parameters
    ----------
    path : path
        A file that is there.
    refuse : callable
        Makes the errors; see :func:`refusing`.
    about : str
        What such a file is like, said where one is too large.

    Raises
    ------
    GridcalError
        As `refuse` makes it: the file cannot be read, or is not what :func:`parse_yaml` takes.
    """
    return parse_yaml(_text(path, YAML_BYTES, refuse, about), refuse, about=about)


def parse_yaml(text: str, refuse: Refusal, *, about: str = "It is a page of YAML") -> dict[str, Any]:
    """The mapping that a YAML text holds: keys are text, values text, numbers, truth values, nothing, lists and mappings.

    Raises
    ------
    GridcalError
        As `refuse` makes it, with the line: the text is too large or deep, is not YAML, uses an alias or a tag, gives a key
        twice, or holds no mapping.
    """
    if len(text) > YAML_BYTES:
        raise refuse(f"is larger than {YAML_BYTES} bytes", about)
    try:
        found = _Builder(yaml.parse(text, Loader=yaml.SafeLoader), refuse).document()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark is not None else ""
        why = getattr(error, "problem", None) or getattr(error, "reason", None) or "unknown fault"
        raise refuse(f"is not plain YAML: {where}{why}", "Repair it there") from error
    if not isinstance(found, dict):
        raise refuse("holds no mapping", "Start with 'title: ...', a key and its value a line")
    return found


class _Dumper(yaml.SafeDumper):
    """Puts into quotes what :func:`parse_yaml` would not read as text."""


_Dumper.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(f"^(?:{_NUMBER.pattern})$"), list("-+.0123456789"))


def dump_yaml(document: Any) -> str:
    """YAML of a document, which :func:`parse_yaml` reads back as it was."""
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False)


def read_json(path: Path, refuse: Refusal) -> Any:
    """What a JSON file holds.

    Raises
    ------
    FileNotFoundError
        If it is not there.
    GridcalError
        As `refuse` makes it: the file is no file, too large or deep, not JSON, or gives a key twice.
    """
    text = _text(path, JSON_BYTES, refuse, "gridcal writes small ones")
    if text.count("[") + text.count("{") > DEPTH:
        depth = 0
        for bracket in _BRACKETS.finditer(text):
            depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(bracket.group(), 0)
            if depth > DEPTH:
                raise refuse(f"is nested deeper than {DEPTH} levels", "gridcal writes no such file")

    def mapping(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            raise ValueError("a key is given twice")
        return found

    try:
        return json.loads(text, object_pairs_hook=mapping)
    except (ValueError, RecursionError) as error:
        raise refuse(f"is not plain JSON: {error}", "It was cut short, or changed by hand") from error


def _text(path: Path, limit: int, refuse: Refusal, about: str) -> str:
    try:
        facts = os.stat(path)
        if not stat.S_ISREG(facts.st_mode):  # a pipe would be waited for, a device never ends
            raise refuse("is no plain file", "Give a file")
        if facts.st_size > limit:
            raise refuse(f"is larger than {limit} bytes", about)
        with open(path, "rb") as file:
            data = file.read(limit + 1)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise refuse(f"cannot be read ({error.strerror})", "Check its permissions") from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise refuse("is not plain YAML or JSON but binary, or text that is not UTF-8", "Save it as UTF-8 text") from error
    if "\0" in text:
        raise refuse("is not plain YAML or JSON but binary", "Give a text file")
    return text


class _Builder:
    """Builds a document from YAML's events, which come one by one: at the first fault the rest is not even looked at."""

    def __init__(self, events: Iterator[Any], refuse: Refusal) -> None:
        self._events = events
        self._refuse = refuse
        self._values = 0

    def document(self) -> Any:
        found, documents = None, 0
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise self._refuse(f"{_at(event)}: starts a second document ('---')", "Give one document a file")
            elif isinstance(event, yaml.NodeEvent):
                found = self._node(event, 0)
        return found

    def _node(self, event: Any, depth: int) -> Any:
        self._values += 1
        if self._values > VALUES:
            raise self._refuse(f"holds more than {VALUES} values", "Split it, or leave out what gridcal does not read")
        if isinstance(event, yaml.AliasEvent):
            raise self._refuse(f"{_at(event)}: uses a YAML alias (*{event.anchor})", "Write the value out")
        if event.tag not in (None, "!"):
            raise self._refuse(f"is not plain YAML: {_at(event)}: it uses a tag ({event.tag})", "Write the value without it")
        if isinstance(event, yaml.ScalarEvent):
            if any("\ud800" <= letter <= "\udfff" for letter in event.value):
                raise self._refuse(f"{_at(event)}: holds half of a character (\\ud800 to \\udfff)", "Write the letter itself")
            return _scalar(event.value) if event.implicit[0] else event.value
        if depth >= DEPTH:
            raise self._refuse(f"{_at(event)}: is nested deeper than {DEPTH} levels", "Write it flat")
        if isinstance(event, yaml.SequenceStartEvent):
            items = []
            while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
                items.append(self._node(event, depth + 1))
            return items
        return self._mapping(depth)

    def _mapping(self, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for event in self._events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            if isinstance(event, yaml.CollectionStartEvent):
                raise self._refuse(f"{_at(event)}: a key is no text", "Write 'key: value'")
            self._node(event, depth + 1)
            key = str(event.value)
            if key in found:
                raise self._refuse(f"{_at(event)}: gives the key {key!r} twice", "Remove one of the two")
            found[key] = self._node(next(self._events), depth + 1)
        return found


def _at(event: Any) -> str:
    return f"line {event.start_mark.line + 1}"


def _scalar(text: str) -> Any:
    """Value of a scalar without quotes."""
    if text in _NULL:
        return None
    word = text.lower()
    if word in _TRUTH and text in (word, word.upper(), word.capitalize()):
        return _TRUTH[word]
    if _WHOLE.fullmatch(text):
        return int(text.replace("_", ""))
    if _NUMBER.fullmatch(text):
        return float(text)
    return _ODD.get(text, text)
