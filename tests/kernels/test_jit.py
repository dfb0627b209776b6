import importlib.util
import logging
import shutil
import subprocess
import sys
from pathlib import Path

import numba
import pytest
from numba.core.caching import IndexDataCacheFile

import gridcal
from gridcal.kernels import jit

CALLER = """
import sys
import numba
numba.config.CACHE_DIR = sys.argv[1]
sys.path.insert(0, sys.argv[2])
from gridcal.kernels.outer import outer
print(outer(1.0), sum(outer.stats.cache_hits.values()))
"""


def test_digest_follows_every_source_file(tmp_path):
    (tmp_path / "kernels").mkdir()
    (tmp_path / "models").mkdir()
    one = tmp_path / "models" / "a.py"
    one.write_text("x = 1")
    before = jit.sources_digest(tmp_path)
    assert jit.sources_digest(tmp_path) == before
    one.write_text("x = 2")
    assert jit.sources_digest(tmp_path) != before


def test_change_in_an_inlined_callee_is_compiled_again(tmp_path):
    root = tmp_path / "lib" / "gridcal"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(Path(gridcal.__file__).parent / "kernels", root / "kernels", ignore=ignored)
    (root / "__init__.py").write_text("")
    shutil.copy(Path(gridcal.__file__).parent / "errors.py", root / "errors.py")
    (root / "kernels" / "outer.py").write_text(
        "from gridcal.kernels.inner import inner\n"
        "from gridcal.kernels.jit import kernel\n"
        "@kernel\ndef outer(x):\n    return inner(x)\n"
    )
    callee = root / "kernels" / "inner.py"

    def run(factor):
        callee.write_text(f"from gridcal.kernels.jit import lane\n@lane\ndef inner(x):\n    return {factor} * x\n")
        command = [sys.executable, "-c", CALLER, str(tmp_path / "cache"), str(root.parent)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        return done.stdout.split()

    assert run(2.0) == ["2.0", "0"]
    assert run(2.0) == ["2.0", "1"]
    assert run(3.0) == ["3.0", "0"]


@pytest.fixture
def loaded(tmp_path, monkeypatch):
    """A fresh import of a user's file, with a cache of the test's own."""
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path / "cache"))
    file = tmp_path / "user.py"

    def load(text, start="from gridcal.kernels.jit import kernel\n"):
        file.write_text(start + text)
        spec = importlib.util.spec_from_file_location("user", file)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load


def times(factor):
    return f"@kernel\ndef f(x):\n    return {factor} * x\n"


def hits(function):
    return sum(function.stats.cache_hits.values())


def files(tmp_path):
    return sorted(p.name for p in (tmp_path / "cache").rglob("*.nb[ci]"))


def test_a_disk_that_is_full_leaves_neither_old_code_nor_an_error(loaded, monkeypatch, caplog):
    assert loaded(times(2.0)).f(3.0) == 6.0

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as m, caplog.at_level(logging.WARNING, "gridcal"):
        m.setattr(IndexDataCacheFile, "_save_data", full)
        assert loaded(times(5.0)).f(3.0) == 15.0
    assert "could not be kept" in caplog.text
    assert loaded(times(5.0)).f(3.0) == 15.0
    again = loaded(times(5.0)).f
    assert again(3.0) == 15.0
    assert hits(again) == 1


def test_each_signature_and_processor_has_files_of_its_own(loaded, tmp_path, monkeypatch):
    f = loaded(times(2.0)).f
    assert f(3.0) == 6.0
    one = files(tmp_path)
    assert len(one) == 2
    assert f(3) == 6.0
    both = files(tmp_path)
    assert len(both) == 4
    assert set(one) < set(both)
    cpu = f._cache._choose((), Processor("znver4"))
    assert "znver4" in cpu[0]
    assert cpu[0] != f._cache._choose((), Processor("skylake-avx512"))[0]


class Processor:
    def __init__(self, name):
        self.name = name

    def magic_tuple(self):
        return "x86_64-unknown-linux-gnu", self.name, "+avx2"


def test_two_writers_at_once_do_not_mix_their_codes(loaded, monkeypatch):
    with monkeypatch.context() as m:
        m.setattr(IndexDataCacheFile, "_load_index", lambda self: {})  # each has read an index without the other
        assert loaded(times(2)).f(3) == 6
        assert loaded(times(2)).f(2.5) == 5.0
    f = loaded(times(2)).f
    assert (f(3), f(2.5)) == (6, 5.0)
    assert hits(f) == 2


def test_code_cut_short_is_compiled_again(loaded, tmp_path):
    assert loaded(times(2.0)).f(3.0) == 6.0
    for path in (tmp_path / "cache").rglob("*.nb[ci]"):
        path.write_bytes(path.read_bytes()[:7])
    assert loaded(times(2.0)).f(3.0) == 6.0
    f = loaded(times(2.0)).f
    assert f(3.0) == 6.0
    assert hits(f) == 1


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("K = 1.0\n", "K = 2.0\n"),
        ("import numpy as np\nK = np.array([1.0])[0]\n", "import numpy as np\nK = np.array([2.0])[0]\n"),
        ("K = 1.0 if (1.0, 2.0)[0] == 1.0 else 0.0\n", "K = 2.0\n"),
    ],
)
def test_numbers_that_a_kernel_uses_are_part_of_what_is_kept(loaded, before, after):
    text = "@kernel\ndef f(x):\n    return K * x\n"
    assert loaded(before + text).f(3.0) == 3.0
    assert loaded(after + text).f(3.0) == 6.0


def test_files_of_older_versions_are_removed(loaded, tmp_path):
    def version(name):
        start = f"from gridcal.kernels.jit import cached, KERNEL\nkernel = cached(KERNEL, {name!r})\n"
        return loaded(times(2.0), start).f

    assert version("one")(3.0) == 6.0
    before = files(tmp_path)
    assert version("two")(3.0) == 6.0
    after = files(tmp_path)
    assert len(after) == len(before) == 2
    assert not set(after) & set(before)
