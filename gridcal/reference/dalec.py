"""DALEC-deciduous and DALEC2 beside runs of the original programs: every column of the files, by ACM and with GPP given.

A folder holds the files of `FILES`, each with its parameters (``par_*``), and those of DALEC-deciduous with their weather
(``drv_*``), which DALEC2 takes from any of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from gridcal.errors import ConfigError, InputError
from gridcal.models.dalec import dalec_model
from gridcal.models.dalec2 import dalec2_model
from gridcal.models.dalec2.pulses import EPOCH
from gridcal.process.model import ProcessModel
from gridcal.reference.deviation import Deviation

FILES = {
    "A": "A_reflex_verbatim_p20everywhere.nc",
    "B": "B_recommended_sameday_capped_p20everywhere.nc",
    "C": "C_recommended_growthstop200_p20leaffall.nc",
}
DALEC2_FILE = "dalec2_cardamom400.nc"
TOLERANCE = 1.0e-10
_MODELS = {
    "A": {gpp: dalec_model(scheme="reflex", gpp=gpp) for gpp in ("acm", "given")},
    "B": {gpp: dalec_model(gpp=gpp) for gpp in ("acm", "given")},
    "C": {gpp: dalec_model(growth_stop=200.0, gpp=gpp) for gpp in ("acm", "given")},
}
_NAMES = {"LAI": "lai_acm", "GPP": "gpp", "Ra": "ra", "NEE": "nee", "ralabfrom": "Rlab_f", "ralabto": "Rlab_t"}
_NAMES2 = {
    "LAI": "lai_start", "GPP": "gpp", "Ra": "ra", "NEE": "nee", "temprate": "Te", "leaf_prod": "Af", "labile_prod": "Alab",
    "root_prod": "Ar", "wood_prod": "Aw", "labile_release": "Llab", "leaffall_factor": "PHIoff", "labrelease_factor": "PHIon",
    "leaf_litter": "Lf", "wood_litter": "Lw", "root_litter": "Lr", "Rh_litter": "Rh1", "Rh_som": "Rh2", "litter2som": "D",
    "Cfol": "Cf", "Croot": "Cr", "Cwood": "Cw",
}  # fmt: skip
_POOLS2 = ("Clab0", "Cfol0", "Croot0", "Cwood0", "Clit0", "Csom0")
_LATITUDE2 = 42.2


def check(folder: Path, case: str | None, *, free: bool = True) -> list[Deviation]:
    """All comparisons of DALEC-deciduous; `case` is A, B or C. Every run is a free run, so that `free` changes nothing."""
    if case is not None and case not in FILES:
        raise ConfigError(f"DALEC has no case {case!r}", f"Its cases: {', '.join(FILES)}")
    rows: list[Deviation] = []
    for name in FILES if case is None else [case]:
        path = folder / FILES[name]
        if not path.exists():
            rows.append(_absent(name, path))
            continue
        data = _open(path)
        for gpp, model in _MODELS[name].items():
            label = f"{name}, GPP {'by ACM' if gpp == 'acm' else 'given'}"
            rows += _compared(label, model, data, _weather(data, path), _NAMES, _theta(model, data, path), path)
    return rows


def check_dalec2(folder: Path, case: str | None, *, free: bool = True) -> list[Deviation]:
    """All comparisons of DALEC2."""
    if case is not None:
        raise ConfigError(f"DALEC2 has no case {case!r}", "Leave it out")
    path = folder / DALEC2_FILE
    if not path.exists():
        return [_absent("DALEC2", path)]
    data = _open(path)
    rows: list[Deviation] = []
    weather = _borrowed(folder, data.sizes["day"])
    for gpp in ("acm", "given"):
        model = dalec2_model(gpp=gpp)
        label = f"DALEC2, GPP {'by ACM' if gpp == 'acm' else 'given'}"
        rows += _compared(label, model, data, weather, _NAMES2, _theta2(data, path), path)
    return rows


def _absent(label: str, path: Path) -> Deviation:
    return Deviation(label, path.name, 0, np.inf, TOLERANCE, 0.0, False, "the file is absent")


def _open(path: Path) -> xr.Dataset:
    try:
        with xr.open_dataset(path, decode_times=False) as ds:
            return ds.load()
    except (OSError, ValueError) as error:
        raise InputError(f"{path.name} cannot be read: {error}", "Restore the reference file") from error


def _column(data: xr.Dataset, name: str, path: Path) -> np.ndarray:
    if name not in data:
        raise InputError(f"{path.name} lacks the column {name!r}", "Restore the reference file")
    return np.asarray(data[name].values, dtype=float)


def _weather(data: xr.Dataset, path: Path) -> dict[str, np.ndarray]:
    drivers = {n: _column(data, f"drv_{n}", path) for n in ("tmin", "tmax", "rad", "co2", "doy")}
    return _forcing(drivers)


def _forcing(drivers: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    series = {
        "tasmin": drivers["tmin"], "tasmax": drivers["tmax"], "rsds": drivers["rad"] / 0.0864, "co2": drivers["co2"],
        "doy": drivers["doy"], "day": EPOCH + 1.0 + np.arange(len(drivers["doy"])),
    }  # fmt: skip
    return {name: np.asarray(x, dtype=float)[:, None] for name, x in series.items()}


def _borrowed(folder: Path, days: int) -> dict[str, np.ndarray]:
    """Weather of DALEC2: that of any other file of the folder, or of drivers.csv."""
    for name in FILES.values():
        path = folder / name
        if path.exists():
            found = _weather(_open(path), path)
            if len(found["doy"]) >= days:
                return {k: x[:days] for k, x in found.items()}
    table = folder / "drivers.csv"
    if table.exists():
        columns = pd.read_csv(table)
        return {k: x[:days] for k, x in _forcing({str(n): x.to_numpy() for n, x in columns.items()}).items()}
    raise InputError(
        f"{DALEC2_FILE} has no weather, and neither has the folder", f"Add drivers.csv or one of {', '.join(FILES.values())}"
    )


def _theta(model: ProcessModel, data: xr.Dataset, path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Parameters, site constants and first state of DALEC-deciduous."""
    theta = np.array([_column(data, "par_p18_lma" if n == "p18" else f"par_{n}", path) for n in model.parameters.names])
    n = theta.shape[1]
    known = {"lat": "par_lat", "leaf_nitrogen": "par_nit"}
    site = [_column(data, known[s], path) if s in known else np.full(n, model.site_default[s]) for s in model.site]
    pools = [_column(data, f"par_{s.name}0", path) if s.name[0] == "C" else np.full(n, s.initial) for s in model.state]
    return theta, np.array(site).reshape(len(model.site), n), np.array(pools)


def _theta2(data: xr.Dataset, path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Parameters, site constants and first state of DALEC2."""
    names = [next((str(v) for v in data if str(v).startswith(f"par_p{k}_")), f"par_p{k}") for k in range(1, 18)]
    theta = np.array([_column(data, n, path) for n in (*names, *(f"par_{p}" for p in _POOLS2))])
    return theta, np.full((1, theta.shape[1]), _LATITUDE2), theta[17:].copy()


def _compared(
    label: str,
    model: ProcessModel,
    data: xr.Dataset,
    weather: Mapping[str, np.ndarray],
    names: Mapping[str, str],
    inputs: tuple[np.ndarray, np.ndarray, np.ndarray],
    path: Path,
) -> list[Deviation]:
    """One row for each column of the file that the model can produce."""
    theta, site, state = inputs
    given = "gpp" in model.forcing
    columns = {str(c): names.get(str(c), str(c)) for c in data.data_vars}
    can = {*model.outputs, *model.extra_outputs}
    columns = {c: n for c, n in columns.items() if n in can}
    needed = {c for c, n in names.items() if n in can} | {"Clab", "Clit", "Csom"}
    lacking = sorted(needed - set(columns))
    if lacking:
        raise InputError(f"{path.name} lacks the column {lacking[0]!r}", "Restore the reference file")
    forcing = [_column(data, "GPP", path).T if n == "gpp" and given else weather[n] for n in model.forcing]
    found, _ = model.run(theta, forcing, site[: len(model.site)], state, outputs=tuple(columns.values()))
    rows = []
    first = {s.name: state[k] for k, s in enumerate(model.state)}
    for (column, name), values in zip(columns.items(), found, strict=True):
        reference = np.asarray(data[column].transpose("set", ...).values, dtype=float)
        own = values.T
        if "day_state" in data[column].dims:
            own = np.concatenate([first[name][:, None], own], axis=1)
        size = np.abs(reference).max(axis=1, keepdims=True)
        gap = np.abs(own - reference)
        with np.errstate(invalid="ignore", divide="ignore"):
            off = np.where(gap == 0.0, 0.0, gap / size)
        off = np.where(np.isfinite(off), off, np.inf)
        worst = float(off.max(initial=0.0))
        set_ = data["set"].values[int(np.argmax(off.max(axis=1, initial=0.0)))] if "set" in data.coords else ""
        within = float(np.mean(off <= TOLERANCE))
        rows.append(Deviation(label, column, off.size, worst, TOLERANCE, within, worst <= TOLERANCE, f"worst in set {set_}"))
    return rows
