"""The comparison: end to end on synthetic sites, resumed to the same bytes, and nothing leaks from test sites."""

import dataclasses
import json
import subprocess
import sys
import time

import numpy as np
import pytest
import xarray as xr

from gridcal.cli import main
from gridcal.comparison.config import load_comparison, parse_comparison
from gridcal.comparison.experiment import run_comparison
from gridcal.comparison.tiles import learn_fold, make_context, unit_where_tested
from gridcal.errors import ConfigError, InputError
from gridcal.extrapolation.features.classes import classes_of
from gridcal.extrapolation.features.encoder import FeatureEncoder
from gridcal.extrapolation.features.forcing import NAMES, forcing_features
from gridcal.extrapolation.spie.tensor_file import load_tensors
from gridcal.synthetic.sites import synthetic_sites
from gridcal.workflow.jobs import write_report

METHODS = ["PFTmean", "Climmed", "Sitesim", "OPT-All", "mRF", "mNN", "SPIE", "P-model"]
DOCUMENT = {
    "kind": "compare",
    "title": "tiny",
    "seed": 2,
    "model": {"name": "lue", "lag": "bao2023"},
    "data": {"kind": "synthetic", "sites": 30, "years": 3},
    "test_sites": ["site-004", "site-011"],
    "methods": METHODS,
    "calibration": {"optimiser": "lbfgs", "starts": 1, "constraint": 0.1, "chunk": 10},
    "search": {"optimiser": "lbfgs", "starts": 1},
    "training": {"epochs": 30, "learning_rate": 0.005, "members": 2},
    "folds": {"n": 3},
    "objective": {"days": 150},
    "assessment": {"groups": 10},
    "explanation": {"permutations": 2},
    "compute": {"cluster": "none"},
}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return run_comparison(parse_comparison(DOCUMENT), tmp_path_factory.mktemp("comparison") / "tiny.study")


@pytest.fixture(scope="module")
def context(study):
    config = parse_comparison(DOCUMENT)
    return make_context(config, config.model.build(), study.open("sites"))


def test_every_site_is_tested_once_and_test_sites_are_never_trained_on(study, context):
    fold = context.fold
    assert (fold[[4, 11]] == -2).all()
    assert set(np.delete(fold, [4, 11])) == {0, 1, 2}
    for k in range(3):
        rows = context.training_rows(k)
        assert not np.isin([4, 11], rows).any()
        assert not (fold[rows] == k).any()
    scores = study.open("scores").load()
    daily = scores["score"].sel({"quality": "present", "scale": "daily", "metric": "nse"})
    assert np.isfinite(daily.values).all()
    assert np.isnan(scores["score"].sel(quality="tower").values).all()  # synthetic sites have no tower flag


def test_assessment_holds_what_it_says(study):
    table = study.open("assessment").load()
    names = [str(m) for m in table["method"].values]
    assert names == ["site-calib", *METHODS]
    skill = table["skill"].sel({"quality": "present", "scale": "daily", "metric": "nse", "summary": "median"})
    assert float(skill.sel({"method": "site-calib"})) > 0.85
    assert float(skill.sel({"method": "site-calib"})) == pytest.approx(float(skill.max()))
    p = table["likelihood"].sel({"method": METHODS})
    np.testing.assert_allclose(p.sum("method"), 1.0)
    assert np.isnan(table["likelihood_overall"].sel({"method": "site-calib"}))
    assert np.isfinite(table["truth_skill"].sel({"method": "SPIE", "statistic": "nse"})).all()
    assert np.isnan(table["unit"].sel({"method": "P-model"})).all()
    importance = study.open("importance").load()
    assert set(map(str, importance["class"].values)) == {"BioClim", "VIF", "NPdep", "Soil", "PFT", "Clim"}
    assert importance["importance"].min() >= 0


def test_predictions_are_those_of_the_fold(study, context):
    predicted = study.open("predictions")["unit"].values
    units = unit_where_tested(predicted, context.fold)
    s = int(np.flatnonzero(context.fold == 1)[0])
    np.testing.assert_array_equal(units[:, s], predicted[1, :, s])
    np.testing.assert_allclose(units[:, 4], predicted[:, :, 4].mean(axis=0))


@pytest.fixture(scope="module")
def calibrated(study):
    return study.open("calibration")["unit"].values


def test_poisoned_test_sites_change_nothing_that_was_learnt(context, calibrated):
    clean = learn_fold(context, calibrated, 0)
    tested = np.flatnonzero((context.fold == 0) | (context.fold == -2))
    trained = context.training_rows(0)
    gpp = tuple(np.full(y.shape, 1e6) if s in tested else y for s, y in enumerate(context.series.observed["gpp"]))
    observed = dataclasses.replace(context, series=dataclasses.replace(context.series, observed={"gpp": gpp}))
    other = calibrated.copy()
    other[tested] = 0.999
    found = learn_fold(observed, other, 0)
    np.testing.assert_array_equal(found.unit, clean.unit)  # observations and calibration of test sites are not read at all
    assert found.network == clean.network

    features = context.features.copy(deep=True)
    for name in features.data_vars:
        values = features[name].values.copy()
        values[tested] = 1e9 if values.dtype.kind == "f" else "XYZ"
        features[name] = ("site", values)
    forcing = tuple(tuple(x * 0 + 360.0 for x in f) if s in tested else f for s, f in enumerate(context.series.forcing))
    cycles = context.cycles.copy()
    cycles[tested] = 1e9
    poisoned = dataclasses.replace(
        context,
        features=features,
        cycles=cycles,
        series=dataclasses.replace(context.series, observed={"gpp": gpp}, forcing=forcing),
    )
    found = learn_fold(poisoned, other, 0)
    np.testing.assert_array_equal(found.unit[:, trained], clean.unit[:, trained])
    ours, theirs = load_tensors(found.network)[0], load_tensors(clean.network)[0]
    for name in (n for n in ours if n != "x"):
        np.testing.assert_array_equal(ours[name], theirs[name])


def test_poisoned_training_sites_do_change_it(context, calibrated):
    gpp = tuple(3 * y for y in context.series.observed["gpp"])
    other = dataclasses.replace(context, series=dataclasses.replace(context.series, observed={"gpp": gpp}))
    assert not np.array_equal(learn_fold(other, calibrated, 0).unit, learn_fold(context, calibrated, 0).unit)


def test_a_finished_comparison_is_not_computed_again(study, monkeypatch):
    import gridcal.comparison.tiles as tiles

    def refuse(*_):
        raise AssertionError("computed again")

    for name in ("calibrate_rows", "learn_fold", "score_rows"):
        monkeypatch.setattr(tiles, name, refuse)
    run_comparison(parse_comparison(DOCUMENT), study.path)


def test_a_killed_comparison_resumes_to_the_same_bytes(study, tmp_path):
    file = tmp_path / "tiny.yml"
    file.write_text(json.dumps(DOCUMENT))
    folder = tmp_path / "killed.study"
    command = [sys.executable, "-m", "gridcal", "compare", str(file), "-o", str(folder)]
    run = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(1200):
        if list((folder / "predictions.ledger" / "tiles").glob("*.json")):
            break
        time.sleep(0.1)
    run.kill()
    run.wait()
    done = {p.name: p.stat().st_mtime_ns for p in (folder / "predictions.ledger" / "tiles").glob("*.json")}
    assert 1 <= len(done) < 3
    assert main(["resume", str(folder)]) == 0
    for name, stamp in done.items():
        assert (folder / "predictions.ledger" / "tiles" / name).stat().st_mtime_ns == stamp
    from gridcal.study.folder import Study

    again = Study(folder)
    for stage in ("calibration", "predictions", "scores", "assessment", "importance"):
        xr.testing.assert_equal(again.open(stage).load(), study.open(stage).load())
    assert (folder / "report.html").is_file()


def test_report_names_every_section(study, tmp_path):
    text = write_report(study, tmp_path / "report.html").read_text()
    for words in ("Skill by method", "Likelihood of being the best", "true parameters", "What the network uses", "test only"):
        assert words in text
    assert "http" not in text.replace("http-equiv", "")


def test_configuration_mistakes_are_named(tmp_path):
    with pytest.raises(ConfigError, match="Did you mean 'epochs'"):
        parse_comparison(DOCUMENT | {"training": {"epoch": 3}})
    with pytest.raises(ConfigError, match="Did you mean 'sites'"):
        parse_comparison(DOCUMENT | {"data": {"kind": "synthetic", "site": 30}})
    with pytest.raises(ConfigError, match="unknown method 'PFT'"):
        parse_comparison(DOCUMENT | {"methods": ["PFT"]})
    with pytest.raises(ConfigError, match="kind: compare"):
        parse_comparison({"title": "x"})
    with pytest.raises(ConfigError, match="no study file"):
        load_comparison(tmp_path / "none.yml")
    with pytest.raises(ConfigError, match="nowhere"):
        run_comparison(parse_comparison(DOCUMENT | {"test_sites": ["nowhere"]}), tmp_path / "a.study")


def test_forcing_features_are_complete_and_lazy():
    made = synthetic_sites(20, 2, seed=3)
    found = forcing_features(made.cube)
    assert set(found.data_vars) == set(NAMES)
    assert all(np.isfinite(found[n]).all() for n in NAMES)
    data = made.cube.data
    assert np.allclose(found["tas_sd"], data["tas"].std("time"), rtol=1e-5)
    light = (data["par"] * data["fapar"]).groupby(((data["time"].dt.dayofyear - 1) // 30).rename("bin")).mean()
    assert np.allclose(found["apar_mean"], light.mean("bin"), rtol=1e-5)
    lazy = forcing_features(dataclasses.replace(made.cube, data=data.chunk(site=7)))
    assert lazy["tas_mean"].chunks is not None
    xr.testing.assert_allclose(lazy.compute(), found)


def test_features_fall_into_the_six_classes():
    made = synthetic_sites(20, 2)
    kinds = set(classes_of(made.cube.feature_names).values())
    assert kinds == {"BioClim", "VIF", "NPdep", "Soil", "PFT", "Clim"}
    encoder = FeatureEncoder().fit(made.cube.features)
    assert {"igbp", "koeppen"} <= set(encoder.inputs_)


def test_synthetic_sites_depend_on_the_seed_alone():
    first, second, other = synthetic_sites(20, 2, seed=1), synthetic_sites(20, 2, seed=1), synthetic_sites(20, 2, seed=2)
    xr.testing.assert_identical(first.truth, second.truth)
    xr.testing.assert_identical(first.cube.data, second.cube.data)
    assert not first.truth.equals(other.truth)


def test_any_cube_and_model_can_be_compared(tmp_path):
    made = synthetic_sites(20, 2, seed=4)
    data = made.cube.data.drop_vars("cycles")
    data = data.reset_coords(["pft", "climate", "climate_class"], drop=True)
    for name in ("igbp", "koeppen"):
        data[name] = ("site", data[name].values.astype(str))
    data.to_zarr(tmp_path / "sites.zarr", zarr_format=3, consolidated=False)
    features = list(made.cube.feature_names)
    document = DOCUMENT | {
        "data": {"kind": "cube", "source": str(tmp_path / "sites.zarr"), "observed": {"gpp": "gpp_obs"}, "features": features},
        "test_sites": [],
        "methods": ["PFTmean", "SPIE"],
        "objective": {"fit": ["eps_max", "Topt", "WI"], "gradient": "differences", "every": "8-day"},
        "training": {"epochs": 4},
        "folds": {"kind": "region", "climate": "climate"},
    }
    with pytest.raises(ConfigError, match="Sitesim"):
        run_comparison(parse_comparison(document | {"methods": ["Sitesim"]}), tmp_path / "b.study")
    study = run_comparison(parse_comparison(document), tmp_path / "a.study")
    assert list(study.open("calibration")["parameter"].values) == ["eps_max", "Topt", "WI"]
    assert "Share of sites" in write_report(study).read_text()
    other = document | {"methods": ["P-model"], "model": {"name": "dalec"}, "objective": {}}
    other |= {"data": {"kind": "synthetic", "sites": 20, "years": 1}}
    with pytest.raises(ConfigError, match="P-model"):
        run_comparison(parse_comparison(other), tmp_path / "c.study")


def test_a_second_file_of_sites_is_scored_and_never_trained_on(tmp_path):
    made = synthetic_sites(20, 2, seed=9)
    data = made.cube.data.drop_vars("cycles").reset_coords(["pft", "climate", "climate_class"], drop=True)
    for name in ("igbp", "koeppen"):
        data[name] = ("site", data[name].values.astype(str))
    dropped = next(n for n in made.cube.feature_names if data[n].dtype.kind == "f")
    data = data.drop_vars(dropped).assign_coords(time=data["time"] + np.timedelta64(730, "D"))
    data = data.assign_coords(site=[f"new-{k:02d}" for k in range(20)])
    data.attrs["fingerprint"] = "other"
    data.to_zarr(tmp_path / "new.zarr", zarr_format=3, consolidated=False)
    features = [n for n in made.cube.feature_names if n != dropped]
    second = {"kind": "cube", "source": str(tmp_path / "new.zarr"), "observed": {"gpp": "gpp_obs"}, "features": features}
    document = DOCUMENT | {
        "methods": ["PFTmean", "mRF", "SPIE"], "test_data": second, "test_sites": ["site-004"],
        "calibration": DOCUMENT["calibration"] | {"max_evaluations": 60}, "training": {"epochs": 3},
    }  # fmt: skip
    study = run_comparison(parse_comparison(document), tmp_path / "a.study")
    sites = study.open("sites").load()
    fold = dict(zip(sites["site"].values, sites["fold_of_site"].values, strict=True))
    assert sites.sizes["site"] == 50
    assert all(fold[f"new-{k:02d}"] == -2 for k in range(20))
    assert fold["site-004"] == -2
    assert sum(k == -2 for k in fold.values()) == 21
    drivers = [n for n in ("tas", "vpd", "par", "fapar", "wai", "ci", "co2") if n in sites]
    assert all(np.isfinite(sites[n]).all() for n in drivers)
    days = slice(data["time"].values[0], data["time"].values[-1])
    np.testing.assert_array_equal(sites["gpp_obs"].sel(site="new-03", time=days), data["gpp_obs"].sel(site="new-03"))
    assert np.isnan(sites["gpp_obs"].sel(site="new-03", time=slice(None, "2002-12-30"))).all()
    assert np.isnan(sites[dropped].sel(site="new-03"))
    scores = study.open("scores")["score"].sel({"quality": "present", "scale": "daily", "metric": "nse", "method": "SPIE"})
    assert np.isfinite(scores.sel(site=[f"new-{k:02d}" for k in range(20)])).all()
    plain = run_comparison(parse_comparison(document | {"test_data": None}), tmp_path / "b.study")
    shared = plain.open("predictions")["unit"].load()
    np.testing.assert_array_equal(study.open("predictions")["unit"].sel(site=shared["site"]).load(), shared)
    gap = data.copy(deep=True)
    gap["tas"][40, 3] = np.nan
    gap.to_zarr(tmp_path / "gap.zarr", zarr_format=3, consolidated=False)
    with pytest.raises(InputError, match="'tas' has gaps at site 'new-03'"):
        run_comparison(
            parse_comparison(document | {"test_data": second | {"source": str(tmp_path / "gap.zarr")}}), tmp_path / "d.study"
        )
    twice = data.assign_coords(site=[*data["site"].values[:-1], "site-001"])
    twice.to_zarr(tmp_path / "twice.zarr", zarr_format=3, consolidated=False)
    with pytest.raises(ConfigError, match="'site-001', which data holds too"):
        run_comparison(
            parse_comparison(document | {"test_data": second | {"source": str(tmp_path / "twice.zarr")}}), tmp_path / "c.study"
        )
