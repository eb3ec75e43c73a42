# SPDX-License-Identifier: Apache-2.0
"""Config names in folders, nodes of Hydra in the primary config, keywords, package headers, names that look like keywords."""
from . import each, each_config

ENVIRONMENT = {}

FOLDERS = {
    "config.yaml": """
defaults:
  - db: mysql
  - _self_
  - override hydra/job_logging: disabled
  - override hydra/hydra_logging: disabled
hydra:
  run: {dir: .}
  output_subdir: null
  job: {chdir: true, name: app, env_set: {X: 1}}
a: 1
""",
    "sub/config.yaml": "defaults:\n  - db: mysql\n  - /db@other: mysql\n  - _self_\nb: 2\n",
    "sub/plain.yaml": "b: 2\n",
    "sub/global.yaml": "# @package _global_\ndefaults: [/db: mysql, _self_]\nb: 2\n",
    "sub/deep/config.yaml": "defaults: [../config, _self_]\nc: 3\n",
    "sub/deep/absolute.yaml": "defaults: [/sub/plain, _self_]\nc: 3\n",
    "sub/db/mysql.yaml": "name: sub\n",
    "db/mysql.yaml": "name: mysql\n",
    "db/override.yaml": "name: override\n",
    "db/with.dot.yaml": "name: dotted\n",
    "db/5.yaml": "name: five\n",
    "db/true.yaml": "name: yes\n",
    "db/with-dash.yaml": "name: dash\n",
    "db/nested/inner.yaml": "name: inner\n",
    "extension.yaml": "defaults: [db: mysql.yaml, _self_]\na: 1\n",
    "extension_config.yaml": "defaults: [config.yaml, db/override.yaml, _self_]\na: 2\n",
    "numbers.yaml": "defaults: [db: 5, _self_]\na: 1\n",
    "quoted_number.yaml": "defaults: [db: '5', _self_]\na: 1\n",
    "boolean.yaml": "defaults: [db: true, _self_]\na: 1\n",
    "nested_option.yaml": "defaults: [db: nested/inner, _self_]\na: 1\n",
    "optional_override.yaml": "defaults: [db: mysql, optional override db: nowhere]\na: 1\n",
    "override_optional.yaml": "defaults: [db: mysql, override optional db: nowhere]\na: 1\n",
    "optional_config.yaml": "defaults: [optional nowhere, db: mysql]\na: 1\n",
    "two_spaces.yaml": "defaults: ['optional  db': nowhere]\na: 1\n",
    "rename.yaml": "defaults: ['db@a:b': mysql]\na: 1\n",
    "absolute_group.yaml": "defaults: [/db: mysql, _self_]\na: 1\n",
    "absolute_package.yaml": "defaults: [db@_global_.x.y: mysql, _self_]\na: 1\n",
    "name_keyword.yaml": "defaults: [db@_name_: mysql, _self_]\na: 1\n",
    "options_override.yaml": "defaults: [db: [mysql], override db: [override, mysql]]\na: 1\n",
    "options_null.yaml": "defaults: [db: [mysql], override db: null]\na: 1\n",
    "override_missing.yaml": "defaults: [db: ???, override db: mysql]\na: 1\n",
    "override_twice.yaml": "defaults: [db: mysql, override db: override, override db: mysql]\na: 1\n",
    "override_first.yaml": "defaults: [override db: override, db: mysql]\na: 1\n",
    "override_package.yaml": "defaults: [db@x: mysql, override db@x: override]\na: 1\n",
    "override_unknown_hydra.yaml": "defaults: [_self_, override hydra/nothing: x]\na: 1\n",
    "hydra_not_override.yaml": "defaults: [_self_, hydra/job_logging: stdout]\na: 1\n",
    "hydra_interpolated.yaml": "a: ${hydra.job.name}\nhydra: {job: {name: x}}\n",
    "hydra_uses_app.yaml": "a: 1\nhydra: {run: {dir: 'out/${a}'}}\n",
    "hydra_package.yaml": "defaults: [db@hydra.job.env_set: mysql, _self_]\na: 1\n",
    "header_group.yaml": "defaults: [headers: group]\n",
    "header_name.yaml": "defaults: [headers: name]\n",
    "header_relative.yaml": "defaults: [headers: relative]\n",
    "header_global.yaml": "defaults: [headers: global_path]\n",
    "header_other.yaml": "defaults: [headers: other]\n",
    "header_two.yaml": "defaults: [headers: two]\n",
    "header_blank.yaml": "defaults: [headers: blank]\n",
    "header_entry.yaml": "defaults: [headers@here: global_path]\n",
    "headers/group.yaml": "# @package _group_\nx: 1\n",
    "headers/name.yaml": "# @package _name_\nx: 1\n",
    "headers/relative.yaml": "# @package a.b\ndefaults: [/db@c: mysql, _self_]\nx: 1\n",
    "headers/global_path.yaml": "# @package _global_.a.b\nx: 1\n",
    "headers/other.yaml": "# @owner me\n# @package q\nx: 1\n",
    "headers/two.yaml": "# @package q\n# @package r\nx: 1\n",
    "headers/blank.yaml": "\n\n   #    @package     q\nx: 1\n",
    "empty_group.yaml": "defaults: [db: '']\na: 1\n",
    "dots.yaml": "defaults: [db: ../db/mysql]\na: 1\n",
    "escape.yaml": "defaults: [../outside]\na: 1\n",
    "null_defaults.yaml": "defaults: null\na: 1\n",
    "empty_defaults.yaml": "defaults: []\na: 1\n",
    "nested_defaults.yaml": "a: {defaults: [1, 2]}\n",
    "self_only.yaml": "defaults: [_self_]\na: 1\n",
    "self_package.yaml": "defaults: [_self_@x]\na: 1\n",
    "self_value.yaml": "defaults: [db: _self_]\na: 1\n",
    "interpolated_config.yaml": "defaults: [db: mysql, 'db/${db}']\na: 1\n",
    "interpolated_list.yaml": "defaults: [db: mysql, db@x: ['${db}']]\na: 1\n",
    "interpolated_package.yaml": "defaults: [db@x: mysql, 'db@y: ${db@x}']\na: 1\n",
    "interpolated_bracket.yaml": "defaults: [db@x: mysql, db@y: '${db@x}', _self_]\na: 1\n",
    "interpolated_old.yaml": "defaults: [db: mysql, db@y: '${defaults.0.db}']\na: 1\n",
}

TREES = {"folders": FOLDERS}

CASES = [
    *each_config("folders", FOLDERS),
    ("folders", "config.yaml", []), ("folders", "sub/config", []), ("folders", "sub/config.yaml", []), ("folders", "sub/plain", []),
    ("folders", "sub/global", []), ("folders", "sub/deep/config", []), ("folders", "sub/deep/absolute", []), ("folders", "/config", []),
    ("folders", "sub", []), ("folders", "sub/none", []), ("folders", "", []), ("folders", "config.yml", []),
    ("folders", "sub/config", ["sub/db=mysql"]), ("folders", "sub/config", ["db=mysql"]), ("folders", "sub/config", ["sub.b=3"]),
    ("folders", "sub/config", ["b=3"]), ("folders", "sub/config", ["db@sub.other=override"]), ("folders", "sub/plain", ["+db=mysql"]),
    ("folders", "sub/plain", ["+sub/db=mysql"]), ("folders", "sub/plain", ["+db@x=mysql"]),
    *each("folders", "config", [
        "db=override", "db=with.dot", "db=5", "db='5'", "db=true", "db=with-dash", "db=nested/inner", "db=override.yaml", "db=../db/override",
        "db=''", "db=", "db=???", "db=${a}", "+db@x=override", "+db@_here_=override", "+db@_global_.q=override", "+db@a.b.c=override",
        "+db/nested=inner", "+db/nested@deep=inner", "db/nested=inner", "~db", "~db=mysql", "~db=override", "~db@db", "db@db=override",
        "hydra/nothing=x", "+hydra/nothing=x", "hydra.help.app_name=x", "hydra.runtime.cwd=x", "db={name:x}", "+db={extra:1}", "db=[]",
        "+db=[mysql,override]", "++db=override", "db=[override,mysql]", "db.name=x", "+db.extra={a:[1,{b:2}]}", "+headers=global_path",
        "+headers@z=global_path", "+headers=two", "+sub=plain", "+sub=global", "+sub=config",
    ]),
]
