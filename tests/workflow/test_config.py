"""A study file is checked key by key before anything runs."""

import copy
import datetime

import pytest

from gridcal.errors import ConfigError
from gridcal.workflow.config import load_config, parse_config

GOOD = {
    "title": "a study",
    "data": {"kind": "twin"},
    "calibration": {"blocks": [{"fit": ["eps_max"], "to": {"variable": "gpp"}}]},
}


def changed(path, value):
    document = copy.deepcopy(GOOD)
    place = document
    for key in path[:-1]:
        place = place[key] if isinstance(key, int) else place.setdefault(key, {})
    place[path[-1]] = value
    return document


def test_defaults_fill_what_is_left_out():
    config = parse_config(GOOD)
    assert config.learn.method == "xgboost"
    assert config.calibration.blocks[0].to.every == "8-day"


def test_identity_leaves_out_where_it_runs():
    one = parse_config(changed(("compute", "workers"), 1)).identity()
    assert one == parse_config(changed(("title",), "another")).identity()
    assert one != parse_config(changed(("seed",), 2)).identity()


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        (("screening", "trajectory"), 10, "Did you mean 'trajectories'"),
        (("sed",), 1, r"unknown key 'sed'.*'seed'"),
        (("data", "lats"), 3, r"unknown key 'data.*lats'.*'lat'"),
        (("calibration", "blocks", 0, "to", "evry"), "daily", r"unknown key .*evry.*'every'"),
        (("model", "bounds"), {"Topt": [30.0, 10.0]}, "bounds of Topt are in the wrong order"),
        (("model", "bounds"), {"Topt": [30.0, 30.0]}, "bounds of Topt are in the wrong order"),
        (("calibration", "method"), "simplex", "calibration.method"),
        (("learn", "rhat"), 0.9, "learn.rhat"),
        (("data", "kind"), "satellite", "data"),
        (("map",), {"kind": "climatological-year", "tile": 0}, "map.tile"),
    ],
)
def test_fault_is_named_with_its_repair(path, value, says):
    with pytest.raises(ConfigError, match=f"(?s){says}"):
        parse_config(changed(path, value))


def test_flux_sites_have_no_grid_of_their_own():
    with pytest.raises(ConfigError, match="climatological-year"):
        parse_config(changed(("data",), {"kind": "flux-sites"}))


def test_missing_key_is_named():
    document = copy.deepcopy(GOOD)
    del document["calibration"]["blocks"]
    with pytest.raises(ConfigError, match=r"'calibration\.blocks' is missing"):
        parse_config(document)


@pytest.mark.parametrize("text", ["- a\n- b\n", "a: [1\n", "!!python/object/apply:os.system ['true']\n"])
def test_file_that_is_no_study(tmp_path, text):
    file = tmp_path / "study.yml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=r"study\.yml"):
        load_config(file)
    with pytest.raises(ConfigError, match=r"no study file"):
        load_config(tmp_path / "none.yml")


@pytest.mark.parametrize(
    "text",
    [
        "[2001-01-01, 2001-12-31]", "['2001-01-01', '2001-12-31']", "[2001, 2003]", "[2001-01, 2001-12]",
        '[2001, "2003-06-30"]',
        "[2001-01-01T00:00:00, 2001-12-31]",
    ],
)  # fmt: skip
def test_days_need_no_quotes(tmp_path, text):
    cube = f"{{kind: cube, source: a.zarr, period: {text}}}"
    rest = f"screening: {{period: {text}}}\nevaluate: {{periods: {{all: {text}}}}}\n"
    blocks = "calibration: {method: cmaes, blocks: [{fit: [eps_max], to: {variable: gpp}}]}\n"
    (tmp_path / "a.yml").write_text(f"title: case\ndata: {cube}\n{blocks}{rest}")
    found = load_config(tmp_path / "a.yml")
    expected = tuple(part.strip(" []'\"") for part in text.split(","))
    assert found.data.period == found.screening.period == found.evaluate.periods["all"] == expected


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (datetime.date(2001, 1, 1), datetime.date(2001, 12, 31)),
        (datetime.datetime(2001, 1, 1), datetime.datetime(2001, 12, 31)),
    ],
)
def test_dates_of_python_are_the_same_period_with_the_same_fingerprint(first, last):
    data = {"kind": "cube", "source": "a.zarr"}
    text = parse_config(changed(("data",), data | {"period": ["2001-01-01", "2001-12-31"]}))
    dates = parse_config(changed(("data",), data | {"period": [first, last]}))
    assert dates.identity() == text.identity()


@pytest.mark.parametrize(
    "period", [["summer", "2001"], ["2002", "2001-12-31"], [2001.5, 2002], [True, False], ["01-01-2001", "31-12-2001"]]
)
def test_what_is_no_period_is_named(period):
    with pytest.raises(ConfigError, match=r"data\.cube\.period"):
        parse_config(changed(("data",), {"kind": "cube", "source": "a.zarr", "period": period}))


def test_text_that_looks_like_something_else_is_to_be_quoted():
    with pytest.raises(ConfigError, match="Put it in quotes"):
        parse_config(changed(("data",), {"kind": "flux-sites", "classes": [False]}) | {"map": {"kind": "climatological-year"}})
