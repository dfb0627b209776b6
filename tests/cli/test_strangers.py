"""Study files and folders made by a careless or hostile sender, built of harmless input.

Whatever they hold: one line, nothing run, nothing connected, nothing written outside.
"""

import json
import os
import socket

import numpy as np
import pytest
import xarray as xr
import yaml

from gridcal.cli import main
from gridcal.study import ledger
from gridcal.study.folder import Study

GOOD = {
    "title": "a study",
    "data": {"kind": "twin", "lat": 3, "lon": 4, "years": 1, "samples": 10},
    "calibration": {"method": "cmaes", "blocks": [{"fit": ["eps_max"], "to": {"variable": "gpp"}}]},
    "compute": {"cluster": "none"},
}
CANARY = "open('RAN', 'w').close()\n"
"""What a worker or a reader must never run."""


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder to work in, a listening socket, and a program that would leave its mark if anything ran it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(ledger, "BEAT", 0.05)
    (tmp_path / "evil.py").write_text(CANARY)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "letter.txt").write_text("dear")
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)
        yield tmp_path, server


def harmless(place, command, capsys, within):
    """One line on standard error, status 1, and nothing changed but what lies in `within`."""
    folder, server = place

    def seen():
        found = {}
        for root, folders, files in os.walk(folder):
            folders[:] = [f for f in folders if os.path.join(root, f) != str(within)]
            for name in (*files, *folders):
                path = os.path.join(root, name)
                plain = os.path.isfile(path) and not os.path.islink(path)
                found[path] = (os.lstat(path).st_mtime_ns if plain else None, os.path.getsize(path) if plain else None)
        return found

    before = seen()
    assert main([str(c) for c in command]) == 1
    out, err = capsys.readouterr()
    said = (out + err).splitlines()
    assert len([line for line in said if line.startswith(("gridcal: ", "damaged: "))]) == 1, said
    assert len(err.splitlines()) <= 1, err
    assert "did not expect" not in err
    assert all(line.isprintable() and len(line) < 3000 for line in said)
    assert seen() == before
    assert not list(folder.rglob("RAN"))
    with pytest.raises(TimeoutError):
        server.accept()
    return said


def of(**sections):
    return yaml.safe_dump(GOOD | sections, sort_keys=False, allow_unicode=True)


def options(cluster, **found):
    return of(compute={"cluster": cluster, "options": found})


FILES = {
    "an alias bomb": "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n",
    "half a million brackets": "a: " + "[" * 500_000,
    "two megabytes": of(title="x" * 2_000_000),
    "a picture": b"\x89PNG\r\n\x1a\n" + bytes(range(256)),
    "UTF-16": of().encode("utf-16"),
    "a tag that calls": of() + "more: !!python/object/apply:os.system ['python evil.py']\n",
    "a tag that imports": of() + "more: !!python/name:evil.x\n",
    "a key twice": of() + "seed: 1\nseed: 2\n",
    "two studies in one file": of() + "---\n" + of(),
    "a preload": options("local", preload=["evil.py"]),
    "an environment": options("local", env={"PYTHONSTARTUP": "evil.py"}),
    "a folder for workers": options("local", local_directory="outside"),
    "a class for workers": options("local", worker_class="evil.Worker"),
    "a job script": options("slurm", job_script_prologue=["python evil.py"]),
    "a queue of two lines": options("slurm", queue="normal\npython evil.py"),
    "a directive that exports": options("slurm", job_extra_directives=["--export=PYTHONSTARTUP=evil.py"]),
    "an image": options("gateway", image="evil:latest"),
    "a scheduler": of(compute={"cluster": "tcp://127.0.0.1:PORT"}),
    "a hundred thousand workers": of(compute={"cluster": "local", "workers": 100_000}),
    "a colourful key": of() + '"\\e[2J\\e]0;owned\\a": 1\n',
    "an endless number": of() + "seed: " + "9" * 100_000 + "\n",
    "half a letter": of() + 'more: {"\\ud800": {}}\n',
    "a day that is none": of(data={"kind": "cube", "source": "x.zarr", "period": ["2001-1x-01", "2001-12-31"]}),
    "a period backwards": of(data={"kind": "cube", "source": "x.zarr", "period": ["2002-01-01", "2001-12-31"]}),
    "a world of a billion pixels": of(data={"kind": "twin", "lat": 1_000_000, "lon": 1_000_000}),
    "a list where a mapping belongs": of(calibration=[1, 2]),
    "a model from a module": of(model={"name": "evil:model"}),
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("command", ["run", "plan"])
def test_a_study_file_of_a_stranger_is_one_line(place, name, command, capsys):
    folder, server = place
    text = FILES[name]
    if isinstance(text, str):
        text = text.replace("PORT", str(server.getsockname()[1])).encode()
    (folder / "a.yml").write_bytes(text)
    where = ["-o", folder / "a.study"] if command == "run" else []
    harmless(place, [command, folder / "a.yml", *where], capsys, None)
    assert not (folder / "a.study").exists()


def started(folder, config=None):
    """The folder of a study that was begun."""
    study = Study(folder / "a.study", {"seed": 1})
    study.save("x", xr.Dataset({"x": ("pixel", np.arange(3.0))}), progress=False)
    study.record("provenance", {"title": "a study", "config": of() if config is None else config})
    return study.path


def edit(file, **changes):
    document = json.loads(file.read_text())
    file.write_text(json.dumps(document | changes))


def link(path, target):
    if path.is_dir():
        path.rename(path.with_name(path.name + ".away"))
    else:
        path.unlink(missing_ok=True)
    path.symlink_to(target)


def config(text):
    return lambda folder: started(folder, text)


def changed(change):
    def make(folder):
        path = started(folder)
        change(path, folder / "outside")
        return path

    return make


def _pipe(path, outside):
    (path / "study.json").unlink()
    os.mkfifo(path / "study.json")


def _stage(path, **changes):
    edit(path / "x.ledger" / "stage.json", **changes)


def _tile(path, **changes):
    edit(path / "x.ledger" / "tiles" / "0000.json", **changes)


FOLDERS = {
    "a preload on record": ("resume", config(options("local", preload=["evil.py"]))),
    "a scheduler on record": ("resume", config(of(compute={"cluster": "tcp://127.0.0.1:PORT"}))),
    "a call on record": ("resume", config(of() + "more: !!python/object/apply:os.system ['python evil.py']\n")),
    "an alias on record": ("resume", config("a: &a [1]\nb: *a\n")),
    "a record that is a list": ("resume", changed(lambda p, o: (p / "records" / "provenance.json").write_text("[1]"))),
    "a record without text": ("resume", changed(lambda p, o: edit(p / "records" / "provenance.json", config={"a": 1}))),
    "a record of the report that is a list": (
        "report", changed(lambda p, o: (p / "records" / "headline.json").write_text('["a"]'))
    ),
    "a study.json that is a list": ("status", changed(lambda p, o: (p / "study.json").write_text("[]"))),
    "a study.json of another program": ("status", changed(lambda p, o: (p / "study.json").write_text('{"name": "mine"}'))),
    "a deep study.json": ("status", changed(lambda p, o: (p / "study.json").write_text('{"a":' * 90_000))),
    "a study.json of two minds": (
        "status", changed(lambda p, o: (p / "study.json").write_text('{"schema": 1, "schema": 2, "config": {}}'))
    ),
    "a pipe": ("status", changed(_pipe)),
    "a link for records": ("resume", changed(lambda p, o: link(p / "records", o))),
    "a link for a store": ("resume", changed(lambda p, o: link(p / "x.zarr", o))),
    "a link for tiles": ("verify", changed(lambda p, o: link(p / "x.ledger" / "tiles", o))),
    "a link for a record": ("resume", changed(lambda p, o: link(p / "records" / "caveats.json", o / "letter.txt"))),
    "a link for the lock": ("resume", changed(lambda p, o: link(p / ".lock.json.guard", o / "new"))),
    "folders elsewhere": ("status", changed(lambda p, o: edit(p / "study.json", folders=["../outside"]))),
    "a million million tiles": (
        "verify", changed(lambda p, o: _stage(p, sizes={"pixel": 10**12}, chunks={"pixel": 1}, tiles=10**12))
    ),
    "tiles of no size": ("verify", changed(lambda p, o: _stage(p, chunks={"pixel": 0}))),
    "a variable that leads out": ("verify", changed(lambda p, o: _stage(p, variables={"../../outside": [["pixel"], "f8"]}))),
    "a tile whose files lead out": (
        "verify", changed(lambda p, o: _tile(p, variables={"../../outside": {"sha256": "a", "bytes": 1}}))
    ),
    "a stage of nothing": ("status", changed(lambda p, o: (p / "x.ledger" / "stage.json").write_text("null"))),
}  # fmt: skip


@pytest.mark.parametrize("name", FOLDERS)
def test_a_study_folder_of_a_stranger_is_one_line(place, name, capsys):
    folder, server = place
    command, make = FOLDERS[name]
    path = make(folder)
    record = path / "records" / "provenance.json"
    if record.is_file() and not path.joinpath("records").is_symlink():
        record.write_text(record.read_text().replace("PORT", str(server.getsockname()[1])))
    harmless(place, [command, path], capsys, path)


def test_there_are_twenty_at_least():
    assert len(FILES) >= 20
    assert len(FOLDERS) >= 20


def test_a_lock_with_an_odd_process_stops_nobody(place):
    folder, _ = place
    path = started(folder)
    for pid in (-1, 0, "all", None, 1.5, [1]):
        (path / "lock.json").write_text(json.dumps({"host": socket.gethostname(), "pid": pid, "token": "t"}))
        with Study(path).lock:
            pass
    (path / "lock.json").write_text("[1, 2]")
    with Study(path).lock:
        pass


def test_a_record_with_a_scheduler_can_still_be_looked_at_and_resumed_on_the_command_line_s(place, capsys):
    folder, _ = place
    path = started(folder, of(compute={"cluster": "tcp://127.0.0.1:1", "options": {"preload": ["evil.py"]}}))
    assert main(["status", str(path)]) == 0
    capsys.readouterr()
    assert main(["resume", str(path)]) == 1
    assert "--scheduler ADDRESS" in capsys.readouterr().err
    assert main(["resume", str(path), "--scheduler", "ftp://127.0.0.1:9"]) == 1
    assert "no scheduler answers at 'ftp://127.0.0.1:9'" in capsys.readouterr().err
    assert main(["resume", str(path), "--scheduler", "tcp://127.0.0.1:9", "-j", "2"]) == 1
    assert "Leave --workers out" in capsys.readouterr().err
