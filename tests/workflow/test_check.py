"""One report of everything a job would stumble over, before it is begun."""

import numpy as np
import pytest

from gridcal.cli import main
from gridcal.cube import Cube
from gridcal.errors import InputError
from gridcal.synthetic.region import twin
from gridcal.workflow.check import check_cube


@pytest.fixture(scope="module")
def data():
    return twin(3, 4, years=1).cube.data.compute()


def test_a_good_cube(data):
    report = check_cube(Cube.from_dataset(data), "lue", ["gpp_obs"])
    assert report.ok
    assert not report.of("rare")
    text = str(report)
    for part in ("tas", "degC", "2001-01-01 .. 2001-12-31 (365)", "by 0.25", "0 % missing", "Nothing is wrong."):
        assert part in text


def test_everything_at_once(data):
    bad = data.drop_vars(["par", "ci"])
    bad["tas"] = (data.tas + 273.15).assign_attrs(units="degC")
    bad["gpp_obs"] = data.gpp_obs.where(data.gpp_obs > 1, -9999.0).assign_attrs(units="gC m-2 d-1")
    bad["co2"] = (data.co2 * 0 + 331).assign_attrs(units="ppm")
    bad = bad.isel(time=np.delete(np.arange(365), 40))
    report = check_cube(bad, "lue", ["gpp_obs"])
    assert {line.name for line in report.of("wrong")} == {"forcing", "time", "tas", "gpp_obs"}
    assert len(report.of("wrong")) == 5  # the forcing that lacks, and the one outside the domain
    with pytest.raises(InputError, match="5 things are wrong with the data"):
        report.require()


def test_what_keeps_a_data_set_from_being_a_cube_is_listed_whole(data):
    bad = data.assign(vpd=data.vpd.assign_attrs(units="furlong"), tas=data.tas.drop_attrs()).isel(time=slice(None, None, -1))
    names = [line.name for line in check_cube(bad, "lue").of("wrong")]
    assert sorted(names) == ["tas", "time", "vpd"]


def test_gaps_composites_and_masks_are_shown(data):
    odd = data.assign(tas=data.tas.copy(), mask=(("lat", "lon"), np.array([[1, 1, 0, -1]] * 3)))
    odd["tas"][30, 1, 1] = np.nan
    first = (odd.time.dt.dayofyear - 1) % 8 == 0
    odd["gpp_obs"] = odd.gpp_obs.where(first)
    report = check_cube(odd, "lue", ["gpp_obs"])
    assert report.ok
    said = {line.name: line.text for line in report.of("rare")}
    assert "days are missing at 1 of" in said["tas"]
    assert "beside 0 and 1" in said["mask"]
    assert "composites" in report.of("repaired")[-1].text


def test_the_command(data, tmp_path, capsys):
    data.drop_encoding().to_zarr(tmp_path / "x.zarr", zarr_format=3, consolidated=False)
    assert main(["check", str(tmp_path / "x.zarr"), "--model", "lue", "--against", "gpp_obs"]) == 0
    assert "Nothing is wrong." in capsys.readouterr().out
    data.drop_vars("par").drop_encoding().to_zarr(tmp_path / "y.zarr", zarr_format=3, consolidated=False)
    assert main(["check", str(tmp_path / "y.zarr"), "--model", "lue"]) == 1
    assert "'par'" in capsys.readouterr().out
