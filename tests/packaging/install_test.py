# SPDX-License-Identifier: Apache-2.0
"""What cmake installs, moved to a folder whose name has a blank: install_test.py BUILD_FOLDER"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(sys.argv.pop()).resolve() if len(sys.argv) > 1 else ROOT / "build/release"


def run(*command, cwd="/", **environment):
    done = subprocess.run([str(word) for word in command], cwd=cwd, env=os.environ | environment, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}"
    return done.stdout


class Installed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.temporary.cleanup)
        cls.folder = Path(cls.temporary.name)
        run("cmake", "--install", BUILD, "--prefix", cls.folder / "first")
        cls.prefix = cls.folder / "a prefix"
        (cls.folder / "first").rename(cls.prefix)
        cls.program = cls.prefix / "bin/freeatm"

    def test_moved_it_harvests_with_its_own_model_from_any_folder(self):
        out = self.folder / "h"
        harvest = ["harvest", "count=2", "sampler.steps=2", "harvest.timestep_max=999", f"out={out}"]
        (self.prefix / "share/freeatm/models/emoji/captions.txt").write_text("a photo of a big cactus in the water\n")
        run(self.program, *harvest)
        self.assertIn(b"a big cactus in", (out / "shard-000000.tar").read_bytes())
        saved = (out / "config.yaml").read_text()
        self.assertIn("path: models/emoji\n", saved)  # what was given, not where it lay
        # With other captions it would be another run: the build's own program, which finds its defaults from any folder, says so.
        with self.assertRaisesRegex(AssertionError, "another origin .captions: what lies there is not the same"):
            run(BUILD / "freeatm", *harvest, cwd=self.folder)

    def test_its_configs_are_its_own_unless_the_environment_says_others(self):
        configs = self.folder / "configs"
        shutil.copytree(ROOT / "configs", configs)
        harvest = configs / "harvest.yaml"
        harvest.write_text(harvest.read_text().replace("count: 128", "count: 129"))
        self.assertIn("\ncount: 128\n", run(self.program, "harvest", "--print-config"))
        self.assertIn("\ncount: 129\n", run(self.program, "harvest", "--print-config", FREEATM_CONFIG_DIR=str(configs)))
        (self.prefix / "share").rename(self.prefix / "elsewhere")
        self.addCleanup((self.prefix / "elsewhere").rename, self.prefix / "share")
        with self.assertRaisesRegex(AssertionError, "a prefix/share/freeatm/configs: --config-dir: no such folder"):
            run(self.program, "harvest", "--print-config")

    def test_with_libtorch_it_needs_debian_alone(self):
        run("cmake", "--install", BUILD, "--prefix", self.prefix, "--component", "package")
        self.addCleanup(shutil.rmtree, self.prefix / "lib/freeatm")
        linked = re.findall(r" => (.*) \(0x", run("ldd", self.program, LD_LIBRARY_PATH=""))
        bundled = {Path(path).name for path in linked if not path.startswith(("/lib/", "/usr/lib/"))}
        self.assertTrue(all(str(self.prefix) in path or path.startswith(("/lib/", "/usr/lib/")) for path in linked), linked)
        self.assertLessEqual({"libtorch_cpu.so", "libc10.so", "libgomp.so.1"}, bundled)
        self.assertNotIn(str(ROOT), run("readelf", "-d", self.program))
        licences = {path.name for path in (self.prefix / "share/doc/freeatm").iterdir()}
        self.assertLessEqual({"copyright", "WORDNET-LICENSE.txt", "torch-LICENSE.txt", "nvidia_cuda_runtime-License.txt"}, licences)

    def test_an_example_is_built_on_it_and_run(self):
        example, out = self.folder / "example", self.folder / "made"
        run("cmake", "-S", ROOT / "docs/examples/harvest", "-B", example, f"-DCMAKE_PREFIX_PATH={self.prefix}",
            "-DCMAKE_BUILD_TYPE=Release", "-DCMAKE_CXX_COMPILER_LAUNCHER=ccache")
        run("cmake", "--build", example)
        said = run(example / "harvest", self.prefix / "share/freeatm/models/emoji", "a photo of a big cactus in the water", out)
        self.assertRegex(said, r"cactus: certainty 0\.\d\d\nwater: ")
        picture = np.asarray(Image.open(out / "picture.png"))
        self.assertEqual(picture.shape, (64, 64, 3))
        self.assertGreater(picture.std(), 10)
        cactus = np.asarray(Image.open(out / "cactus.png"))[..., 0]
        self.assertEqual(set(np.unique(cactus)), {0, 255})
        self.assertTrue(.02 < (cactus > 0).mean() < .8, (cactus > 0).mean())


if __name__ == "__main__":
    unittest.main()
