# SPDX-License-Identifier: Apache-2.0
"""What hydra-core makes of small trees of configs and lists of overrides: the judge of the config layer.

    .deps/peers/bin/python scripts/baselines/hydra.py [KIND ...]     # hydra-core 1.3.8, omegaconf 2.3.1

For every module hydra_cases/KIND.py it writes tests/config/data/hydra_KIND.json: {"trees": {name: {path: text}},
"environment": {...}, "cases": [{"tree", "config", "overrides", and either "expected" (the composed and resolved tree) with
"yaml" (as OmegaConf prints it, left out where ours differs on purpose), or "refused" (by which error)}], and where the module
has SWEEPS "sweeps": [{"tree", "config", "overrides", and either "jobs" (their composed trees, in the basic sweeper's order) or
"refused"}]}. Floats that JSON does not have are the strings "float:inf", "float:-inf" and "float:nan".
"""
import importlib
import json
import math
import os
import pathlib
import sys
import tempfile
import warnings

sys.path.append(sys.path.pop(0))  # this folder last: `hydra` is the library, not this file

import hydra  # noqa: E402
import omegaconf  # noqa: E402
from hydra import compose, initialize_config_dir  # noqa: E402
from hydra._internal.config_loader_impl import ConfigLoaderImpl  # noqa: E402
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper  # noqa: E402
from hydra.core.global_hydra import GlobalHydra  # noqa: E402
from hydra.core.override_parser.overrides_parser import OverridesParser  # noqa: E402
from hydra.types import RunMode  # noqa: E402
from omegaconf import OmegaConf  # noqa: E402

HERE = pathlib.Path(__file__).parent
OUT = HERE.parents[1] / "tests/config/data"


def encoded(value):
    if isinstance(value, dict):
        return {key: encoded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [encoded(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return f"float:{value}"
    return value


def write_tree(folder, files):
    for path, text in files.items():
        file = pathlib.Path(folder, path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def has_own_yaml(value):
    """Keys are texts to us, quoted where they look like 1 or nothing; a text of several lines stays on one; "${" is escaped."""
    if isinstance(value, dict):
        return any(not isinstance(key, str) or not key or has_own_yaml(item) for key, item in value.items())
    if isinstance(value, list):
        return any(map(has_own_yaml, value))
    return isinstance(value, str) and ("\n" in value or "${" in value)


def judge(config, overrides):
    config = compose(config, overrides)
    container = OmegaConf.to_container(config, resolve=True)
    yaml = {} if has_own_yaml(container) else {"yaml": OmegaConf.to_yaml(config, resolve=True)}
    return {"expected": encoded(container), **yaml}


def judge_sweep(config, overrides):
    parser = OverridesParser.create(config_loader=GlobalHydra.instance().config_loader())
    parsed = parser.parse_overrides(overrides)
    ConfigLoaderImpl.validate_sweep_overrides_legal(parsed, RunMode.MULTIRUN, from_shell=True)
    jobs = BasicSweeper.split_arguments(parsed, None)[0]
    assert jobs, "no job"
    return {"jobs": [judge(config, job)["expected"] for job in jobs]}


def verdict(judge, files, config, overrides):
    with tempfile.TemporaryDirectory() as folder:
        write_tree(folder, files)
        try:
            with initialize_config_dir(folder, version_base="1.3"):
                result = judge(config, overrides)
        except Exception as error:  # whatever it is: Hydra refuses
            result = {"refused": type(error).__name__}
    return {"config": config, "overrides": overrides, **result}


def write_kind(kind):
    module = importlib.import_module(f"hydra_cases.{kind}")
    os.environ.update(module.ENVIRONMENT)
    out = {"trees": module.TREES, "environment": module.ENVIRONMENT}
    for name, judge_one, given in (("cases", judge, module.CASES), ("sweeps", judge_sweep, getattr(module, "SWEEPS", []))):
        out[name] = [{"tree": tree, **verdict(judge_one, module.TREES[tree], *case)} for tree, *case in given]
    head = json.dumps({name: out[name] for name in ("trees", "environment")}, indent=1)[:-2]
    tables = (f' "{name}": [\n' + ",\n".join(json.dumps(case, ensure_ascii=False) for case in out[name]) + "\n]"
              for name in ("cases", "sweeps") if out[name])
    file = OUT / f"hydra_{kind}.json"
    file.write_text(",\n".join([head, *tables]) + "\n}\n")
    cases = out["cases"] + out["sweeps"]
    refused = sum("refused" in case for case in cases)
    print(f"{kind:10} {len(cases):4} cases, {refused:4} of them refused -> {file.name}, {file.stat().st_size} bytes")
    return len(cases)


def main():
    assert (hydra.__version__, omegaconf.__version__) == ("1.3.8", "2.3.1")
    warnings.simplefilter("ignore")
    kinds = sys.argv[1:] or sorted(file.stem for file in HERE.glob("hydra_cases/[!_]*.py"))
    print(f"{sum(map(write_kind, kinds))} cases")


if __name__ == "__main__":
    main()
