import json
import pickle

import dask
import numpy as np
import pytest
import xarray as xr

import gridcal.extrapolation.learners.prediction as prediction
from gridcal.errors import ConfigError, GridcalError, InputError
from gridcal.extrapolation import Extrapolator
from gridcal.extrapolation.learners.boosting import XGBoost
from gridcal.extrapolation.learners.forest import RandomForest
from gridcal.extrapolation.learners.lacking import (
    MissingFeatureWarning,
    UnseenClassWarning,
    missing_features,
    unseen_classes,
    warn_of_lacking,
)
from gridcal.extrapolation.learners.regressors import KNN, REGRESSORS, Mean, Ridge, make_regressor
from gridcal.process.parameters import Parameter, ParameterTable
from gridcal.vocabulary.agreed_units import UnitsWarning

GAPS = (
    "ignore::gridcal.extrapolation.learners.lacking.MissingFeatureWarning"  # the grid has some; a test of its own looks at them
)
pytestmark = pytest.mark.filterwarnings(GAPS)
TABLE = ParameterTable(
    (
        Parameter("Topt", 20.0, 5.0, 35.0, "degC", "optimal temperature", "test"),
        Parameter("kappa", -0.05, -1.0, -1e-3, "kPa-1", "VPD sensitivity", "test", scale="log10"),
        Parameter("mu", 0.5, 0.0, 1.0, "1", "cloudiness sensitivity", "test"),
    )
)
FAST = {"n_estimators": 60, "permutations": 1, "n_folds": 3}
CLASSES = np.array(["DBF", "ENF", "GRA"])


def features(n, seed, dims=("pixel",), shape=None):
    rng = np.random.default_rng(seed)
    shape = shape or (n,)
    return xr.Dataset(
        {
            "bio1": (dims, rng.uniform(-5, 30, shape)),
            "bio12": (dims, rng.uniform(100, 2500, shape)),
            "noise": (dims, rng.normal(size=shape)),
            "igbp": (dims, CLASSES[rng.integers(0, 3, shape)]),
        },
        coords={d: np.arange(s) * 1.0 for d, s in zip(dims, shape, strict=True)},
    )


def planted(x):
    warm = (x.bio1 + 5) / 35
    wet = (x.bio12 - 100) / 2400
    return xr.Dataset(
        {
            "Topt": 10 + 20 * warm,
            "kappa": -(10 ** (-2.5 + 2 * wet)),
            "mu": xr.where(x.igbp == "ENF", 0.8, 0.3) + 0 * warm,
        }
    )


@pytest.fixture(scope="module")
def training():
    x = features(240, 1)
    return planted(x), x


@pytest.fixture(scope="module")
def learner(training):
    return Extrapolator(**FAST).fit(*training, TABLE)


@pytest.fixture(scope="module")
def grid():
    x = features(0, 2, ("lat", "lon"), (12, 10))
    x.bio1[0, 0] = np.nan
    for name in ("bio1", "bio12", "noise"):
        x[name][3, 4:7] = np.nan
    return x


def test_a_planted_relation_is_recovered_at_unseen_samples():
    skill = []
    for seed in range(3):  # trees of one seed differ between versions of XGBoost
        x = features(360, seed)
        fitted = Extrapolator(n_folds=4, permutations=1, seed=seed).fit(planted(x), x, TABLE)
        skill.append(fitted.skill_.nse.values)
        new = features(100, 100 + seed)
        found = fitted.predict(new)
        assert float(abs(found.Topt - planted(new).Topt).mean()) < 1.0
        assert float(abs(np.log10(found.kappa / planted(new).kappa)).mean()) < 0.1
        share = fitted.importance_.importance
        assert [str(share.feature.values[k]) for k in share.argmax("feature").values] == ["bio1", "bio12", "igbp"]
        assert (share.sel(feature="noise") < 0.05).all()
        np.testing.assert_allclose(share.sum("feature"), 1.0)
        np.testing.assert_allclose(fitted.importance_.gain.sum("feature"), 1.0, rtol=1e-6)
    assert (np.median(skill, axis=0) > 0.95).all()


def test_noise_has_no_skill_at_unseen_samples(training):
    rng = np.random.default_rng(4)
    theta = xr.Dataset({"Topt": ("pixel", rng.uniform(5, 35, 240))}, coords=training[1].coords)
    fitted = Extrapolator(**FAST).fit(theta, training[1], TABLE)
    assert float(fitted.skill_.nse[0]) < 0.1


def test_cross_validation_learns_nothing_from_the_held_out_fold(training):
    theta, x = training
    one = Extrapolator("ridge", n_folds=3, seed=5).fit(theta, x, TABLE)
    fold = one.cv_.fold.values
    spoilt = x.copy(deep=True)
    outlier = int(np.flatnonzero(fold == 0)[0])
    spoilt.bio12[outlier] = 1e9  # would move mean, deviation and fit of every sample, were it seen
    two = Extrapolator("ridge", n_folds=3, seed=5).fit(theta, spoilt, TABLE)
    same = (fold == 0) & (np.arange(fold.size) != outlier)
    np.testing.assert_array_equal(one.cv_.Topt.values[same], two.cv_.Topt.values[same])
    assert not np.array_equal(one.cv_.Topt.values[fold == 1], two.cv_.Topt.values[fold == 1])


def test_predictions_stay_within_bounds_far_outside_the_training_range(training):
    fitted = Extrapolator("linear", n_folds=2).fit(*training, TABLE)
    far = features(50, 3)
    far["bio1"], far["bio12"] = far.bio1 * 100 - 1000, far.bio12 * 100
    found = fitted.predict(far)
    for p in TABLE:
        assert float(found[p.name].min()) >= p.lower
        assert float(found[p.name].max()) <= p.upper


def test_pixels_without_a_number_are_nan_and_gaps_are_counted(learner, grid):
    found = learner.predict(grid)
    assert np.isnan(found.Topt[3, 4:7]).all()
    assert np.isnan(found.dissimilarity[3, 4:7]).all()
    assert int(np.isnan(found.Topt).sum()) == 3
    assert found.n_missing.dtype == np.int8
    assert int(found.n_missing[0, 0]) == 1
    assert (found.n_missing[3, 4:7] == 3).all()


def test_an_unseen_class_is_predicted_and_flagged(learner, grid):
    x = grid.copy(deep=True)
    x["igbp"] = x.igbp.astype(object)
    x.igbp[5, 5] = "WET"
    with pytest.warns(UnseenClassWarning, match=r"'WET' \(0\.9 % of the places\)"):  # one of 117 that have a value
        found = learner.predict(x)
    assert int(found.n_unseen.sum()) == 1
    assert np.isfinite(found.mu[5, 5])
    assert float(found.dissimilarity[5, 5]) > float(learner.predict(grid).dissimilarity[5, 5])


@pytest.mark.parametrize("method", sorted(REGRESSORS))
def test_values_do_not_depend_on_chunks_and_survive_the_disk_to_the_bit(method, training, grid, tmp_path):
    options = {"n_estimators": 15} if method in ("xgboost", "random_forest") else {}
    fitted = Extrapolator(method, n_folds=2, permutations=1, **options).fit(*training, TABLE)
    whole = fitted.predict(grid)
    for chunks in ({"lat": 5, "lon": 3}, {"lat": 1}, {"lat": -1, "lon": 7}):
        parts = fitted.predict(grid.chunk(chunks))
        assert parts.Topt.chunksizes == grid.chunk(chunks).chunksizes
        xr.testing.assert_identical(parts.compute(), whole)
    fitted.save(tmp_path / "learner")
    again = Extrapolator.load(tmp_path / "learner")
    xr.testing.assert_identical(again.predict(grid), whole)
    assert again.fingerprint == fitted.fingerprint == whole.attrs["fingerprint"]
    for name in ("skill_", "importance_", "cv_"):
        xr.testing.assert_identical(getattr(again, name), getattr(fitted, name))


def test_prediction_is_lazy_and_runs_a_chunk_once(learner, grid, monkeypatch):
    calls = []
    real = prediction._predict_block

    def counted(*args):
        calls.append(1)
        return real(*args)

    monkeypatch.setattr(prediction, "_predict_block", counted)
    found = learner.predict(grid.chunk(lat=4, lon=5))
    assert not calls
    assert all(dask.is_dask_collection(x.data) for x in found.data_vars.values())
    with dask.config.set(scheduler="sync"):
        found.compute()
    assert len(calls) == 6


def test_the_graph_holds_the_model_once(learner, grid):
    graph = dict(learner.predict(grid.chunk(lat=2, lon=2)).__dask_graph__())
    model = sum(len(b) for b in learner.model_.blobs().values())
    assert sum(len(pickle.dumps(task)) > model / 2 for task in graph.values()) == 1


def test_features_in_memory_beside_lazy_ones_and_along_one_dimension(learner, grid):
    mixed = grid.chunk(lat=4)
    mixed["noise"] = grid.noise.isel(lon=0, drop=True)
    full = grid.assign(noise=mixed.noise.broadcast_like(grid.bio1))
    xr.testing.assert_identical(learner.predict(mixed).compute(), learner.predict(full))


@pytest.mark.parametrize("method", ["xgboost", "ridge", "random_forest"])
def test_the_order_in_which_a_store_hands_out_its_variables_does_not_matter(method, training, grid):
    theta, x = training
    options = {"n_estimators": 20} if method != "ridge" else {}
    found = []
    for order in (["bio1", "bio12", "igbp", "noise"], ["noise", "igbp", "bio12", "bio1"]):
        fitted = Extrapolator(method, n_folds=2, permutations=1, **options).fit(theta[list(theta)[::-1]], x[order], TABLE)
        assert fitted.encoder_.inputs_ == ("bio1", "bio12", "noise", "igbp")  # numbers, then classes, each sorted
        found.append((fitted.fingerprint, fitted.predict(grid[order[::-1]]).drop_vars("fold", errors="ignore")))
    assert found[0][0] == found[1][0]
    xr.testing.assert_identical(found[0][1], found[1][1])


def test_a_declared_order_of_features_is_kept(training):
    fitted = Extrapolator("ridge", n_folds=2, features=["noise", "bio1"]).fit(*training, TABLE)
    assert fitted.encoder_.inputs_ == ("noise", "bio1")


def test_parameters_without_a_known_table_stand_in_the_order_of_their_names(training):
    theta, x = training
    for order in (["mu", "kappa", "Topt"], ["Topt", "mu", "kappa"]):
        assert Extrapolator("ridge", n_folds=2).fit(theta[order], x).table_.names == ("Topt", "kappa", "mu")


def test_features_in_other_units_give_the_same_map(training, grid, tmp_path):
    theta, x = training
    x, grid = x.copy(deep=True), grid.copy(deep=True)
    for ds in (x, grid):
        ds.bio1.attrs["units"], ds.bio12.attrs["units"], ds.noise.attrs["units"] = "degC", "mm", "%"
    Extrapolator("ridge", n_folds=2).fit(theta, x, TABLE).save(tmp_path)
    fitted = Extrapolator.load(tmp_path)  # the units of the training are saved with it
    right = fitted.predict(grid)
    other = grid.assign(
        bio1=(grid.bio1 + 273.15).assign_attrs(units="K"),
        bio12=(grid.bio12 / 1000).assign_attrs(units="m"),
        noise=(grid.noise / 100).assign_attrs(units="1"),
    )
    for found in (fitted.predict(other), fitted.predict(other.chunk(lat=5)).compute()):
        for name in ("Topt", "kappa", "mu", "dissimilarity"):
            np.testing.assert_allclose(found[name], right[name], rtol=1e-6, equal_nan=True)
    spelled = grid.assign(bio1=grid.bio1.assign_attrs(units="degrees C"), noise=grid.noise.assign_attrs(units="percent"))
    xr.testing.assert_identical(fitted.predict(spelled), right)
    with pytest.raises(InputError, match="feature 'bio12' is in 'degC', but what it meets is in 'mm'"):
        fitted.predict(grid.assign(bio12=grid.bio12.assign_attrs(units="degC")))
    with pytest.warns(UnitsWarning, match="feature 'bio1' has no units and is taken to be in 'degC'"):
        fitted.predict(grid.assign(bio1=grid.bio1.drop_attrs()))


def test_parameters_in_other_units_are_learnt_in_those_of_the_table(training):
    theta, x = training
    right = Extrapolator("ridge", n_folds=2).fit(theta, x, TABLE)
    kelvin = theta.assign(Topt=(theta.Topt + 273.15).assign_attrs(units="K"), mu=(100 * theta.mu).assign_attrs(units="%"))
    found = Extrapolator("ridge", n_folds=2).fit(kelvin, x, TABLE).predict(x)
    np.testing.assert_allclose(found.Topt, right.predict(x).Topt, rtol=1e-12)
    assert found.Topt.attrs["units"] == "degC"
    with pytest.raises(InputError, match="parameter 'Topt' is in 'mm', but what it meets is in 'degC'"):
        Extrapolator("ridge", n_folds=2).fit(theta.assign(Topt=theta.Topt.assign_attrs(units="mm")), x, TABLE)


def test_names_at_samples_and_bare_numbers_on_the_map_never_meet(learner, grid):
    codes = {"DBF": 4, "ENF": 1, "GRA": 10}
    numbers = xr.DataArray([[codes[v] for v in row] for row in grid.igbp.values], dims=("lat", "lon"))
    with pytest.raises(InputError, match=r"'igbp' is numbers without flag_meanings .*attrs\.update\(flag_values") as error:
        learner.predict(grid.assign(igbp=numbers))
    with pytest.raises(InputError, match="'igbp'"):
        learner.predict(grid.assign(igbp=numbers).chunk(lat=4))  # at the door: nothing is computed
    ds = grid.assign(igbp=numbers)
    advice = error.value.repair.split("mean: ")[1].replace("[1, 2, ...]", "[4, 1, 10]").replace(" ...'", " GRA'")
    exec(advice, {"ds": ds})  # the repair that the message proposes
    xr.testing.assert_identical(learner.predict(ds), learner.predict(grid))


def test_lazy_features_are_told_of_without_the_map(learner, grid):
    x = grid.copy(deep=True)
    x["igbp"] = x.igbp.astype(object)
    x.igbp[5, :5], x.igbp[6, 0], x.igbp[7, 0] = "WET", "wet ", "SAV"
    used = xr.ones_like(x.bio1, dtype=bool)
    used[5, 4] = False
    expected = {"igbp": {"WET": 5 / 119, "SAV": 1 / 119}}
    assert unseen_classes(learner.encoder_, x, used) == expected
    assert unseen_classes(learner.encoder_, x.chunk(lat=5, lon=3), used) == expected
    assert unseen_classes(learner.encoder_, x.transpose("lon", "lat"), used) == expected
    with pytest.warns(UnseenClassWarning, match=r"'WET' \(4\.2 % of the places\), 'SAV' \(0\.8 % of the places\)"):
        warn_of_lacking(learner.encoder_, x.chunk(lat=5), used)
    learner.predict(x.chunk(lat=5))  # lazy: told by the stage


@pytest.mark.parametrize("chunks", [None, {"lat": 5, "lon": 3}])
def test_features_without_a_value_are_told_with_their_share(learner, grid, chunks):
    x = grid.fillna(0.0) if chunks is None else grid.fillna(0.0).chunk(chunks)
    assert missing_features(learner.encoder_, x) == {}
    x = x.assign(bio12=x.bio12.where(x.lat > x.lat[0]), bio1=x.bio1.where((x.lat > x.lat[0]) | (x.lon > x.lon[0])))
    used = x.lon > x.lon[1]
    rows, columns = x.sizes["lat"], x.sizes["lon"]
    assert missing_features(learner.encoder_, x) == {"bio12": 1 / rows, "bio1": 1 / (rows * columns)}
    assert missing_features(learner.encoder_, x, used) == {"bio12": 1 / rows}
    share = 100 / rows
    with pytest.warns(MissingFeatureWarning, match=rf"'bio12' \({share:.1f} % of the places\), 'bio1' \("):
        warn_of_lacking(learner.encoder_, x)
    if chunks is None:
        with pytest.warns(MissingFeatureWarning, match="the training mean stands in for them"):
            learner.predict(x)


@pytest.mark.parametrize("code", [-9999.0, 1e20])
def test_codes_for_missing_values_are_neither_learnt_nor_predicted_from(training, learner, grid, code):
    theta, features = training
    with pytest.raises(InputError, match=rf"'bio12' holds {code:g} 1 times".replace("+", r"\+")):
        Extrapolator(**FAST).fit(
            theta, features.assign(bio12=features.bio12.copy().where(np.arange(features.bio12.size) > 0, code)), TABLE
        )
    with pytest.raises(InputError, match="a code for missing values that nothing declares"):
        learner.predict(grid.assign(bio12=grid.bio12.where(grid.lat > grid.lat[0], code)))


def test_same_data_same_bytes(training, learner):
    again = Extrapolator(**FAST).fit(*training, TABLE)
    assert again.fingerprint == learner.fingerprint
    assert Extrapolator(**FAST, seed=1).fit(*training, TABLE).fingerprint != learner.fingerprint


def test_samples_with_a_missing_parameter_are_left_out_and_counted(training):
    theta, x = training
    theta = theta.copy(deep=True)
    theta.Topt[10:15] = np.nan
    x = x.copy(deep=True)
    for name in ("bio1", "bio12", "noise"):
        x[name][20] = np.nan
    fitted = Extrapolator(**FAST).fit(theta, x, TABLE, weights=xr.where(x.pixel == 30, 0.0, 1.0))
    assert fitted.training_ == {
        "given": 240, "used": 233, "without_parameters": 5, "without_weight": 1, "without_features": 1,
        "kept_for_test": 0,
    }  # fmt: skip
    assert fitted.cv_.sizes == {"pixel": 240}
    assert int(np.isnan(fitted.cv_.Topt).sum()) == 7


def test_a_parameter_that_does_not_vary_or_is_absent_passes_through(training, grid, tmp_path):
    theta = training[0].drop_vars("kappa").assign(mu=xr.full_like(training[0].mu, 0.25))
    fitted = Extrapolator(**FAST).fit(theta, training[1], TABLE)
    assert fitted.parameters_ == ("Topt",)
    assert fitted.constants_ == {"kappa": -0.05, "mu": 0.25}
    fitted.save(tmp_path)
    found = Extrapolator.load(tmp_path).predict(grid)
    assert set(np.unique(found.mu.values[np.isfinite(found.mu.values)])) == {0.25}
    assert np.isnan(found.mu[3, 4])


def test_units_come_from_the_table(learner, grid):
    found = learner.predict(grid)
    assert found.Topt.attrs == {"units": "degC", "long_name": "optimal temperature"}
    assert found.Topt.dims == ("lat", "lon")
    np.testing.assert_array_equal(found.lat, grid.lat)


def test_weights_count_as_copies_do():
    x, y = np.random.default_rng(0).normal(size=(30, 2)), np.random.default_rng(1).random((30, 2))
    w = np.where(np.arange(30) < 10, 3.0, 1.0)
    rows = np.repeat(np.arange(30), w.astype(int))
    for kind in (Ridge, Mean):
        np.testing.assert_allclose(kind().fit(x, y, w).predict(x), kind().fit(x[rows], y[rows]).predict(x), rtol=1e-10)


def test_groups_share_a_fold(training):
    theta, x = training
    fitted = Extrapolator("ridge", n_folds=3, groups="block").fit(theta, x.assign_coords(block=x.pixel // 20), TABLE)
    block = (x.pixel // 20).values
    assert all(len(set(fitted.cv_.fold.values[block == b])) == 1 for b in np.unique(block))
    assert set(fitted.cv_.fold.values) == {0, 1, 2}


def test_the_70_30_split_keeps_its_test_samples_out_of_the_model(training):
    theta, x = training
    one = Extrapolator("ridge", test_fraction=0.3).fit(theta, x, TABLE)
    assert one.training_["used"] == 168
    assert one.training_["kept_for_test"] == 72
    test = one.cv_.fold.values == 0
    spoilt = theta.copy(deep=True)
    spoilt.Topt[test] = 5.0
    two = Extrapolator("ridge", test_fraction=0.3).fit(spoilt, x, TABLE)
    xr.testing.assert_equal(one.predict(x).Topt, two.predict(x).Topt)
    assert np.isnan(one.cv_.Topt.values[~test]).all()


def test_random_forest_as_arrays_equals_scikit_learn_to_the_bit():
    from sklearn.ensemble import RandomForestRegressor

    rng = np.random.default_rng(2)
    x, y, new = rng.normal(size=(150, 5)), rng.random((150, 3)), rng.normal(size=(400, 5))
    theirs = RandomForestRegressor(20, random_state=7, n_jobs=1).fit(x.astype("f4"), y)
    ours = RandomForest(20, multi_output=True, seed=7).fit(x, y)
    np.testing.assert_array_equal(ours.predict(new), theirs.predict(new.astype("f4")))
    single = RandomForestRegressor(20, random_state=7, n_jobs=1).fit(x.astype("f4"), y[:, 1])
    apart = RandomForest(20, seed=7).fit(x, y)
    np.testing.assert_array_equal(apart.predict(new)[:, 1], single.predict(new.astype("f4")))


def test_ridge_and_neighbours_equal_scikit_learn():
    from sklearn.linear_model import Ridge as TheirRidge
    from sklearn.neighbors import KNeighborsRegressor

    rng = np.random.default_rng(2)
    x, y, new = rng.normal(size=(60, 5)), rng.random((60, 3)), rng.normal(size=(40, 5))
    np.testing.assert_allclose(Ridge(2.0).fit(x, y).predict(new), TheirRidge(2.0).fit(x, y).predict(new), rtol=1e-9)
    theirs = KNeighborsRegressor(4, weights="distance").fit(x, y)
    np.testing.assert_allclose(KNN(4).fit(x, y).predict(new), theirs.predict(new), rtol=1e-9)
    np.testing.assert_allclose(KNN(4).fit(x, y).predict(x), y)


def test_mean_by_class_is_the_table_by_vegetation_type(training, grid):
    theta, x = training
    fitted = Extrapolator("mean", by="igbp", n_folds=2).fit(theta, x, TABLE)
    found = fitted.predict(grid)
    for c in CLASSES:
        here = (grid.igbp == c) & np.isfinite(found.Topt)
        np.testing.assert_allclose(found.Topt.values[here.values], float(theta.Topt[(x.igbp == c).values].mean()))
    with pytest.raises(InputError, match="'soil'"):
        Extrapolator("mean", by="soil", n_folds=2).fit(theta, x, TABLE)


OPTIONS = pytest.mark.parametrize("options", [{"multi_output": True}, {"early_stopping_rounds": 5}])


@OPTIONS
def test_xgboost_options_learn(options):
    skill = []
    for seed in range(5):
        x = features(240, seed)
        fitted = Extrapolator(**FAST | {"n_estimators": 150}, **options, seed=seed).fit(planted(x), x, TABLE)
        skill.append(fitted.skill_.nse.values)
    assert (np.median(skill, axis=0) > 0.7).all()


@OPTIONS
def test_xgboost_options_and_their_files(options, training, grid, tmp_path):
    fitted = Extrapolator(**FAST, **options).fit(*training, TABLE)
    fitted.save(tmp_path)
    xr.testing.assert_identical(Extrapolator.load(tmp_path).predict(grid), fitted.predict(grid))
    assert len(list(tmp_path.glob("*.ubj"))) == (1 if "multi_output" in options else 3)


def test_an_object_of_the_users_own_predicts_but_is_not_written(training, grid, tmp_path):
    from sklearn.tree import DecisionTreeRegressor

    mine = DecisionTreeRegressor(max_depth=4, random_state=0)
    fitted = Extrapolator(mine, n_folds=2, permutations=1).fit(*training, TABLE)
    assert not hasattr(mine, "tree_")
    assert np.isfinite(fitted.predict(grid.chunk(lat=4)).Topt).sum() == 117
    with pytest.raises(GridcalError, match="DecisionTreeRegressor cannot be saved"):
        fitted.save(tmp_path)


def test_files_are_json_arrays_and_ubj_and_damage_is_found(learner, tmp_path):
    learner.save(tmp_path)
    names = sorted(p.name for p in tmp_path.iterdir())
    assert names == ["arrays.npz", "learner.json", "model-000.ubj", "model-001.ubj", "model-002.ubj"]
    with np.load(tmp_path / "arrays.npz", allow_pickle=False) as stored:
        assert all(stored[n].dtype.kind in "fi" for n in stored.files)
    document = json.loads((tmp_path / "learner.json").read_text())
    assert document["versions"]["xgboost"]
    raw = bytearray((tmp_path / "model-001.ubj").read_bytes())
    raw[200] ^= 1
    (tmp_path / "model-001.ubj").write_bytes(raw)
    with pytest.raises(InputError, match=r"model-001\.ubj.*damaged"):
        Extrapolator.load(tmp_path)
    document["files"] = {"../outside": "0"}
    (tmp_path / "learner.json").write_text(json.dumps(document))
    with pytest.raises(InputError, match="outside its folder"):
        Extrapolator.load(tmp_path)
    with pytest.raises(InputError, match="holds no learner"):
        Extrapolator.load(tmp_path / "nowhere")


def test_a_learner_keeps_its_fingerprint_where_the_library_writes_the_same_model_in_other_bytes(
    training, learner, grid, tmp_path, monkeypatch
):
    learner.save(tmp_path / "old")
    real = XGBoost.blobs
    monkeypatch.setattr(XGBoost, "blobs", lambda self: {name: data + b" " for name, data in real(self).items()})
    assert Extrapolator(**FAST).fit(*training, TABLE).fingerprint != learner.fingerprint  # the bytes are in the hash
    again = Extrapolator.load(tmp_path / "old")
    assert again.fingerprint == learner.fingerprint
    assert again.predict(grid).attrs["fingerprint"] == learner.fingerprint
    monkeypatch.undo()
    again.save(tmp_path / "new")
    assert Extrapolator.load(tmp_path / "new").fingerprint == learner.fingerprint


def test_saving_again_leaves_no_file_of_the_former_learner(training, learner, tmp_path):
    learner.save(tmp_path)
    Extrapolator("ridge", n_folds=2).fit(*training, TABLE).save(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["arrays.npz", "learner.json"]
    assert Extrapolator.load(tmp_path).method == "ridge"


def test_a_posterior_without_a_table_names_its_own_parameters(training):
    theta, x = training
    noise = xr.zeros_like(theta.Topt) + np.arange(240) / 240
    posterior = theta.assign(Topt_sd=noise, kappa_sd=noise, nse=noise, mu=theta.mu.assign_attrs(comment="not calibrated"))
    fitted = Extrapolator("ridge", n_folds=2).fit(posterior, x)
    assert set(fitted.table_.names) == {"Topt", "kappa", "mu"}
    found = fitted.predict(x)
    assert float(found.Topt.min()) >= float(theta.Topt.min())


def test_samples_on_a_map_learn_as_in_a_list(training, grid):
    x = grid.fillna({"bio1": 10.0, "bio12": 500.0, "noise": 0.0})
    fitted = Extrapolator("ridge", n_folds=2).fit(planted(x), x, TABLE)
    assert fitted.cv_.Topt.dims == ("lat", "lon")
    flat = x.stack(pixel=("lat", "lon"), create_index=False).drop_vars(("lat", "lon"))
    other = Extrapolator("ridge", n_folds=2).fit(planted(flat), flat, TABLE)
    np.testing.assert_array_equal(fitted.cv_.Topt.values.ravel(), other.cv_.Topt.values)


def test_wrong_input_is_refused_by_name(training, learner, grid):
    theta, x = training
    fit = Extrapolator("ridge").fit
    with pytest.raises(InputError, match="'bio12'"):
        learner.predict(grid.drop_vars("bio12"))
    with pytest.raises(InputError, match="240 samples along 'pixel', the features 239"):
        fit(theta, x.isel(pixel=slice(1, None)), TABLE)
    with pytest.raises(InputError, match=r"different samples along 'pixel' .*0\.0 and 239\.0"):
        fit(theta, x.isel(pixel=slice(None, None, -1)), TABLE)
    with pytest.raises(InputError, match="dimension 'lat'"):
        fit(theta, grid, TABLE)
    with pytest.raises(InputError, match="6 of 6 samples"):
        fit(theta.isel(pixel=slice(6)), x.isel(pixel=slice(6)), TABLE)
    with pytest.raises(InputError, match="lie outside its bounds"):
        fit(theta.assign(Topt=theta.Topt + 40), x, TABLE)
    with pytest.raises(InputError, match="no parameter varies"):
        fit(xr.full_like(theta[["mu"]], 0.5), x, TABLE)
    with pytest.raises(InputError, match="none of the table's parameters"):
        fit(theta.rename(Topt="a", kappa="b", mu="c"), x, TABLE)
    with pytest.raises(InputError, match="has not been fitted"):
        Extrapolator().predict(grid)
    with pytest.raises(ConfigError, match="unknown regressor 'lasso'"):
        Extrapolator("lasso").fit(theta, x, TABLE)
    with pytest.raises(ConfigError, match="unknown option 'depth'"):
        Extrapolator(depth=3).fit(theta, x, TABLE)
    with pytest.raises(ConfigError, match="has no fit"):
        make_regressor(3)
    with pytest.raises(ConfigError, match="n_folds = 1"):
        Extrapolator(n_folds=1).fit(theta, x, TABLE)


def test_pixels_of_another_grid_are_refused(training):
    theta, x = training
    lat, lon = np.linspace(35, 45, 240), np.linspace(-80, -70, 240)
    here = theta.assign_coords(lat=("pixel", lat), lon=("pixel", lon))
    fit = Extrapolator("ridge", n_folds=2).fit
    fit(here, x.assign_coords(lat=("pixel", lat.astype(np.float32)), lon=("pixel", lon + 360.0)), TABLE)  # the same places
    with pytest.raises(InputError, match=r"the same labels but lie at different places \('lat', first at 0: 35 and 45\)"):
        fit(here, x.assign_coords(lat=("pixel", lat[::-1]), lon=("pixel", lon)), TABLE)


def test_making_one_does_no_work():
    made = Extrapolator("nonsense", features=["a"], anything=1)
    assert not [k for k in vars(made) if k.endswith("_")]
