# SPDX-License-Identifier: Apache-2.0
"""Containerfile means what it says: python tests/packaging/containerfile_test.py BUILD_FOLDER

No engine runs here. The file is parsed as an engine would; what it copies must be there, its steps must be the scripts that people use,
and the image's packages must be those of the libraries that the built program is linked to."""
import json
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(sys.argv.pop()) if len(sys.argv) > 1 else ROOT / "build/release"
KNOWN = {"ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "FROM", "RUN", "WORKDIR"}
IN_EVERY_DEBIAN = {"libc6", "libgcc-s1", "libstdc++6"}  # apt itself is linked to them
OPENED_BY_NAME = {"fonts-noto-color-emoji"}  # configs/world.yaml


def instructions(text):
    """(word, arguments) of each, lines that end in a backslash joined, comments gone."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [tuple(line.split(None, 1)) for line in joined.splitlines() if line.strip()]


def stages(parsed):
    """[(name, base, instructions of the stage)]"""
    found = []
    for word, arguments in parsed:
        if word == "FROM":
            base, name = re.fullmatch(r"(\S+)(?:\s+AS\s+(\S+))?", arguments).groups()
            found.append((name, base, []))
        else:
            found[-1][2].append((word, arguments))
    return found


class Containerfile(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.parsed = instructions((ROOT / "Containerfile").read_text())
        cls.stages = stages(cls.parsed)
        cls.build, cls.image = cls.stages

    def of(self, stage, word):
        return [arguments for each, arguments in stage[2] if each == word]

    def test_every_instruction_is_known_and_whole(self):
        self.assertEqual({word for word, _ in self.parsed} - KNOWN, set())
        self.assertEqual(self.parsed[0][0], "FROM")
        for word, arguments in self.parsed:
            if word in ("ENTRYPOINT", "CMD"):
                self.assertTrue(all(isinstance(each, str) for each in json.loads(arguments)), arguments)
            if word == "ENV":
                self.assertRegex(arguments, r"^(\w+=\S+\s*)+$")

    def test_stages_come_from_debian_12_slim(self):
        self.assertEqual([base for _, base, _ in self.stages], ["debian:12-slim"] * 2)
        self.assertEqual(self.build[0], "build")

    def test_what_is_copied_is_there(self):
        ignored = [line for line in (ROOT / ".containerignore").read_text().split("\n") if line and not line.startswith("#")]
        earlier = set()
        for stage in self.stages:
            for arguments in self.of(stage, "COPY"):
                words = arguments.split()
                origin = [word.removeprefix("--from=") for word in words if word.startswith("--from=")]
                sources = [word for word in words if not word.startswith("--")][:-1]
                self.assertTrue(sources, arguments)
                for source in sources:
                    if origin:
                        self.assertIn(origin[0], earlier)
                        made = set(re.findall(r"--prefix (\S+)", " ".join(self.of(self.build, "RUN"))))
                        self.assertEqual({source}, made, "what the build stage installs is what the image holds")
                    else:
                        self.assertTrue((ROOT / source).exists(), source)
                        self.assertNotIn(source.split("/")[0], ignored)
            earlier.add(stage[0])

    def test_what_is_built_here_stays_here(self):
        ignored = (ROOT / ".containerignore").read_text().split()
        untracked = [line.strip("/") for line in (ROOT / ".gitignore").read_text().split() if line.startswith("/")]
        self.assertLessEqual({*untracked, ".git"}, set(ignored))

    def test_the_build_runs_the_scripts_that_people_run(self):
        prefix = "/opt/freeatm"
        runs = self.of(self.build, "RUN")
        self.assertEqual(runs, ["scripts/setup.sh", "scripts/build.sh release freeatm", 
                                f"cmake --install build/release --prefix {prefix} --component package"])
        for run in runs[:2]:
            self.assertTrue((ROOT / run.split()[0]).stat().st_mode & 0o100, run)
        self.assertIn(f"PATH={prefix}/bin:$PATH", self.of(self.image, "ENV"))
        self.assertEqual(self.of(self.image, "RUN")[1:], ["freeatm --version"], "an image whose program does not start is none")
        self.assertEqual([json.loads(each) for each in self.of(self.image, "ENTRYPOINT")], [["freeatm"]])

    def test_scripts_know_the_arguments(self):
        names = [arguments.split("=")[0] for arguments in self.of(self.build, "ARG")]
        readers = (ROOT / "scripts/setup.sh").read_text() + (ROOT / "cmake/FreeatmVersion.cmake").read_text()
        self.assertEqual(names, ["FREEATM_CUDA_TORCH", "FREEATM_COMMIT"])
        for name in names:
            self.assertIn(name, readers)

    def test_packages_are_those_of_the_programs_libraries(self):
        run = self.of(self.image, "RUN")[0]
        listed = re.search(r"apt-get install -y --no-install-recommends (.*?) &&", run)[1].split()
        self.assertEqual(len(listed), len(set(listed)))
        program = BUILD / "freeatm"
        if not program.exists():
            self.skipTest(f"{program} is not built")
        if not shutil.which("dpkg-query"):
            self.skipTest("no Debian: dpkg-query is missing")
        needed = set(re.findall(r"\(NEEDED\).*\[(.*)\]", self.output("readelf", "-d", program)))
        found = dict(re.findall(r"(\S+) => (\S+) ", self.output("ldd", program)))
        self.assertEqual({name for name in needed if found.get(name, "not") == "not"}, set(), "libraries that are not there")
        packages = set()
        for name in needed:
            path = pathlib.Path(found[name]).resolve()
            if re.match(r"(/usr)?/lib/", str(path)):  # else LibTorch's, which the build stage bundles
                packages.add(self.package_of(path))
        self.assertEqual(set(listed), (packages - IN_EVERY_DEBIAN) | OPENED_BY_NAME)

    def package_of(self, path):
        for name in (path, pathlib.Path("/", *path.parts[2:])):  # /usr/lib and /lib are one folder; a package says either
            asked = subprocess.run(["dpkg-query", "-S", name], capture_output=True, text=True)
            if asked.returncode == 0:
                return asked.stdout.split(":")[0]
        self.fail(f"no package has {path}")

    @staticmethod
    def output(*command):
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    unittest.main()
