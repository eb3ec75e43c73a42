# SPDX-License-Identifier: Apache-2.0
"""One override each: keys, values, additions, deletions, and what the grammar refuses."""
from . import each

ENVIRONMENT = {"FREEATM_TEST_NAME": "from the environment"}

TREE = {
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
}

TREES = {"values": TREE}

CASES = [
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
]
