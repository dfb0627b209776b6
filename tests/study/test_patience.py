import types

import dask
import numpy as np
import pytest
import xarray as xr

from gridcal.errors import ConfigError, StudyError
from gridcal.study.cluster import connect
from gridcal.study.folder import Study
from gridcal.study.safety import patience as module
from gridcal.study.safety.patience import Patience


class Cluster:
    """A client that knows its workers, and how busy they are."""

    def __init__(self, **workers):
        self.workers = workers

    def nthreads(self):
        if self.workers is None:
            raise OSError("the scheduler is gone")
        return dict.fromkeys(self.workers, 1)

    def scheduler_info(self, n_workers):
        return {"workers": {name: {"metrics": {"cpu": cpu}} for name, cpu in self.workers.items()}}


@pytest.fixture(autouse=True)
def _default(monkeypatch):
    monkeypatch.delenv("GRIDCAL_PATIENCE", raising=False)


def waited(client, until, watch=None, every=1.0):
    """What a run that waits says, with the second at which it says it."""
    said, now = [], [0.0]
    watch = watch or Patience(client, lambda text: said.append((now[0], text)), lambda: now[0])
    while now[0] < until:
        now[0] += every
        watch.wait(["0003", "0001"])
    return said


def test_within_ten_seconds_it_says_what_it_waits_for_and_then_about_every_minute():
    said = waited(Cluster(a=90.0, b=90.0), 200.0)
    assert said[0][0] <= 10.0
    assert said[0][1] == "waiting for tile 0001 and 1 more, on 2 workers: nothing has come for 7 s"
    assert 3 <= len(said) <= 4
    assert "no worker is there" in waited(Cluster(), 12.0)[0][1]


def test_what_comes_soon_is_not_talked_about():
    said, now = [], [0.0]
    watch = Patience(Cluster(), said.append, lambda: now[0])
    for _ in range(100):
        now[0] += 5.0
        watch.wait(["0001"])
        watch.came()
    assert said == []


def test_a_run_without_a_worker_ends_and_names_the_tile():
    with pytest.raises(StudyError, match=r"no worker for \d+ min; tile 0001 and 1 more did not come") as caught:
        waited(Cluster(), 2.0 * module.ELSEWHERE, every=60.0)
    assert "GRIDCAL_PATIENCE" in caught.value.repair


def test_workers_that_do_nothing_end_it_and_those_that_compute_never(monkeypatch):
    with pytest.raises(StudyError, match="nothing but idle workers"):
        waited(Cluster(a=0.5), 2.0 * module.IDLE, every=30.0)
    waited(Cluster(a=0.5, b=99.0), 10.0 * module.ELSEWHERE, every=600.0)


def test_a_worker_that_comes_back_within_minutes_is_waited_for():
    client, now = Cluster(), [0.0]
    watch = Patience(client, lambda text: None, lambda: now[0])
    watch._without = module.LOCAL
    for second in range(5000):
        now[0] += 1.0
        client.workers = {} if second % 300 < 290 else {"a": 0.0}
        watch.wait(["0001"])


def test_the_environment_says_how_long(monkeypatch):
    monkeypatch.setenv("GRIDCAL_PATIENCE", "2")
    with pytest.raises(StudyError, match="no worker for"):
        waited(Cluster(), 130.0)
    for bad in ("soon", "0", "-1"):
        monkeypatch.setenv("GRIDCAL_PATIENCE", bad)
        with pytest.raises(ConfigError, match="Give minutes"):
            Patience(Cluster(), print)


def test_a_scheduler_that_is_gone_is_said():
    client = Cluster()
    client.workers = None
    with pytest.raises(StudyError, match=r"cluster was lost.*the scheduler is gone"):
        waited(client, 20.0)


def lazy():
    x = xr.DataArray(np.arange(8.0), dims="pixel").chunk(pixel=4)
    return xr.Dataset({"x": 2.0 * x})


def test_a_study_whose_workers_are_all_gone_says_so_and_ends_and_goes_on_later(tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("GRIDCAL_PROGRESS", raising=False)
    monkeypatch.setenv("GRIDCAL_PATIENCE", "0.02")
    monkeypatch.setattr(module, "FIRST", 0.2)
    monkeypatch.setattr(module, "_LOOK", 0.1)
    study = Study(tmp_path / "s")
    with connect("local", workers=1, processes=False) as client:
        client.retire_workers()
        with pytest.raises(StudyError, match="no worker"):
            study.save("x", lazy())
    assert "waiting for tile 0000 and 1 more, but no worker is there" in capsys.readouterr().err
    np.testing.assert_array_equal(study.save("x", lazy())["x"], 2.0 * np.arange(8.0))


def test_a_worker_of_this_machine_has_minutes_to_come_back():
    with connect("local", workers=1, processes=False):
        timeout = dask.utils.parse_timedelta(dask.config.get("distributed.deploy.lost-worker-timeout"))
    assert timeout >= 120.0


def test_more_workers_than_a_machine_can_hold_are_refused():
    with pytest.raises(ConfigError, match="100000 worker processes are asked for"):
        connect("local", workers=100_000)


def test_a_cluster_without_a_class_is_no_local_one():
    assert Patience(types.SimpleNamespace(cluster=None), print)._without == module.ELSEWHERE
