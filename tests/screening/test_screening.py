"""The verb ``screen`` on models whose elementary effects are known, and on the light-use-efficiency model."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from SALib.analyze import morris

import gridcal as gc
from gridcal.calibration import Status
from gridcal.calibration.target import Target
from gridcal.cube import Cube
from gridcal.errors import ConfigError, InputError, ModelError
from gridcal.kernels.elementary_effects import moves
from gridcal.models.lue import lue
from gridcal.process.model import ProcessModel, State
from gridcal.process.parameters import Parameter, ParameterTable
from gridcal.screening import Morris, recommend, screen
from gridcal.screening.functional import runs_of_pixel
from gridcal.vocabulary.periods import period_index

N = 24
DATES = pd.date_range("2001-01-01", "2003-12-31")


def work(tas, doy, limit, stock, a, b, c, d, late, share):
    linear = 3.0 * a - 2.0 * b + 0.0 * tas
    product = c * d
    pulse = min(max((doy - late) * 1.0e9, 0.0), 1.0) * min(max((late + 64.5 - doy) * 1.0e9, 0.0), 1.0)
    root = (b - limit) ** 0.5
    stock = stock + max(tas, 0.0)
    store = stock * share
    return linear, product, pulse, root, stock, store


TABLE = ParameterTable(
    (
        Parameter("a", 1.0, 0.0, 2.0, "1", "slope 3", "test"),
        Parameter("b", 0.5, 0.0, 1.0, "1", "slope -2", "test"),
        Parameter("c", 0.5, 0.0, 1.0, "1", "factor", "test"),
        Parameter("d", 0.5, 1.0e-3, 1.0, "1", "factor", "test"),
        Parameter("late", 40.0, 0.0, 120.0, "1", "day before the pulse", "test"),
        Parameter("share", 0.5, 0.0, 1.0, "1", "share of the stock", "test"),
        Parameter("idle", 0.5, 0.0, 1.0, "1", "read by nothing", "test", inert=True),
    )
)
TOY = ProcessModel(
    name="toy-screen", title="known effects", source="test", version=1, forcing=("tas", "doy"), site={"limit": "of b"},
    parameters=TABLE, state=(State("stock", "1", "stock"),), processes=(work,), site_default={"limit": -1.0},
    outputs={"linear": "1", "product": "1", "pulse": "1", "root": "1", "store": "1"},
)  # fmt: skip


def toy_cube(n=3, limit=None, **more):
    data = xr.Dataset({"tas": (("time", "pixel"), np.zeros((DATES.size, n)), {"units": "degC"})})
    data = data.assign_coords(time=DATES, pixel=np.arange(10, 10 + n), lat=("pixel", 40.0 + np.arange(n)))
    if limit is not None:
        data["limit"] = ("pixel", np.asarray(limit, dtype=float))
    return Cube.from_dataset(data.assign(more))


def toy(method=None, cube=None, **options):
    return screen(cube or toy_cube(), TOY, method or Morris(trajectories=N, seed=3, resample=100), **options).compute()


@pytest.fixture(scope="module")
def found():
    return toy(period=("2002", "2003"))


def test_linear_effects_are_slopes_times_ranges(found):
    part = found.sel(target="linear")
    for name, slope in (("a", 6.0), ("b", -2.0)):
        one = part.sel(parameter=name)
        np.testing.assert_allclose(one["mu"], slope, atol=1e-12)
        np.testing.assert_allclose(one["mu_star"], abs(slope), atol=1e-12)
        np.testing.assert_allclose(one["sigma"], 0.0, atol=1e-12)
        np.testing.assert_allclose(one["mu_star_low"], one["mu_star_high"], atol=1e-12)


def test_product_effects_are_the_other_factor(found):
    points = Morris(trajectories=N, seed=3).points(7)
    which, _ = moves(points)
    other = 1e-3 + 0.999 * points[np.arange(N), np.argmax(which == 2, axis=1), 3]
    one = found.sel(target="product", parameter="c")
    np.testing.assert_allclose(one["mu_star"], other.mean(), rtol=1e-12)
    np.testing.assert_allclose(one["sigma"], other.std(ddof=1), rtol=1e-12)


def test_inert_parameters_are_run_and_come_out_as_exactly_zero(found):
    for name in ("mu", "mu_star", "sigma", "mu_star_low", "mu_star_high"):
        assert (found[name].sel(parameter="idle") == 0.0).all()
    assert (found["mu_star"].sel(target="linear").drop_sel(parameter=["a", "b"]) == 0.0).all()


def test_change_sees_timing_that_the_mean_does_not(found):
    np.testing.assert_allclose(found["mu_star"].sel(target="pulse", parameter="late"), 0.0, atol=1e-12)
    method = Morris(trajectories=N, seed=3, functional="change", resample=0)
    moved = toy(method, targets=["pulse", "linear"], period=("2002", "2003"))
    # a step of 80 days moves a pulse of 64 days: 16 of the 46 periods of a year change by 1
    np.testing.assert_allclose(moved["mu_star"].sel(target="pulse", parameter="late"), 16 / 46 / (2 / 3), rtol=1e-12)
    np.testing.assert_allclose(moved["mu"].sel(target="linear", parameter="b"), 2.0, rtol=1e-12)
    assert "mu_star_low" not in moved


def test_result_is_labelled(found):
    assert found["mu_star"].dims == ("target", "parameter", "pixel")
    assert found["target_units"].values.tolist() == ["1"] * 5
    assert found["lat"].dims == ("pixel",)
    expected = {"functional": "mean", "levels": 4, "trajectories": N, "seed": 3, "runs": N * 8, "years": "2002 .. 2003"}
    assert {k: found.attrs[k] for k in expected} == expected
    assert len(found.attrs["fingerprint"]) == 64
    assert found["status"].attrs["flag_meanings"].startswith("ok masked")
    assert (found["status"] == 0).all()


def test_result_is_lazy_and_the_fingerprint_knows_its_inputs():
    cube = toy_cube()
    lazy = screen(cube, TOY, Morris(trajectories=4), targets=["linear"])
    assert lazy["mu_star"].chunks is not None
    again = [
        screen(cube, TOY, Morris(trajectories=4), targets=["linear"]),
        screen(cube, TOY, Morris(trajectories=4, seed=1), targets=["linear"]),
        screen(cube, TOY, Morris(trajectories=4), targets=["product"]),
        screen(cube, TOY, Morris(trajectories=4), targets=["linear"], period=("2002", "2002")),
        screen(cube, TOY, Morris(trajectories=4, parameters=("a",)), targets=["linear"], start={"b": 0.1}),
        screen(cube, TOY, Morris(trajectories=4, parameters=("a",)), targets=["linear"], start={"b": 0.2}),
        screen(cube, TOY, Morris(trajectories=4), targets=["linear"], dead={"linear": 0.0}),
    ]
    marks = [x.attrs["fingerprint"] for x in again]
    assert marks[0] == lazy.attrs["fingerprint"]
    assert len(set(marks)) == len(marks)


def test_logarithmic_scale_is_another_screening():
    method = Morris(trajectories=N, seed=3, parameters=("c", "d"), scale={"d": "log10"}, resample=0)
    one = toy(method, targets=["product"]).sel(target="product").isel(pixel=0)
    assert one["parameter_scale"].values.tolist() == ["linear", "log10"]
    points = method.points(2)
    which, _ = moves(points)
    other = 10.0 ** (-3.0 + 3.0 * points[np.arange(N), np.argmax(which == 0, axis=1), 1])
    np.testing.assert_allclose(one["mu_star"].sel(parameter="c"), other.mean(), rtol=1e-12)


def test_parameters_that_are_not_screened_stay_at_their_start():
    start = xr.Dataset({"d": ("pixel", [0.2, 0.4, 0.9])}, coords={"pixel": [10, 11, 12]})
    method = Morris(trajectories=4, parameters=["c"], resample=0)
    part = toy(method, targets=["product"], start=start)
    np.testing.assert_allclose(part["mu_star"].values[0, 0], [0.2, 0.4, 0.9], rtol=1e-12)


def test_runs_start_from_the_given_state():
    method = Morris(trajectories=4, parameters=("share",), resample=0)
    state = xr.Dataset({"stock": ("pixel", [5.0, 0.0, -2.0])}, coords={"pixel": [10, 11, 12]})
    cold = toy(method, targets=["store"])
    warm = toy(method, targets=["store"], state=state)
    assert (cold["mu_star"] == 0.0).all()
    np.testing.assert_allclose(warm["mu"].values[0, 0], [5.0, 0.0, -2.0], rtol=1e-12)
    assert cold.attrs["fingerprint"] != warm.attrs["fingerprint"]


def test_failed_trajectories_are_dropped_and_counted_pixel_by_pixel():
    cube = toy_cube(4, limit=[-1.0, 0.2, 2.0, np.nan])
    part = toy(targets=["root", "linear"], cube=cube)
    lowest = Morris(trajectories=N, seed=3).points(7)[:, :, 1].min(axis=1)
    assert part["n_failed"].sel(target="root").values.tolist() == [0, (lowest < 0.2).sum(), N, 0]
    assert 0 < (lowest < 0.2).sum() < N - 1
    assert (part["n_failed"].sel(target="linear") == 0).all()
    ok, broken, gap = int(Status.ok), int(Status.model_failure), int(Status.forcing_gap)
    assert part["status"].values.tolist() == [ok, ok, broken, gap]
    assert np.isfinite(part["mu_star"].sel(target="root").values[:, :2]).all()
    assert np.isnan(part["mu_star"].sel(target="root").values[:, 2:]).all()
    np.testing.assert_allclose(part["mu"].sel(target="linear", parameter="a").values[:3], 6.0, atol=1e-12)


def test_dead_runs_are_counted_and_not_dropped():
    part = toy(targets=["linear"], dead={"product": 0.2})
    points = Morris(trajectories=N, seed=3).points(7)
    expected = (points[..., 2] * (1e-3 + 0.999 * points[..., 3]) < 0.2).sum()
    assert part["n_dead"].values.tolist() == [expected] * 3
    assert 0 < expected < N * 8
    assert (part["n_failed"] == 0).all()


def test_masked_pixels_and_gaps_are_codes():
    cube = toy_cube(3)
    cube = cube.with_mask(xr.DataArray([True, False, True], dims="pixel", coords={"pixel": [10, 11, 12]}))
    data = cube.data.copy(deep=True)
    data["tas"].values[500, 2] = np.nan
    part = toy(targets=["linear"], cube=dataclasses.replace(cube, data=data))
    assert part["status"].values.tolist() == [int(Status.ok), int(Status.masked), int(Status.forcing_gap)]
    assert np.isnan(part["mu_star"].values[:, :, 1:]).all()
    early = toy(targets=["linear"], cube=dataclasses.replace(cube, data=data), period=("2001", "2001"))
    assert early["status"].values[2] == int(Status.ok)  # days after the period are not run


def test_groups_of_lanes_do_not_change_a_bit():
    theta = TABLE.from_unit(np.random.default_rng(1).random((500, 7))).T
    forcing = [np.zeros((40, 1)), np.arange(1.0, 41.0)[:, None]]
    site = np.full((1, 1), -1.0)

    def all_of(limit):
        parts = list(runs_of_pixel(TOY, theta, forcing, site, None, ("store", "product", "root"), limit))
        return len(parts), {name: np.concatenate([p[name] for _, p in parts], axis=1) for name in parts[0][1]}

    (one, whole), (many, pieces) = all_of(10**9), all_of(1)
    assert (one, many) == (1, 8)
    for name, values in whole.items():
        np.testing.assert_array_equal(values, pieces[name])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"trajectories": 1}, "trajectories = 1"),
        ({"levels": 5}, "even number"),
        ({"functional": "median"}, "unknown functional"),
        ({"pool": 3}, "pool = 3"),
        ({"resample": 1}, "resample = 1"),
        ({"confidence": 95.0}, "confidence"),
        ({"parameters": ()}, "no parameter"),
        ({"parameters": ("a", "a")}, "named twice"),
        ({"scale": "log"}, "unknown scale"),
    ],
)
def test_impossible_settings_are_refused(options, message):
    with pytest.raises(ConfigError, match=message):
        Morris(**options)


def test_what_does_not_fit_the_model_is_refused():
    cube = toy_cube()
    with pytest.raises(ConfigError, match="unknown parameter 'z'"):
        screen(cube, TOY, Morris(parameters=("z",)))
    with pytest.raises(ConfigError, match="touch or cross 0"):
        screen(cube, TOY, Morris(scale="log10"))
    with pytest.raises(ConfigError, match="not screened"):
        screen(cube, TOY, Morris(parameters=("a",), scale={"d": "log10"}))
    with pytest.raises(ModelError, match="no output 'lai'"):
        screen(cube, TOY, targets=["lai"])
    with pytest.raises(ModelError, match="no output 'lai'"):
        screen(cube, TOY, dead={"lai": 0.2})
    with pytest.raises(ConfigError, match="given twice"):
        screen(cube, TOY, targets=["linear", Target("linear")])
    with pytest.raises(ConfigError, match=r"Give a list"):
        screen(cube, TOY, targets="linear")
    with pytest.raises(ConfigError, match="holds no day"):
        screen(cube, TOY, period=("1990", "1991"))
    with pytest.raises(InputError, match="lacks the variable 'linear_obs'"):
        screen(cube, TOY, Morris(functional="cost"), targets=["linear"])
    with pytest.raises(InputError, match="Select pixels"):
        screen(gc.synthetic.twin(4, 4, 1).cube, lue)


@pytest.fixture(scope="module")
def made():
    return gc.synthetic.twin(4, 5, 2, seed=3)


@pytest.fixture(scope="module")
def samples(made):
    cube = made.cube.sel(pixel=gc.sample_pixels(made.cube, 6, seed=1))
    return Cube.from_dataset(cube.data.compute(), features=cube.feature_names)


METHOD = Morris(trajectories=8, seed=5, resample=200)


def screened(cube, method=METHOD, **options):
    options = {"targets": ["gpp"], "period": ("2002", "2002")} | options
    return screen(cube, lue, method, **options)


def bytes_of(ds):
    return {name: x.values.tobytes() for name, x in ds.compute().data_vars.items()}


@pytest.mark.parametrize("functional", ["mean", "change", "cost"])
def test_chunks_and_subsets_do_not_change_a_byte(samples, functional):
    method = dataclasses.replace(METHOD, functional=functional)
    whole = screened(samples, method, chunk=6).compute()
    assert (whole["status"] == 0).all()
    assert bytes_of(whole) == bytes_of(screened(samples, method, chunk=1))
    few = screened(samples.isel(pixel=[4, 1]), method, chunk=2)
    assert bytes_of(few) == bytes_of(whole.isel(pixel=[4, 1]))


def test_pixels_of_a_lazy_grid_are_those_of_selected_samples(made, samples):
    pixels = gc.sample_pixels(made.cube, 6, seed=1)
    assert bytes_of(screened(made.cube, pixels=pixels)) == bytes_of(screened(samples))


def test_statistics_are_those_salib_finds_in_the_same_runs(samples):
    part = screened(samples).compute()
    points = METHOD.points(13).reshape(-1, 13)
    theta = lue.parameters.from_unit(points).T
    one = samples.data.isel(pixel=2)
    forcing = [np.asarray(one[n].values, dtype=float)[:, None] for n in lue.forcing]
    site = np.array([[float(one[n]) if n in one else lue.site_default[n]] for n in lue.site])
    (daily,), _ = lue.run(theta, forcing, site, outputs=("gpp",))
    days = one.indexes["time"]
    labels, _ = period_index(days, "8-day")
    series = pd.DataFrame(daily[days.year == 2002]).groupby(labels[days.year == 2002]).mean()
    assert len(series) == 46
    problem = {"num_vars": 13, "names": list(lue.parameters.names), "bounds": [[0.0, 1.0]] * 13}
    theirs = morris.analyze(problem, points, series.mean().to_numpy(), num_levels=4, seed=1)
    for name in ("mu", "mu_star", "sigma"):
        np.testing.assert_allclose(part[name].values[0, :, 2], np.asarray(theirs[name]), rtol=1e-9, atol=1e-12)
    cost = screened(samples, dataclasses.replace(METHOD, functional="cost")).compute()
    obs = pd.Series(one["gpp_obs"].values.astype(float)[days.year == 2002]).groupby(labels[days.year == 2002]).mean()
    minus_two_log = 46 * np.log(((series.to_numpy() - obs.to_numpy()[:, None]) ** 2).sum(axis=0))
    theirs = morris.analyze(problem, points, minus_two_log, num_levels=4, seed=1)
    np.testing.assert_allclose(cost["mu_star"].values[0, :, 2], np.asarray(theirs["mu_star"]), rtol=1e-8, atol=1e-9)
    assert cost["target_units"].values.tolist() == ["1"]


def test_cost_needs_observations_in_the_period(samples):
    data = samples.data.copy(deep=True)
    data["gpp_obs"].values[data.indexes["time"].year == 2002, 1] = np.nan
    data["gpp_obs"].values[:, 3] = 2.0
    part = screened(dataclasses.replace(samples, data=data), dataclasses.replace(METHOD, functional="cost")).compute()
    assert int(part["status"][1]) == int(Status.insufficient_observations)
    assert int(part["status"][3]) == int(Status.constant_observation)
    assert (part["status"].values[[0, 2, 4, 5]] == 0).all()
    assert np.isnan(part["mu_star"].values[0, :, [1, 3]]).all()
    mean = screened(dataclasses.replace(samples, data=data)).compute()
    assert (mean["status"] == 0).all()  # the mean needs none


@pytest.mark.parametrize("target", [Target("gpp", n_eff="ar1"), Target("gpp", likelihood="fixed", sigma=0.5)])
def test_cost_follows_the_targets_likelihood(samples, target):
    method = dataclasses.replace(METHOD, functional="cost", resample=0)
    plain = screened(samples, method).compute()
    other = screened(samples, method, targets=[target]).compute()
    assert (other["status"] == 0).all()
    assert not np.allclose(plain["mu_star"], other["mu_star"], rtol=0.01)


def test_period_may_be_a_variable_of_the_cube(samples):
    days = samples.data.indexes["time"]
    inside = np.repeat((days.year == 2002)[:, None], 6, axis=1)
    inside[:, 5] = False
    cube = dataclasses.replace(samples, data=samples.data.assign(scored=(("time", "pixel"), inside)))
    part = screened(cube, period="scored").compute()
    assert int(part["status"][5]) == int(Status.insufficient_observations)
    first = part.isel(pixel=slice(0, 5))
    assert bytes_of(first) == bytes_of(screened(samples.isel(pixel=slice(0, 5))))


def test_a_target_at_two_time_scales_has_two_names(samples):
    part = screened(samples, targets=["gpp", Target("gpp", every="monthly")]).compute()
    assert part["target"].values.tolist() == ["gpp 8-day", "gpp monthly"]
    np.testing.assert_allclose(part["mu_star"][0], part["mu_star"][1], rtol=0.02, atol=1e-3)


def test_a_study_holds_a_screening_and_resumes_it(samples, tmp_path):
    lazy = screened(samples, chunk=2, dead={"gpp": 0.1})
    study = gc.Study(tmp_path / "s")
    stored = study.save("screening", lazy, progress=False)
    assert bytes_of(stored) == bytes_of(lazy)
    assert stored["target"].values.tolist() == ["gpp"]
    assert study.status()["screening"]["status_counts"] == {"ok": 6}
    assert study.status()["screening"]["total"] == 3
    assert not study.verify(progress=False)
    (tmp_path / "s" / "screening.ledger" / "COMPLETE").unlink()
    record = next((tmp_path / "s" / "screening.ledger").rglob("0001*"))
    record.unlink()
    again = study.save("screening", lazy, progress=False)
    assert bytes_of(again) == bytes_of(lazy)


def table(mu_star, sigma=None, low=None, high=None):
    x = np.asarray(mu_star, dtype=float)
    dims = ("target", "parameter", "pixel")
    coords = {"target": ["lai"], "parameter": [f"p{k}" for k in range(x.shape[1])]}
    ds = xr.Dataset({"mu_star": (dims, x)}, coords)
    ds["sigma"] = (dims, x * 0.5 if sigma is None else np.asarray(sigma, dtype=float))
    ds["mu_star_low"] = (dims, x if low is None else np.asarray(low, dtype=float))
    ds["mu_star_high"] = (dims, x if high is None else np.asarray(high, dtype=float))
    return ds


def test_recommendation_keeps_what_exceeds_the_threshold_in_the_median_pixel():
    # p1 exceeds a tenth at two of three pixels, p2 at one where it is half of the largest
    ds = table([[[10.0, 1.0, 100.0], [1.1, 0.11, 0.0], [0.5, 0.05, 50.0], [0.0, 0.0, 0.0]]])
    found = recommend(ds)
    assert found.kept == {"lai": ("p0", "p1")}
    assert found.parameters == ("p0", "p1")
    np.testing.assert_allclose(found.table["mu_star"].values[0], [1.0, 0.11, 0.05, 0.0])
    assert found.table["rank"].values[0].tolist() == [1, 2, 3, 4]
    assert recommend(ds, 0.2).kept == {"lai": ("p0",)}
    assert found.warnings == ()


def test_recommendation_warns_before_a_threshold_parameter_is_dropped():
    x = [[[1.0], [0.05], [0.05], [0.12], [0.0]]]
    ds = table(x, sigma=[[[0.3], [0.4], [0.02], [0.05], [0.0]]], low=[[[0.9], [0.02], [0.03], [0.08], [0.0]]],
               high=[[[1.1], [0.09], [0.12], [0.15], [0.0]]])  # fmt: skip
    found = recommend(ds)
    assert found.kept == {"lai": ("p0", "p3")}
    assert [w.split()[1] for w in found.warnings] == ["p3", "p1", "p2"]
    assert "starts at 0.08" in found.warnings[0]
    assert "seldom and strongly" in found.warnings[1]
    assert "reaches 0.12" in found.warnings[2]
    assert found.table["doubtful"].values[0].tolist() == [False, True, True, True, False]
    assert "look again: lai: p1" in str(found)


def test_recommendation_warns_of_an_uneven_effect_unless_it_is_far_below():
    found = recommend(table([[[1.0], [0.03], [0.03], [0.005]]], sigma=[[[1.0], [0.07], [0.05], [0.02]]]))
    assert found.kept == {"lai": ("p0",)}
    assert [w.split()[1] for w in found.warnings] == ["p1"]
    assert "2.3 times its mu*" in found.warnings[0]


def test_recommendation_reads_usable_pixels_only():
    ds = table([[[1.0, np.nan, 0.0], [0.5, np.nan, 0.0]]])
    assert recommend(ds).kept == {"lai": ("p0", "p1")}
    with pytest.raises(InputError, match="no pixel has effects on 'lai'"):
        recommend(table([[[np.nan, 0.0], [np.nan, 0.0]]]))
    with pytest.raises(ConfigError, match="threshold"):
        recommend(ds, 10.0)
