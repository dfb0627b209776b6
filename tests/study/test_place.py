from pathlib import Path

import pytest

from gridcal.cli import main
from gridcal.errors import StudyError
from gridcal.study.folder import Study
from gridcal.study.safety.place import study_folder


@pytest.mark.parametrize("kind", [str, Path])
@pytest.mark.parametrize(
    "address",
    ["s3://bucket/my.study", "gs://bucket/my.study", "https://host/my.study", "simplecache::s3://b/my.study", "S3://b/x"],
)
def test_an_address_is_refused_and_no_folder_of_that_name_is_made(tmp_path, monkeypatch, address, kind):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StudyError, match="lies on a file system") as caught:
        Study(kind(address))
    assert "copy it when it is finished" in caught.value.repair
    assert list(tmp_path.iterdir()) == []


def test_the_repair_of_a_file_address_is_a_path_that_is_taken(tmp_path):
    with pytest.raises(StudyError, match="not the address") as caught:
        Study(f"file://{tmp_path}/my.study")
    path = caught.value.repair.split("'")[1]
    assert path == f"{tmp_path}/my.study"
    assert Study(path).stages() == []


def test_the_home_folder_is_meant_by_its_sign(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    assert Study("~/my.study").path == tmp_path / "home" / "my.study"
    assert [p.name for p in tmp_path.iterdir()] == ["home"]


@pytest.mark.parametrize("name", ["$SCRATCH/my.study", "${HOME}/my.study", "{{ scratch }}/my.study", "", "a\0b"])
def test_nothing_is_expanded_and_no_folder_is_called_after_a_variable(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StudyError):
        Study(name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a.study", "/data/year:2001/a.study", "C:/runs/a.study", "100%/a.study", "cost$5/a.study"])
def test_paths_are_taken_as_they_are(name):
    assert study_folder(name) == Path(name)


@pytest.mark.parametrize("command", ["status", "verify", "report", "resume"])
def test_commands_on_a_folder_say_so_too(command, capsys):
    assert main([command, "s3://bucket/my.study"]) == 1
    err = capsys.readouterr().err
    assert "lies on a file system" in err
    assert len(err.splitlines()) == 1
