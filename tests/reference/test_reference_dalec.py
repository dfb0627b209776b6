"""DALEC-deciduous and DALEC2 beside runs of the original programs, and what the check says of a folder."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from typer.testing import CliRunner

from gridcal.cli.app import app
from gridcal.errors import ConfigError, InputError
from gridcal.reference import check_against_reference
from gridcal.reference.dalec import DALEC2_FILE, FILES

REFERENCE = os.environ.get("GRIDCAL_REFERENCE")
needs_reference = pytest.mark.skipif(not REFERENCE, reason="GRIDCAL_REFERENCE is not set")
pytestmark = needs_reference


def source():
    return Path(str(REFERENCE)) / "dalec"


def rewrite(name, folder, change):
    """A reference file, changed, in another folder."""
    with xr.open_dataset(source() / name) as ds:
        data = ds.load()
    change(data).to_netcdf(folder / name)


def failing(rows):
    return {r.variable for r in rows if not r.passed}


@pytest.mark.slow
def test_every_case_column_and_source_of_production():
    rows = check_against_reference("dalec", source())
    assert len(rows) == 3 * (28 + 27)
    assert {r.check for r in rows} == {f"{c}, GPP {g}" for c in "ABC" for g in ("by ACM", "given")}
    assert all(r.passed for r in rows), [r for r in rows if not r.passed]
    assert max(r.worst for r in rows) < 2e-12


def test_the_recommended_scheme():
    rows = check_against_reference("dalec", source(), "B")
    assert len(rows) == 28 + 27
    assert all(r.passed for r in rows), [r for r in rows if not r.passed]


def test_dalec2_in_a_folder_of_its_own_with_other_labels(tmp_path):
    shutil.copy(source() / "drivers.csv", tmp_path)
    rewrite(DALEC2_FILE, tmp_path, lambda d: d.isel(set=[5, 2]).assign_coords(set=[50, 41]))
    rows = check_against_reference("dalec2", tmp_path)
    assert len(rows) == 24 + 23
    assert all(r.passed for r in rows), [r for r in rows if not r.passed]
    (tmp_path / "drivers.csv").unlink()
    with pytest.raises(InputError, match=r"no weather.*drivers\.csv"):
        check_against_reference("dalec2", tmp_path)
    rewrite(FILES["C"], tmp_path, lambda d: d)
    assert not failing(check_against_reference("dalec2", tmp_path))
    rewrite(DALEC2_FILE, tmp_path, lambda d: d.assign(Rh_som=d.Rh_som * (1.0 + 1e-8)))
    assert failing(check_against_reference("dalec2", tmp_path)) == {"Rh_som"}


def test_absent_files_are_reported_and_changed_ones_fail(tmp_path):
    one_day = lambda d: d.assign(Clab=d.Clab + 1e-7 * (d.day == 900) * (d.set == 7))  # noqa: E731
    rewrite(FILES["B"], tmp_path, lambda d: one_day(d.assign_coords(set=np.arange(d.sizes["set"]) + 3)))
    found = CliRunner().invoke(app, ["models", "check", "dalec", "--reference", str(tmp_path)])
    assert found.exit_code == 1
    assert FILES["A"] in found.output.replace("\n", "") or "A_reflex" in found.output
    assert "Clab" in found.output
    rows = check_against_reference("dalec", tmp_path)
    assert failing(rows) == {FILES["A"], FILES["C"], "Clab"}
    assert all("set 7" in r.note for r in rows if r.variable == "Clab")
    assert failing(check_against_reference("dalec2", tmp_path)) == {DALEC2_FILE}


def test_a_missing_column_and_an_unknown_case_are_named(tmp_path):
    rewrite(FILES["B"], tmp_path, lambda d: d.drop_vars("ralabto"))
    with pytest.raises(InputError, match="lacks the column 'ralabto'"):
        check_against_reference("dalec", tmp_path, "B")
    with pytest.raises(ConfigError, match="no case 'D'"):
        check_against_reference("dalec", tmp_path, "D")
    with pytest.raises(ConfigError, match="no case 'B'"):
        check_against_reference("dalec2", tmp_path, "B")
