"""Does the door repair, refuse or warn of a mutated cube, or does a number change in silence?

A good cube (a small synthetic twin) goes through ``check_cube``, a learner's prediction, a simulation and scores. Then each
operator below changes a copy of it, ten times by default, each time elsewhere, and the same is done again. A draw ends as

    equal     the same numbers at the same places, within the rounding that the operator itself brings
    told      other numbers, and a warning or a line of the check that names the variable
    refused   a gridcal error
    silent    other numbers, nothing said
    bare      an exception that is no gridcal error

The list was written down before any operator was tried. Those of kind "no trace" change nothing that metadata, grid or range
could show: they are there to say what no door can see.

    python benchmarks/door_mutations.py --draws 10
"""

from __future__ import annotations

import argparse
import collections
import dataclasses
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

import gridcal as gc

FEATURES = ("bio1", "bio4", "bio12", "elv", "ndvi_maximum", "field_capacity", "koeppen")
FORCING = ("tas", "vpd", "par", "fapar", "wai", "ci", "co2")
LUE = gc.models.model_named("lue")
Draw = Callable[[xr.Dataset, np.random.Generator, Path], Any]


@dataclasses.dataclass(frozen=True)
class Operator:
    """One way to change a good cube: its kind, its name, what it does, and the relative rounding it brings."""

    kind: str
    name: str
    change: Draw
    rounding: float = 1e-6


OPERATORS: list[Operator] = []


def operator(kind: str, name: str, rounding: float = 1e-6) -> Callable[[Draw], Draw]:
    def listed(change: Draw) -> Draw:
        OPERATORS.append(Operator(kind, name, change, rounding))
        return change

    return listed


# units -----------------------------------------------------------------------------------------------------------------------

IN_OTHER_UNITS = {
    "tas": [("K", 1.0, 273.15), ("degF", 1.8, 32.0)],
    "vpd": [("Pa", 1e3, 0.0), ("hPa", 10.0, 0.0), ("mbar", 10.0, 0.0)],
    "par": [("W m-2", 1e6 / 86400.0, 0.0), ("J m-2 d-1", 1e6, 0.0)],
    "fapar": [("%", 100.0, 0.0)],
    "co2": [("umol mol-1", 1.0, 0.0), ("mol mol-1", 1e-6, 0.0)],
    "gpp_obs": [("kg m-2 s-1", 1e-3 / 86400.0, 0.0), ("g m-2 day-1", 1.0, 0.0), ("umol m-2 s-1", 1e6 / 12.011 / 86400.0, 0.0)],
    "bio1": [("K", 1.0, 273.15), ("degF", 1.8, 32.0)],
    "bio12": [("m", 1e-3, 0.0), ("cm", 0.1, 0.0)],
    "elv": [("km", 1e-3, 0.0), ("cm", 100.0, 0.0)],
}


def _in(x: xr.DataArray, unit: tuple[str, float, float], *, label: bool = True) -> xr.DataArray:
    name, factor, offset = unit
    changed = (x.astype("float64") * factor + offset).assign_attrs(x.attrs)
    return changed.assign_attrs(units=name) if label else changed


def _one(rng: np.random.Generator, names: Any) -> Any:
    names = list(names)
    return names[rng.integers(len(names))]


@operator("1 units", "a variable in another unit, labelled so", 1e-5)
def _(data, rng, folder):
    name = _one(rng, IN_OTHER_UNITS)
    return data.assign({name: _in(data[name], _one(rng, IN_OTHER_UNITS[name]))})


@operator("1 units", "a variable in another unit under the old label")
def _(data, rng, folder):
    name = _one(rng, ["tas", "vpd", "par", "fapar", "gpp_obs", "bio1"])
    units = [u for u in IN_OTHER_UNITS[name] if abs(u[1] - 1.0) > 1e-9 or u[2] > 0.0]
    return data.assign({name: _in(data[name], _one(rng, units), label=False)})


@operator("1 units", "a unit taken away")
def _(data, rng, folder):
    name = _one(rng, ["tas", "vpd", "par", "co2", "gpp_obs", "bio1", "elv"])
    return data.assign({name: data[name].drop_attrs()})


@operator("1 units", "the unit of another variable")
def _(data, rng, folder):
    name, unit = _one(
        rng, [("tas", "kPa"), ("vpd", "degC"), ("par", "mm d-1"), ("co2", "m s-1"), ("gpp_obs", "W m-2"), ("elv", "K")]
    )
    return data.assign({name: data[name].assign_attrs(units=unit)})


# missing ---------------------------------------------------------------------------------------------------------------------


def _some_days(data: xr.Dataset, rng: np.random.Generator, name: str, value: float) -> xr.Dataset:
    x = data[name].copy(deep=True)
    for _ in range(3):
        x.values[tuple(rng.integers(n) for n in x.shape)] = value
    return data.assign({name: x})


@operator("2 missing", "a code for missing values (-9999, 1e20, 32767) on some days, undeclared")
def _(data, rng, folder):
    return _some_days(data, rng, _one(rng, [*FORCING, "gpp_obs"]), _one(rng, [-9999.0, 1e20, 32767.0]))


@operator("2 missing", "infinite values on some days")
def _(data, rng, folder):
    return _some_days(data, rng, _one(rng, [*FORCING, "gpp_obs"]), _one(rng, [np.inf, -np.inf]))


@operator("2 missing", "days of a forcing missing")
def _(data, rng, folder):
    return _some_days(data, rng, _one(rng, FORCING), np.nan)


@operator("2 missing", "packed in 16 bits with a fill code, read from a file", 5e-3)
def _(data, rng, folder):
    name = _one(rng, ["tas", "vpd", "par", "fapar", "gpp_obs"])
    low, high = float(data[name].min()), float(data[name].max())
    scale = (high - low) / 30000.0
    packing = {"dtype": "int16", "scale_factor": scale, "add_offset": (high + low) / 2.0, "_FillValue": -32768}
    data.to_netcdf(folder / "packed.nc", encoding={name: packing})
    return folder / "packed.nc"


@operator("2 missing", "a feature missing at a pixel")
def _(data, rng, folder):
    return _some_days(data, rng, _one(rng, FEATURES[:-1]), np.nan)


# layouts ---------------------------------------------------------------------------------------------------------------------


@operator("3 layouts", "rows or columns in reverse order")
def _(data, rng, folder):
    return data.isel({_one(rng, ["lat", "lon"]): slice(None, None, -1)})


@operator("3 layouts", "longitudes from 0 to 360")
def _(data, rng, folder):
    return data.assign_coords(lon=data.lon.values + 360.0)


@operator("3 layouts", "dimensions in another order")
def _(data, rng, folder):
    return data.transpose(*rng.permutation(["time", "lat", "lon"]))


@operator("3 layouts", "single precision or another byte order of values and coordinates", 1e-5)
def _(data, rng, folder):
    kind = _one(rng, ["float32", ">f4", ">f8"])
    coords = {c: data[c].values.astype(kind) for c in ("lat", "lon")}
    return data.assign_coords(coords).map(lambda x: x.astype(kind) if x.dtype.kind == "f" else x)


@operator("3 layouts", "other names of coordinates")
def _(data, rng, folder):
    y, x, t = _one(
        rng, [("latitude", "longitude", "time"), ("y", "x", "time"), ("lat", "lon", "valid_time"), ("nlat", "nlon", "t")]
    )
    standard = {
        "lat": {"standard_name": "latitude", "units": "degrees_north"},
        "lon": {"standard_name": "longitude", "units": "degrees_east"},
        "time": {"standard_name": "time"},
    }
    marked = data.assign_coords({c: data[c].assign_attrs(standard[c]) for c in standard})
    return marked.rename({a: b for a, b in (("lat", y), ("lon", x), ("time", t)) if a != b})


@operator("3 layouts", "a part: one row, one column, one pixel")
def _(data, rng, folder):
    part = {"lat": [int(rng.integers(data.sizes["lat"]))], "lon": [int(rng.integers(data.sizes["lon"]))]}
    part.pop(_one(rng, ["lat", "lon", "none"]), None)
    return data.isel(part)


@operator("3 layouts", "pixels stacked, in any order")
def _(data, rng, folder):
    stacked = data.stack(pixel=("lat", "lon"))
    if rng.random() < 0.5:
        stacked = stacked.reset_index("pixel")
    return stacked.isel(pixel=rng.permutation(stacked.sizes["pixel"]))


# time ------------------------------------------------------------------------------------------------------------------------


@operator("4 time", "a day left out")
def _(data, rng, folder):
    return data.isel(time=np.delete(np.arange(data.sizes["time"]), rng.integers(1, data.sizes["time"] - 1)))


@operator("4 time", "a day twice")
def _(data, rng, folder):
    k = int(rng.integers(data.sizes["time"]))
    return data.isel(time=np.insert(np.arange(data.sizes["time"]), k, k))


@operator("4 time", "days in another order")
def _(data, rng, folder):
    days = np.arange(data.sizes["time"])
    return data.isel(time=_one(rng, [days[::-1], rng.permutation(days), np.roll(days, int(rng.integers(1, 300)))]))


@operator("4 time", "stamps at noon, at the day's end, with a calendar's own type")
def _(data, rng, folder):
    how = _one(rng, ["noon", "end", "gregorian", "noleap"])
    if how == "noon":
        return data.assign_coords(time=data.time.values + np.timedelta64(12, "h"))
    if how == "end":
        return data.assign_coords(time=data.time.values + np.timedelta64(86399, "s"))
    return data.convert_calendar("standard" if how == "gregorian" else "noleap", use_cftime=True)


# identity and classes --------------------------------------------------------------------------------------------------------


@operator("5 identity", "variables in another order, and some that nobody asked for")
def _(data, rng, folder):
    mixed = data[list(rng.permutation(list(data.data_vars)))]
    more = {
        "crs": xr.DataArray(0),
        "note": ("lat", np.full(data.sizes["lat"], "x")),
        "lai": ("lat", np.ones(data.sizes["lat"]), {"units": "furlong"}),
    }
    name = _one(rng, more)
    return mixed.assign({name: more[name]})


@operator("5 identity", "a store of another kind (Zarr 2 or 3, NetCDF), chunked at will")
def _(data, rng, folder):
    chunked = data.chunk(lat=int(rng.integers(1, 4)), lon=int(rng.integers(1, 4))).drop_encoding()
    kind = _one(rng, [2, 3, "nc"])
    path = folder / f"store-{kind}"
    if kind == "nc":
        data.to_netcdf(path.with_suffix(".nc"))
        return path.with_suffix(".nc")
    chunked.to_zarr(path.with_suffix(".zarr"), zarr_format=kind, consolidated=bool(rng.random() < 0.5))
    return path.with_suffix(".zarr")


@operator("6 classes", "classes as objects, bytes, or texts of another width")
def _(data, rng, folder):
    how = _one(rng, [object, "S3", "U12", "padded"])
    x = data["koeppen"]
    values = np.char.ljust(x.values.astype("U3"), 8) if how == "padded" else x.values.astype(how)
    return data.assign(koeppen=(x.dims, values, x.attrs))


@operator("6 classes", "a class at some pixels that was never seen in training")
def _(data, rng, folder):
    values = data["koeppen"].values.astype("U3").copy()
    values[tuple(rng.integers(n) for n in values.shape)] = "Aw"
    return data.assign(koeppen=(data["koeppen"].dims, values, data["koeppen"].attrs))


# what leaves no trace --------------------------------------------------------------------------------------------------------


@operator("no trace", "a variable 10 % too high, inside its range")
def _(data, rng, folder):
    name = _one(rng, ["vpd", "par", "gpp_obs"])
    return data.assign({name: (data[name] * 1.1).assign_attrs(data[name].attrs)})


@operator("no trace", "the series of two pixels exchanged")
def _(data, rng, folder):
    a, b = rng.choice(data.sizes["lon"], 2, replace=False)
    order = np.arange(data.sizes["lon"])
    order[[a, b]] = order[[b, a]]
    return data.assign(tas=(data.tas.dims, data.tas.values[:, :, order], data.tas.attrs))


@operator("no trace", "a variable some days early or late under good stamps")
def _(data, rng, folder):
    return data.assign(tas=data.tas.roll(time=int(rng.integers(1, 30))))


# the story -------------------------------------------------------------------------------------------------------------------


def good_cube(lat: int = 4, lon: int = 5) -> tuple[xr.Dataset, gc.Extrapolator]:
    """The good cube, and a learner of its parameters."""
    twin = gc.synthetic.twin(lat, lon, years=1)
    data = twin.cube.data.compute()
    data.attrs = {}
    learner = gc.Extrapolator("ridge").fit(
        twin.truth[["eps_max", "Topt"]], gc.Cube.from_dataset(data, features=FEATURES).features
    )
    return data, learner


def story(source: Any, learner: gc.Extrapolator) -> tuple[dict[tuple[float, float], npt.NDArray[np.floating]], list[str]]:
    """Check, predict, simulate, score: per pixel its parameters, yearly GPP and scores; and what was said on the way."""
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        if isinstance(source, Path):
            cube = gc.open_cube(source, features=FEATURES)
        else:
            cube = gc.Cube.from_dataset(source, features=FEATURES)
        report = gc.check_cube(cube, LUE, ["gpp_obs"])
        report.require()
        found = learner.predict(cube.features)[["eps_max", "Topt"]]
        gpp = gc.simulate(cube, LUE, found).gpp
        scores = gc.evaluate(
            gpp.to_dataset(name="gpp"), cube, variables={"gpp": "gpp_obs"}, scales=("8-day",), seasons=("all",)
        )
        table = xr.merge(
            [found, gpp.mean("time", skipna=False).to_dataset(name="gpp"), scores[["rmse", "me"]].squeeze(drop=True)],
            compat="override",
            join="exact",
        ).compute()
    space = [d for d in ("lat", "lon", "pixel") if d in table.dims]
    flat = table.stack(place=space) if space else table.expand_dims("place")
    names = ("eps_max", "Topt", "gpp", "rmse", "me")
    numbers = np.stack([np.broadcast_to(flat[n].values, flat.sizes["place"]) for n in names], axis=-1)
    lat, lon = (np.broadcast_to(np.asarray(flat[c].values, dtype=float), flat.sizes["place"]) for c in ("lat", "lon"))
    places = {
        (round(float(a), 3), round((float(b) + 180.0) % 360.0 - 180.0, 3)): row
        for a, b, row in zip(lat, lon, numbers, strict=True)
    }
    said = [f"{line.name}: {line.text}" for line in report.of("rare")]
    said += [str(w.message) for w in heard if issubclass(w.category, UserWarning)]
    return places, said


def outcome(op: Operator, data: xr.Dataset, learner: gc.Extrapolator, seed: int) -> tuple[str, str]:
    """How one draw of an operator ends, and what was said."""
    good, _ = story(data, learner)
    with tempfile.TemporaryDirectory() as folder:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of Zarr, on writing
            changed = op.change(data.copy(deep=True), np.random.default_rng(seed), Path(folder))
        try:
            places, said = story(changed, learner)
        except gc.GridcalError as error:
            return "refused", str(error)
        except Exception as error:
            return "bare", f"{type(error).__name__}: {error}"
    strange = [p for p in places if p not in good]
    same = not strange and all(np.allclose(places[p], good[p], rtol=op.rounding, atol=op.rounding) for p in places)
    if same:
        return "equal", "; ".join(said)
    return ("told" if said else "silent"), "; ".join(said) or f"{len(strange)} places nobody knows" * bool(strange)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--only", default="", help="operators whose name holds this text")
    parser.add_argument("--say", action="store_true", help="print what each draw was told")
    chosen = parser.parse_args()
    data, learner = good_cube()
    print(f"{'kind':12s} {'operator':86s} equal told refused silent bare")
    for op in OPERATORS:
        if chosen.only not in op.name:
            continue
        ends = [outcome(op, data, learner, seed) for seed in range(chosen.draws)]
        count = collections.Counter(kind for kind, _ in ends)
        print(
            f"{op.kind:12s} {op.name:86s} "
            + " ".join(f"{count[k]:5d}" for k in ("equal", "told", "refused", "silent", "bare")),
            flush=True,
        )
        if chosen.say:
            for kind, text in ends:
                print(f"    {kind}: {text[:300]}")


if __name__ == "__main__":
    main()
