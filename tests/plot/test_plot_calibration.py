import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure

from gridcal import plot
from gridcal.errors import InputError


@pytest.fixture
def posterior():
    rng = np.random.default_rng(0)
    n = 5
    one = ("pixel", "block")
    return xr.Dataset(
        {
            "Topt": ("pixel", rng.normal(size=n), {"units": "degC"}),
            "Topt_sd": ("pixel", np.ones(n), {"units": "degC"}),
            "Topt_draws": (("pixel", "chain", "draw"), rng.normal(size=(n, 4, 100))),
            "status": ("pixel", np.zeros(n, dtype=np.int8)),
            "n_runs": (one, np.array([[40.0, 60.0]] * n)),
            "ess": (one, np.array([[500.0, 4000.0]] * n)),
            "rhat": (one, np.full((n, 2), np.nan)),
            "surrogate_rmse_trace": (("pixel", "block", "iteration"), np.exp(rng.normal(size=(n, 2, 6)))),
        },
        coords={"pixel": np.arange(n) + 10, "lat": ("pixel", 40.0 + np.arange(n)), "lon": ("pixel", -80.0 + np.arange(n))},
    )


def test_traces_show_every_chain_and_the_surrogates_error(posterior):
    figure = plot.traces(posterior, 12)
    assert isinstance(figure, Figure)
    axes = figure.axes
    assert len([line for line in axes[0].lines if len(line.get_ydata()) == 100]) == 4
    np.testing.assert_array_equal(axes[0].lines[0].get_ydata(), posterior["Topt_draws"].sel(pixel=12)[0])
    assert "degC" in axes[0].get_ylabel()
    assert any("surrogate" in a.get_ylabel() for a in axes)
    figure.savefig("/dev/null", format="png")
    with pytest.raises(InputError, match="no draws"):
        plot.traces(posterior.drop_vars("Topt_draws"), 12)


def test_diagnostics_are_mapped_where_places_are_known(posterior):
    figure = plot.diagnostic_maps(posterior)
    titles = [a.get_title(loc="left") for a in figure.axes]
    assert "n_runs" in titles
    assert "log10 ess" in titles
    assert "rhat" not in titles  # no value of it
    points = figure.axes[titles.index("n_runs")].collections[0]
    assert (points.get_array() == 100.0).all()  # the sum over the blocks
    np.testing.assert_allclose(figure.axes[titles.index("log10 ess")].collections[0].get_array(), np.log10(500.0))
    figure.savefig("/dev/null", format="png")
    plain = plot.diagnostic_maps(posterior.drop_vars(["lat", "lon"]))
    assert plain.axes[0].patches
    with pytest.raises(InputError, match="none of the wanted"):
        plot.diagnostic_maps(posterior, ("rhat",))
