"""Bad input from the command line and in the verbs: one message that names the thing and the repair, before any task."""

import copy
import subprocess
import sys

import dask.array as da
import numpy as np
import pandas as pd
import pytest
import xarray as xr
import yaml

from gridcal.calibration import CMAES, Status, calibrate
from gridcal.calibration.target import Block, Target
from gridcal.cli import main
from gridcal.cube import Cube
from gridcal.errors import ConfigError, InputError
from gridcal.models.lue import lue
from gridcal.study.folder import Study

UNITS = {"tas": "degC", "vpd": "kPa", "par": "MJ m-2 d-1", "fapar": "1", "wai": "1", "ci": "1"}
LOW = {"tas": 0, "vpd": 0, "par": 2, "fapar": 0.1, "wai": 0.2, "ci": 0.1}
HIGH = {"tas": 25, "vpd": 2, "par": 14, "fapar": 0.95, "wai": 1, "ci": 1}
DAYS = 128
NOT_RAISED = pytest.fail.Exception


def grid():
    rng = np.random.default_rng(1)
    ds = xr.Dataset(
        coords={
            "time": pd.date_range("2003-11-01", periods=DAYS),
            "lat": 40 + 0.5 * np.arange(4),
            "lon": -80 + 0.5 * np.arange(5),
        }
    )
    for name, units in UNITS.items():
        values = rng.uniform(LOW[name], HIGH[name], (DAYS, 4, 5)).astype(np.float32)
        ds[name] = (("time", "lat", "lon"), values, {"units": units})
    ds["co2"] = ("time", np.full(DAYS, 375.0, dtype=np.float32), {"units": "ppm"})
    ds["gpp_obs"] = (("time", "lat", "lon"), rng.gamma(2.0, 2.0, (DAYS, 4, 5)), {"units": "gC m-2 d-1"})
    for name, units in (("bio1", "degC"), ("bio4", "1"), ("bio12", "mm")):
        ds[name] = (("lat", "lon"), rng.uniform(0, 20, (4, 5)), {"units": units})
    return ds


STUDY = {
    "title": "a small grid",
    "data": {"kind": "cube", "samples": 12},
    "calibration": {
        "method": "cmaes",
        "options": {"max_evaluations": 40},
        "blocks": [{"fit": ["eps_max", "Topt"], "to": {"variable": "gpp"}}],
    },
    "learn": {"method": "ridge"},
    "compute": {"cluster": "none"},
}


def write(folder, change=lambda ds: ds, **keys):
    """A cube and a study file; keys are paths into it with underscores for dots: data__samples."""
    change(grid()).drop_encoding().to_zarr(folder / "cube.zarr", zarr_format=3, consolidated=False)
    document = copy.deepcopy(STUDY)
    document["data"]["source"] = str(folder / "cube.zarr")
    for path, value in keys.items():
        place = document
        *sections, last = path.split("__")
        for part in sections:
            place = place[int(part)] if part.isdigit() else place.setdefault(part, {})
        place[last] = value
    (folder / "study.yml").write_text(yaml.safe_dump(document))
    return ["run", str(folder / "study.yml"), "--folder", str(folder / "out.study")]


class StageStarted(BaseException):
    """Something was about to be computed into the study."""


@pytest.fixture
def no_stage(monkeypatch):
    """Fail if anything is computed into the study."""

    def save(self, name, *args, **kwargs):
        raise StageStarted(name)

    monkeypatch.setattr(Study, "save", save)


def refused(command, capsys):
    """The message of a command that must end with status 1 and one line on stderr."""
    assert main(command) == 1
    lines = [line for line in capsys.readouterr().err.splitlines() if line.strip()]
    lines = [line for line in lines if "calibrating pixels: " not in line]  # progress of a slow machine
    assert len(lines) == 1, lines
    assert lines[0].startswith("gridcal: ")
    return lines[0]


def test_the_clean_study_reaches_its_first_stage(tmp_path, no_stage):
    with pytest.raises(StageStarted, match="samples"):
        main(write(tmp_path))


def units(name, text):
    def change(ds):
        ds[name].attrs["units"] = text
        return ds

    return change


def no_units(ds):
    del ds["par"].attrs["units"]
    return ds


def twice(dim):
    return lambda ds: ds.isel({dim: [0, 1, 1, *range(2, ds.sizes[dim])]})


def at_once(ds):
    return ds.assign(gpp_obs=ds["gpp_obs"].chunk(time=16))


DATA_FAULTS = {
    "wrong unit": (units("tas", "kPa"), ["'tas'", "kPa", "degC"]),
    "unknown unit": (units("vpd", "buckets"), ["'vpd'", "unknown units 'buckets'"]),
    "unit missing": (no_units, ["'par'", "no units attribute"]),
    "carbon flux in units of water": (units("gpp_obs", "mm d-1"), ["'gpp_obs'"]),
    "duplicated coordinate": (twice("lat"), ["'lat' holds 40.5 twice", "drop_duplicates"]),
    "duplicated day": (twice("time"), ["'time' holds 2003-11-02", "drop_duplicates"]),
    "irregular coordinate": (lambda ds: ds.isel(lon=[0, 1, 3, 4]), ["'lon' is not regular"]),
    "wrong calendar": (
        lambda ds: ds.convert_calendar("noleap", align_on="date", use_cftime=True),
        ["calendar 'noleap'", "convert_calendar"],
    ),
    "chunked time": (at_once, ["'gpp_obs'", "stored as maps: 8 chunks along time", "to_zarr"]),
    "time backwards": (lambda ds: ds.isel(time=slice(None, None, -1)), ["'time' is not sorted", "sortby"]),
    "forcing variable missing": (lambda ds: ds.drop_vars("vpd"), ["'vpd'", "vapour pressure deficit", "native:"]),
    "observed variable missing": (lambda ds: ds.drop_vars("gpp_obs"), ["'gpp_obs'"]),
    "a day missing": (lambda ds: ds.isel(time=[0, 1, *range(3, DAYS)]), ["lacks the day 2003-11-03", "interpolate_na"]),
}


@pytest.mark.parametrize("name", DATA_FAULTS)
def test_faulty_data_end_with_one_message_before_any_stage(name, tmp_path, capsys, no_stage):
    change, says = DATA_FAULTS[name]
    message = refused(write(tmp_path, change), capsys)
    for part in says:
        assert part in message
    assert not (tmp_path / "out.study").exists()


CONFIG_FAULTS = {
    "unknown key": ({"data__sample": 3}, ["'data.cube.sample'", "'samples'"]),
    "unknown section": ({"calibrate": {}}, ["'calibrate'", "'calibration'"]),
    "bounds in the wrong order": ({"model__bounds": {"Topt": [30, 10]}}, ["Topt", "wrong order", "lower bound first"]),
    "bounds of an unknown parameter": ({"model__bounds": {"Tmax": [1, 2]}}, ["'Tmax'", "Topt"]),
    "unknown parameter": ({"calibration__blocks__0__fit": ["vmax"]}, ["'vmax'", "eps_max"]),
    "unknown output": ({"calibration__blocks__0__to__variable": "lai"}, ["'lai'", "gpp"]),
    "unknown model": ({"model__name": "luc"}, ["'luc'", "lue"]),
    "unknown method": ({"calibration__method": "simplex"}, ["calibration.method", "masm"]),
    "unknown option of the method": ({"calibration__options": {"evaluations": 3}}, ["evaluations"]),
    "likelihood without sigma": ({"calibration__blocks__0__to__likelihood": "fixed"}, ["'gpp'", "sigma"]),
    "more samples than pixels": ({"data__samples": 21}, ["21 pixels", "20"]),
    "unknown stratification": ({"data__stratify_by": "soil"}, ["'soil'", "bio12"]),
    "data not there": ({"data__source": "/nowhere/cube.zarr"}, ["/nowhere/cube.zarr", "Check the path"]),
    "unknown entry": ({"data__source": "eastus-statik"}, ["eastus-statik", "eastus-static"]),
    "unknown cluster": ({"compute__cluster": "moon"}, ["'moon'", "slurm"]),
    "unknown scale of a target": ({"calibration__blocks__0__to__every": "fortnight"}, ["'fortnight'", "8-day"]),
    "unknown scale of the scores": ({"evaluate__scales": ["fortnight"]}, ["'fortnight'", "8-day"]),
    "a scored period outside the data": ({"evaluate__periods": {"old": ["1990", "1991"]}}, ["'old'", "2003-11-01"]),
    "a calibration period outside the data": ({"data__period": ["1990", "1991"]}, ["1990", "2003-11-01"]),
    "unknown learner": ({"learn__method": "xgbost"}, ["xgbost", "xgboost"]),
    "unknown feature": ({"learn__features": ["bio9"]}, ["bio9"]),
    "another map than the cube's": ({"map": {"kind": "climatological-year"}}, ["climatological-year"]),
}


@pytest.mark.parametrize("name", CONFIG_FAULTS)
def test_faulty_study_files_end_with_one_message_before_any_stage(name, tmp_path, capsys, no_stage):
    keys, says = CONFIG_FAULTS[name]
    message = refused(write(tmp_path, **keys), capsys)
    for part in says:
        assert part in message


def test_a_program_ends_with_status_one_and_no_traceback(tmp_path):
    command = [sys.executable, "-m", "gridcal", *write(tmp_path, units("tas", "kPa"))]
    found = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert found.returncode == 1
    assert "Traceback" not in found.stderr
    assert [line for line in found.stderr.splitlines() if line.startswith("gridcal: ") and "'tas'" in line]
    assert not (tmp_path / "out.study").exists()


def test_a_study_whose_observations_are_all_useless_says_so_instead_of_failing(tmp_path, capsys):
    # constant observations are codes, pixel by pixel; with none left to learn from the run ends with a message
    def constant(ds):
        ds["gpp_obs"][:] = 2.0
        ds["gpp_obs"][:, 0] = np.nan
        return ds

    message = refused(write(tmp_path, constant), capsys)
    assert "leaves 0 of 12 samples to learn from" in message
    assert "learn.diso" in message
    codes = {Status(int(c)).name for c in Study(tmp_path / "out.study").open("posterior")["status"].values}
    assert codes <= {"constant_observation", "insufficient_observations"}
    assert "constant_observation" in codes


QUICK = CMAES(max_evaluations=60)
BLOCK = Block(("eps_max",), Target("gpp"))


def samples():
    return Cube.from_dataset(grid()).sel(pixel=np.arange(4)).data


def status(ds):
    out = calibrate(Cube.from_dataset(ds), lue, [BLOCK], QUICK, seed=1).compute()
    return [Status(int(c)).name for c in out["status"].values], out


def test_a_pixel_without_any_value_is_a_code():
    ds = samples()
    clean, reference = status(ds)
    for name in ("gpp_obs", *UNITS):
        ds[name][:, 0] = np.nan
    ds["tas"][:, 1] = np.nan
    codes, out = status(ds)
    assert codes[:2] == ["insufficient_observations", "forcing_gap"]
    assert codes[2:] == clean[2:]
    assert np.isnan(out["eps_max"].values[:2]).all()
    np.testing.assert_array_equal(out["eps_max"].values[2:], reference["eps_max"].values[2:])


@pytest.mark.parametrize(
    "value",
    [
        0.0,
        3.0,
        pytest.param(
            0.1,
        ),
    ],
)
def test_a_constant_observation_is_a_code(value):
    ds = samples()
    ds["gpp_obs"][:, 2] = value
    assert status(ds)[0][2] == "constant_observation"


class Refuses:
    shape, dtype, ndim = (DAYS, 4), np.dtype("f4"), 2

    def __getitem__(self, key):
        raise AssertionError("a task ran")


def untouchable():
    """Samples whose series fail if anything computes them."""
    ds = samples()
    lazy = da.from_array(Refuses(), chunks=(DAYS, 2), meta=np.empty((0, 0), "f4"), asarray=False, name="refuses")
    for name in (*UNITS, "gpp_obs"):
        ds[name] = (("time", "pixel"), lazy, ds[name].attrs)
    return Cube(ds)


def start(pixels):
    return xr.Dataset({"kT": ("pixel", np.full(len(pixels), 8.0))}, coords={"pixel": pixels})


@pytest.mark.parametrize(
    ("change", "options", "error", "says"),
    [
        (lambda c: Cube(c.data.drop_vars("wai")), {}, InputError, "lacks the variable 'wai'"),
        (lambda c: Cube(c.data.drop_vars("gpp_obs")), {}, InputError, "lacks the variable 'gpp_obs'"),
        (lambda c: c, {"period": "spin_up"}, InputError, "lacks the variable 'spin_up'"),
        (lambda c: c, {"period": ("1990", "1991")}, ConfigError, "holds no day of the cube"),
        (lambda c: c.isel(time=[0, 1, *range(3, DAYS)]), {}, InputError, "lacks the day 2003-11-03"),
        pytest.param(
            lambda c: c,
            {"start": start([100, 101, 102, 103])},
            InputError,
            "pixel",
        ),
    ],
)
def test_calibration_refuses_before_any_task(change, options, error, says):
    with pytest.raises(error, match=says) as caught:
        calibrate(change(untouchable()), lue, [BLOCK], QUICK, **options)
    assert caught.value.repair


def test_unknown_time_scale_of_a_target_is_refused_before_any_task():
    with pytest.raises(ConfigError, match="'fortnight'"):
        calibrate(untouchable(), lue, [Block(("eps_max",), Target("gpp", every="fortnight"))], QUICK)
