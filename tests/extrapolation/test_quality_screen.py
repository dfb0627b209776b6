import numpy as np
import pytest
import xarray as xr

from gridcal.errors import ConfigError, InputError
from gridcal.extrapolation import quality_screen

N = 60


@pytest.fixture
def posterior():
    rng = np.random.default_rng(3)
    return xr.Dataset(
        {
            "status": ("pixel", np.zeros(N, dtype=np.int8)),
            "diso": ("pixel", rng.uniform(0.1, 0.3, N)),
            "rhat": (("pixel", "block"), rng.uniform(1.0, 1.1, (N, 2))),
            "surrogate_rmse": (("pixel", "block"), np.exp(rng.normal(0, 0.3, (N, 2)))),
            "cost": (("pixel", "block"), np.exp(rng.normal(2, 0.2, (N, 2)))),
        },
        coords={"pixel": np.arange(N) * 7},
    )


def test_a_clean_posterior_passes_whole(posterior):
    keep = quality_screen(posterior)
    assert keep.dtype == bool
    assert keep.dims == ("pixel",)
    assert keep.all()
    assert keep.attrs["n_kept"] == keep.attrs["n_samples"] == N


def test_each_rule_refuses_its_own_and_counts_it(posterior):
    posterior.status[0] = 6
    posterior.diso[1] = 0.35  # below, not at
    posterior.rhat[2, 1] = 1.2
    posterior.surrogate_rmse[3, 0] = 1e4
    posterior.cost[4, 1] = 1e6
    posterior.diso[5] = np.nan
    keep = quality_screen(posterior)
    np.testing.assert_array_equal(np.flatnonzero(~keep), [0, 1, 2, 3, 4, 5])
    counts = {k: keep.attrs[f"refused_{k}"] for k in ("status", "diso", "rhat", "surrogate_rmse", "cost")}
    assert counts == {"status": 1, "diso": 2, "rhat": 1, "surrogate_rmse": 1, "cost": 1}


def test_the_outlier_limit_is_that_of_the_logarithms(posterior):
    keep = quality_screen(posterior)
    for block, limit in enumerate(keep.attrs["limit_surrogate_rmse"]):
        low, high = np.quantile(np.log(posterior.surrogate_rmse[:, block]), [0.25, 0.75])
        assert np.log(limit) == pytest.approx(high + 3 * (high - low), rel=1e-12)


def test_screening_twice_changes_nothing(posterior):
    rng = np.random.default_rng(8)
    posterior["surrogate_rmse"] = (("pixel", "block"), np.exp(rng.standard_t(1.1, (N, 2))))
    posterior.status[:5] = 3
    once = quality_screen(posterior)
    assert 0 < once.sum() < N - 5
    assert quality_screen(posterior.isel(pixel=once.values)).all()
    np.testing.assert_array_equal(quality_screen(posterior.where(once)), once)


def test_costs_that_are_not_positive_are_judged_as_they_are(posterior):
    posterior["cost"] = -posterior.cost
    posterior.cost[7, 0] = 1e5
    assert np.flatnonzero(~quality_screen(posterior)).tolist() == [7]


def test_values_all_alike_have_no_outlier(posterior):
    posterior["surrogate_rmse"] = xr.full_like(posterior.surrogate_rmse, 0.2)
    posterior.surrogate_rmse[0, 0] = 0.21
    assert quality_screen(posterior).all()


def test_a_method_without_chains_or_surrogate_is_not_judged_by_them(posterior):
    posterior["rhat"] = xr.full_like(posterior.rhat, np.nan)
    keep = quality_screen(posterior.drop_vars("surrogate_rmse"))
    assert keep.all()
    assert keep.attrs["not_judged"] == "rhat, surrogate_rmse"


def test_limits_are_configuration(posterior):
    posterior.status[:3] = 6
    posterior.diso[:] = 0.5
    keep = quality_screen(posterior, diso=None, status=(0, 6), surrogate_rmse=1.0, cost=None)
    np.testing.assert_array_equal(keep, (posterior.surrogate_rmse <= 1.0).all("block"))


def test_maps_keep_their_dimensions(posterior):
    grid = posterior[["status", "diso"]].drop_vars("pixel")
    grid = xr.Dataset({k: (("lat", "lon"), v.values.reshape(6, 10)) for k, v in grid.items()})
    assert quality_screen(grid).dims == ("lat", "lon")


def test_errors(posterior):
    with pytest.raises(InputError, match="'diso'"):
        quality_screen(posterior.drop_vars("diso"))
    with pytest.raises(ConfigError, match="'loose'"):
        quality_screen(posterior, cost="loose")


def test_masks_say_rule_by_rule_what_the_screen_says():
    from gridcal.extrapolation import quality_masks

    n = 30
    data = xr.Dataset(
        {
            "status": ("pixel", np.where(np.arange(n) == 2, 6, 0).astype(np.int8)),
            "diso": ("pixel", np.where(np.arange(n) == 5, 0.9, 0.1)),
            "rhat": (("pixel", "block"), np.where(np.arange(n) == 7, 1.5, 1.0)[:, None]),
            "surrogate_rmse": (("pixel", "block"), np.exp(0.1 * np.arange(n) % 1)[:, None]),
        }
    )
    masks = quality_masks(data)
    np.testing.assert_array_equal(masks["keep"], quality_screen(data))
    for name, k in (("status", 2), ("diso", 5), ("rhat", 7)):
        assert np.flatnonzero(~masks[f"passed_{name}"].values).tolist() == [k]
    assert masks["passed_diso"].attrs["limit"] == [0.35]
    assert masks["passed_surrogate_rmse"].all()
    assert quality_masks(data, diso=0.95)["passed_diso"].all()
