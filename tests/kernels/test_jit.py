import shutil
import subprocess
import sys
from pathlib import Path

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
