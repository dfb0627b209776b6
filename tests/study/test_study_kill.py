import os
import signal
import subprocess
import sys
import time
from collections import Counter

import numpy as np
import pytest

from gridcal.study.folder import Study

# The driver: 24 tiles of 4 pixels, each logs its number when it is computed, sleeps, and gives pseudo-random series.
DRIVER = """
import os, sys, time
import dask.array as da
import numpy as np
import xarray as xr
from gridcal.study.folder import Study

folder, log, pause, where = sys.argv[1], sys.argv[2], float(sys.argv[3]), sys.argv[4]

def run(block, log=log, pause=pause):
    first = int(block[0, 0])
    handle = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(handle, b"%d\\n" % (first // 4))
    os.close(handle)
    time.sleep(pause)
    out = [np.random.default_rng(int(p)).normal(size=200) for p in block[0]]
    return np.stack(out, axis=1).astype(np.float32)

def main():
    numbers = da.from_array(np.arange(96)[None, :], chunks=(1, 4))
    x = numbers.map_blocks(run, dtype=np.float32, chunks=((200,), numbers.chunks[1]), meta=np.empty((0, 0), np.float32))
    ds = xr.Dataset({"gpp": (("time", "pixel"), x), "mean": ("pixel", x.mean(axis=0))}, coords={"pixel": np.arange(96)})
    ds["status"] = ("pixel", da.zeros(96, chunks=4, dtype=np.int8))
    study = Study(folder, {"seed": 1})
    print("ready", flush=True)
    if where == "cluster":
        from gridcal.study.cluster import connect
        with connect("local", workers=2, processes=False):
            study.save("fluxes", ds, fingerprint="kill")
    else:
        study.save("fluxes", ds, fingerprint="kill")

if __name__ == "__main__":
    main()
"""
ENVIRONMENT = {**os.environ, "GRIDCAL_PROGRESS": "0", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def start(script, folder, log, pause, where="serial"):
    command = [sys.executable, str(script), str(folder), str(log), str(pause), where]
    return subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(process):
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return out


def executions(log):
    return Counter(int(line) for line in log.read_text().splitlines()) if log.exists() else Counter()


def contents(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted((folder / "fluxes.zarr").rglob("*")) if p.is_file()}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    (folder / "driver.py").write_text(DRIVER)
    finish(start(folder / "driver.py", folder / "a.study", folder / "log", 0.0))
    assert executions(folder / "log") == dict.fromkeys(range(24), 1)
    files = contents(folder / "a.study")
    assert sum("/gpp/c/" in name for name in files) == 24
    return files


def disturbed(tmp_path, kills, seed, where, window, undisturbed):
    script, folder, log = tmp_path / "driver.py", tmp_path / "a.study", tmp_path / "log"
    script.write_text(DRIVER)
    rng = np.random.default_rng(seed)
    done: set[str] = set()
    killed = 0
    while killed < kills:
        before = executions(log)
        process = start(script, folder, log, 0.06, where)
        assert process.stdout.readline() == "ready\n"
        time.sleep(rng.uniform(0.0, 1.2))
        alive = process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
        again = executions(log) - before
        assert not {f"{tile:04d}" for tile in again} & done, "a finished tile was computed again"
        status = Study(folder).status().get("fluxes", {"done": 0})
        done = {p.stem for p in (folder / "fluxes.ledger" / "tiles").glob("*.json")}
        assert status["done"] == len(done)
        assert sum(again.values()) <= len(again), "a tile ran twice in one run"
        killed += 1
        if not alive:
            break
    finish(start(script, folder, log, 0.0, where))
    total = sum(executions(log).values())
    assert total <= 24 + killed * window
    assert contents(folder) == undisturbed
    assert Study(folder).verify() == []
    assert not list(folder.rglob("*.partial"))
    return killed, total


def test_killed_driver_resumes_to_the_same_bytes(tmp_path, undisturbed):
    killed, _ = disturbed(tmp_path, 3, 11, "serial", 1, undisturbed)
    assert killed == 3


def test_killed_driver_with_its_cluster_resumes_to_the_same_bytes(tmp_path, undisturbed):
    disturbed(tmp_path, 2, 12, "cluster", 2, undisturbed)


@pytest.mark.slow
@pytest.mark.parametrize("where", ["serial", "cluster"])
def test_twenty_kills(tmp_path, undisturbed, where):
    killed = 0
    for attempt in range(10):
        folder = tmp_path / str(attempt)
        folder.mkdir()
        n, _ = disturbed(folder, 4, 100 + attempt, where, 2, undisturbed)
        killed += n
        if killed >= 20:
            break
    assert killed >= 20
