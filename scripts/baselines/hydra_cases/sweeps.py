# SPDX-License-Identifier: Apache-2.0
"""Overrides with sweeps, as -m expands them: the jobs in their order."""

ENVIRONMENT = {}

TREE = {
    "config.yaml": "defaults:\n  - _self_\n  - model: vit\n  - data: null\n  - required: ???\na: 1\nb: {c: 2}\nname: x\n",
    "plain.yaml": "defaults: [_self_, model: vit]\na: 1\nb: {c: 2}\nname: x\nlink: ${a}\n",
    "model/vit.yaml": "kind: vit\ndepth: 6\n",
    "model/vit_tiny.yaml": "kind: tiny\n",
    "model/resnet.yaml": "kind: resnet\n",
    "model/head/mlp.yaml": "layers: 2\n",
    "data/coco.yaml": "root: coco\n",
    "required/x.yaml": "x: 1\n",
    "required/y.yaml": "y: 1\n",
}

TREES = {"sweeps": TREE}
CASES = []


def each(overrides):
    return [("sweeps", "plain", [text] if isinstance(text, str) else text) for text in overrides]


SWEEPS = [
    ("sweeps", "config", ["required=x,y"]),
    ("sweeps", "config", ["required=x", "a=1,2"]),
    ("sweeps", "config", ["a=1,2"]),
    *each([
        # the order of the product
        [], ["a=5"], "a=1,2", ["a=1,2", "b.c=3,4,5"], ["b.c=3,4", "a=1,2", "name=x,y"], ["a=1,2", "name=z"], ["name=z", "a=1,2"],
        ["a=1,2", "a=3"], ["a=1", "a=2,3"], ["a=1,2", "a=3,4", "b.c=5,6"], ["a=1,2", "++a=7,8"], ["+z=1,2", "a=1"], ["++a=1,2"],
        ["+z.y=1,2"], ["~a=1,2"], ["~a=1", "b.c=1,2"], ["~a", "+a=1,2", "~link"],
        # values
        "a=1,1.5,true,null,x", "name='a,b',c", "name='a b',\"it's\"", "name=a b,c d", "name=a\\,b,c", "name=[1,2],[3]", "b={c:1},{c:2}",
        "name=${a},${b.c}", "name='',x", "name='3',4", "name='true',true", "name='null',null", "a=1e-5,1e5,1e16", "name=/x/y,s3://b/k",
        "name='${a} b',c", "name='a\\'b',c", "name='a\\\\',c", "name=a=b,c", "name=[],{}", "name=[a,[b,'c d']],x", "b={c:'x y'},{c:[1]}",
        "a=inf,nan", "name=,a", "name=a,", "name=a,,b", "name= a , b ", "name=Grüße,x", "name='Grüße',x", "name='tab\there',x", "name=a:b,c",
        "name='[1,2]',x", "name='a\\\\\\'b',x", "name=\"a\\\\\\\"b\",x", "name='\"',x", "name=\"'\",x",
        # choice
        "a=choice(1,2)", "a=choice(1)", "a=choice()", "a=choice([1,2],3)", "a=choice(a,b)", "a=choice('a','b c')", "a=choice(choice(1,2))",
        "a=choice(1,choice(2,3))", "a=choice(null,1)", "a=null,1", "a=choice(a=1)", "a=choice(int(1.5,2.5))", "a=choice(range(3))", "a=1,range(3)",
        "a=[1,choice(2,3)]", "b=choice({c:1},{c:2})", "a= choice( 1 , 2 ) ",
        # range
        "a=range(3)", "a=range(1,4)", "a=range(1,10,3)", "a=range(5,1,-2)", "a=range(start=1,stop=3)", "a=range(1,stop=7,step=2)",
        "a=range(stop=3)", "a=range(0,1,0.25)", "a=range(0,1,0.1)", "a=range(1,0,-0.1)", "a=range(0.5,3)", "a=range(2.5)", "a=range(-1.5,1.5,.5)",
        "a=range(3,1)", "a=range(1,3,-1)", "a=range(0,3,0)", "a=range(0,1,0.0)", "a=range(a,b)", "a=range('1',3)", "a=range()", "a=range(1,2,3,4)",
        "a=range(1,start=2)", "a=range(1,null)", "a=range(1,3,null)", "a=range(true,3)", "a=range(1e3,1e3)", "a=range(1,2,1e-1)", "a=range(0,0.3,0.1)",
        "a=range(1.1,2.2,0.3)", "a=range(10,-10,-7)", "a=range(0,1e-10,3e-11)", "a=range(1e16,1e16)", "a=range(-0.3,0.3,0.1)", "a=range(1,3,stp=1)",
        "a=range(1000000.1,1000000.5,0.1)", "a=range(0,1,0.3333333333333333)",
        # interval
        "a=interval(0,1)", "a=tag(x,interval(0,1))", "a=interval(0)",
        # casts of sweeps
        "a=int(1.5,2.5)", "a=int(choice('1','2'))", "a=float(1,2)", "a=float(range(3))", "a=int(range(0.5,3.5))", "a=int(range(0,3,0.5))",
        "a=str(range(3))", "a=bool(0,1)", "a=bool(choice(0,true,'false'))", "a=bool(range(2))", "a=int(value=choice(1.5,2.5))",
        "a=int(choice(a,1))", "a=int(interval(0,1))", "a=float([1,2],[3])", "a=float(glob(*))", "a=int(1.5),2",
        # sort
        "a=sort(3,1,2)", "a=sort(3,1,2,reverse=true)", "a=sort(choice(c,a,b))", "a=sort(range(5,0,-2))", "a=sort(range(1,6,2),reverse=true)",
        "a=sort(range(1,4))", "a=sort(range(1,4),reverse=false)", "a=sort(range(0,1,0.3),reverse=true)", "a=sort(c,1)", "a=sort(b,a,reverse=True)",
        "a=sort(sweep=choice(2,1))", "a=sort([3,1])", "a=sort([3,1],[2])", "a=sort(interval(0,1))", "a=sort(glob(*))", "a=sort(2,null)",
        "a=sort('b','a')", "a=sort(int(2.5,1.5))", "a=sort(range(10,1,-4))", "a=sort(tag(t,choice(2,1)))", "a=int(sort(2.5,1.5))",
        # tag
        "a=tag(t,choice(1,2))", "a=tag(choice(1,2))", "a=tag(t1,t2,range(2))", "a=tag(t,1)", "a=tag(1,choice(1,2))", "a=tag()",
        "a=tag(t,sweep=choice(1,2))", "a=tag(sweep=choice(1,2))", "a=tag(t,int(1,2))", "a=tag('t u',choice(1,2))",
        # groups
        "model=vit,resnet", "model=glob(*)", "model=glob(vit*)", "model=glob(*,exclude=vit*)", "model=glob(include=*,exclude=resnet)",
        "model=glob(r?snet)", "model=glob('[rv]*')", "model=glob('[!r]*')", "model=glob(nothing*)", "a=glob(*)", "nothing=glob(*)", "model=glob()",
        "model=glob(1)", "model=glob(*,*)", "model=glob(VIT*)", "model=vit,nope", "model=choice(vit,resnet)", "model=[vit],[resnet]",
        "+data=coco", ["model=vit,resnet", "model.kind=a,b"], ["+data=coco", "data.root=a,b"], "+model/head=mlp", "+model@other=vit,resnet",
        "model=sort(vit,resnet)", "model=null,vit", "+model@other=glob(vit*)",
        # refused
        "nope=1,2", "b.x=1,2", "hydra.run.dir=a,b", "a=1,nope(2)", "a=1,2)", "a=(1,2)", "=1,2", "+a=1,2", "a/b=1,2",
    ]),
]
