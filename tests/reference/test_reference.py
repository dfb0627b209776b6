"""The comparison with reference runs: its rule, its command, and IBIS beside IBIS 2.6b4."""

import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from typer.testing import CliRunner

import gridcal as gc
from gridcal.cli.app import app
from gridcal.errors import ConfigError, InputError
from gridcal.models.ibis import ibis_model
from gridcal.reference import check_against_reference
from gridcal.reference.deviation import relative, rmsd, scaled

REFERENCE = os.environ.get("GRIDCAL_REFERENCE")
needs_reference = pytest.mark.skipif(not REFERENCE, reason="GRIDCAL_REFERENCE is not set")


def test_a_deviation_is_relative_to_value_or_spread():
    assert scaled([1.0, 11.0], [1.5, 11.0]).tolist() == pytest.approx([0.5 / 9.5, 0.0])
    assert scaled([101.0], [100.0]).tolist() == pytest.approx([0.01])
    assert scaled([np.nan], [100.0]).tolist() == [np.inf]
    assert scaled([0.0, 1e-16], [0.0, 0.0])[1] < 1e-6 < scaled([0.0, 1e-12], [0.0, 0.0])[1]


def test_rows_pass_and_fail():
    assert relative("c", "v", [1.0, 2.0], [1.0, 2.0], 1e-6).passed
    off = relative("c", "v", [1.0, 2.1], [1.0, 2.0], 1e-6)
    assert not off.passed
    assert off.within == 0.5
    assert rmsd("c", "v", [1.0, 1.2], [1.0, 1.0], 0.2).passed
    assert not rmsd("c", "v", [1.0, np.nan], [1.0, 1.0], 0.2).passed


def test_unknown_models_folders_and_cases_are_named(tmp_path):
    with pytest.raises(ConfigError, match="These have: dalec, dalec2, ibis"):
        check_against_reference("lue", tmp_path)
    with pytest.raises(ConfigError, match="no folder"):
        check_against_reference("ibis", tmp_path / "none")
    with pytest.raises(ConfigError, match="neither a case"):
        check_against_reference("ibis", tmp_path)
    with pytest.raises(ConfigError, match="no case 'north'"):
        check_against_reference("ibis", tmp_path, "north")


def part(folder: Path, name: str, source: str = "synth", days: int = 40) -> None:
    """A further case: the first days of a reference run under another name."""
    for kind, rows in (("hourly", 24 * days), ("daily", days)):
        with xr.open_dataset(Path(str(REFERENCE)) / "ibis" / f"{source}_{kind}.nc", decode_times=False) as ds:
            ds.isel(time=slice(0, rows)).load().to_netcdf(folder / f"{name}_{kind}.nc")


@pytest.fixture
def folder(tmp_path):
    part(tmp_path, "north")
    shutil.copy(Path(str(REFERENCE)) / "ibis" / "synth_state0.csv", tmp_path / "north_state0.csv")
    part(tmp_path, "northlai", "synthlai")
    return tmp_path


@needs_reference
def test_further_cases_are_found_and_pass(folder):
    rows = check_against_reference("ibis", folder)
    assert {r.check for r in rows} == {"north hours", "north free run", "northlai hours", "northlai free run"}
    assert all(r.passed for r in rows), [r for r in rows if not r.passed]


@needs_reference
def test_a_changed_reference_fails_and_names_the_variable(folder):
    path = folder / "north_hourly.nc"
    with xr.open_dataset(path, decode_times=False) as ds:
        changed = ds.load()
    changed["fsena"] = changed["fsena"] * 1.0001
    path.unlink()
    changed.to_netcdf(path)
    found = CliRunner().invoke(app, ["models", "check", "ibis", "--reference", str(folder), "--case", "north"])
    assert found.exit_code == 1
    assert "fsena" in found.output
    good = CliRunner().invoke(app, ["models", "check", "ibis", "--reference", str(folder), "--case", "northlai", "-v"])
    assert good.exit_code == 0, good.output


@needs_reference
def test_tables_of_the_original_routines():
    from gridcal.reference.ibis import _table

    rows = [r for name in ("thermo", "twostream", "diurnal", "texture_lookup", "soilbgc", "leaf", "soilcolumn")
            for r in _table(Path(str(REFERENCE)) / "ibis", name)]  # fmt: skip
    assert len(rows) == 88
    assert all(r.passed for r in rows), [r for r in rows if not r.passed]


@needs_reference
@pytest.mark.slow
def test_three_years_and_all_sensitivities():
    rows = check_against_reference("ibis", Path(str(REFERENCE)) / "ibis")
    assert all(r.passed for r in rows), [r for r in rows if not r.passed]
    assert {"synth free run", "synthlai hours", "sensitivities", "synth annual update"} <= {r.check for r in rows}


def change(path, **columns):
    """Rewrite a NetCDF file with changed columns; None drops one."""
    with xr.open_dataset(path, decode_times=False) as ds:
        data = ds.load()
    for name, new in columns.items():
        data = data.drop_vars(name) if new is None else data.assign({name: (data.dims, new(data))})
    path.unlink()
    data.to_netcdf(path)


def failing(rows):
    return {(r.check, r.variable) for r in rows if not r.passed}


@needs_reference
@pytest.mark.parametrize("name", ["csub", "gsub"])
def test_one_leafless_hour_is_judged_too(tmp_path, name):
    source = Path(str(REFERENCE)) / "ibis"
    for kind, step in (("hourly", 24), ("daily", 1)):
        with xr.open_dataset(source / f"synth_{kind}.nc", decode_times=False) as ds:
            ds.isel(time=slice(57 * step, 72 * step)).load().to_netcdf(tmp_path / f"bare_{kind}.nc")
    shutil.copy(source / "synth_state0.csv", tmp_path / "bare_state0.csv")
    assert not failing(check_against_reference("ibis", tmp_path, free=False))
    one = np.arange(360) == 359
    change(tmp_path / "bare_hourly.nc", **{name: lambda ds: ds[name].values * (1.0 + 0.01 * one)})
    assert failing(check_against_reference("ibis", tmp_path, free=False)) == {("bare hours", name)}


@needs_reference
def test_columns_missing_and_columns_too_many(folder):
    change(folder / "north_hourly.nc", remark=lambda ds: np.zeros(ds.sizes["time"]))
    change(folder / "north_daily.nc", remark=lambda ds: np.zeros(ds.sizes["time"]))
    assert not failing(check_against_reference("ibis", folder, "north"))
    change(folder / "north_hourly.nc", tsno2=None)
    change(folder / "northlai_daily.nc", et=None)
    with pytest.raises(InputError, match=r"north_hourly.nc lacks the column 'tsno2'"):
        check_against_reference("ibis", folder, "north")
    with pytest.raises(InputError, match=r"northlai_daily.nc lacks the column 'et'"):
        check_against_reference("ibis", folder, "northlai")


@needs_reference
def test_hours_after_a_gap_are_left_out_and_a_free_run_asks_for_all(folder):
    path = folder / "north_hourly.nc"
    with xr.open_dataset(path, decode_times=False) as ds:
        data = ds.load()
    path.unlink()
    data.isel(time=[*range(100), *range(150, 480)]).to_netcdf(path)
    rows = check_against_reference("ibis", folder, "north", free=False)
    assert not failing(rows)
    assert {r.n for r in rows} == {428}
    with pytest.raises(InputError, match="see 2001-7-6"):
        check_against_reference("ibis", folder, "north")


@needs_reference
def test_a_file_that_cannot_be_read_is_named(folder):
    (folder / "north_hourly.nc").write_bytes(b"nothing")
    with pytest.raises(InputError, match=r"north_hourly.nc cannot be read"):
        check_against_reference("ibis", folder, "north")


@needs_reference
def test_the_first_days_of_a_leap_year_count_366(folder):
    for kind in ("hourly", "daily"):
        change(folder / f"north_{kind}.nc", year=lambda ds: np.full(ds.sizes["time"], 2004))
    # maintenance respiration is per year: in a longer year an hour respires less
    change(folder / "north_hourly.nc", **{n: (lambda ds, n=n: ds[n].values * 365 / 366) for n in ("rwood", "rroot")})
    assert not {v for _, v in failing(check_against_reference("ibis", folder, "north", free=False))} & {"rwood", "rroot"}


@needs_reference
def test_every_sensitivity_is_compared(folder):
    import pandas as pd

    from gridcal.reference.ibis import _Case

    source = Path(str(REFERENCE)) / "ibis"
    table = pd.read_csv(source / "sensitivity_annual.csv")
    case = _Case(source, "synth")
    assert all(r.passed for r in case.sensitivities())
    table.loc[(table["mode"] == "static") & (table["param"] == "p_rroot"), "npp"] *= 1.1
    table.to_csv(folder / "sensitivity_annual.csv", index=False)
    case.folder = folder
    found = {r.variable: r for r in case.sensitivities()}
    assert {r.n for r in found.values()} == {41, 12}
    assert [v for v, r in found.items() if not r.passed] == ["npp"]


@needs_reference
def test_the_soil_lookup_is_exact_to_its_digits(tmp_path):
    source = Path(str(REFERENCE)) / "ibis" / "texture_lookup.csv"
    (tmp_path / "texture_lookup.csv").write_text(source.read_text().replace("1.6667e-07", "1.66669e-07"))
    assert failing(check_against_reference("ibis", tmp_path)) == {("texture_lookup", "hydraul_ms")}


@pytest.mark.slow
@needs_reference
def test_accelerated_spin_up_grows_the_original_s_forest_and_soil():
    """150 years with accelerated soil carbon against the original's, whose random wind and rain hours are others."""
    folder = Path(str(REFERENCE)) / "ibis"
    met = pd.read_csv(folder / "met_synth.csv")
    met = met[met["year"] == 2000]
    days = pd.date_range("2000-01-01", periods=366)
    columns = {
        "tasmin": ("tmin_C", "degC"), "tasmax": ("tmax_C", "degC"), "pr": ("prec_mm", "mm d-1"), "sfcWind": ("wind", "m s-1"),
        "huss": ("qd", "kg kg-1"), "ps": ("psurf_Pa", "Pa"), "clt": ("cloud", "1"),
    }  # fmt: skip
    ds = xr.Dataset(
        {n: (("time", "site"), met[[c]].to_numpy(), {"units": u}) for n, (c, u) in columns.items()}
        | {"co2": ("time", np.full(366, 380.0), {"units": "ppm"})}
        | {n: ("site", [v], {"units": "%"}) for n, v in (("sand", 60.0), ("clay", 10.0))},
        coords={"time": days, "site": ["S"], "lat": ("site", [42.5]), "lon": ("site", [-72.0])},
    )
    ds["lat"].attrs["units"], ds["lon"].attrs["units"] = "degrees_north", "degrees_east"
    state = gc.spin_up(gc.Cube.from_dataset(ds), ibis_model(vegetation="dynamic"), {"specla": 25.0, "tauleaf": 1.0}, years=150)
    annual = pd.read_csv(folder / "synth_annual.csv").iloc[149]
    pools = ("clitlm", "clitls", "clitll", "clitrm", "clitrs", "clitrl", "clitwm", "clitws", "clitwl")
    soil = ("totcmic", "csoislop", "csoislon", "csoipas")
    found = {n: float(state[n][0]) for n in ("cbiol", "cbiow", "cbior", "plai", "fu", "ztop", "sapfrac")}
    found |= {"totlit": sum(float(state[n][0]) for n in pools), "totcsoi": sum(float(state[n][0]) for n in soil)}
    for name, value in found.items():
        # single years of the original differ from its mean by this much, through their weather
        assert value == pytest.approx(annual[name], rel=0.01), name
