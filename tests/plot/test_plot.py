"""Figures from small results: axes carry units, colours are perceptual, nothing warns or stays open."""

import functools
import sys
import warnings

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from matplotlib.figure import Figure

from gridcal import plot
from gridcal.plot.posterior import fitted_names
from gridcal.plot.style import DIVERGING, GREEN, SEQUENTIAL, label_of, new_figure, style

BOUNDS = {"eps_max": (0.0, 10.0), "Topt": (5.0, 35.0)}
UNITS = {"eps_max": "gC MJ-1", "Topt": "degC"}
LAT, LON = 40 + 0.5 * np.arange(5), -80 + 0.5 * np.arange(6)


def posterior(n=8, labels=None, failed=(2,)):
    rng = np.random.default_rng(1)
    dim = "pixel" if labels is None else "site"
    ds = xr.Dataset(coords={dim: np.arange(n) if labels is None else labels})
    status = np.zeros(n, dtype=np.int8)
    status[list(failed)] = 5
    ds["status"] = (dim, status, {"flag_meanings": "ok masked", "flag_values": [0, 1]})
    for name, (low, high) in BOUNDS.items():
        attrs = {"units": UNITS[name], "long_name": name}
        mean = np.where(status == 0, rng.uniform(low + 1, high - 1, n), np.nan)
        ds[name] = (dim, mean, attrs)
        ds[f"{name}_sd"] = (dim, np.where(status == 0, 0.1 * (high - low), np.nan), attrs)
        ds[f"{name}_q05"], ds[f"{name}_q95"] = ds[name] - 0.5, ds[name] + 0.5
        draws = mean[:, None, None] + rng.normal(0, 0.3, (n, 2, 50))
        ds[f"{name}_draws"] = ((dim, "chain", "draw"), draws, attrs)
    ds["nse"] = (dim, np.where(status == 0, rng.uniform(0.5, 0.99, n), np.nan))
    return ds.assign_coords(lat=(dim, rng.choice(LAT, n)), lon=(dim, rng.choice(LON, n)))


def theta():
    rng = np.random.default_rng(2)
    space = {"lat": LAT[::-1], "lon": LON}
    fields = {n: (("lat", "lon"), rng.uniform(*b, (5, 6)), {"units": UNITS[n], "long_name": n}) for n, b in BOUNDS.items()}
    ds = xr.Dataset(fields | {"kT": (("lat", "lon"), np.full((5, 6), 7.0), {"units": "degC"})}, coords=space)
    ds["dissimilarity"] = (("lat", "lon"), rng.uniform(0, 2, (5, 6)), {"units": "1"})
    ds["eps_max"][0, 0] = np.nan
    return ds


def fluxes():
    time = pd.date_range("2015-01-01", periods=46, freq="8D")
    cycle = 5 - 4 * np.cos(2 * np.pi * np.arange(46) / 46)
    values = cycle[:, None, None] * np.linspace(0.5, 1.5, 30).reshape(5, 6)
    values[:, 1, 1] = np.nan
    x = (("time", "lat", "lon"), values, {"units": "gC m-2 d-1", "long_name": "gross primary production"})
    return xr.Dataset({"gpp": x}, coords={"time": time, "lat": LAT, "lon": LON})


def skill(periods=("calibration", "validation")):
    rng = np.random.default_rng(3)
    runs, seasons = ["default", "calibrated", "extrapolated"], ["all", "growing season"]
    dims = ("run", "variable", "scale", "season", "period", "site")
    shape = (3, 1, 1, 2, len(periods), 9)
    ds = xr.Dataset(coords={"run": runs, "variable": ["gpp"], "scale": ["8-day"], "season": seasons, "period": list(periods)})
    ds["nse"] = (dims, rng.uniform(-3, 1, shape), {"units": "1"})
    ds["rmse"] = (dims, rng.uniform(0, 3, shape), {"units": "gC m-2 d-1"})
    ds["nse"][..., 0] = np.nan
    return ds


def shares():
    values = np.random.default_rng(4).dirichlet(np.ones(20), 2)
    coords = {"parameter": list(BOUNDS), "feature": [f"bio{k}" for k in range(20)]}
    return xr.Dataset({"importance": (("parameter", "feature"), values)}, coords=coords)


def screened(n=30, targets=("lai", "gpp")):
    rng = np.random.default_rng(4)
    size = np.array([4.0, 2.0, 0.6, 0.3, 0.05, 0.0])[None, :, None] * rng.uniform(0.7, 1.3, (len(targets), 6, n))
    dims = ("target", "parameter", "pixel")
    ds = xr.Dataset({"mu_star": (dims, size), "sigma": (dims, 1.5 * size)})
    ds["sigma"][:, 3] *= 4.0
    ds["mu_star_low"], ds["mu_star_high"] = 0.8 * ds["mu_star"], 1.2 * ds["mu_star"]
    if n > 2:
        ds["mu_star"][:, :, 2] = np.nan
    ds = ds.assign_coords(target=list(targets), parameter=[f"p{k}" for k in range(6)], pixel=np.arange(n))
    ds = ds.assign_coords(target_units=("target", ["m2 m-2", "gC m-2 d-1"][: len(targets)]))
    ds.attrs = {"model": "toy", "functional": "mean", "trajectories": 20, "levels": 4, "seed": 1, "years": "2001 .. 2004"}
    return ds.assign_coords(lat=("pixel", rng.uniform(35, 45, n)), lon=("pixel", rng.uniform(-90, -75, n)))


def gridded():
    cells = screened(LAT.size * LON.size, ("lai",)).drop_vars(["pixel", "lat", "lon"])
    index = pd.MultiIndex.from_product([LAT, LON], names=["lat", "lon"])
    return cells.assign_coords(xr.Coordinates.from_pandas_multiindex(index, "pixel")).unstack("pixel")


FIGURES = {
    "parameter maps": lambda: plot.parameter_maps(theta()),
    "one parameter map": lambda: plot.parameter_maps(theta(), ["dissimilarity"]),
    "no parameter map": lambda: plot.parameter_maps(theta()[["kT"]]),
    "sample map": lambda: plot.sample_map(posterior(), background=theta()["Topt"]),
    "sample map of sites": lambda: plot.sample_map(posterior(labels=list("abcdefgh"))),
    "sample map, all failed": lambda: plot.sample_map(posterior(failed=range(8))),
    "sample map, one sample": lambda: plot.sample_map(posterior(1, failed=())),
    "flux maps": lambda: plot.flux_maps(fluxes()),
    "posteriors": lambda: plot.posterior_pixels(posterior(), BOUNDS, truth=posterior()),
    "posteriors, all failed": lambda: plot.posterior_pixels(posterior(failed=range(8)), BOUNDS),
    "contraction": lambda: plot.contraction(posterior(), BOUNDS),
    "contraction, all failed": lambda: plot.contraction(posterior(failed=range(8)), BOUNDS),
    "recovery": lambda: plot.recovery(posterior(), posterior(), list(BOUNDS), "posterior mean"),
    "skill": lambda: plot.skill_by_run(skill()),
    "skill in units": lambda: plot.skill_by_run(skill(("all",)), "rmse"),
    "against default": lambda: plot.default_against_calibrated(skill(), "rmse", "validation"),
    "importance": lambda: plot.importance(shares()),
    "screening boxes": lambda: plot.screening_boxes(screened()),
    "screening boxes of one pixel": lambda: plot.screening_boxes(screened(1)),
    "screening scatter": lambda: plot.screening_scatter(screened()),
    "screening maps": lambda: plot.screening_maps(screened(), "gpp"),
    "screening map of a grid": lambda: plot.screening_maps(gridded(), names=["p0"]),
}


@functools.cache
def drawn(name):
    """A figure that several tests look at."""
    return FIGURES[name]()


def render(figure, path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure.savefig(path, dpi=30)


@pytest.mark.parametrize("name", FIGURES)
def test_figures_are_drawn_without_a_warning_and_leave_nothing_open(name, tmp_path):
    before = dict(mpl.rcParams)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = FIGURES[name]()
    assert isinstance(figure, Figure)
    render(figure, tmp_path / "figure.png")
    assert (tmp_path / "figure.png").stat().st_size > 300
    # figures are not registered with pyplot's global state, and the user's settings stay
    manager = sys.modules.get("matplotlib.pyplot")
    assert manager is None or manager.get_fignums() == []
    assert dict(mpl.rcParams) == before


def texts(figure):
    """Labels of all visible axes, those of colour bars too."""
    labels = [t for a in figure.axes if a.get_visible() for t in (a.get_xlabel(), a.get_ylabel())]
    return [t for t in labels if t]


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("parameter maps", {"eps_max (gC MJ-1)", "Topt (degC)", "pixels"}),
        ("sample map", {"longitude (degrees east)", "latitude (degrees north)", "NSE at the calibrated parameters"}),
        ("flux maps", {"gpp (gC m-2 yr-1)", "gpp (gC m-2 d-1)", "day of the year"}),
        ("posteriors", {"eps_max (gC MJ-1)", "Topt (degC)", "pixel"}),
        ("contraction", {"posterior standard deviation over that of the prior (dimensionless)"}),
        ("recovery", {"planted eps_max (gC MJ-1)", "planted Topt (degC)", "posterior mean"}),
        ("skill", {"NSE (dimensionless)"}),
        ("skill in units", {"RMSE (gC m-2 d-1)"}),
        ("against default", {"RMSE of the default (gC m-2 d-1)", "RMSE (gC m-2 d-1)"}),
        ("importance", {"permutation importance, share (dimensionless)"}),
    ],
)
def test_axes_carry_units(name, wanted):
    assert wanted <= set(texts(drawn(name)))


def lightness(name):
    """CIE L* of a colour map: from sRGB over linear light to Y, IEC 61966-2-1 and CIE 15."""
    rgb = mpl.colormaps[name](np.linspace(0, 1, 64))[:, :3]
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    y = linear @ [0.2126, 0.7152, 0.0722]
    return np.where(y > 0.008856, 116 * np.cbrt(y) - 16, 903.3 * y)


def colour_maps(figure):
    pictures = [c for a in figure.axes if a.get_visible() for c in (*a.collections, *a.images) if c.get_array() is not None]
    return {c.get_cmap().name for c in pictures}


@pytest.mark.parametrize("name", [n for n in FIGURES if "map" in n or n == "importance"])
def test_colours_of_ordered_values_are_ordered_in_lightness(name):
    for cmap in colour_maps(drawn(name)):
        step = np.diff(lightness(cmap))
        assert (step > 0).all() or (step < 0).all(), cmap


def test_a_rainbow_would_not_pass():
    step = np.diff(lightness("jet"))
    assert (step > 0).any()
    assert (step < 0).any()
    assert {SEQUENTIAL, GREEN} <= set(mpl.colormaps)
    middle = lightness(DIVERGING)
    assert middle.argmax() in (31, 32)  # lightest in the middle


def test_annual_sum_is_the_mean_rate_over_a_year():
    figure = plot.flux_maps(fluxes())
    drawn = np.ma.filled(figure.axes[0].collections[0].get_array(), np.nan).reshape(5, 6)
    np.testing.assert_allclose(drawn, fluxes()["gpp"].mean("time") * 365.25, rtol=1e-12)
    peak = np.ma.filled(figure.axes[1].collections[0].get_array().astype(float), np.nan).reshape(5, 6)
    assert np.isnan(peak[1, 1])
    assert set(np.unique(peak[np.isfinite(peak)])) == {1.0 + 8 * 23}  # the 24th composite holds the summit


def test_masked_pixels_are_not_drawn_and_the_map_is_cut_to_the_others():
    x = theta()
    for name in x.data_vars:
        x[name] = x[name].where(x["lat"] < 41.2)
    axis = plot.parameter_maps(x, ["Topt"]).axes[0]
    assert axis.get_ylim()[1] < 42.0
    assert axis.get_ylim()[0] < 40.0


def test_failed_samples_are_crosses_with_a_legend():
    figure = plot.sample_map(posterior())
    legend = figure.axes[0].get_legend()
    assert [t.get_text() for t in legend.get_texts()] == ["not ok"]
    assert "7 calibrated samples of 8" in figure.axes[0].get_title(loc="left")
    assert plot.sample_map(posterior(failed=())).axes[0].get_legend() is None


def test_recovery_writes_the_correlation():
    found = posterior(failed=())
    planted = found[list(BOUNDS)] * 2.0
    figure = plot.recovery(planted, found, list(BOUNDS), "posterior mean")
    assert [a.texts[0].get_text() for a in figure.axes] == ["r = 1.00", "r = 1.00"]


def test_fitted_parameters_are_those_with_a_spread():
    assert fitted_names(posterior()) == sorted(BOUNDS)  # of no known model
    named = posterior().assign_attrs(model="lue")
    for order in (list(named.data_vars), list(named.data_vars)[::-1]):
        assert fitted_names(named[order]) == ["eps_max", "Topt"]  # as the model declares them, whatever a store hands out


def test_labels():
    assert label_of("gpp", {"units": "gC m-2 d-1"}) == "gpp (gC m-2 d-1)"
    assert label_of("fapar", {"units": "1"}) == label_of("fapar", {}) == "fapar"
    with style():
        assert not new_figure(2, 2).axes


HOSTILE = ["$\\frac{$", "a_b^{", "<b>", "$x$", "%s", "{0}", "US-Ha1", "\\"]


def test_a_sites_name_is_text_and_not_mathematics(tmp_path):
    render(plot.posterior_pixels(posterior(labels=HOSTILE), BOUNDS), tmp_path / "figure.png")


def test_screening_boxes_are_sorted_and_say_what_is_kept():
    figure = drawn("screening boxes")
    axis = figure.axes[0]
    assert [t.get_text() for t in axis.get_xticklabels()] == [f"p{k}" for k in range(6)]
    assert axis.get_title(loc="left") == "lai: 3 of 6 parameters above 0.1"
    assert "29 pixels" in [t.get_text() for t in axis.texts]
    colours = [bar.get_edgecolor()[:3] for bar in axis.patches if hasattr(bar, "get_height")]
    assert len(set(colours[-6:])) == 3  # kept, dropped, and dropped but doubtful
    assert "20 trajectories, 4 levels, seed 1" in figure.get_supxlabel()


def test_screening_maps_show_the_most_influential_first_with_units():
    figure = drawn("screening maps")
    assert [a.get_title(loc="left") for a in figure.axes[:5]] == [f"p{k}" for k in range(5)]
    assert "mu* (gC m-2 d-1)" in [a.get_ylabel() for a in figure.axes]


def test_screening_scatter_names_what_it_shows_and_counts_the_rest():
    axis = drawn("screening scatter").axes[0]
    said = [t.get_text() for t in axis.texts]
    assert {f"p{k}" for k in range(5)} <= set(said)
    assert "1 parameters below 0.003 of the largest" in said
