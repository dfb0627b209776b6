"""No bare traceback leaves the command line: a line of gridcal's, one about the machine, or one that names a file to send."""

import errno
import subprocess
import sys

import pytest

from gridcal.cli import folders, main
from gridcal.cli.bug_report import bug_report
from gridcal.cli.printing import one_line
from gridcal.errors import InputError
from gridcal.version import __version__


@pytest.fixture
def raising(monkeypatch, tmp_path):
    """`gridcal status FOLDER` raises what it is given."""
    monkeypatch.chdir(tmp_path)

    def command(error):
        def refuse(folder):
            raise error

        monkeypatch.setattr(folders, "_needs", refuse)
        return main(["status", "s3://me:secret@host/a study"])

    return command


def lines(capsys):
    out, err = capsys.readouterr()
    assert "Traceback" not in out + err
    return err.splitlines()


@pytest.mark.parametrize(
    "error", [KeyError("x"), ValueError("a\nb"), RecursionError("deep"), OSError("odd"), ZeroDivisionError()]
)
def test_what_nobody_expected_is_a_line_and_a_file_to_send(raising, capsys, tmp_path, error):
    assert raising(error) == 70
    (line,) = lines(capsys)
    (file,) = tmp_path.glob("gridcal-bug-*.txt")
    assert str(file) in line
    text = file.read_text()
    assert f"gridcal {__version__}" in text
    assert "numpy 2" in text
    assert "command: gridcal status 's3://me:***@host/a study'" in text
    assert "secret" not in text
    assert f"{type(error).__name__}" in text
    assert "Traceback (most recent call last)" in text


def test_a_report_lies_in_a_temporary_folder_where_the_working_one_cannot_be_written(raising, capsys, monkeypatch, tmp_path):
    from gridcal.cli import bug_report as module

    def gone():
        raise FileNotFoundError(errno.ENOENT, "no such folder")

    monkeypatch.setattr(module, "Path", type("Path", (type(tmp_path),), {"cwd": staticmethod(gone)}))
    monkeypatch.setattr(module.tempfile, "gettempdir", lambda: str(tmp_path))
    assert raising(KeyError("x")) == 70
    (line,) = lines(capsys)
    assert str(next(tmp_path.glob("gridcal-bug-*.txt"))) in line


@pytest.mark.parametrize("code", [errno.EACCES, errno.ENOSPC, errno.EROFS, errno.ENAMETOOLONG, errno.ENOENT])
def test_what_the_machine_refuses_is_a_line_with_the_file(raising, capsys, tmp_path, code):
    assert raising(OSError(code, "no such luck", "/data/a.nc")) == 1
    (line,) = lines(capsys)
    assert line.startswith("gridcal: no such luck: '/data/a.nc'. ")
    assert line.endswith(", and run again")
    assert not list(tmp_path.glob("gridcal-bug-*"))


def test_too_little_memory_is_a_line(raising, capsys):
    assert raising(MemoryError()) == 1
    assert "not enough memory" in lines(capsys)[0]


def test_a_message_is_one_printable_line(raising, capsys):
    assert raising(InputError("variable 'a\x1b[2J\nb\u202e'", "Mend\tit")) == 1
    assert lines(capsys) == ["gridcal: variable 'a [2J b '. Mend it"]
    assert len(one_line("x" * 100_000)) < 2100


def test_a_reader_that_has_seen_enough_is_no_error():
    command = f"{sys.executable} -m gridcal models show ibis | head -n 1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr


def test_the_cause_of_an_error_is_in_the_report():
    try:
        try:
            raise KeyError("inner")
        except KeyError as error:
            raise ValueError("outer") from error
    except ValueError as error:
        text = bug_report(error, ["run"])
    assert "inner" in text
    assert "outer" in text
