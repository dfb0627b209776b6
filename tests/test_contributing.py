"""The skeletons of the tour run as they stand."""

import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import gridcal as gc
from gridcal.extrapolation.methods.interface import Prediction
from gridcal.study.stage import check_list
from gridcal.workflow.stages import STAGES

TOUR = (Path(__file__).parents[1] / "CONTRIBUTING.md").read_text(encoding="utf-8")
SKELETONS = re.findall(r"### (.+?)\n.*?```python\n(.*?)```", TOUR, flags=re.DOTALL)


@pytest.fixture
def made(tmp_path):
    """Write a skeleton to a file of its own and import it."""

    def write(heading):
        file = tmp_path / f"{heading.split()[-1]}.py"
        file.write_text(dict(SKELETONS)[heading])
        spec = importlib.util.spec_from_file_location(file.stem, file)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return vars(module)

    return write


def test_every_kind_of_thing_has_a_skeleton():
    assert [heading for heading, _ in SKELETONS] == [
        "A process model", "A calibration method", "A way to extrapolate", "An archive", "A figure", "A stage"
    ]  # fmt: skip


def test_the_model_and_the_method_calibrate_together(made):
    model = made("A process model")["model"]
    method = made("A calibration method")["RandomSearch"]
    days = np.arange("2001-01-01", "2003-01-01", dtype="datetime64[D]").astype("datetime64[ns]")
    par = 6.0 + 4.0 * np.sin(np.arange(days.size) / 58.0)
    shape = ("time", "pixel")
    data = xr.Dataset(coords={"time": days, "pixel": [0]})
    data["par"] = (shape, par[:, None], {"units": "MJ m-2 d-1"})
    data["fapar"] = (shape, np.full((days.size, 1), 0.5), {"units": "1"})
    data["gpp_obs"] = (shape, 0.07 * 0.5 * par[:, None], {"units": "gC m-2 d-1"})
    block = gc.Block(("yield_",), gc.Target("gpp"))
    found = gc.calibrate(gc.Cube.from_dataset(data), model, [block], method(runs=400), seed=1).compute()
    assert float(found["yield_"][0]) == pytest.approx(0.07, abs=5e-4)
    assert int(found["status"][0]) == 0
    with pytest.raises(gc.GridcalError, match="RandomSearch option 'runs'"):
        method(runs=0)


def test_the_way_to_extrapolate_predicts(made):
    way = made("A way to extrapolate")["Middle"]()
    places = type("Places", (), {"n": 3})
    training = type("Training", (), {"unit": np.array([[0.0, 0.2], [1.0, 0.4]])})
    found = way.fit(training).predict(places)
    assert isinstance(found, Prediction)
    np.testing.assert_allclose(found.unit, np.tile([0.5, 0.3], (3, 1)))


def test_the_archive_is_read(made, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert made("An archive")["cube"].data["lat"].values.tolist() == [40.5, 41.0]


def test_the_figure_is_drawn(made):
    times = np.arange("2001-01-01", "2001-03-01", dtype="datetime64[D]").astype("datetime64[ns]")
    fluxes = xr.Dataset({"gpp": ("time", np.arange(59.0), {"units": "gC m-2 d-1"})}, coords={"time": times})
    figure = made("A figure")["seasonal_course"](fluxes)
    assert figure.axes[0].get_ylabel() == "gpp (gC m-2 d-1)"


def test_the_stage_fits_the_list(made):
    stage = made("A stage")["ANNUAL"]
    check_list((*STAGES, stage))
    study = type("Study", (), {"open": lambda self, name: xr.Dataset({"gpp": ("time", [1.0, 3.0])})})()
    job = type("Job", (), {"study": study, "config": type("Config", (), {"more": {}})})
    assert float(stage.make(job)["annual"]["gpp"]) == 730.0


def test_the_tour_names_every_room():
    rooms = re.findall(r"^\| `(\w+)/` \|", TOUR, flags=re.MULTILINE)
    folders = {p.name for p in Path(gc.__file__).parent.iterdir() if p.is_dir() and not p.name.startswith("_")}
    assert len(rooms) == len(set(rooms))
    assert set(rooms) == folders
    for path in re.findall(r"`([\w/]+\.py)`", TOUR):
        here = Path(gc.__file__).parent
        assert (here / path).is_file() or (here.parent / path).is_file() or any(here.rglob(path)), path
