# SPDX-License-Identifier: Apache-2.0
"""The console script, in a package as the wheel installs it, in an environment without torch."""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from program import BINARY, ROOT

# As pip's console script does it; the arguments follow.
SCRIPT = "import sys; from freeatm._program import main; sys.argv[0] = 'freeatm'; main()"


class Program(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.site = Path(temporary.name)
        self.package = self.site / "freeatm"
        shutil.copytree(ROOT / "python/freeatm", self.package, ignore=shutil.ignore_patterns("__pycache__"))

    def install(self, torch=None, built_for=None):
        (self.package / "bin").mkdir()
        (self.package / "bin/freeatm").symlink_to(BINARY)
        if built_for:
            (self.package / "_build.py").write_text(f'TORCH_VERSION = "{built_for}"\n')
        if torch:  # what importlib.metadata reads of an installed one
            metadata = self.site / f"torch-{torch}.dist-info" / "METADATA"
            metadata.parent.mkdir()
            metadata.write_text(f"Metadata-Version: 2.1\nName: torch\nVersion: {torch}\n")

    def python(self, *arguments):
        # Without the interpreter's own packages: there is the torch that the test says, or none.
        environment = os.environ | {"PYTHONPATH": str(self.site), "GOMP_SPINCOUNT": "2000"}
        return subprocess.run([sys.executable, "-S", *arguments], env=environment, cwd=ROOT, capture_output=True, text=True)

    def expect_refused(self, message, *arguments):
        done = self.python(*(arguments or ("-m", "freeatm", "--help")))
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertRegex(done.stderr, f"^E .*{message}.*\n$")

    def test_without_the_program_says_so(self):
        self.expect_refused("freeatm/bin/freeatm: the program is not there")

    def test_arguments_output_and_exit_code_are_the_programs(self):
        self.install(torch="2.11.0+cpu", built_for="2.11.0")
        for start in (("-m", "freeatm"), ("-c", SCRIPT)):
            for arguments in (("--help",), ("view", "in=a folder", "out=x.html"), ("nonsense",)):
                own = subprocess.run([BINARY, *arguments], cwd=ROOT, capture_output=True, text=True)
                done = self.python(*start, *arguments)
                self.assertEqual((done.returncode, done.stdout, done.stderr), (own.returncode, own.stdout, own.stderr))
        self.assertEqual(own.returncode, 2)

    def test_a_source_tree_has_no_say_about_torch(self):
        self.install()
        self.assertEqual(self.python("-m", "freeatm", "--help").returncode, 0)

    def test_another_torch_or_none_is_refused(self):
        self.install(built_for="2.11.0")
        self.expect_refused("torch: is not installed; .* pip install torch==2.11.0")

    def test_another_version_is_refused(self):
        self.install(torch="2.10.0", built_for="2.11.0")
        self.expect_refused("torch: 2.10.0 is installed; .* pip install torch==2.11.0")

    def test_a_program_that_cannot_be_run_is_refused(self):
        self.install()
        (self.package / "bin/freeatm").unlink()
        (self.package / "bin/freeatm").write_text("for another machine")
        self.expect_refused("bin/freeatm: cannot be run: Permission denied")

    def test_importing_loads_nothing_big(self):
        done = self.python("-c", "import sys, freeatm; print(freeatm.__version__, dir(freeatm), "
                                 "{'torch', 'numpy', 'PIL'} & set(sys.modules))")
        self.assertRegex(done.stdout, r"^0\+source \[.*'Phrase', 'Shards', .*'load_backbone', 'state_dict'\] set\(\)\n$")
        done = self.python("-c", "import freeatm; freeatm.shard")
        self.assertIn("module 'freeatm' has no attribute 'shard'", done.stderr)


if __name__ == "__main__":
    unittest.main()
