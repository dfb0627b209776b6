import json
import os
import socket
import subprocess
import sys
import threading

import pytest

from gridcal.errors import StudyError
from gridcal.study import ledger as module
from gridcal.study.ledger import Ledger, Lock
from gridcal.study.safety.own_files import sweep
from gridcal.study.safety.records import read_json, write_json


@pytest.fixture
def beat(monkeypatch):
    monkeypatch.setattr(module, "BEAT", 0.1)


def test_json_appears_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "a.json"
    write_json(path, {"n": 1})

    def die(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(module.os, "replace", die)
    with pytest.raises(KeyboardInterrupt):
        write_json(path, {"n": 2})
    assert read_json(path) == {"n": 1}
    assert sweep(tmp_path) == 0


def test_damaged_json_counts_as_absent(tmp_path):
    (tmp_path / "a.json").write_text('{"n": ')
    assert read_json(tmp_path / "a.json") is None
    assert read_json(tmp_path / "b.json") is None


def test_only_valid_records_count(tmp_path):
    ledger = Ledger(tmp_path, "f1")
    ledger.finish("0001", variables={"x": {"sha256": "ab", "bytes": 3}}, seconds=1.0)
    Ledger(tmp_path, "f2").finish("0002", variables={})
    ledger.path("0003").write_text('{"tile": "0003", "fing')
    ledger.path("0004").write_text(json.dumps({"tile": "0001", "fingerprint": "f1", "variables": {}}))  # copied
    assert list(ledger.records()) == ["0001"]
    ledger.forget("0001")
    assert ledger.records() == {}


def test_failures_are_counted_and_cleared_by_success(tmp_path):
    ledger = Ledger(tmp_path, "")
    for k in (1, 2):
        ledger.fail("0", ValueError("model ran away"))
        assert ledger.attempts("0") == k
    assert ledger.failures() == {"0": "ValueError: model ran away"}
    ledger.finish("0", variables={})
    assert ledger.failures() == {}
    assert ledger.attempts("0") == 0


def test_sweep_takes_a_study_s_own_leftovers_only(tmp_path):
    own = [
        "fluxes.zarr/gpp/c/0.1.partial",
        "fluxes.ledger/tiles/.0001.json.7.partial",
        "records/.a.partial",
        ".study.json.7.partial",
    ]
    users = ["fluxes.zarr/gpp/c/0", "film.mp4.partial", "downloads/era5.partial", "other.zarr/gpp/c/0.partial"]
    for name in (*own, *users):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"half")
    assert sweep(tmp_path) == len(own)
    assert sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file()) == sorted(users)


def test_one_driver_at_a_time(tmp_path, beat):
    path = tmp_path / "lock.json"
    with Lock(path) as first:
        with first:  # the same driver may enter again
            pass
        with pytest.raises(StudyError, match=f"in use by process {os.getpid()}"):
            Lock(path).__enter__()
        first.check()
    assert not path.exists()
    with Lock(path):
        pass


def test_lock_of_a_living_process_holds_and_of_a_dead_one_is_taken_over(tmp_path, beat):
    path = tmp_path / "lock.json"
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    write_json(path, {"host": socket.gethostname(), "pid": child.pid, "token": "t", "beat": 1})
    with pytest.raises(StudyError, match=f"process {child.pid}"):
        Lock(path).__enter__()
    child.kill()
    child.wait()
    child.stdin.close()
    with Lock(path) as mine:
        assert read_json(path)["token"] == mine.token


def test_process_number_that_came_back_after_a_restart_is_not_the_holder(tmp_path, beat):
    write_json(tmp_path / "lock.json", {"host": socket.gethostname(), "pid": os.getpid(), "token": "gone", "beat": 1})
    with Lock(tmp_path / "lock.json"):
        pass


def test_other_host_is_judged_by_its_heartbeat_alone(tmp_path, beat):
    path = tmp_path / "lock.json"
    write_json(path, {"host": "elsewhere", "pid": 1, "token": "t", "beat": 1})
    stop = threading.Event()

    def live():
        n = 1
        while not stop.wait(0.05):
            n += 1
            write_json(path, {"host": "elsewhere", "pid": 1, "token": "t", "beat": n})

    thread = threading.Thread(target=live)
    thread.start()
    try:
        with pytest.raises(StudyError, match="elsewhere"):
            Lock(path).__enter__()
    finally:
        stop.set()
        thread.join()
    with Lock(path):  # silent for three beats
        pass


def test_driver_notices_that_it_was_thought_dead(tmp_path, beat):
    path = tmp_path / "lock.json"
    with Lock(path) as mine:
        write_json(path, {"host": "elsewhere", "pid": 1, "token": "other", "beat": 1})
        mine._thread.join(2.0)
        with pytest.raises(StudyError, match="took over"):
            mine.check()
    assert read_json(path)["token"] == "other"


def test_many_claim_a_stale_lock_and_one_gets_it(tmp_path, beat):
    path = tmp_path / "lock.json"
    for _ in range(10):
        path.unlink(missing_ok=True)
        write_json(path, {"host": socket.gethostname(), "pid": 2**22 + 1, "token": "dead", "beat": 1})
        locks = [Lock(path) for _ in range(6)]
        won, ready = [], threading.Barrier(6)

        def claim(lock, won=won, ready=ready):
            ready.wait()
            try:
                lock.__enter__()
                won.append(lock)
            except StudyError:
                pass

        threads = [threading.Thread(target=claim, args=(lock,)) for lock in locks]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(won) == 1
        assert read_json(path)["token"] == won[0].token
        won[0].__exit__()
