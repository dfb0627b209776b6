import sys
import types

import numpy as np
import pytest
import xarray as xr

from gridcal.errors import ConfigError, MissingExtraError
from gridcal.study.cluster import connect, slurm_cluster, worker_version
from gridcal.study.folder import Study
from gridcal.version import __version__


def double(block):
    return 2.0 * block


def threads_of(block):
    from threadpoolctl import threadpool_info

    return np.full_like(block, max((p["num_threads"] for p in threadpool_info()), default=1))


def lazy(n=20, function=double):
    x = xr.DataArray(np.arange(n, dtype=np.float64), dims="pixel", coords={"pixel": np.arange(n)}).chunk(pixel=4)
    return xr.Dataset(
        {"x": x.copy(data=x.data.map_blocks(function, dtype=np.float64, meta=np.empty(0)))}, attrs={"stage": "calibrate"}
    )


def test_nothing_is_started_in_process(tmp_path):
    with connect(None) as here:
        assert here.dashboard_link == ""
        out = Study(tmp_path / "s").save("x", lazy(), progress=False)
    np.testing.assert_array_equal(out["x"], 2.0 * np.arange(20))


def test_threads_of_this_process(tmp_path):
    with connect("local", workers=2, processes=False) as client:
        out = Study(tmp_path / "s").save("x", lazy(), progress=False)
        np.testing.assert_array_equal(out["x"], 2.0 * np.arange(20))
        ran = {e["key"] for e in client.run_on_scheduler(_transitions) if str(e["key"]).startswith("calibrate-tile-")}
        assert len(ran) == 5
        one = Study(tmp_path / "s").save("threads", lazy(function=threads_of), progress=False)
        assert (one["x"] == 1).all()
    assert client.status == "closed"
    assert client.cluster.status.name == "closed"


def _transitions(dask_scheduler):
    return [{"key": t[0]} for t in dask_scheduler.transition_log]


def test_worker_processes(tmp_path):
    with connect("local", workers=2) as client:
        assert client.dashboard_link.startswith("http://127.0.0.1")
        one = {v["OMP_NUM_THREADS"] + v["NUMBA_NUM_THREADS"] for v in client.run(_environment).values()}
        assert one == {"11"}
        out = Study(tmp_path / "s").save("x", lazy(), progress=False)
        np.testing.assert_array_equal(out["x"], 2.0 * np.arange(20))
        with connect(client.scheduler.address) as second:
            assert set(second.run(worker_version).values()) == {__version__}


def _environment():
    import os

    return dict(os.environ)


def test_slurm_script():
    cluster = slurm_cluster(
        queue="main", cores=4, memory="16GiB", walltime="01:00:00", scheduler_options={"dashboard_address": "127.0.0.1:0"}
    )
    try:
        script = cluster.job_script()
    finally:
        cluster.close()
    assert "#SBATCH -t 01:00:00" in script
    assert "#SBATCH -p main" in script
    assert "--nworkers 4" in script
    assert "--nthreads 1" in script
    assert "--lifetime 3300s --lifetime-stagger 150s" in script  # the last worker leaves 150 s before the wall time
    for line in ("OMP_NUM_THREADS=1", "NUMBA_NUM_THREADS=1", "NUMBA_CACHE_DIR=$TMPDIR/gridcal-numba-$SLURM_JOB_ID"):
        assert f"export {line}" in script
    assert script.index("export TMPDIR=") < script.index("--local-directory $TMPDIR")


def test_walltime_must_read():
    with pytest.raises(ConfigError, match="'two hours'"):
        slurm_cluster(walltime="two hours")


def test_gateway_names_the_missing_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "dask_gateway", None)
    with pytest.raises(MissingExtraError, match="pip install dask-gateway"):
        connect("gateway")


def test_gateway_keeps_its_workers_and_is_closed(monkeypatch):
    calls = []
    client = types.SimpleNamespace(close=lambda: calls.append("client closed"))
    cluster = types.SimpleNamespace(
        adapt=lambda **k: calls.append(k), get_client=lambda: client, close=lambda: calls.append("cluster closed")
    )
    gateway = types.SimpleNamespace(new_cluster=lambda **k: calls.append(k) or cluster)
    monkeypatch.setitem(sys.modules, "dask_gateway", types.SimpleNamespace(Gateway=lambda: gateway))
    connect("gateway", workers=3, image="x").close()
    assert calls == [{"image": "x"}, {"minimum": 3, "maximum": 3}, "client closed", "cluster closed"]


def test_unknown_kind_and_dead_address():
    with pytest.raises(ConfigError, match="unknown cluster 'cloud'"):
        connect("cloud")
    with pytest.raises(ConfigError, match="no scheduler answers"):
        connect("tcp://127.0.0.1:9", timeout="1s")
