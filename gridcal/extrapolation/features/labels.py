"""Classes compared by what they mean: text, codes with CF flags, and numbers in any type are one class if they say the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from gridcal.errors import InputError
from gridcal.vocabulary.variables import VARIABLES

_MISSING = {"", "nan", "none", "<na>", "nat"}
_NUMBERS = "fiub"
Lookup = dict[str | float, int]


def is_categorical(x: xr.DataArray, declared: Iterable[str] = ()) -> bool:
    """Tell classes from numbers: text, declared names, CF flags, ``kind`` categorical in attributes or vocabulary."""
    known = VARIABLES.get(str(x.name))
    return (
        x.dtype.kind not in _NUMBERS
        or x.name in set(declared)
        or "flag_meanings" in x.attrs
        or x.attrs.get("kind") == "categorical"
        or (known is not None and known.kind == "categorical")
    )


def meanings_of(x: xr.DataArray) -> dict[float, str]:
    """Code -> meaning from CF ``flag_values`` and ``flag_meanings``; empty without them."""
    if x.dtype.kind not in _NUMBERS or "flag_meanings" not in x.attrs or "flag_values" not in x.attrs:
        return {}
    texts = x.attrs["flag_meanings"]
    words = texts.split() if isinstance(texts, str) else [str(t) for t in texts]
    codes = np.atleast_1d(np.asarray(x.attrs["flag_values"])).tolist()
    if len(codes) != len(words):
        raise InputError(
            f"feature {x.name!r} has {len(codes)} flag_values but {len(words)} flag_meanings", "Repair its attributes"
        )
    return {float(c): w for c, w in zip(codes, words, strict=True)}


def class_labels(values: npt.NDArray[Any], meanings: Mapping[float, str] | None = None) -> npt.NDArray[Any]:
    """Class labels as an object array of text, shape (n,); empty text where missing."""
    flat = np.asarray(values).ravel()
    out = np.empty(flat.size, dtype=object)
    for i, v in enumerate(flat.tolist()):
        if isinstance(v, int | float | np.number | np.bool_):
            known = meanings.get(float(v)) if meanings else None
            out[i] = "" if v != v else known if known is not None else _of_number(v if isinstance(v, int) else float(v))
        else:
            text = "" if v is None else v.decode() if isinstance(v, bytes) else str(v)
            out[i] = "" if text.strip().casefold() in _MISSING else text.strip()
    return out


def meaning(label: str) -> str:
    """What labels that mean the same share: case, blanks, and the underscores that CF puts for blanks, do not count.

    Examples
    --------
    >>> meaning(" Evergreen needleleaf") == meaning("evergreen_needleleaf")
    True
    """
    return " ".join(label.replace("_", " ").casefold().split())


def one_spelling(labels: Iterable[str]) -> dict[str, str]:
    """For each meaning the spelling that stands for it, the first when sorted; in order, without missing labels."""
    found: dict[str, str] = {}
    for label in sorted(set(labels) - {""}):
        found.setdefault(meaning(label), label)
    return {key: found[key] for key in sorted(found, key=lambda k: found[k].casefold())}


def alike(labels: Iterable[Any]) -> npt.NDArray[Any]:
    """Labels as text, each in the one spelling of its meaning.

    Examples
    --------
    >>> alike(["DBF", "dbf ", "ENF"]).tolist()
    ['DBF', 'DBF', 'ENF']
    """
    texts = class_labels(np.array(list(labels), dtype=object)).tolist()
    spelling = one_spelling(texts)
    return np.array([spelling[meaning(t)] if t else "" for t in texts], dtype=object)


def lookup_of(x: xr.DataArray, classes: Sequence[str]) -> Lookup:
    """Position of each class under what the values of `x` may be: text by its meaning, and numbers.

    Numbers and text meet where a class is a number that no other class is: 4, 4.0, "4" and "04" are one.

    Raises
    ------
    InputError
        If the values of `x` are numbers that can be none of the classes, or their meanings are none.
    """
    index: Lookup = {meaning(c): k for k, c in enumerate(classes)}
    as_number = [_number(c) for c in classes]
    numbers: Lookup = {}
    for k, number in enumerate(as_number):
        if number is not None and (as_number.count(number) == 1 or classes[k] == _of_number(number)):
            numbers[number] = k
    if x.dtype.kind not in _NUMBERS:
        return index | numbers
    known = meanings_of(x)
    if known:
        found: Lookup = {c: index[meaning(m)] for c, m in known.items() if meaning(m) in index}
        if found:
            return found
        raise InputError(
            f"feature {x.name!r} means {_some(known.values())} here, but {_some(classes)} in training: they have no class "
            "in common",
            "Give both the same meanings (flag_values and flag_meanings), and fit again where the training features lack them",
        )
    if not numbers:
        raise InputError(
            f"feature {x.name!r} is numbers without flag_meanings here, but {_some(classes)} in training",
            f"Say what the numbers mean: ds[{str(x.name)!r}].attrs.update(flag_values=[1, 2, ...], "
            f"flag_meanings='{' '.join(c.replace(' ', '_') for c in classes[:2])} ...')",
        )
    return numbers


def positions(values: npt.NDArray[Any], lookup: Lookup) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Position of each value among the classes (-1: none), and where there is no value."""
    if values.dtype.kind in _NUMBERS:
        numbers = values.astype(np.float64)
        position = np.full(values.size, -1, dtype=np.int64)
        for code, k in lookup.items():
            position[numbers == code] = k
        return position, np.isnan(numbers)
    import pandas as pd

    codes, unique = pd.factorize(values.astype(object), use_na_sentinel=False)
    labels = class_labels(np.asarray(unique, dtype=object))
    table = np.array([_position(v, lookup) for v in labels], dtype=np.int64)
    return table[codes], np.array([v == "" for v in labels], dtype=bool)[codes]


def _position(label: str, lookup: Lookup) -> int:
    found = lookup.get(meaning(label))
    if found is None:
        number = _number(label)
        found = None if number is None else lookup.get(number)
    return -1 if found is None else found


def _of_number(v: int | float) -> str:
    """A number as a label: whole ones with all their digits, whatever type they had."""
    return str(int(v)) if np.isfinite(v) and v == int(v) else f"{v:g}"


def _number(text: str) -> float | None:
    folded = text.casefold()
    if folded in ("true", "false"):
        return float(folded == "true")
    try:
        number = float(text)
    except ValueError:
        return None
    return number if np.isfinite(number) else None


def _some(labels: Iterable[str]) -> str:
    texts = [repr(t) for t in labels]
    return ", ".join(texts[:4]) + (f" and {len(texts) - 4} more" if len(texts) > 4 else "")
