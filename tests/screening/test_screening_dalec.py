"""Morris screening of DALEC against an independent screening of the same model, drivers and bounds."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import gridcal as gc
from gridcal.models.dalec import dalec
from gridcal.screening import Morris, recommend, screen

FOLDER = Path(os.environ.get("GRIDCAL_REFERENCE", "no reference folder")) / "dalec"
pytestmark = [
    pytest.mark.reference,
    pytest.mark.skipif(not (FOLDER / "drivers.csv").is_file(), reason="GRIDCAL_REFERENCE has no dalec/drivers.csv"),
]

# mu* of the time mean, 2001-2004, per step of the whole range: 800 trajectories of other random numbers, 4 levels, the 13
# parameters of Table 2 of Ma et al. (DALEC science page, section 8), as printed: to one or two figures
EXPECTED = {
    "lai": {
        "p18": 8.9, "p5": 4.4, "p17": 3.7, "p3": 3.5, "p20": 2.2, "p2": 1.0, "p15": 0.9, "p16": 0.8, "p14": 0.6, "p10": 0.3,
        "p12": 0.2, "p19": 0.2, "p13": 0.1,
    },
    "gpp": {
        "p18": 5.6, "p5": 3.4, "p3": 2.2, "p20": 1.2, "p15": 1.1, "p16": 1.0, "p17": 0.9, "p14": 0.7, "p2": 0.6, "p10": 0.45,
        "p12": 0.2, "p13": 0.16, "p19": 0.16,
    },
}  # fmt: skip
NAMES = tuple(p for p in dalec.parameters.names if p in EXPECTED["lai"])


def cube():
    table = pd.read_csv(FOLDER / "drivers.csv")
    time = pd.date_range("2000-01-01", periods=len(table))
    units = {"tasmin": ("tmin", "degC"), "tasmax": ("tmax", "degC"), "rsds": ("rad", "MJ m-2 d-1"), "co2": ("co2", "ppm")}
    data = xr.Dataset({n: (("time", "site"), table[c].to_numpy()[:, None], {"units": u}) for n, (c, u) in units.items()})
    data["lat"] = ("site", [42.2])
    return gc.Cube.from_dataset(data.assign_coords(time=time, site=["REFLEX"]))


def run(trajectories, seed=1, **more):
    method = Morris(trajectories=trajectories, seed=seed, parameters=NAMES, **more)
    return screen(cube(), dalec, method, targets=["lai", "gpp"], period=("2001", "2004"), dead={"lai": 0.2}).compute()


def deviations(effects, large, target):
    """Distance of mu* from what is expected, beyond the rounding of the print, in standard errors of the difference.

    The error is that of the large screening's bootstrap, scaled by the number of trajectories: effects are so skewed that a
    small sample without its rare large ones takes itself for precise. The expected numbers have the error of 800.
    """
    one, wide = (x.sel(target=target).isel(site=0) for x in (effects, large))
    expected = np.array([EXPECTED[target][n] for n in NAMES])
    printed = np.where(np.abs(expected * 10.0 - np.round(expected * 10.0)) > 1e-9, 0.005, 0.05)
    error = (wide["mu_star_high"] - wide["mu_star_low"]).values / 2.0 / 1.96
    both = error * np.sqrt(800.0 / effects.attrs["trajectories"] + 1.0)
    return np.maximum(np.abs(one["mu_star"].values - expected) - printed, 0.0) / both


@pytest.fixture(scope="module")
def large():
    return run(800)


def test_mu_star_is_the_expected_one_within_what_both_samples_allow(large):
    for target in EXPECTED:
        assert deviations(large, large, target).max() < 3.3  # 1 in 40 of 26 comparisons that all hold
    assert (large["n_failed"] == 0).all()


def test_a_small_screening_agrees_within_its_wider_error(large):
    small = run(100)
    for target in EXPECTED:
        assert deviations(small, large, target).max() < 3.3
    assert np.argmax(small["mu_star"].sel(target="lai").values) == NAMES.index("p18")


def test_ranking_is_the_expected_one_where_the_sample_can_tell(large):
    order = {}
    for target in EXPECTED:
        size = large["mu_star"].sel(target=target).isel(site=0).values
        order[target] = [NAMES[k] for k in np.argsort(-size)]
        assert order[target][0] == "p18"
        assert set(order[target][-3:]) == {"p12", "p13", "p19"}
        assert order[target][-4] == "p10"
    assert set(order["lai"][1:4]) == {"p5", "p17", "p3"}
    assert order["lai"][4] == "p20"
    assert set(order["lai"][5:8]) == {"p2", "p15", "p16"}
    assert order["gpp"][1:3] == ["p5", "p3"]
    assert set(order["gpp"][3:6]) == {"p20", "p15", "p16"}
    assert order["gpp"][6] == "p17"


def test_thresholds_are_not_dropped_without_a_word(large):
    advice = recommend(large)
    assert {"p18", "p5", "p17", "p3", "p20"} <= set(advice.kept["lai"])
    assert {"p18", "p5", "p3", "p20", "p15", "p16"} <= set(advice.kept["gpp"])
    assert "p19" not in advice.kept["lai"]
    assert any(w.startswith("lai: p19 is dropped") for w in advice.warnings)


def test_dead_forests_are_counted_as_results(large):
    share = large["n_dead"].item() / large.attrs["runs"]
    assert 0.15 < share < 0.45  # 13 % of uniform draws are dead in year 2 and 44 % in year 4; here all of years 2 to 5


def test_a_logarithmic_turnover_is_another_screening(large):
    other = run(100, scale={"p5": "log10", "p15": "log10"})
    ratio = (other["mu_star"] / large["mu_star"]).sel(target="lai", parameter=["p5", "p15"]).isel(site=0)
    assert (np.abs(np.log(ratio)) > 0.2).all()
