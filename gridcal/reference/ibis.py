"""IBIS beside runs of IBIS 2.6b4: component tables, teacher-forced hours, free-running years, sensitivities.

A case NAME is NAME_hourly.nc with NAME_daily.nc and NAME_state0.csv; without a state of its own it takes the state whose name
is a prefix of NAME, and its leaf area is then prescribed. Texture and CO2 are the files' global attributes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from gridcal.errors import ConfigError, InputError
from gridcal.models.ibis import PARAMETERS, ibis_hour, ibis_model
from gridcal.models.ibis.components import TABLES, annual_update
from gridcal.models.ibis.constants import EPSILON, TMELT
from gridcal.reference.deviation import Deviation, relative, rmsd, scaled

TOLERANCE = 1.0e-6
DECIDUOUS = {"specla": 25.0, "tauleaf": 1.0}  # of the reference runs; the paper prints a conifer's
_LIGHT = ("coszen", "solad_vis", "solad_nir", "solai_vis", "solai_nir", "fira", "ta", "qa", "ua", "raina", "snowa")
_NOT_COMPARED = {"year", "doy", "hour", "time", "psurf", "laiu", "saiu", "fu", "rmic", *_LIGHT}
_HOURLY = {"rroot": "ra_root", "rwood": "ra_wood"}
_DAILY = {"ra_leaf_dark": "ra_leaf", "rnet": "rnet_mean"}
_STATE = {"sai": "sai_upper", "ztop": "ztop_upper", "zbot": "zbot_upper", "cbiol": "cbiol5", "cbiow": "cbiow5",
          "cbior": "cbior5", "plai": "plai5"}  # fmt: skip
_LIMITS = {"gpp": 0.01, "et": 0.02, "tsoi1": 0.05}


def check(folder: Path, case: str | None) -> list[Deviation]:
    """All comparisons a folder allows."""
    cases = sorted(p.name.removesuffix("_hourly.nc") for p in folder.glob("*_hourly.nc"))
    tables = [n for n in TABLES if (folder / _file(n)).exists()]
    if case is not None and case not in cases:
        raise ConfigError(f"{folder} holds no case {case!r}", f"It holds: {', '.join(cases) or 'none (NAME_hourly.nc)'}")
    if not cases and not tables:
        raise ConfigError(f"{folder} holds neither a case (NAME_hourly.nc) nor a table", "Give a folder of reference runs")
    rows: list[Deviation] = []
    if case is None:
        for name in tables:
            rows += _table(folder, name)
    for name in cases if case is None else [case]:
        run = _Case(folder, name)
        rows += run.forced()
        rows += run.free()
        rows += run.annual()
        if not run.prescribed and (folder / "sensitivity_annual.csv").exists() and name == "synth":
            rows += run.sensitivities()
    return rows


def _file(name: str) -> str:
    return f"{name}.csv" if name == "texture_lookup" else f"{name}.nc"


def _columns(path: Path) -> dict[str, np.ndarray]:
    if path.suffix == ".csv":
        return {str(k): v.to_numpy() for k, v in pd.read_csv(path).items()}
    with xr.open_dataset(path, decode_times=False) as ds:
        return {str(k): v.values for k, v in ds.variables.items()}


def _table(folder: Path, name: str) -> list[Deviation]:
    columns = _columns(folder / _file(name))
    try:
        found = TABLES[name](columns)
    except KeyError as error:
        raise InputError(f"{_file(name)} lacks the column {error.args[0]!r}", "Restore the reference file") from error
    rows = []
    for variable, values in found.items():
        if variable not in columns:
            continue
        use = np.ones(len(values), dtype=bool)
        if name == "leaf" and variable.endswith("_conv"):
            use = columns["converged"] == 1
        if name == "twostream" and (variable in ("k", "h") or variable.startswith("term")):
            use = columns["band"] == 1
        reference = columns[variable].astype(float)
        if name == "soilcolumn":
            sand = columns["sand"]
            off = np.concatenate([scaled(values[sand == s], reference[sand == s]) for s in np.unique(sand)])
            tiny = np.concatenate([np.abs(values - reference)[sand == s] for s in np.unique(sand)]) < 1e-15
            off = np.where(tiny, 0.0, off)
            worst = float(off.max())
            rows.append(
                Deviation(name, variable, off.size, worst, TOLERANCE, float(np.mean(off <= TOLERANCE)), worst <= TOLERANCE)
            )
            continue
        scale = columns[variable.replace("an_", "ag_")].astype(float)[use] if name == "leaf" and variable[:3] == "an_" else None
        rows.append(relative(name, variable, values[use], reference[use], TOLERANCE, scale))
    return rows


class _Case:
    """One case of a reference folder."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name = folder, name
        own = folder / f"{name}_state0.csv"
        self.prescribed = not own.exists()
        if self.prescribed:
            parents = [p for p in folder.glob("*_state0.csv") if name.startswith(p.name.removesuffix("_state0.csv"))]
            if not parents:
                raise InputError(
                    f"case {name!r} has no {own.name}, and no other state's name is a prefix of it", "Add the file"
                )
            own = max(parents, key=lambda p: len(p.name))
        table = pd.read_csv(own)
        several = table.groupby("name")["index"].transform("max") > 1
        keys = table["name"] + np.where(several, table["index"].astype(str), "")
        self.start = dict(zip(keys, table["value"].astype(float), strict=True))
        with xr.open_dataset(folder / f"{name}_hourly.nc", decode_times=False) as ds:
            self.hourly = ds.load()
        daily = folder / f"{name}_daily.nc"
        if not daily.exists():
            raise InputError(f"case {name!r} lacks {daily.name}", "Add the file")
        with xr.open_dataset(daily, decode_times=False) as ds:
            self.daily = ds.load()
        self.sand = float(self._attribute("sand_pct"))
        self.clay = float(self._attribute("clay_pct"))
        self.co2 = float(self._attribute("co2_ppm"))
        self.fu = self.start["fu"]
        year = self._hour("year")
        self.year_length = np.where((year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0)), 366.0, 365.0)
        if self._hour("doy").max() <= 365:
            self.year_length[:] = 365.0

    def _attribute(self, name: str) -> Any:
        for ds in (self.hourly, self.daily):
            if name in ds.attrs:
                return ds.attrs[name]
        raise InputError(f"{self.name}_hourly.nc lacks the global attribute {name!r}", "Add it")

    def _hour(self, name: str) -> np.ndarray:
        if name not in self.hourly:
            raise InputError(f"{self.name}_hourly.nc lacks the column {name!r}", "Restore the reference file")
        return np.asarray(self.hourly[name].values, dtype=float)

    def _label(self, kind: str) -> str:
        return f"{self.name} {kind}"

    def forced(self) -> list[Deviation]:
        """Every hour from the state the reference had at its start: hours are lanes."""
        n = self.hourly.sizes["time"] - 1
        laiu = self._hour("laiu")
        area = laiu * self.fu
        frac = np.ones(n + 1) if self.prescribed else area / np.maximum(area, EPSILON)
        given = {"laiu": laiu, "frac": frac, "co2": np.full(n + 1, self.co2), "year_length": self.year_length}
        given["ps"] = self._hour("psurf")
        forcing = [(given[k] if k in given else self._hour(k))[None, 1:] for k in ibis_hour.forcing]
        state = np.array(
            [self._hour(s.name)[:-1] if s.name in self.hourly else np.zeros(n) for s in ibis_hour.state], dtype=float
        )
        constants = {"sand": self.sand, "clay": self.clay} | {
            k: self._structure(k) for k in ibis_hour.site if k not in ("sand", "clay")
        }
        site = np.array([[constants[k]] for k in ibis_hour.site])
        columns = [str(c) for c in self.hourly.variables if c not in _NOT_COMPARED]
        names = [_HOURLY.get(c, c) for c in columns]
        found, _ = ibis_hour.run(np.repeat(_theta(), n, axis=1), forcing, site, state, outputs=names)
        change = self._phase_change()
        bare = laiu[1:] < EPSILON
        rows = []
        for column, values in zip(columns, found, strict=True):
            off = scaled(values[0], self._hour(column)[1:])
            out = off > TOLERANCE
            # what lies on leaves that are not there carries no weight
            stray = out & ~change & ~(bare if column in _LEAF else np.zeros(n, dtype=bool))
            within = 1.0 - float(out.mean())
            when = [self._when(i + 1) for i in np.flatnonzero(stray)[:3]]
            note = f"{int(stray.sum())} hours without phase change: {', '.join(when)}" if stray.any() else ""
            passed = within >= 0.99 and not stray.any()
            rows.append(Deviation(self._label("hours"), column, n, float(off.max()), TOLERANCE, within, passed, note))
        return rows

    def _structure(self, name: str) -> float:
        key = _STATE.get(name, name)
        if key not in self.start:
            raise InputError(f"the state of case {self.name!r} lacks {key!r}", "Restore the reference file")
        return float(self.start[key])

    def _when(self, row: int) -> str:
        return "-".join(str(int(self._hour(n)[row])) for n in ("year", "doy", "hour"))

    def _phase_change(self) -> np.ndarray:
        """Hours in which water freezes or melts, or snow's skin is at the melting point."""
        ti, fi = self._hour("ti"), self._hour("fi")
        near = np.abs(ti - TMELT) < 0.05
        skin = ((fi[1:] > 0.0) | (fi[:-1] > 0.0)) & (near[1:] | near[:-1] | ((ti[1:] - TMELT) * (ti[:-1] - TMELT) < 0.0))
        ice = [f"wisoi{k}" for k in range(1, 7)] + ["wipud", "wsnou", "wsnos"]
        moved = np.zeros(ti.size - 1, dtype=bool)
        for name in ice:
            x = self._hour(name)
            moved |= x[1:] != x[:-1]
        for name in ("tu", "ts", "tg", *(f"tsoi{k}" for k in range(1, 7))):
            x = self._hour(name) - TMELT
            moved |= x[1:] * x[:-1] < 0.0
        return skin | moved

    def _inputs(self) -> dict[str, np.ndarray]:
        n = self.hourly.sizes["time"]
        return {
            "ps": self._hour("psurf"),
            "td": np.repeat(np.asarray(self.daily["td"].values, dtype=float), 24),
            "co2": np.full(n, self.co2),
            "doy": self._hour("doy"),
            "year_length": self.year_length,
            "day": np.repeat(np.arange(n // 24, dtype=float), 24),
            "lai": self._hour("laiu") * self.fu,
        }

    def _run(self, theta: np.ndarray, days: int, outputs: list[str]) -> list[np.ndarray]:
        model = ibis_model("disaggregated", "prescribed" if self.prescribed else "static")
        given = self._inputs()
        forcing = [(given[k] if k in given else self._hour(k))[: 24 * days, None] for k in model.forcing]
        places = dict(model.site_default) | {"sand": self.sand, "clay": self.clay}
        start = []
        for s in model.state:
            key = _STATE.get(s.name, s.name)
            if key not in self.start and s.name not in ("npp_year", "a10_min"):
                raise InputError(f"the state of case {self.name!r} lacks {key!r}", "Restore the reference file")
            start.append([self.start[key] if key in self.start else float(s.initial)])
        site = np.array([[places[k]] for k in model.site])
        found, _ = model.run(theta, forcing, site, np.array(start), outputs=outputs)
        return list(found)

    def free(self) -> list[Deviation]:
        """All years from the state of the first hour."""
        columns = [str(c) for c in self.daily.variables if c not in ("year", "doy", "time") and not str(c).startswith("met_")]
        if self.prescribed:
            columns = [c for c in columns if c not in ("tempu", "agddu")]
        days = self.daily.sizes["time"]
        found = self._run(_theta(), days, [_DAILY.get(c, c) for c in columns])
        label = self._label("free run")
        rows = []
        for column, values in zip(columns, found, strict=True):
            reference = np.asarray(self.daily[column].values, dtype=float)
            limit = _LIMITS.get(column, 1.0e-3 * max(float(np.ptp(reference)), 1.0e-9))
            rows.append(rmsd(label, column, values[:, 0], reference, limit))
        year = self.daily["year"].values
        gpp = found[columns.index("gpp")][:, 0]
        sums = np.array([[gpp[year == y].sum(), float(self.daily["gpp"].values[year == y].sum())] for y in np.unique(year)])
        off = np.abs(sums[:, 0] / np.where(sums[:, 1] != 0.0, sums[:, 1], 1.0) - np.where(sums[:, 1] != 0.0, 1.0, 0.0))
        worst = float(off.max())
        rows.append(Deviation(label, "annual gpp", off.size, worst, 1e-3, float(np.mean(off <= 1e-3)), worst <= 1e-3))
        return rows

    def annual(self) -> list[Deviation]:
        """The yearly update of biomass and structure, row to row."""
        path = self.folder / f"{self.name}_annual.csv"
        if not path.exists():
            return []
        columns = _columns(path)
        moving = np.abs(np.diff(columns["cbiow"])) > 0.0
        if not moving.any():
            return []
        found = annual_update({k: columns[k][:-1] for k in ("npp", "cbiol", "cbiow", "cbior")})
        return [
            relative(self._label("annual update"), k, v[moving], columns[k][1:][moving], TOLERANCE)
            for k, v in found.items()
            if k in columns
        ]

    def sensitivities(self) -> list[Deviation]:
        """Annual sums with one parameter at an end of its range, all as lanes of one run."""
        table = pd.read_csv(self.folder / "sensitivity_annual.csv")
        table = table[(table["mode"] == "static") & (table["param"].isin(PARAMETERS.names) | (table["param"] == "default"))]
        theta = np.repeat(_theta(), len(table), axis=1)
        for lane, (param, value) in enumerate(zip(table["param"], table["value"], strict=True)):
            if param != "default":
                theta[PARAMETERS.index(param), lane] = value
        found = self._run(theta, 365, ["gpp", "npp", "et"])
        rows = []
        for name, values in zip(("gpp", "npp", "et"), found, strict=True):
            reference = table[name].to_numpy(dtype=float)
            off = np.abs(values.sum(axis=0) / reference - 1.0)
            rows.append(
                Deviation(
                    "sensitivities",
                    name,
                    off.size,
                    float(off.max()),
                    5e-3,
                    float(np.mean(off <= 5e-3)),
                    bool(off.max() <= 5e-3),
                )
            )
        return rows


_LEAF = ("wsnou", "wliqu", "fwetu", "tu", "gsub", "ciub", "csub")


def _theta() -> np.ndarray:
    return np.array([[DECIDUOUS.get(p.name, p.default)] for p in PARAMETERS])
