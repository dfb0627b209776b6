"""Nothing of the user's is deleted or written over, whatever lies in the folder."""

import numpy as np
import pytest
import xarray as xr
import yaml

from gridcal.cli import main
from gridcal.comparison.config import parse_comparison
from gridcal.comparison.experiment import run_comparison
from gridcal.errors import StudyError
from gridcal.study.folder import Study
from gridcal.study.safety.own_files import claim_folder, drop_folder
from gridcal.workflow.config import parse_config
from gridcal.workflow.pipeline import run_study

TINY = {
    "title": "tiny twin",
    "data": {"kind": "twin", "lat": 3, "lon": 4, "years": 1, "samples": 10},
    "calibration": {"method": "cmaes", "blocks": [{"fit": ["eps_max"], "to": {"variable": "gpp"}}]},
    "compute": {"cluster": "none"},
}
SITES = {
    "kind": "compare",
    "data": {"kind": "synthetic", "sites": 20, "years": 1},
    "methods": ["OPT-All"],
    "compute": {"cluster": "none"},
}
DATA = xr.Dataset({"x": ("pixel", np.arange(3.0))})


def run_tiny(path, **options):
    return run_study(parse_config(TINY), path, until="samples", **options)


def compare_sites(path, **options):
    return run_comparison(parse_comparison(SITES), path, until="sites", **options)


def contents(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.fixture
def study(tmp_path):
    made = Study(tmp_path / "s", {"seed": 1})
    made.save("x", DATA, progress=False)
    made.record("headline", {"a": 1})
    with made.lock:
        claim_folder(made.path, "learner")
    (made.path / "learner").mkdir()
    (made.path / "learner" / "learner.json").write_text("{}")
    (made.path / "report.html").write_text("<!DOCTYPE html>")
    return made


def put(folder):
    """What a user might keep in a study folder."""
    (folder / "notes.txt").write_text("dear diary")
    (folder / "photos").mkdir()
    (folder / "photos" / "a.jpg").write_bytes(b"x")
    xr.Dataset({"y": 1.0}).to_zarr(folder / "towers.zarr", zarr_format=3, consolidated=False)
    (folder / "records" / "remarks.md").write_text("good")
    (folder / "film.partial").write_text("half")
    (folder / ".hidden").write_text("x")
    return {
        k: v for k, v in contents(folder).items() if k.startswith(("notes", "photos", "towers", "records/rem", "film", ".hid"))
    }


def test_starting_again_deletes_what_the_study_made_and_keeps_what_the_user_put_there(study):
    mine = put(study.path)
    again = Study(study.path, {"seed": 2}, fresh=True)
    assert again.stages() == []
    assert again.config == {"seed": 2}
    left = contents(study.path)
    assert left.pop("study.json")
    assert left == mine
    again.save("x", DATA, progress=False)
    assert mine.items() <= contents(study.path).items()


@pytest.mark.parametrize("start", [Study, run_tiny, compare_sites])
@pytest.mark.parametrize("record", [None, "{}", '{"name": "my study", "schema": 2}', "[1, 2]", "study = 1"])
def test_a_folder_that_gridcal_did_not_make_is_let_alone(tmp_path, start, record):
    folder = tmp_path / "letters"
    (folder / "old.ledger").mkdir(parents=True)
    (folder / "old.ledger" / "book").write_text("1 000 000")
    (folder / "to-a-friend.txt").write_text("dear")
    if record is not None:
        (folder / "study.json").write_text(record)
    before = contents(folder)
    with pytest.raises(StudyError):
        start(folder, fresh=True)
    assert contents(folder) == before


@pytest.mark.parametrize(("command", "document"), [("run", TINY), ("compare", SITES)])
def test_a_study_in_use_is_not_deleted_from_the_command_line(study, tmp_path, command, document, capsys):
    (tmp_path / "a.yml").write_text(yaml.safe_dump(document))
    with study.lock:
        before = contents(study.path)
        assert main([command, str(tmp_path / "a.yml"), "-o", str(study.path), "--fresh"]) == 1
        after = contents(study.path)
    assert "in use by process" in capsys.readouterr().err
    assert {k: v for k, v in after.items() if k != "lock.json"} == {k: v for k, v in before.items() if k != "lock.json"}


def test_a_run_holds_its_study_from_the_first_stage_to_the_last(tmp_path, monkeypatch):
    from gridcal.study import pipeline

    seen = []
    make = pipeline._make

    def tried(job, study, *args):
        with pytest.raises(StudyError, match="in use"):
            Study(study.path, fresh=True)
        seen.append(study.stages())
        return make(job, study, *args)

    monkeypatch.setattr(pipeline, "_make", tried)
    run_tiny(tmp_path / "s")
    assert seen
    assert not (tmp_path / "s" / "lock.json").exists()


def test_a_store_or_folder_of_the_user_s_is_not_written_over(study):
    put(study.path)
    before = contents(study.path)
    with pytest.raises(StudyError, match=r"holds towers\.zarr, which it did not make"):
        study.save("towers", DATA, progress=False)
    study.drop("towers")
    with pytest.raises(StudyError, match="holds 'photos', which it did not make"):
        claim_folder(study.path, "photos")
    drop_folder(study.path, "photos")
    assert contents(study.path) == before
    drop_folder(study.path, "learner")
    assert not (study.path / "learner").exists()


def test_a_report_is_not_written_over_a_file_of_another_kind(study, tmp_path, capsys):
    (tmp_path / "map.nc").write_bytes(b"CDF\x01")
    assert main(["report", str(study.path), "-o", str(tmp_path / "map.nc")]) == 1
    assert "is no report" in capsys.readouterr().err
    assert (tmp_path / "map.nc").read_bytes() == b"CDF\x01"


@pytest.mark.parametrize(
    "inner", ["records", "x.zarr", "x.ledger", "x.ledger/tiles", "learner", "study.json", ".lock.json.guard"]
)
def test_a_link_where_the_study_writes_is_refused(study, tmp_path, inner):
    outside = tmp_path / "outside"
    target = study.path / inner
    if target.exists():
        target.rename(outside)
    target.symlink_to(outside)
    with pytest.raises(StudyError, match="is a link to"):
        Study(study.path)


def test_a_link_to_a_folder_of_chunks_is_not_written_through(study, tmp_path):
    chunks = study.path / "x.zarr" / "x" / "c"
    (tmp_path / "outside").mkdir()
    for file in chunks.iterdir():
        file.unlink()
    chunks.rmdir()
    chunks.symlink_to(tmp_path / "outside")
    (study.path / "x.ledger" / "COMPLETE").unlink()
    with pytest.raises(StudyError, match="is a link"):
        Study(study.path).save("x", DATA, progress=False)
    assert list((tmp_path / "outside").iterdir()) == []


def test_links_of_the_user_s_and_a_linked_study_are_fine(study, tmp_path):
    (study.path / "data").symlink_to(tmp_path)
    (tmp_path / "link").symlink_to(study.path)
    linked = Study(tmp_path / "link")
    linked.save("y", DATA, progress=False)
    assert linked.verify(progress=False) == []
