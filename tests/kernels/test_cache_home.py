import logging
import os
import stat
import subprocess
import sys

import numba
import pytest

from gridcal.errors import GridcalError
from gridcal.kernels import cache_home
from gridcal.kernels.cache_home import find_home, has_home, temporary_home


@pytest.fixture
def homeless(monkeypatch, tmp_path):
    """No package folder, no home: numba finds no place."""
    monkeypatch.setattr(cache_home, "has_home", lambda: False)
    monkeypatch.setattr(numba.config, "CACHE_DIR", "")
    monkeypatch.setenv("NUMBA_CACHE_DIR", "")
    monkeypatch.setattr(cache_home.tempfile, "gettempdir", lambda: str(tmp_path))
    return tmp_path


def test_compiled_code_moves_to_a_temporary_folder_and_one_line_says_so(homeless, caplog):
    with caplog.at_level(logging.WARNING, "gridcal"):
        find_home()
    folder = os.environ["NUMBA_CACHE_DIR"]
    assert folder == numba.config.CACHE_DIR
    assert os.path.dirname(folder) == str(homeless)
    (record,) = caplog.records
    assert folder in record.getMessage()
    assert "NUMBA_CACHE_DIR" in record.getMessage()


def test_where_there_is_a_home_nothing_changes(monkeypatch, caplog):
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    assert has_home()
    find_home()
    assert "NUMBA_CACHE_DIR" not in os.environ
    assert caplog.records == []


def test_what_numba_says_without_a_home_is_understood(monkeypatch):
    def njit(**options):
        def refuse(function):
            raise RuntimeError("cannot cache function '_probe': no locator available for file 'cache_home.py'")

        return refuse

    monkeypatch.setattr(cache_home.numba, "njit", njit)
    assert not has_home()


def test_the_folder_is_private_and_found_again(tmp_path):
    folder = temporary_home(tmp_path)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert temporary_home(tmp_path) == folder


@pytest.mark.parametrize("how", ["anybody may write", "a link", "a file"])
def test_code_is_never_loaded_from_a_folder_that_others_prepared(tmp_path, how):
    prepared = tmp_path / f"gridcal-numba-{os.getuid()}"
    if how == "a file":
        prepared.write_text("")
    elif how == "a link":
        (tmp_path / "theirs").mkdir()
        prepared.symlink_to(tmp_path / "theirs")
    else:
        prepared.mkdir()
        prepared.chmod(0o777)
    folder = temporary_home(tmp_path)
    assert folder != prepared
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_no_place_at_all_is_said_with_the_variable_to_set(homeless, monkeypatch):
    def full(parent):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cache_home, "temporary_home", full)
    with pytest.raises(GridcalError, match="NUMBA_CACHE_DIR"):
        find_home()


def test_workers_that_start_from_here_use_the_same_folder(homeless):
    find_home()
    code = "import numba; print(numba.config.CACHE_DIR)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == numba.config.CACHE_DIR
