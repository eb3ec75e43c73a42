# SPDX-License-Identifier: Apache-2.0
"""The trees and overrides that hydra.py puts to the judge: how people write Hydra configs, and how they get them wrong."""

ENVIRONMENT = {"FREEATM_TEST_NAME": "from the environment", "FREEATM_TEST_NUMBER": "5"}

# A research template's usual layout: groups that are based on each other, experiments, callbacks, loggers.
RESEARCH = {
    "train.yaml": """
defaults:
  - _self_
  - data: scenes
  - model: moco
  - callbacks: default
  - logger: null
  - trainer: default
  - paths: default
  - experiment: null
  - optional local: default
  - debug: null
task_name: train
tags: [dev]
seed: null
ckpt_path: ???
""",
    "eval.yaml": """
defaults:
  - data: scenes
  - model: moco
  - _self_
  - override model/backbone: vit
task_name: eval
model: {temperature: 0.2}
""",
    "data/scenes.yaml": """
root: ${paths.data_dir}/scenes
batch_size: 64
size: 64
mean: [0.5, 0.5, 0.5]
""",
    "data/objects.yaml": "defaults:\n  - scenes\n  - _self_\nroot: ${paths.data_dir}/objects\nsize: 32\n",
    "model/moco.yaml": """
defaults:
  - backbone: resnet
  - optimizer: adamw
temperature: 0.1
momentum: 1e-3
name: ${.backbone.name}_moco
""",
    "model/mae.yaml": "defaults:\n  - moco\n  - override backbone: vit\n  - override optimizer: sgd\nname: mae\nmasking: {ratio: .75}\n",
    "model/backbone/resnet.yaml": "name: resnet10\nwidth: 16\nstem: {kernel: 3, stride: 2}\n",
    "model/backbone/vit.yaml": "name: vit_tiny\nwidth: 128\ndepth: 6\n",
    "model/optimizer/adamw.yaml": "_target_: torch.optim.AdamW\nlr: 1.0e-4\nbetas: [0.9, 0.999]\n",
    "model/optimizer/sgd.yaml": "_target_: torch.optim.SGD\nlr: 1e1\nnesterov: on\n",
    "callbacks/default.yaml": """
defaults:
  - checkpoint
  - early_stopping
  - _self_
checkpoint: {monitor: "val/acc", save_last: yes}
early_stopping: {patience: 100}
""",
    "callbacks/checkpoint.yaml": "checkpoint:\n  monitor: null\n  dirpath: ${paths.output_dir}/checkpoints\n  filename: epoch_{epoch:03d}\n",
    "callbacks/early_stopping.yaml": "early_stopping:\n  monitor: ???\n  patience: 3\n",
    "callbacks/none.yaml": "",
    "logger/csv.yaml": "csv:\n  save_dir: ${paths.output_dir}\n  flush_every: 100\n",
    "logger/wandb.yaml": "wandb: {project: freeatm, offline: no, tags: '${tags}'}\n",
    "logger/many.yaml": "defaults: [csv, wandb]\n",
    "trainer/default.yaml": "accelerator: cpu\nmin_epochs: 1\nmax_epochs: 10\ndeterministic: False\nlimits: {}\n",
    "trainer/gpu.yaml": "defaults:\n  - default\naccelerator: gpu\ndevices: 1\n",
    "paths/default.yaml": "root_dir: ${oc.env:FREEATM_NOT_SET,.}\ndata_dir: ${.root_dir}/data\noutput_dir: ${paths.root_dir}/out/${task_name}\n",
    "experiment/mask.yaml": """# @package _global_
defaults:
  - override /data: objects
  - override /model: mae
  - override /callbacks: null
  - override /model/backbone: resnet
tags: ["mask", "${model.name}"]
seed: 12345
trainer: {max_epochs: 3}
model:
  temperature: 0.07
  optimizer: {lr: 0.002}
""",
    "experiment/late_override.yaml": "# @package _global_\ndefaults:\n  - override /data: objects\n  - /logger: csv\n",
    "experiment/no_header.yaml": "seed: 7\n",
    "experiment/wrong_option.yaml": "# @package _global_\ndefaults:\n  - override /data: object\n",
    "experiment/wrong_group.yaml": "# @package _global_\ndefaults:\n  - override /dataset: objects\n",
    "debug/fdr.yaml": "# @package _global_\n\ndefaults:\n  - default\ntrainer: {fast_dev_run: true}\n",
    "debug/default.yaml": "# @package _global_\ntask_name: debug\ncallbacks: null\ntrainer: {max_epochs: 1, detect_anomaly: true}\n",
}

PACKAGES = {
    "config.yaml": "defaults:\n  - db@source: mysql\n  - db@target: postgres\n  - _self_\nname: copy\n",
    "same.yaml": "defaults:\n  - db: mysql\n  - db: postgres\n",
    "twice.yaml": "defaults:\n  - db: mysql\n  - db: mysql\n",
    "root.yaml": "defaults:\n  - db@_global_: mysql\n",
    "here.yaml": "defaults:\n  - server/site: shop\n  - server/site@_here_: blog\n",
    "group_keyword.yaml": "defaults:\n  - server/site@pages._group_.x: shop\n",
    "options.yaml": "defaults:\n  - server/site: [shop, blog]\n  - _self_\nserver: {site: {shop: {domain: x}}}\n",
    "no_options.yaml": "defaults:\n  - server/site: []\n  - _self_\na: 1\n",
    "nested.yaml": "defaults:\n  - server: apache\n",
    "required.yaml": "defaults:\n  - db: ???\n  - _self_\na: 1\n",
    "interpolated.yaml": "defaults:\n  - db: mysql\n  - server: apache\n  - db_server: ${db}_${server}\n",
    "interpolated_override.yaml": "defaults:\n  - db: mysql\n  - tuned: ${db}\n",
    "optional.yaml": "defaults:\n  - optional db: oracle\n  - optional db@other: ${server}\n  - server: apache\n",
    "missing_option.yaml": "defaults:\n  - db: oracle\n",
    "missing_config.yaml": "defaults:\n  - db/oracle\n",
    "two_selves.yaml": "defaults: [_self_, db: mysql, _self_]\n",
    "bad_list.yaml": "defaults: {db: mysql}\n",
    "bad_entry.yaml": "defaults: [3]\n",
    "bad_value.yaml": "defaults: [{db: 3}]\n",
    "two_keys.yaml": "defaults: [{db: mysql, server: apache}]\n",
    "self_first.yaml": "defaults: [_self_, db: mysql]\ndb: {port: 1, extra: 2}\n",
    "self_last.yaml": "defaults: [db: mysql, _self_]\ndb: {port: 1, extra: 2}\n",
    "self_absent.yaml": "defaults: [db: mysql]\ndb: {port: 1, extra: 2}\n",
    "self_middle.yaml": "defaults: [db: mysql, _self_, db@db: small]\ndb: {port: 1}\n",
    "itself.yaml": "defaults: [itself]\na: 1\n",
    "list_over_map.yaml": "defaults: [db: mysql, _self_]\ndb: [1, 2]\n",
    "scalar_over_map.yaml": "defaults: [db: mysql, _self_]\ndb: 5\n",
    "missing_over_value.yaml": "defaults: [db: mysql, _self_]\ndb:\n  port: ???\n  user: null\n",
    "through.yaml": "defaults: [_self_, overlay]\nbase: {a: 1, b: {c: 2}}\ncopy: ${base}\n",
    "overlay.yaml": "copy: {a: 3}\n",
    "toplist.yaml": "[1, 2]\n",
    "empty.yaml": "",
    "list_group.yaml": "defaults: [items: few]\n",
    "items/few.yaml": "- 1\n- two\n",
    "deep_header.yaml": "defaults: [server/site: wiki, server: apache]\n",
    "late_header.yaml": "defaults: [commented: one]\n",
    "commented/one.yaml": "# about this file\n# @package _global_\na: 1\n",
    "bad_header.yaml": "defaults: [broken: one]\n",
    "broken/one.yaml": "# @package a b\na: 1\n",
    "db/mysql.yaml": "driver: mysql\nport: 3306\nuser: root\n",
    "db/postgres.yaml": "driver: postgres\nport: 5432\n",
    "db/small.yaml": "port: 2\nsmall: true\n",
    "db_server/mysql_apache.yaml": "pair: yes\n",
    "tuned/mysql.yaml": "defaults: [override /db: postgres]\n",
    "server/apache.yaml": "defaults:\n  - site: shop\n  - /db@backup: small\nport: 80\nurl: http://${.site.shop.domain}:${.port}\n",
    "server/nginx.yaml": "defaults:\n  - site: blog\n  - override /db@backup: mysql\nport: 81\n",
    "server/site/shop.yaml": "shop: {domain: shop.com}\n",
    "server/site/blog.yaml": "blog: {domain: blog.com}\n",
    "server/site/wiki.yaml": "# @package web.wiki\ndomain: wiki.org\n",
}

VALUES = {
    "config.yaml": """
a: {b: 1, c: {d: two, e: [1, 2, {f: 3}]}}
flag: true
rate: 0.5
name: x
nothing: null
items: [1, 2, 3]
need: ???
"1": one
with-dash: 1
link: ${a.c}
""",
    "scalars.yaml": """
bools: [yes, No, ON, off, True, y, n, tRUE]
ints: [010, 0o10, 0x1F, 0b101, 1_000, +7, -0, 08, 1:30, 1:2:3, -1:30, 1__0]
floats: [1e-3, 1E5, 1., .5, -.5, +.5, 1.5e3, .5e3, .5e+3, 1_0.5, 6.02e+23, .inf, -.INF, .NaN, 1:30.5, 1e3_0]
nulls: [~, null, Null, NULL, nULL, ""]
empty:
texts: [2001-01-01, 1.2.3, "3", 'true', 1e, e5, 0x, ., +, 12:70, "it's", 'a "b"', a:b, http://x.y/z, "#no", 5 apples]
block: |
  two
  lines
folded: >-
  one
  line
unicode: Grüße 猫
quoted: "tab\\there"
infinity: [inf, nan, Infinity, 1_0, "1_0", "10"]
dates: ["2001-01-01", "12:30", "-", "? x", "x: y", "x #y", " pad ", "[", "*a", "%", "@", "=", "<<", "null", "~", ""]
""",
    "keys.yaml": "2: two\ntrue: yes\n1.5: f\n'3': q\nnull_key: {a b: 1, 'c: d': 2, '': 3}\n",
    "null_key.yaml": "null: 1\n",
    "anchors.yaml": "base: &b {x: 1, y: 2}\nsame: *b\nmore: {<<: *b, y: 3, z: 4}\ntwo: {<<: [{x: 9, w: 8}, *b]}\nlist: &l [1, *b]\nagain: *l\n",
    "duplicate.yaml": "a: 1\nb: 2\na: 3\n",
    "nested_duplicate.yaml": "a: {b: 1, b: 2}\n",
    "int_duplicate.yaml": "1: a\n1: b\n",
    "tag_str.yaml": "a: !!str 5\n",
    "tag_python.yaml": "a: !!python/name:os.system x\n",
    "tag_own.yaml": "a: !mine 5\n",
    "two_documents.yaml": "a: 1\n---\nb: 2\n",
    "one_document.yaml": "---\na: 1\n...\n",
    "not_yaml.yaml": "a: [1, 2\nb: 3\n",
    "tabs.yaml": "a:\n\tb: 1\n",
    "indent.yaml": "a: 1\n  b: 2\n",
    "colon.yaml": "a: b: c\n",
    "equals.yaml": "a: =\n",
    "no_alias.yaml": "a: *nowhere\n",
    "recursive.yaml": "a: &a [*a]\n",
    "list_key.yaml": "? [1, 2]\n: 3\n",
    "scalar.yaml": "5\n",
    "long_list.yaml": "a:\n- 1\n- - 2\n  - 3\n- {b: 4}\n-\n  c: 5\n  d: {}\n- []\n",
}

LINKS = {
    "config.yaml": """
a: 1
b:
  c: ${a}
  d: ${.c}
  e: ${..a}
  f:
    g: ${...a}
    h: "${..c}-${a}"
text: "x${a}y${b.c}"
pair: ${a}${a}
types: ["${flag}_x", "${nothing}_x", "${rate}_x", "${list}_x", "${flag}", "${nothing}", "${rate}"]
flag: true
nothing: null
rate: 1e-5
list: [1, two, "${a}"]
element: [ "${list[1]}", "${list.0}", "${list.2}" ]
map: ${b.f}
chain: ${map.g}
which: b
nested: ${${which}.c}
nested_text: ${b.${letter}}
letter: c
escaped: \\${a}
escaped_twice: \\\\${a}
escaped_thrice: \\\\\\${a}
backslash: c:\\dir\\${a}
spaces: ${ a }
dollar: $5 and $a {x}
env: ${oc.env:FREEATM_TEST_NAME}
env_number: ${oc.env:FREEATM_TEST_NUMBER}
env_default: ${oc.env:FREEATM_NOT_SET,fallback text}
env_default_number: ${oc.env:FREEATM_NOT_SET, 0.50}
env_default_null: ${oc.env:FREEATM_NOT_SET,null}
env_default_true: ${oc.env:FREEATM_NOT_SET,true}
env_default_link: ${oc.env:FREEATM_NOT_SET,${a}}
env_default_quoted: ${oc.env:FREEATM_NOT_SET,"a, b"}
env_default_single: ${oc.env:FREEATM_NOT_SET,'it is ${a}'}
env_path: ${oc.env:FREEATM_NOT_SET,/data/x-1.0}/sub
env_escaped: ${oc.env:FREEATM_NOT_SET,a\\, b}
brackets: ${b[c]}
bracket_first: ${[b].f[g]}
""",
    "missing_key.yaml": "a: ${nope}\n",
    "missing_nested.yaml": "a: {b: 1}\nc: ${a.x}\n",
    "through_scalar.yaml": "a: 1\nb: ${a.x}\n",
    "cycle.yaml": "a: ${b}\nb: ${a}\n",
    "self.yaml": "a: ${a}\n",
    "parent.yaml": "a: {b: '${a}'}\n",
    "mutual.yaml": "a: {x: '${b}'}\nb: {y: '${a}'}\n",
    "not_mutual.yaml": "a: {x: '${b.k}', k: 1}\nb: ${a}\n",
    "unset.yaml": "a: ${oc.env:FREEATM_NOT_SET}\n",
    "resolver.yaml": "a: ${nope:1}\n",
    "unclosed.yaml": "a: ${b\nb: 1\n",
    "empty.yaml": "a: ${}\n",
    "to_missing.yaml": "a: ${b}\nb: ???\n",
    "too_many_dots.yaml": "a: ${...b}\nb: 1\n",
    "number_key.yaml": "a: ${${b}}\nb: 1\n",
    "bad_index.yaml": "a: [1]\nb: ${a[1]}\n",
    "name_index.yaml": "a: [1]\nb: ${a.x}\n",
    "relative_copy.yaml": "a: {x: 1, y: '${.x}'}\nb: {x: 2, z: '${a}'}\n",
}

TREES = {"research": RESEARCH, "packages": PACKAGES, "values": VALUES, "links": LINKS}


def each(tree, config, overrides):
    return [(tree, config, [text]) for text in overrides]


def each_config(tree):
    return [(tree, path[:-5], []) for path in TREES[tree] if "/" not in path]


CASES = [
    *((("research", "train", given)) for given in (
        [],
        ["ckpt_path=a.pt"],
        ["experiment=mask"],
        ["experiment=mask", "data=scenes", "seed=1"],
        ["experiment=mask", "model/backbone=vit", "model.optimizer.lr=1e-2"],
        ["experiment=no_header"],
        ["experiment=late_override"],
        ["experiment=wrong_option"],
        ["experiment=wrong_group"],
        ["debug=fdr"],
        ["debug=fdr", "experiment=mask", "logger=csv"],
        ["logger=many", "tags=[a,b]"],
        ["logger=[csv,wandb]"],
        ["+logger@extra=csv"],
        ["callbacks=none"],
        ["~callbacks"],
        ["~callbacks=default"],
        ["~callbacks=none"],
        ["~debugging"],
        ["trainer=gpu", "trainer.devices=[0,1]"],
        ["trainer=gpu,default"],
        ["trainer.max_epochs=1,2"],
        ["trainer.max_epoch=1"],
        ["+trainer.limit_batches=5"],
        ["+trainer.limits.train=0.1"],
        ["+trainer={a:1,b:[2]}"],
        ["trainer={max_epochs:1}"],
        ["trainer={max_epoch:1}"],
        ["model=mae", "model.optimizer.nesterov=off"],
        ["model/optimizer=sgd"],
        ["model/optimizer=adam"],
        ["model.backbone=vit"],
        ["backbone=vit"],
        ["modle=mae"],
        ["data=null"],
        ["data=3"],
        ["++data=objects"],
        ["+data=objects"],
        ["+data@val=objects"],
        ["data@val=objects"],
        ["paths.root_dir=/srv"],
        ["task_name=\"a b\""],
        ["model.name=${task_name}"],
        ["model.name=x_${task_name}_${seed}"],
        ["~model.masking"],
        ["model=mae", "~model.masking"],
        ["~model.temperature"],
        ["~model.temperature=0.1"],
        ["~model.temperature=0.2"],
        ["~model.backbone.stem.kernel"],
        ["~ckpt_path"],
        ["~seed"],
        ["seed=1", "seed=2"],
        ["+seed=1"],
        ["+ckpt_path=1"],
        ["tags=[]"],
        ["tags.0=x"],
        ["tags.1=x"],
        ["tags.x=1"],
        ["~tags.0"],
        ["+tags=[b]"],
        ["data.mean={a:1}"],
        ["callbacks=[checkpoint]"],
        ["experiment=[mask,no_header]"],
    )),
    ("research", "eval", ["paths=default"]),
    ("research", "eval", ["+paths=default"]),
    ("research", "eval", ["+paths=default", "model/backbone=resnet"]),
    ("research", "tarin", []),
    *each_config("packages"),
    ("packages", "config", ["db@source=postgres"]),
    ("packages", "config", ["db=postgres"]),
    ("packages", "config", ["db@target=postgres", "target.port=1"]),
    ("packages", "config", ["db@nowhere=postgres"]),
    ("packages", "config", ["~db@source"]),
    ("packages", "config", ["+db=mysql"]),
    ("packages", "config", ["+db@a.b=mysql"]),
    ("packages", "config", ["+db@_global_=mysql"]),
    ("packages", "root", ["db@_global_=postgres"]),
    ("packages", "required", ["db=mysql"]),
    ("packages", "interpolated", ["db=postgres"]),
    ("packages", "optional", ["db=mysql"]),
    ("packages", "nested", ["server=nginx"]),
    ("packages", "nested", ["server/site=blog"]),
    ("packages", "nested", ["db@backup=mysql"]),
    ("packages", "nested", ["db@server.backup=mysql"]),
    ("packages", "nested", ["~server/site"]),
    ("packages", "options", ["server/site=blog"]),
    ("packages", "options", ["~server/site"]),
    ("packages", "empty", ["+a.b.c=1"]),
    ("packages", "through", ["copy.a=4"]),
    ("packages", "through", ["copy.b.c=4", "base.a=5"]),
    *each("values", "config", [
        "a.b=2", "a.b=2.0", "a.b=1e3", "a.b=1_000", "a.b=on", "a.b=010", "a.b=0x10", "a.b=1:30", "a.b=TRUE", "a.b=False",
        "a.b=null", "a.b=NULL", "a.b=~", "a.b=", "a.b= ", "a.b='3'", "a.b=\"3\"", "a.b='it''s'", "a.b='it\\'s'",
        "a.b='a\\\\'", "a.b=\"x,y\"", "a.b=inf", "a.b=-inf", "a.b=NaN", "a.b=.5", "a.b=5.", "a.b=-5", "a.b=+5", "a.b=--5",
        "a.b=1.2.3", "a.b=1e5x", "a.b=x y", "a.b= x ", "a.b=x y ", "a.b= 'x'", "a.b='x' ", "a.b='x'y", "a.b=a=b",
        "a.b=a\\=b", "a.b=a\\,b", "a.b=a\\ ", "a.b=(x)", "a.b=\\(x\\)", "a.b=/data/x-1.0_b", "a.b=s3://bucket/k", "a.b=C:\\dir",
        "a.b=a@b.c", "a.b=50%", "a.b=a*?|b", "a.b=a#b", "a.b=a!b", "a.b=Grüße", "a.b='Grüße'", "a.b=a;b", "a.b=$x",
        "a.b=[1,2,3]", "a.b=[]", "a.b=[a,[b,c],{d:e}]", "a.b=[1, 2 , 3 ]", "a.b=[1,]", "a.b=[1", "a.b=1]", "a.b=[a b,'c,d',null]",
        "a.b={x:1,y:{z:[a]}}", "a.b={}", "a.b={x: 1, y: two}", "a.b={x}", "a.b={1:2,true:3,null:4}", "a.b={1:2,false:3,x:null}",
        "a.b={a:1,a:2}", "a.b={'q':1}", "a.c={d:3}", "a.c={z:3}", "+a.c={z:3}", "++a.c={z:3}", "a.c=[1]", "a.c=5", "a.c.e=[9]",
        "a.c.e={x:1}", "a.c.e.2.f=4", "a.c.e.2={f:5}", "a.c.e.2={g:5}", "a.c.e.7=1", "a.c.e.-1=1", "+a.c.e.3=1",
        "a.x=1", "+a.x=1", "++a.x=1", "+a.b=1", "++a.b=9", "+a.b.z=1", "++a.b.z=1", "a.b.z=1", "+nothing=1", "+nothing.x=1",
        "nothing.x=1", "nothing={x:1}", "++nothing.x=1", "+need=1", "need=[1]", "need=???", "a.b=???", "+new=???", "need.x=1", "+need.x=1",
        "x.y.z=1", "+x.y.z=1", "++x.y.z=1", "+x.0=1", "1=uno", "with-dash=2", "a.c.with-dash=2", "a..b=1", ".a=1", "a.=1", "=1",
        "a b=1", "a =1", "a.b", "+a.b", "~a.b", "~a.b=1", "~a.b=1.0", "~a.b=2", "~a", "~a.c.e.0", "~x", "~nothing", "~need", "~a.x.y",
        "~items=[1,2,3]", "~a.c.d=two", "~flag=1", "~", "+", "", "a/b=1", "a@b=1", "a@b.c=1", "+a@b=1", "a@=1", "a:b=1", "-a=1", "é=1",
        "link.d=3", "~link.d", "+link.z=1", "link=null", "name=${a.b}", "name='${a.b}'", "name=x${a.b}", "name=${a.${name}}",
        "name=${nope}", "name=${a.c}", "name=\\${a.b}", "name='\\${a.b}'", "name=${oc.env:FREEATM_TEST_NAME}",
        "name='${oc.env:FREEATM_NOT_SET,7}'", "name=${", "name=${}", "rate=1,2", "rate=choice(1,2)", "rate=range(1,3)",
        "rate=interval(0,1)", "name=glob(*)", "name=nope(1)", "name=a,", "name=,a", "name=[[[[1]]]]", "name=a\tb", "name='a\nb'",
        "name=:", "name=a:", "name=a : b", "name='", "name=\"a'b\"", "name=99999999999999999999.5", "items=[${a.b},x]", "items=${a.c.e}",
        "++items=[4]", "+items=[4]", "items.1=x", "items.01=x", "hydra.x=1", "+a.b.c=1",
    ]),
    *each_config("values")[1:],
    *each_config("links"),
    ("links", "config", ["a=7"]),
    ("links", "config", ["a=text", "which=map"]),
    ("links", "missing_key", ["+nope=1"]),
    ("links", "to_missing", ["b=[1,2]"]),
    ("links", "cycle", ["b=1"]),
]
