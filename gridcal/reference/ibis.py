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
from gridcal.reference.deviation import Deviation, digits, relative, rmsd, scaled, size_of
from gridcal.reference.last_digit import SINGLE, STORED, Run, last_digit, reach

TOLERANCE = 1.0e-6
DECIDUOUS = {"specla": 25.0, "tauleaf": 1.0}  # of the reference runs; the paper prints a conifer's
_LIGHT = ("coszen", "solad_vis", "solad_nir", "solai_vis", "solai_nir", "fira", "ta", "qa", "ua", "raina", "snowa")
_LAYERED = tuple(f"{name}{k}" for name in ("tsoi", "wsoi", "wisoi") for k in range(1, 7))
_OF_THE_HOUR = (
    "topparu", "a10scalparamu", "a10daylightu", "agcub", "ancub", "gsub", "ciub", "csub", "totcondub", "stresstu", "tu", "ts",
    "t12", "q12", "t34", "q34", "tg", "ti", "su", "ss", "cu", "cl", "sg", "u12", "u2", "fwetu", "wliqu", "wsnou", "wliqs",
    "wsnos", "solu", "sols", "solg", "soli", "firu", "firs", "firg", "firi", "firb", "albd_vis", "albd_nir", "albi_vis",
    "albi_nir", "gpp", "npp", "rroot", "rwood", "fsena", "fvapa", "gtransu", "ginvap", "gsuvap", "grunof", "gdrain", "gadjust",
    "heatg", "wpud", "wipud", "fi", *_LAYERED, "hsno1", "hsno2", "hsno3", "tsno1", "tsno2", "tsno3",
)  # fmt: skip
_OF_THE_DAY = (
    "td", "tempu", "laiu", "agddu", "a10td", "gpp", "npp", "ra_leaf_dark", "ra_root", "ra_wood", "ra_growth", "rh", "nee", "et",
    "transp", "intercep_evap", "soil_snow_evap", "runoff_surf", "drainage", "sw_in", "rnet", "sens", "latent", "stresstu",
    "decompl", "decomps", *_LAYERED[:12], "snowdepth", "snowfrac", "totcmic", "csoislop", "csoislon", "csoipas", "totlit",
    "storage_total",
)  # fmt: skip
_HOURLY = {"rroot": "ra_root", "rwood": "ra_wood"}
_DAILY = {"ra_leaf_dark": "ra_leaf", "rnet": "rnet_mean"}
_STATE = {"sai": "sai_upper", "ztop": "ztop_upper", "zbot": "zbot_upper", "cbiol": "cbiol5", "cbiow": "cbiow5",
          "cbior": "cbior5", "plai": "plai5"}  # fmt: skip
_LIMITS = {"gpp": 0.01, "et": 0.02, "tsoi1": 0.05}


def check(folder: Path, case: str | None, *, free: bool = True) -> list[Deviation]:
    """All comparisons a folder allows; without `free` those alone that take no run of days."""
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
        rows += run.annual()
        if free:
            rows += run.free()
        if free and not run.prescribed and (folder / "sensitivity_annual.csv").exists() and name == "synth":
            rows += run.sensitivities()
    return rows


def _file(name: str) -> str:
    return f"{name}.csv" if name == "texture_lookup" else f"{name}.nc"


def _columns(path: Path) -> dict[str, np.ndarray]:
    if path.suffix == ".csv":
        return {str(k): v.to_numpy() for k, v in pd.read_csv(path).items()}
    return {str(k): v.values for k, v in _dataset(path).variables.items()}


def _dataset(path: Path) -> xr.Dataset:
    try:
        with xr.open_dataset(path, decode_times=False) as ds:
            return ds.load()
    except (OSError, ValueError) as error:
        raise InputError(f"{path.name} cannot be read: {error}", "Restore the reference file") from error


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
        if name == "texture_lookup":
            rows.append(digits(name, variable, values, reference, 7))
            continue
        if name == "soilcolumn":
            texture = 1000.0 * columns["sand"] + columns["clay"]
            off = np.concatenate([scaled(values[texture == t], reference[texture == t]) for t in np.unique(texture)])
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
        self.hourly = _dataset(folder / f"{name}_hourly.nc")
        daily = folder / f"{name}_daily.nc"
        if not daily.exists():
            raise InputError(f"case {name!r} lacks {daily.name}", "Add the file")
        self.daily = _dataset(daily)
        self.sand = float(self._attribute("sand_pct"))
        self.clay = float(self._attribute("clay_pct"))
        self.co2 = float(self._attribute("co2_ppm"))
        self.fu = self.start["fu"]
        year = self._hour("year")
        self.year_length = np.where((year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0)), 366.0, 365.0)
        self.day = _day_number(year, self._hour("doy"))
        self.follows = np.diff(24 * self.day + self._hour("hour").astype(np.int64)) == 1

    def _attribute(self, name: str) -> Any:
        for ds in (self.hourly, self.daily):
            if name in ds.attrs:
                return ds.attrs[name]
        raise InputError(f"{self.name}_hourly.nc lacks the global attribute {name!r}", "Add it")

    def _hour(self, name: str) -> np.ndarray:
        if name not in self.hourly:
            raise InputError(f"{self.name}_hourly.nc lacks the column {name!r}", "Restore the reference file")
        return np.asarray(self.hourly[name].values, dtype=float)

    def _daily(self, name: str) -> np.ndarray:
        if name not in self.daily:
            raise InputError(f"{self.name}_daily.nc lacks the column {name!r}", "Restore the reference file")
        return np.asarray(self.daily[name].values, dtype=float)

    def _label(self, kind: str) -> str:
        return f"{self.name} {kind}"

    def forced(self) -> list[Deviation]:
        """Every hour from the state the reference had at its start: hours that follow the row before them are lanes."""
        rows_of_lanes = np.flatnonzero(self.follows) + 1
        n = rows_of_lanes.size
        if not n:
            raise InputError(f"{self.name}_hourly.nc holds no two hours in a row", "Restore the reference file")
        laiu = self._hour("laiu")
        area = laiu * self.fu
        frac = np.ones(laiu.size) if self.prescribed else area / np.maximum(area, EPSILON)
        given = {"laiu": laiu, "frac": frac, "co2": np.full(laiu.size, self.co2), "year_length": self.year_length}
        given["ps"] = self._hour("psurf")
        forcing = [(given[k] if k in given else self._hour(k))[None, rows_of_lanes] for k in ibis_hour.forcing]
        before = rows_of_lanes - 1
        state = np.array(
            [np.zeros(n) if s.name == "a10ancub" else self._hour(s.name)[before] for s in ibis_hour.state], dtype=float
        )  # the mean of photosynthesis is in no file and feeds nothing of the hour
        constants = {"sand": self.sand, "clay": self.clay} | {
            k: self._structure(k) for k in ibis_hour.site if k not in ("sand", "clay")
        }
        site = np.array([[constants[k]] for k in ibis_hour.site])
        names = [_HOURLY.get(c, c) for c in _OF_THE_HOUR]

        def hours(which: np.ndarray, start: np.ndarray) -> np.ndarray:
            theta = np.repeat(_theta(), which.size, axis=1)
            found, _ = ibis_hour.run(theta, [x[:, which] for x in forcing], site, start, outputs=names)
            return np.array([values[0] for values in found])

        reference = np.array([self._hour(c)[rows_of_lanes] for c in _OF_THE_HOUR])
        found = hours(np.arange(n), state)
        off = np.array([scaled(*both) for both in zip(found, reference, strict=True)])
        out = ~(off <= TOLERANCE)
        stray = out & ~self._phase_change()[before]
        fault = stray & ~self._by_the_last_digit(hours, stray, state, found, reference)
        rows = []
        for k, column in enumerate(_OF_THE_HOUR):
            within = 1.0 - float(out[k].mean())
            passed = within >= 0.99 and not fault[k].any()
            note = self._note(rows_of_lanes, stray[k], fault[k])
            rows.append(Deviation(self._label("hours"), column, n, float(off[k].max()), TOLERANCE, within, passed, note))
        return rows

    def _by_the_last_digit(
        self, hours: Run, stray: np.ndarray, state: np.ndarray, found: np.ndarray, reference: np.ndarray
    ) -> np.ndarray:
        """Which stray hours the last stored digit of their start state explains; (columns, hours).

        Where a column strays in more than a hundredth of its hours it fails anyway, and is not asked for.
        """
        single = stray & (stray.mean(axis=1, keepdims=True) <= 0.01)
        asked = np.flatnonzero(single.any(axis=0))
        explained = np.zeros_like(stray)
        if asked.size:
            stored = np.array([self._digits(s.name) for s in ibis_hour.state])
            unit = last_digit(state[:, asked], stored[:, None])
            most = reach(lambda which, start: hours(asked[which], start), state[:, asked], unit)
            size = np.array([size_of(y)[asked] for y in reference])
            explained[:, asked] = np.abs(found - reference)[:, asked] <= most + TOLERANCE * size
        return explained & single

    def _digits(self, name: str) -> int:
        return SINGLE if name in self.hourly and self.hourly[name].dtype == np.float32 else STORED

    def _note(self, rows_of_lanes: np.ndarray, stray: np.ndarray, fault: np.ndarray) -> str:
        when = ", ".join(self._when(i) for i in rows_of_lanes[fault][:3])
        parts = [f"{int(fault.sum())} hours without phase change: {when}"] if fault.any() else []
        small = int((stray & ~fault).sum())
        parts += [f"{small} hours within the reach of the start state's last digit"] if small else []
        return "; ".join(parts)

    def _structure(self, name: str) -> float:
        key = _STATE.get(name, name)
        if key not in self.start:
            raise InputError(f"the state of case {self.name!r} lacks {key!r}", "Restore the reference file")
        return float(self.start[key])

    def _when(self, row: int) -> str:
        return "-".join(str(int(self._hour(n)[row])) for n in ("year", "doy", "hour"))

    def _phase_change(self) -> np.ndarray:
        """Hours in which snow's skin is at the melting point, or a temperature of canopy or soil crosses it."""
        ti, fi = self._hour("ti"), self._hour("fi")
        near = np.abs(ti - TMELT) < 0.05
        skin = ((fi[1:] > 0.0) | (fi[:-1] > 0.0)) & (near[1:] | near[:-1] | ((ti[1:] - TMELT) * (ti[:-1] - TMELT) < 0.0))
        moved = np.zeros(ti.size - 1, dtype=bool)
        for name in ("tu", "ts", "tg", *(f"tsoi{k}" for k in range(1, 7))):
            x = self._hour(name) - TMELT
            moved |= x[1:] * x[:-1] < 0.0
        return skin | moved

    def _whole_days(self) -> np.ndarray:
        """Days since 1970 of the run: the file's whole days, which begin at midnight and follow each other."""
        if self._hour("hour")[0] != 0 or not self.follows.all():
            at = 0 if self._hour("hour")[0] != 0 else int(np.argmin(self.follows)) + 1
            raise InputError(
                f"{self.name}_hourly.nc does not run on hour by hour from a midnight: see {self._when(at)}",
                "Restore the reference file, or leave the free run out",
            )
        return self.day[::24][: self.day.size // 24]

    def _rows_of_days(self, days: np.ndarray) -> np.ndarray:
        """Rows of the daily file that hold these days."""
        row = {int(d): k for k, d in enumerate(_day_number(self._daily("year"), self._daily("doy")))}
        lacking = [d for d in days if int(d) not in row]
        if lacking:
            day = np.datetime64("1970-01-01") + int(lacking[0])
            raise InputError(f"{self.name}_daily.nc has no row for {day}", "It must hold each day of the hourly file")
        return np.array([row[int(d)] for d in days], dtype=np.int64)

    def _day_temperature(self) -> np.ndarray:
        """Daily temperature (K) from the extremes, or as stored where the daily file has none."""
        if "met_tmin_C" in self.daily and "met_tmax_C" in self.daily:
            return 0.44 * self._daily("met_tmax_C") + 0.56 * self._daily("met_tmin_C") + TMELT
        return self._daily("td")

    def _inputs(self, days: np.ndarray) -> dict[str, np.ndarray]:
        n = self.day.size
        td = np.full(n, np.nan)
        td[: 24 * days.size] = np.repeat(self._day_temperature()[self._rows_of_days(days)], 24)
        return {
            "ps": self._hour("psurf"),
            "td": td,
            "co2": np.full(n, self.co2),
            "doy": self._hour("doy"),
            "year_length": self.year_length,
            "day": self.day.astype(float),
            "lai": self._hour("laiu") * self.fu,
        }

    def _run(self, theta: np.ndarray, days: np.ndarray, outputs: list[str]) -> list[np.ndarray]:
        model = ibis_model("disaggregated", "prescribed" if self.prescribed else "static")
        given = self._inputs(days)
        forcing = [(given[k] if k in given else self._hour(k))[: 24 * days.size, None] for k in model.forcing]
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
        columns = [c for c in _OF_THE_DAY if not (self.prescribed and c in ("tempu", "agddu"))]
        days = self._whole_days()
        here = self._rows_of_days(days)
        found = self._run(_theta(), days, [_DAILY.get(c, c) for c in columns])
        label = self._label("free run")
        rows = []
        for column, values in zip(columns, found, strict=True):
            reference = self._daily(column)[here]
            limit = _LIMITS.get(column, 1.0e-3 * max(float(np.ptp(reference)), 1.0e-9))
            rows.append(rmsd(label, column, values[:, 0], reference, limit))
        year, length = self._daily("year")[here], self.year_length[: 24 * days.size : 24]
        whole = [y for y in np.unique(year) if np.sum(year == y) == length[year == y][0]]
        if whole:
            own, reference = found[columns.index("gpp")][:, 0], self._daily("gpp")[here]
            off = np.array([abs(own[year == y].sum() / reference[year == y].sum() - 1.0) for y in whole])
            worst = float(off.max())
            rows.append(Deviation(label, "annual gpp", off.size, worst, 1e-3, float(np.mean(off <= 1e-3)), worst <= 1e-3))
        return rows

    def annual(self) -> list[Deviation]:
        """The yearly update of biomass and structure, row to row."""
        path = self.folder / f"{self.name}_annual.csv"
        if not path.exists():
            return []
        columns = _columns(path)
        moving = np.any([np.diff(columns[k]) != 0.0 for k in ("cbiol", "cbiow", "cbior")], axis=0)
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
        table = table[table["mode"] == "static"]
        theta = np.repeat(_theta(), len(table), axis=1)
        for lane, (param, value) in enumerate(zip(table["param"], table["value"], strict=True)):
            if param != "default":
                theta[PARAMETERS.index(param.removeprefix("p_")), lane] = value
        days = self._whole_days()
        days = days[self._hour("year")[: 24 * days.size : 24] == self._hour("year")[0]]
        names = ("gpp", "npp", "et")
        found = [values.sum(axis=0) for values in self._run(theta, days, list(names))]
        reference = [table[name].to_numpy(dtype=float) for name in names]
        rows = []
        for name, own, numbers in zip(names, found, reference, strict=True):
            off = np.abs(own / numbers - 1.0)
            worst = float(off.max())
            rows.append(Deviation("sensitivities", name, off.size, worst, 5e-3, float(np.mean(off <= 5e-3)), worst <= 5e-3))
        default = (table["param"] == "default").to_numpy()
        if default.any():
            inert = ~default & np.all([np.abs(n / n[default][0] - 1.0) < 1e-12 for n in reference], axis=0)
            off = np.max([np.abs(f[inert] / f[default][0] - 1.0) for f in found], axis=0, initial=0.0)
            worst = float(off.max(initial=0.0))
            same = float(np.mean(off == 0.0)) if off.size else 1.0
            rows.append(Deviation("sensitivities", "parameters without effect", off.size, worst, 0.0, same, worst == 0.0))
        return rows


def _day_number(year: np.ndarray, doy: np.ndarray) -> np.ndarray:
    """Days since 1970-01-01."""
    first = (year.astype(np.int64) - 1970).astype("datetime64[Y]").astype("datetime64[D]")
    return first.astype(np.int64) + doy.astype(np.int64) - 1


def _theta() -> np.ndarray:
    return np.array([[DECIDUOUS.get(p.name, p.default)] for p in PARAMETERS])
