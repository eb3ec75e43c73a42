# SPDX-License-Identifier: Apache-2.0
"""The trees and overrides that hydra.py puts to the judge: how people write Hydra configs, and how they get them wrong.

A module is a kind of case. It has TREES {name: {path: text}}, CASES [(tree, config, overrides)] and ENVIRONMENT {name: value}.
"""


def each(tree, config, overrides):
    """One case for each override alone."""
    return [(tree, config, [text]) for text in overrides]


def each_config(tree, files):
    """One case for each primary config of a tree, without overrides."""
    return [(tree, path[:-5], []) for path in files if "/" not in path]
