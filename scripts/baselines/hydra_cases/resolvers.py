# SPDX-License-Identifier: Apache-2.0
"""What a value may say: resolvers and their arguments' grammar, paths, escapes. One text a case, the base config around it."""
import json

ENVIRONMENT = {"FREEATM_TEST_NAME": "runs/a b", "FREEATM_TEST_NUMBER": "5", "FREEATM_TEST_LIST": "[1, ${seed}, 'x']"}

BASE = """
seed: 7
lr: 1e-5
on: true
nothing: null
need: ???
name: vit
env: env
oc: oc
model: {vit: {width: 192, depth: '${..depth}', path: "${name}/${.width}"}, depth: 12, quote: it's}
sizes: [64, two, '${seed}', [1, 2], {k: v}]
link: ${model}
made: ${oc.create:{a:1,b:'\\${.a}',c:'\\${..seed}'}}
made_list: ${oc.create:[4,'\\${.0}']}
plain: ${oc.decode:'[4, {k:5}]'}
"a/b": slash
a-b: minus
"a,b": comma
strange: {"n": "a\\nb\\t\\\\", "f": 1e-5, "t": true, "e": ''}
"""

# kind -> texts. What OmegaConf accepts and what it refuses is written apart only so that the accepted ones share a config.
ACCEPTED = {
    "path": [
        "${seed}", "${ seed }", "${\tseed }", "${.seed}", "${model.vit.width}", "${model[vit].width}",
        "${[model][vit][width]}", "${[model].vit[width]}", "${.model.vit.path}", "${model.vit.depth}", "${link.vit.depth}",
        "${link.vit.path}", "${link}", "${a/b}", "${a-b}", "${a,b}", "${nothing}", "${model.vit}", "${seed}}", "{${seed}}",
        "$${seed}", "${model[${name}].width}", "${model.${name}.width}", "${made.b}", "${made.c}", "${made}", "${made_list.1}",
        "${made_list}", "${plain}",
    ],
    "list": [
        "${sizes.0}", "${sizes[0]}", "${sizes[1]}", "${sizes.2}", "${sizes.+1}", "${sizes.01}", "${sizes[3][1]}",
        "${sizes.3.0}", "${sizes[4].k}", "${sizes}",
    ],
    "text": [
        "a${seed}b", "${seed}${seed}", "${lr}_x", "${nothing}_x", "x${sizes}", "x${model}", "x${strange}", "x${made}",
        "x${plain}", "'${seed}'", "\"${seed}\"", "${seed} ", " ${seed}", "${seed}\n", "a:${seed}", "# ${seed}",
        "${name}/${seed}.yaml",
    ],
    "escape": [
        "\\${seed}", "\\\\${seed}", "\\\\\\${seed}", "\\\\\\\\${seed}", "a\\b${seed}", "a\\\\b${seed}", "${seed}\\",
        "\\${seed}${seed}", "\\$ {seed}", "\\${", "\\${seed", "\\${nope}", "x\\${a}\\${b}", "$\\{seed}",
        "${seed}\\${seed}\\\\", "\\a${seed}", "\\\\a\\${seed}",
    ],
    "env": [
        "${oc.env:FREEATM_TEST_NAME}", "${oc.env:FREEATM_TEST_NUMBER}", "${oc.env:FREEATM_TEST_LIST}",
        "${oc.env:FREEATM_NOT_SET,null}", "${oc.env:FREEATM_NOT_SET,NULL}", "${oc.env:FREEATM_NOT_SET,'null'}",
        "${oc.env:FREEATM_NOT_SET,5}", "${oc.env:FREEATM_NOT_SET,5.0}", "${oc.env:FREEATM_NOT_SET,1e3}",
        "${oc.env:FREEATM_NOT_SET,0x10}", "${oc.env:FREEATM_NOT_SET,1_000}", "${oc.env:FREEATM_NOT_SET,true}",
        "${oc.env:FREEATM_NOT_SET,True}", "${oc.env:FREEATM_NOT_SET,'a, b'}", "${oc.env:FREEATM_NOT_SET,\"a, b\"}",
        "${oc.env:FREEATM_NOT_SET,'it\\'s'}", "${oc.env:FREEATM_NOT_SET,\"a\\\"b'c\"}", "${oc.env:FREEATM_NOT_SET,[1,a]}",
        "${oc.env:FREEATM_NOT_SET,[]}", "${oc.env:FREEATM_NOT_SET,{}}", "${oc.env:FREEATM_NOT_SET,{a:null,b:'c'}}",
        "${oc.env:FREEATM_NOT_SET,{a: [true, 0.5]}}", "${oc.env:FREEATM_NOT_SET,${seed}}", "${oc.env:FREEATM_NOT_SET,${lr}}",
        "${oc.env:FREEATM_NOT_SET,${sizes}}", "${oc.env:FREEATM_NOT_SET,1${seed}}", "${oc.env:FREEATM_NOT_SET,'${seed}'}",
        "${oc.env:FREEATM_NOT_SET,'\\${seed}'}", "${oc.env:FREEATM_NOT_SET,'\\\\${seed}'}",
        "${oc.env:FREEATM_NOT_SET,\\${seed}}", "${oc.env:FREEATM_NOT_SET,a b  c}", "${oc.env:FREEATM_NOT_SET, a }",
        "${oc.env:FREEATM_NOT_SET,a: b}", "${oc.env:FREEATM_NOT_SET,a:b}", "${oc.env:FREEATM_NOT_SET,\\}}",
        "${oc.env:FREEATM_NOT_SET,a\\, b}", "${oc.env:FREEATM_NOT_SET,a\\\\b}", "${oc.env:FREEATM_NOT_SET,a\\b}",
        "${oc.env:FREEATM_NOT_SET,a\\=b}", "${oc.env:FREEATM_NOT_SET,\\(a\\)}", "${oc.env:FREEATM_NOT_SET,}",
        "${oc.env:FREEATM_NOT_SET, }", "${oc.env:FREEATM_NOT_SET,$x}", "${oc.env:FREEATM_NOT_SET,$}",
        "${oc.env:FREEATM_NOT_SET,%Y}", "${oc.env:FREEATM_NOT_SET,/data/x-1.0}", "${oc.env:FREEATM_NOT_SET,s3://b/k?x}",
        "${oc.env:FREEATM_NOT_SET,'é'}", "${oc.env:FREEATM_NOT_SET,'a\nb'}", "${oc.env:FREEATM_NOT_SET,'\\n'}",
        "${oc.env:FREEATM_NOT_SET,${oc.env:FREEATM_TEST_NAME}}", "${oc.env:FREEATM_NOT_SET,${oc.env:FREEATM_NOT_SET_2,7}}",
        "${oc.env:FREEATM_NOT_SET,...}", "${oc.env:FREEATM_NOT_SET,-}", "${oc.env:FREEATM_NOT_SET,- 1}",
        "${oc.env:FREEATM_NOT_SET,99999999999999999999}", "${oc.env: FREEATM_TEST_NAME }", "${oc.env :FREEATM_TEST_NAME}",
        "${ oc.env:FREEATM_TEST_NAME}", "${oc.env:'FREEATM_TEST_NAME'}", "${oc.env:FREEATM_${name},x}", "${oc.env:${name},x}",
        "${oc.${env}:FREEATM_TEST_NUMBER}", "${${oc}.env:FREEATM_TEST_NUMBER}", "x${oc.env:FREEATM_NOT_SET,null}",
    ],
    "select": [
        "${oc.select:seed}", "${oc.select:nope}", "${oc.select:nope,3}", "${oc.select:nope,[1,2]}",
        "${oc.select:nope,{a: 1, b: [x]}}", "${oc.select:nope,${seed}}", "${oc.select:nope,${sizes}}",
        "${oc.select:nope,${model}}", "${oc.select:seed,9}", "${oc.select:need}", "${oc.select:need,7}",
        "${oc.select:need.x,7}", "${oc.select:nothing,7}", "${oc.select:nothing.x,7}", "${oc.select:seed.x,7}",
        "${oc.select:sizes.1,7}", "${oc.select:sizes.9,7}", "${oc.select:.seed}", "${oc.select:' seed',7}",
        "${oc.select:model.vit.width}", "${oc.select:model}", "${oc.select:link.vit.path}", "${oc.select:made.b}",
        "${oc.select:made.z,1}", "${oc.select:plain.0,1}", "${oc.select:'model.vit'}", "${oc.select:${name},1}",
        "${oc.select:nope,1${seed}}", "${oc.select:nope,'5'}", "${oc.select:nope,-1}", "${oc.select:nope,.5}",
        "${oc.select:nope,5.}", "${oc.select:nope,1e5}", "${oc.select:nope,inf}", "${oc.select:nope,nan}",
        "${oc.select:nope,0x10}", "${oc.select:nope,01}", "${oc.select:nope,yes}", "${oc.select:nope,:}", "${oc.select:nope,}",
        "${oc.select:nope,[1,2,]}", "${oc.select:nope,[,]}", "${oc.select:nope,[[1],[]]}", "${oc.select:nope,[1 , 2 ]}",
        "${oc.select:nope,{a b:1}}", "${oc.select:nope,{ a : 1 }}", "${oc.select:nope,{1:2}}", "${oc.select:nope,{a:1,a:2}}",
        "${oc.select:nope,{a\\:b:1}}", "${oc.select:nope,{a:${seed}}}", "${oc.select:nope,['a,b',c]}", "${oc.select:nope,\t5}",
        "${oc.select:nope,x y}", "${oc.select:nope,\\,}", "${oc.select:seed\\ ,5}", "${oc.select:nope,/-\\+.$%*@?|}",
        "${oc.select:nope,{a:{b:{c:[]}}}}", "${oc.select:nope,'${seed}'}", "${oc.select:nope,a}b}", "${oc.select:nope,?}",
        "${oc.select:seed}${oc.select:nope}", "a${oc.select:nope,b}c",
    ],
    "decode": [
        "${oc.decode:seed}", "${oc.decode:'5'}", "${oc.decode:' 5'}", "${oc.decode:'5 '}", "${oc.decode:'1e3'}",
        "${oc.decode:'null'}", "${oc.decode:null}", "${oc.decode:'[1, a]'}", "${oc.decode:'{a: 1}'}", "${oc.decode:'\"5\"'}",
        "${oc.decode:'${seed}'}", "${oc.decode:'\\${seed}'}", "${oc.decode:'[${seed}, \\${name}]'}", "${oc.decode:'a b'}",
        "${oc.decode:'a:b'}", "${oc.decode:'yes'}", "${oc.decode:${oc.env:FREEATM_TEST_LIST}}",
        "${oc.decode:${oc.env:FREEATM_TEST_NUMBER}}", "${oc.decode:${oc.env:FREEATM_NOT_SET,null}}",
        "${oc.decode:${oc.env:FREEATM_NOT_SET,'[]'}}", "${oc.decode:'{}'}", "${oc.decode:'TRUE'}", "${oc.decode:'.5'}",
        "${oc.decode:'{a: {b: [null, true]}}'}", "x${oc.decode:'[1, a]'}",
    ],
    "create": [
        "${oc.create:{a: 1}}", "${oc.create:[1, {x: 2}]}", "${oc.create:{}}", "${oc.create:[]}", "${oc.create:null}",
        "${oc.create:abc}", "${oc.create:''}", "${oc.create:'a: 1'}", "${oc.create:'[1, 1e3, on]'}", "${oc.create:${model}}",
        "${oc.create:${sizes}}", "${oc.create:${sizes.3}}", "${oc.create:{a: ${seed}}}", "${oc.create:{a: '\\${seed}'}}",
        "${oc.create:{a: '\\${.b}', b: 2}}", "${oc.create:'a: \\${seed}'}", "${oc.create:${oc.decode:'[7, 8]'}}",
        "x${oc.create:{a: [1, b]}}",
    ],
    "dict": [
        "${oc.dict.keys:model}", "${oc.dict.keys:.model}", "${oc.dict.keys:model.vit}", "${oc.dict.keys:link}",
        "${oc.dict.keys:made}", "${oc.dict.values:model}", "${oc.dict.values:.model}", "${oc.dict.values:model.vit}",
        "${oc.dict.values:.model.vit}", "${oc.dict.values:link}", "${oc.dict.values:made}", "${oc.dict.values:strange}",
        "x${oc.dict.keys:model}", "x${oc.dict.values:model.vit}",
    ],
    "other": [
        "${oc.deprecated:seed}", "${oc.deprecated:model}", "${oc.deprecated:.model.vit.path}",
        "${oc.deprecated:seed,'$OLD_KEY became $NEW_KEY'}", "x${oc.deprecated:seed}", "${now:''}", "${now:'100%%'}",
        "${now:plain}",
    ],
}

REFUSED = {
    "path": [
        "${..seed}", "${seed.x}", "${nothing.x}", "${need}", "${need.x}", "${model.nope}", "${ model . vit }", "${model.}",
        "${model..vit}", "${.}", "${}", "${ }", "${[]}", "${[model}", "${model]}", "${seed", "${se ed}", "${x}", "${again}",
        "${${name}}", "${model.${nope}}", "${model.${seed}}", "${plain.0}", "${plain[1].k}", "${$seed}", "${se'ed}",
    ],
    "list": [
        "${sizes.-1}", "${sizes.5}", "${sizes.x}", "${sizes.1.x}", "${sizes[${seed}]}", "${sizes.0x1}",
    ],
    "text": [
        "${on}_x", "x${need}", "x${nope}",
    ],
    "escape": [

    ],
    "env": [
        "${oc.env:FREEATM_NOT_SET}", "${oc.env:FREEATM_NOT_SET,${on}}", "${oc.env:FREEATM_NOT_SET,(a)}",
        "${oc.env:FREEATM_NOT_SET,a=b}", "${oc.env:FREEATM_NOT_SET,a&b}", "${oc.env:FREEATM_NOT_SET,a#b}",
        "${oc.env:FREEATM_NOT_SET,,}", "${oc.env:FREEATM_NOT_SET,'a' 'b'}", "${oc.env:FREEATM_NOT_SET,a 'b'}",
        "${oc.env:FREEATM_NOT_SET,'a}", "${oc.env:FREEATM_NOT_SET,s3://b/k?x=1}", "${oc.env:FREEATM_NOT_SET,~/x}",
        "${oc.env:FREEATM_NOT_SET,é}", "${oc.env:FREEATM_NOT_SET,a\nb}", "${oc. env:FREEATM_TEST_NAME}", "${oc.env:5,1}",
        "${oc.env:}", "${oc.env:a,b,c}", "${oc.env}", "${.oc.env:FREEATM_TEST_NUMBER}", "${oc[env]:FREEATM_TEST_NUMBER}",
        "${oc.env:null,1}", "${OC.ENV:FREEATM_TEST_NAME}",
    ],
    "select": [
        "${oc.select:sizes.x,7}", "${oc.select:..seed,7}", "${oc.select:....seed,7}", "${oc.select:model[vit].width}",
        "${oc.select:nope,,}", "${oc.select:5,1}", "${oc.select:null,1}", "${oc.select:nope,[1}", "${oc.select:nope,1]}",
        "${oc.select:nope,{a}}", "${oc.select:nope,{a:1,}}", "${oc.select:nope,{'a':1}}", "${oc.select:nope,{${name}:1}}",
        "${oc.select:again}", "${oc.select:nope,${nope}}", "${oc.select:}",
    ],
    "decode": [
        "${oc.decode:5}", "${oc.decode:''}", "${oc.decode:' '}", "${oc.decode:'[1'}", "${oc.decode:'a, b'}",
        "${oc.decode:'a=b'}", "${oc.decode:'${nope}'}", "${oc.decode:${sizes}}", "${oc.decode:'a}'}", "${oc.decode:a,b}",
        "${oc.decode:'${'}", "${oc.decode:'\\\\,'}", "${oc.decode:'[]]'}",
    ],
    "create": [
        "${oc.create:5}", "${oc.create:'5'}", "${oc.create:'a: [1'}", "${oc.create:{a: ${model.vit}}}", "${oc.create:true}",
        "${oc.create:{a: 1},2}", "${oc.create:'!!python/name:os.system x'}", "${oc.create:'a: 1\na: 2'}",
    ],
    "dict": [
        "${oc.dict.keys:plain}", "${oc.dict.keys:sizes}", "${oc.dict.keys:seed}", "${oc.dict.keys:nope}",
        "${oc.dict.keys:need}", "${oc.dict.keys:nothing}", "${oc.dict.keys:}", "${oc.dict.keys:5}", "${oc.dict.keys:a,b}",
        "${oc.dict.values:sizes}", "${oc.dict.values:nope}", "${oc.dict.items:model}", "${oc.dict.keys:oc.env}",
    ],
    "other": [
        "${oc.deprecated:nope}", "${oc.deprecated:5}", "${oc.deprecated:seed,5}", "${now:5}", "${now:}", "${now:a,b}",
        "${hydra:runtime.cwd}", "${hydra:job.name}", "${hydra:}", "${nope:1}", "${oc.nope:1}", "${now}", "${:1}", "${a b:1}",
        "${1a:1}",
    ],
}

TREES = {"resolvers": {"base.yaml": BASE}}
for kind, texts in ACCEPTED.items():  # one config a kind
    lines = [f"x{number}: {json.dumps(text)}\n" for number, text in enumerate(texts)]
    again = [f"${{x{number}}}" for number in range(len(texts))]
    TREES["resolvers"][f"{kind}.yaml"] = f"defaults: [base, _self_]\n{''.join(lines)}again: {json.dumps(again)}\n"
for kind, texts in REFUSED.items():  # one config a text
    for number, text in enumerate(texts):
        TREES["resolvers"][f"no_{kind}_{number:02}.yaml"] = f"defaults: [base, _self_]\nx: {json.dumps(text)}\nagain: ${{x}}\n"

CASES = [("resolvers", path[:-5], []) for path in TREES["resolvers"] if path != "base.yaml"]
