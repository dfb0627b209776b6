"""The comparison with reference runs: its rule, its command, and IBIS beside IBIS 2.6b4."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from typer.testing import CliRunner

from gridcal.cli import app
from gridcal.errors import ConfigError
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
    with pytest.raises(ConfigError, match="These have: ibis"):
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
