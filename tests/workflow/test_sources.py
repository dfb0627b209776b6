"""Where a study's data come from: what is handed on to calibration, map, evaluation and report."""

import os

import numpy as np
import pytest

from gridcal.cube import Cube
from gridcal.errors import CatalogError, ConfigError, InputError
from gridcal.models.lue import PARAMETERS_WIDE, lue
from gridcal.synthetic.region import PLANTED
from gridcal.workflow.config import parse_config
from gridcal.workflow.sources import build_sources, sample_labels

needs_data = pytest.mark.skipif("GRIDCAL_DATA" not in os.environ, reason="GRIDCAL_DATA is not set")


def config(data, **more):
    blocks = [{"fit": ["eps_max"], "to": {"variable": "gpp"}}]
    return parse_config({"title": "x", "data": data, "calibration": {"blocks": blocks}} | more)


SMALL = {"kind": "twin", "lat": 4, "lon": 5, "years": 2, "samples": 10}


@pytest.fixture(scope="module")
def twin_sources():
    return build_sources(config(SMALL), lue)


def test_a_twin_calibrates_on_all_but_its_last_year(twin_sources):
    assert twin_sources.period == ("2001", "2001")
    assert twin_sources.periods == {"calibration": ("2001", "2001"), "validation": ("2002", "2002")}
    assert twin_sources.held_out == ()
    assert all(set(i) == {"title", "licence", "citation"} for i in twin_sources.inputs)


def test_samples_of_a_twin_are_pixels_of_its_grid(twin_sources):
    samples, grid = twin_sources.samples, twin_sources.grid
    assert samples.sizes["pixel"] == 10
    assert samples.data["tas"].chunks is None  # in memory: a task carries its own pixels
    assert grid.data["tas"].chunks is not None
    for k in (0, 7):
        one = samples.data.isel(pixel=k)
        there = grid.data.sel(lat=one["lat"], lon=one["lon"])
        np.testing.assert_array_equal(one["gpp_obs"], there["gpp_obs"])
    labels = sample_labels(samples)
    assert labels.tolist() == [str(p) for p in samples.data["pixel"].values]


def test_only_the_planted_parameters_vary_over_the_twin(twin_sources):
    varying = [n for n in twin_sources.truth.data_vars if np.ptp(twin_sources.truth[n].values) > 0.0]
    assert sorted(varying) == sorted(PLANTED)


def test_the_twins_caveat_counts_the_parameters_that_vary(twin_sources):
    text = " ".join(twin_sources.caveats)
    assert f"{len(PLANTED)} of {len(lue.parameters)} parameters vary" in text


def test_the_models_preset_and_bounds_reach_its_table():
    assert config(SMALL).model.build().parameters == lue.parameters
    wide = config(SMALL, model={"preset": "wide", "bounds": {"Topt": [8, 28]}}).model.build()
    assert wide.parameters["kappa"] == PARAMETERS_WIDE["kappa"]
    assert (wide.parameters["Topt"].lower, wide.parameters["Topt"].upper) == (8.0, 28.0)
    with pytest.raises(ConfigError, match=r"'Tmax'.*Topt"):
        config(SMALL, model={"bounds": {"Tmax": [8, 28]}}).model.build()
    with pytest.raises(ConfigError, match="Topt are in the wrong order"):
        config(SMALL, model={"bounds": {"Topt": [28, 8]}})


@pytest.fixture(scope="module")
def stored(twin_sources, tmp_path_factory):
    path = tmp_path_factory.mktemp("cube") / "cube.zarr"
    twin_sources.grid.data.drop_encoding().to_zarr(path, zarr_format=3, consolidated=False)
    return path


def test_any_cube_is_sampled_and_lies_lazily(stored, twin_sources):
    found = build_sources(config({"kind": "cube", "source": str(stored), "samples": 12, "period": ["2001", "2001"]}), lue)
    assert found.samples.sizes["pixel"] == 12
    assert found.grid.data["tas"].chunks is not None
    assert found.truth is None
    assert found.period == ("2001", "2001")
    assert found.periods == {"calibration": ("2001", "2001")}
    assert found.grid.feature_names
    again = build_sources(config({"kind": "cube", "source": str(stored), "samples": 12}), lue)
    np.testing.assert_array_equal(again.samples.data["pixel"], found.samples.data["pixel"])
    assert again.periods is None


def test_more_samples_than_pixels_are_refused(stored):
    with pytest.raises(InputError, match="21 pixels were asked for, but the mask leaves 20"):
        build_sources(config({"kind": "cube", "source": str(stored), "samples": 21}), lue)
    with pytest.raises(InputError, match="'soil' is no static variable"):
        build_sources(config({"kind": "cube", "source": str(stored), "samples": 12, "stratify_by": "soil"}), lue)
    with pytest.raises(CatalogError, match="nothing at"):
        build_sources(config({"kind": "cube", "source": "/nowhere/cube.zarr"}), lue)


FLUX = {"kind": "flux-sites", "sites": ["US-Ha1", "US-MMS", "US-UMB"], "hold_out": ["US-UMB"]}
MAP = {"map": {"kind": "climatological-year", "tile": 100}}


def test_flux_sites_without_data_say_which_variable_to_set(monkeypatch):
    monkeypatch.delenv("GRIDCAL_DATA", raising=False)
    with pytest.raises(CatalogError, match="GRIDCAL_DATA"):
        build_sources(config(FLUX, **MAP), lue)


@pytest.mark.data
@needs_data
def test_flux_sites_calibrate_in_their_first_years_and_are_validated_in_the_others():
    found = build_sources(config(FLUX, **MAP), lue)
    assert found.held_out == ("US-UMB",)
    data = found.samples.data
    assert (data["calibration"] ^ data["validation"]).all()
    np.testing.assert_array_equal(found.samples.space_dims, ("site",))
    # two thirds of the usable years of US-MMS (gpp 1999 to 2014 and on) come first
    inside = data["calibration"].sel(site="US-MMS").values
    assert inside[0]
    assert not inside[-1]
    assert (np.diff(inside.astype(int)) <= 0).all()
    assert found.period == "calibration"
    assert set(found.periods) == {"calibration", "validation"}
    assert {i["title"] for i in found.inputs}
    assert all(i["licence"] and i["citation"] for i in found.inputs)
    assert any("filler" in c for c in found.caveats)
    assert any("no weather from year to year" in c for c in found.caveats)
    # sites and grid share their features, so that the map can be predicted
    assert found.samples.feature_names == found.grid.feature_names
    assert found.grid.data["tas"].chunksizes["lat"][0] == 100
    assert isinstance(found.grid, Cube)


@pytest.mark.data
@needs_data
def test_holding_out_a_site_that_is_not_there_is_refused():
    with pytest.raises(ConfigError, match=r"hold_out names the site 'US-Xyz'.*US-Ha1"):
        build_sources(config(FLUX | {"hold_out": ["US-Xyz"]}, **MAP), lue)
