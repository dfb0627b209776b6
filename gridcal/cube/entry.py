"""Entries of the catalog: inert YAML files that say where data lie, what they hold, in which units, on which terms."""

from __future__ import annotations

import difflib
import os
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from gridcal.errors import CatalogError, InputError
from gridcal.vocabulary.documents import read_yaml, refusing
from gridcal.vocabulary.units import normalise

_REMOTE = ("s3", "gs", "gcs", "az", "abfs", "abfss", "http", "https", "memory")
DATA_DIR_VARIABLE = "GRIDCAL_DATA"
"""Environment variable that names the data directory."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class VariableEntry(_Strict):
    """How one variable stands in the file."""

    native: str | None = Field(default=None, description="name in the file, if another")
    units: str | None = Field(default=None, description="units of the values in the file; overrides its attribute")
    long_name: str | None = None
    fill_values: list[float] = Field(default_factory=list, description="values that mean missing")

    @field_validator("units")
    @classmethod
    def _known(cls, units: str | None) -> str | None:
        if units is not None:
            try:
                normalise(units)
            except InputError as error:
                raise ValueError(str(error)) from error
        return units


class CatalogEntry(_Strict):
    """One data set.

    Parameters
    ----------
    id, title : str
        Short name (the file's stem) and one line.
    kind : {"grid", "sites", "samples", "series", "table"}
        Space dimensions: (lat, lon), (site,), (pixel,), none; a table is a csv.
    format : {"netcdf", "zarr", "csv"}
        Of the data.
    location : str
        Path below the data directory, or beside the entry file with ``./``; absolute paths and addresses are taken
        as they are.
    dims : dict
        Renamings of dimensions, {name in the file: name}.
    variables : dict
        The variables by their public name.
    features : list of str
        Static variables that may serve as features.
    index : str or None
        Column of a csv that labels its rows.
    licence, citation, doi : str
        Terms.
    caveats : list of str
        What to know before use.
    """

    schema_version: Literal[1] = 1
    id: str
    title: str
    kind: Literal["grid", "sites", "samples", "series", "table"]
    format: Literal["netcdf", "zarr", "csv"]
    location: str
    dims: dict[str, str] = Field(default_factory=dict)
    variables: dict[str, VariableEntry]
    features: list[str] = Field(default_factory=list)
    index: str | None = None
    licence: str
    citation: str
    doi: str | None = None
    caveats: list[str] = Field(default_factory=list)

    @field_validator("location")
    @classmethod
    def _inside(cls, location: str) -> str:
        if ".." in location.replace("\\", "/").split("/"):
            raise ValueError("location leaves its folder ('..'); give a path below the data directory")
        if any(mark in location for mark in ("{{", "{%", "$", "~")):
            raise ValueError(f"location {location!r} holds a template; nothing is expanded in an entry, give the plain path")
        scheme, colon, _ = location.partition("://")
        if colon and scheme not in _REMOTE:
            raise ValueError(f"location has the scheme {scheme!r}; known are {', '.join(_REMOTE)}, or a plain path")
        return location

    @model_validator(mode="after")
    def _features_declared(self) -> CatalogEntry:
        stray = [f for f in self.features if f not in self.variables]
        if stray:
            raise ValueError(f"feature {stray[0]!r} is not among the variables; declare it there or leave it out")
        if self.index is not None and self.format != "csv":
            raise ValueError("index labels the rows of a csv; leave it out for other formats")
        return self


def catalog_folder() -> Path:
    """Return the folder of the entries that come with gridcal: in the wheel, or beside the package in a checkout."""
    package = Path(__file__).parents[1]
    for folder in (package / "_catalogs", package.parent / "catalogs"):
        if folder.is_dir():
            return folder
    raise CatalogError("the catalog's folder is not there", "Install gridcal again")


def list_entries() -> list[str]:
    """Ids of the entries that come with gridcal."""
    return sorted(p.stem for p in catalog_folder().glob("*.yml"))


def load_entry(name: str | Path) -> CatalogEntry:
    """Read and check one entry.

    Parameters
    ----------
    name : str or path
        Id of an entry that comes with gridcal, or the path of an entry file.

    Raises
    ------
    CatalogError
        If there is no such entry, or a key is unknown or a value impossible.
    """
    path = Path(name)
    if path.suffix not in (".yml", ".yaml"):
        path = catalog_folder() / f"{name}.yml"
        if not path.is_file():
            near = difflib.get_close_matches(str(name), list_entries(), n=2)
            hint = f"Did you mean {' or '.join(near)}?" if near else f"Known: {', '.join(list_entries())}"
            raise CatalogError(f"no catalog entry {str(name)!r}", hint)
    if not path.is_file():
        raise CatalogError(f"no catalog file {str(path)!r}", "Give the path of an entry file, or the id of a known entry")
    document = read_yaml(path, refusing(CatalogError, f"catalog file {str(path)!r}"), about="An entry is a page of YAML")
    document.setdefault("id", path.stem)
    try:
        entry = CatalogEntry.model_validate(document)
    except ValidationError as error:
        raise _readable(error, path) from error
    if entry.location.startswith("./"):
        entry = entry.model_copy(update={"location": str((path.parent / entry.location).resolve())})
    return entry


def _readable(error: ValidationError, path: Path) -> CatalogError:
    first = error.errors()[0]
    where = ".".join(str(p) for p in first["loc"])
    if first["type"] == "extra_forbidden":
        known = list((VariableEntry if first["loc"][0] == "variables" else CatalogEntry).model_fields)
        near = difflib.get_close_matches(str(first["loc"][-1]), known, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else f"Known keys: {', '.join(known)}"
        return CatalogError(f"catalog file {str(path)!r}: unknown key {where!r}", hint)
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "missing":
        return CatalogError(f"catalog file {str(path)!r}: the key {where!r} is missing", "Add it")
    return CatalogError(f"catalog file {str(path)!r}: {where + ': ' if where else ''}{message}", "Repair this value")


def data_path(entry: CatalogEntry, data_dir: str | Path | None = None) -> str:
    """Where an entry's data lie.

    Raises
    ------
    CatalogError
        If the data directory is not known, or the file is not there; the message says what to set.
    """
    location = entry.location
    if "://" in location:
        return location
    path = Path(location)
    if not path.is_absolute():
        folder = data_dir if data_dir is not None else os.environ.get(DATA_DIR_VARIABLE)
        if not folder:
            raise CatalogError(
                f"entry {entry.id!r} lies in the data directory, which is not known",
                f"Set the environment variable {DATA_DIR_VARIABLE} to it, or pass data_dir=",
            )
        path = Path(folder) / location
    if not path.exists():
        raise CatalogError(
            f"the data of entry {entry.id!r} are not there: {str(path)!r}",
            f"Put them there, or point {DATA_DIR_VARIABLE} to the directory that holds {location!r}",
        )
    return str(path)


def describe(entry: CatalogEntry) -> dict[str, Any]:
    """Title, licence and citation, as provenance records hold them."""
    return {"title": entry.title, "licence": entry.licence, "citation": entry.citation}
