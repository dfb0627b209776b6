"""Opening what is on disk: Zarr (version 2 or 3), NetCDF, csv; each error says what was found there."""

from __future__ import annotations

import csv
import io
import json
import math
import os
import warnings
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import xarray as xr
from pandas.io.common import get_handle

from gridcal.cube.agreement import MAP_LAYOUT_REPAIR
from gridcal.errors import CatalogError, InputError

Format = Literal["zarr", "netcdf", "csv"]
_TIME_MAJOR_LIMIT = 256 * 2**20
_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\x89HDF", "HDF5"),
    (b"CDF", "NetCDF-3"),
    (b"\x0e\x03\x13\x01", "HDF4"),
    (b"PK\x03\x04", "a zip archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"II*\x00", "GeoTIFF"),
    (b"MM\x00*", "GeoTIFF"),
    (b"GRIB", "GRIB"),
    (b"<", "a web page (a log-in or error page saved in place of data?)"),
)
_NO_TEXT = ["", "NaN", "nan", "-NaN", "-nan", "N/A", "n/a", "<NA>", "NULL", "null", "#N/A", "#NA", "#N/A N/A"]
"""What is missing in a column of text too; NA is North America and Namibia, None a class."""


def open_native(
    path: str, kind: Format | None = None, *, index: str | None = None, chunks: dict[str, Any] | str | None = "auto"
) -> xr.Dataset:
    """Open a data set under the names, units and dimensions it has on disk.

    Parameters
    ----------
    path : str
        A Zarr store, NetCDF file or csv table.
    kind : {"zarr", "netcdf", "csv"}, optional
        Its format; from the suffix and the first bytes without it.
    index : str, optional
        Column of a csv that labels its rows; the first without it.
    chunks : dict, "auto" or None
        Chunks of the lazy arrays. "auto" and None keep a Zarr store's own, and give NetCDF all of time in one.

    Returns
    -------
    Dataset
        Lazy, but for csv. A duration (units "days") is a number, in every version of xarray. In a csv, lines that start with #
        are comments; among numbers NA is a missing one, in a column of text it is a text; whole numbers with leading zeros
        (001) are texts.

    Raises
    ------
    InputError
        If the file is of another format, or its time cannot be decoded.
    """
    kind = kind or _kind_of(path)
    wanted = None if chunks is None or isinstance(chunks, str) else dict(chunks)
    try:
        if kind == "csv":
            return _open_table(path, index)
        if kind == "zarr":
            return _open_zarr(path, wanted)
        return _open_netcdf(path, wanted)
    except ValueError as error:
        if "decode" in str(error):
            raise InputError(
                f"{path!r}: a time coordinate cannot be decoded ({str(error).splitlines()[0]})",
                "Give it CF units ('days since 2000-01-01') and a calendar",
            ) from error
        raise


def _kind_of(path: str) -> Format:
    if path.endswith(".csv"):
        return "csv"
    return "zarr" if path.rstrip("/").endswith(".zarr") or "://" in path or Path(path).is_dir() else "netcdf"


def _open_netcdf(path: str, chunks: dict[str, Any] | None) -> xr.Dataset:
    if "://" not in path:
        found = _found(path)
        if found not in ("HDF5", "NetCDF-3"):
            raise InputError(
                f"{path!r} is not a NetCDF file: it is {found}",
                "Give a NetCDF file, or convert it to NetCDF or Zarr first",
            )
    try:
        with xr.open_dataset(path, engine="netcdf4", chunks=None, cache=False, decode_timedelta=False) as plain:
            dims = [str(d) for d in plain.dims]
            if chunks is None:
                _refuse_map_layout(path, plain)
    except OSError as error:
        raise InputError(f"{path!r} cannot be read as NetCDF ({error})", "The file may be cut short: fetch it again") from error
    automatic: dict[str, Any] = {d: -1 if d == "time" else "auto" for d in dims}
    return _durations_as_numbers(
        xr.open_dataset(path, engine="netcdf4", chunks={**automatic, **(chunks or {})}, decode_timedelta=False)
    )


def _durations_as_numbers(ds: xr.Dataset) -> xr.Dataset:
    """Durations, opened undecoded, without the mark by which xarray would decode them the next time they are read."""
    for x in ds.variables.values():
        if str(x.attrs.get("dtype", "")).startswith("timedelta64"):
            del x.attrs["dtype"]
    return ds


def _found(path: str) -> str:
    if Path(path).is_dir():
        return "a folder"
    with open(path, "rb") as file:
        head = file.read(8)
    return next(
        (name for magic, name in _MAGIC if head.lstrip()[: len(magic)] == magic),
        "of no known format" if head else "empty",
    )


def _refuse_map_layout(path: str, ds: xr.Dataset) -> None:
    for name, x in ds.data_vars.items():
        sizes = x.encoding.get("chunksizes")
        if not sizes or "time" not in x.dims or x.nbytes < _TIME_MAJOR_LIMIT:
            continue
        pieces = math.ceil(x.sizes["time"] / sizes[x.dims.index("time")])
        if pieces > 1 and x.ndim > 1:
            raise InputError(
                f"variable {str(name)!r} of {path!r} is stored as maps: {pieces} chunks along time, so every pixel "
                f"reads all {x.nbytes / 2**30:.1f} GiB",
                MAP_LAYOUT_REPAIR,
            )


def _open_zarr(path: str, chunks: dict[str, Any] | None) -> xr.Dataset:
    consolidated: bool | None = None
    if "://" not in path:
        version = _zarr_version(Path(path))
        consolidated = False if version == 3 else (Path(path) / ".zmetadata").exists()
    try:
        ds = xr.open_zarr(path, consolidated=consolidated, chunks=chunks or {}, decode_timedelta=False)
        if not ds.variables:
            _refuse_groups(path)
        return _durations_as_numbers(ds)
    except (KeyError, FileNotFoundError, TypeError) as error:
        raise InputError(
            f"{path!r} cannot be read as a Zarr group ({error})", "Its metadata are damaged: write it again"
        ) from error


def _refuse_groups(path: str) -> None:
    """Raise if a store holds no variable of its own."""
    import zarr

    groups = sorted(name for name, _ in zarr.open_group(path, mode="r").groups())
    if groups:
        raise InputError(
            f"{path!r} holds no variables, only groups: {', '.join(groups)}",
            f"Open one of them: {path.rstrip('/')}/{groups[0]}",
        )
    raise InputError(f"{path!r} holds no variables", "Give the store that holds them")


def _zarr_version(path: Path) -> int:
    if path.is_file():
        raise InputError(f"{str(path)!r} is not a Zarr store: it is {_found(str(path))}", "Give the store's folder")
    marker = path / "zarr.json"
    if marker.exists():
        try:
            head = json.loads(marker.read_text(encoding="utf-8"))
            version, node = int(head["zarr_format"]), str(head["node_type"])
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"{str(marker)!r} is damaged ({error})", "Write the store again") from error
        if version > 3:
            raise InputError(f"{str(path)!r} is Zarr version {version}; gridcal reads 2 and 3", "Write it as version 3")
        if node != "group":
            raise InputError(f"{str(path)!r} is a Zarr {node}, not a group of variables", "Give the group above it")
        return version
    if (path / ".zgroup").exists():
        return 2
    if (path / ".zarray").exists():
        raise InputError(f"{str(path)!r} is a Zarr array, not a group of variables", "Give the group above it")
    held = ", ".join(sorted(os.listdir(path))[:5]) or "nothing"
    raise InputError(
        f"{str(path)!r} is not a Zarr store: it has neither zarr.json (version 3) nor .zgroup (version 2), it holds {held}",
        "Give the folder that holds one of them",
    )


def _open_table(path: str, index: str | None) -> xr.Dataset:
    """A csv. NA means missing among numbers and is a text among texts, and 001 is a text."""
    raw, guess = _frames(path)
    label = index or str(raw.columns[0])
    if label not in raw:
        raise CatalogError(f"{path!r} has no column {label!r} to label its rows", f"It has: {', '.join(map(str, raw.columns))}")
    texts = [str(c) for c in raw if guess[c].dtype.kind not in "fiub" or _is_text(raw[c], label=c == label)]
    for name in texts:
        _refuse_comments(path, raw[name])
    unnamed = (raw[label] == "" if label in texts else guess[label].isna()).to_numpy()
    if unnamed.any():
        raise InputError(
            f"column {label!r} of {path!r} labels the rows, but row {int(unnamed.argmax()) + 1} has none", "Add it"
        )
    frame = guess.assign(**{name: raw[name] for name in texts}).set_index(label)
    if not frame.index.is_unique:
        found = frame.index[frame.index.duplicated()][0]
        raise InputError(f"column {label!r} of {path!r} holds {str(found)!r} twice", "Remove the repeated row")
    ds = xr.Dataset.from_dataframe(frame)
    for name in texts:
        if name != label:
            ds[name] = ds[name].dims, [str(v) for v in ds[name].values]
    if label in texts:
        ds = ds.assign_coords({label: [str(v) for v in ds[label].values]})
    return ds


def _frames(path: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A csv as text, and as the numbers that pandas takes its columns for; lines that start with # are comments."""
    try:
        with get_handle(path, "r", encoding="utf-8-sig", compression="infer") as opened:
            text = str(opened.handle.read())
        lines = [line for line in text.splitlines(keepends=True) if not line.lstrip().startswith("#")]
        names = [name.strip() for name in next(csv.reader(line for line in lines if line.strip()), [])]
        twice = next((n for n in names if names.count(n) > 1), None)
        if twice is not None:
            raise InputError(f"{path!r} has two columns called {twice!r}", "Rename one of them")
        body = "".join(lines)
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            raw = pd.read_csv(io.StringIO(body), index_col=False, dtype=str, keep_default_na=False, na_values=_NO_TEXT)
            return raw.fillna(""), pd.read_csv(io.StringIO(body), index_col=False)
    except UnicodeDecodeError as error:
        raise InputError(f"{path!r} is not UTF-8 text ({error.reason} at byte {error.start})", "Save it as UTF-8") from error
    except (pd.errors.ParserError, pd.errors.ParserWarning, pd.errors.EmptyDataError) as error:
        raise InputError(
            f"{path!r} cannot be read as a table ({str(error).strip()})",
            "Give every row as many values as the header has names",
        ) from error


def _is_text(cells: pd.Series, *, label: bool) -> bool:
    """Whether numbers would lose what is written: leading zeros, more digits than a number holds; of labels also 1E5."""
    if bool(cells.str.fullmatch(r"[+-]?0\d+|[+-]?\d{16,}").any()):
        return True
    return label and not bool(cells.str.fullmatch(r"[+-]?\d+(\.\d*)?|").all())


def _refuse_comments(path: str, cells: pd.Series) -> None:
    """Raise if a column is text for no other reason than comments behind its numbers."""
    if cells.str.contains("#", regex=False).any():
        heads = cells.str.split("#").str[0].str.strip()
        if bool(pd.to_numeric(heads[heads != ""], errors="coerce").notna().all()) and bool((heads != "").any()):
            raise InputError(
                f"column {str(cells.name)!r} of {path!r} has comments behind its numbers",
                "Put a comment on a line of its own, which starts with #",
            )
