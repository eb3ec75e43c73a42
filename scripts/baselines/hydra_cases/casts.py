# SPDX-License-Identifier: Apache-2.0
"""Functions in an override's value that are no sweeps: casts, sort(), and calls that are wrong."""
from . import each

ENVIRONMENT = {}

TREES = {"casts": {"config.yaml": "a: 1\nb: {c: 2}\nlist: [1, 2]\n"}}

CASES = each("casts", "config", [
    # int
    "a=int(3)", "a=int(3.9)", "a=int(-3.9)", "a=int(true)", "a=int(False)", "a=int('3')", "a=int(\"1_000\")", "a=int(' 42 ')",
    "a=int('+7')", "a=int(007)", "a=int('1e3')", "a=int(1e3)", "a=int(1.5e3)", "a=int('3.5')", "a=int(abc)", "a=int('')", "a=int(null)",
    "a=int(inf)", "a=int(nan)", "a=int('0x10')", "a=int('1__0')", "a=int('_1')", "a=int('- 1')", "a=int(10)", "a=int ( 10 )",
    "a=int([1.5,'2',true])", "a=int({x:1.5,y:[2.5]})", "a=int([])", "a=int({})", "a=int([null])", "a=int([[1.5],{z:2.5}])",
    "a=int()", "a=int(value=2.5)", "a=int(1,value=2)", "a=int(valu=1)", "a=int(value=null)", "a=int(1,value=null)",
    "a=int(float(2.5))", "a=int(str(2))", "a=int(str(2.5))", "a=int(bool(yes))", "a=int(bool(true))",
    # float
    "a=float(3)", "a=float(true)", "a=float('1e3')", "a=float('inf')", "a=float('-Infinity')", "a=float('NAN')", "a=float(' 1.5 ')",
    "a=float('1_0.5')", "a=float('1_.5')", "a=float(.5)", "a=float('5.')", "a=float('.')", "a=float('')", "a=float(abc)", "a=float(null)",
    "a=float([1,2])", "a=float({x:1,y:'2'})", "a=float('0x1p3')", "a=float('1e999')", "a=float(-0)", "a=float('nan(1)')", "a=float(1e-5)",
    # str
    "a=str(3)", "a=str(3.0)", "a=str(1e3)", "a=str(1e-5)", "a=str(true)", "a=str(False)", "a=str(abc)", "a=str('a b')", "a=str(null)",
    "a=str([1,2.5,true,x])", "a=str({x:1,y:{z:false}})", "a=str(${b.c})", "a=str('')", "a=str(inf)", "a=str(1_000)", "a=str(a b)",
    "a=str([1,null])", "a=str(int(2.5))",
    # bool
    "a=bool(1)", "a=bool(0)", "a=bool(0.0)", "a=bool(nan)", "a=bool(true)", "a=bool('true')", "a=bool(FaLsE)", "a=bool(yes)", "a=bool('')",
    "a=bool(null)", "a=bool([0,1,'true'])", "a=bool({x:0})", "a=bool('1')", "a=bool(-1)",
    # where they may stand
    "a=[int(1.5),str(2)]", "a={x:int(1.5),y:[str(true)]}", "+z=int(1.5)", "++b.c=str(5)", "~a=int(1.5)", "~a=int(2.5)", "b=int({c:3.5})",
    "a=x int(1)", "a=int(1) x", "a=int(1) ", "a= int(1)", "a=int(1)int(2)", "a=int(1", "a=int 1)", "a=int(1,)", "a=int(,1)", "a=int(1;2)",
    "a=INT(1)", "a=json_str(1)", "a=extend_list(3)", "list=extend_list(3)", "a=1(2)", "a=true(1)", "a=null(1)", "a=inf(1)", "a=a.b(1)",
    "a=int-1(2)", "a={int(1):2}", "a='int(1)'", "a=int\\(1\\)", "a=int(a=1)", "a=int(value = 3)", "a=int(1=2)", "a=int(value=1,2)",
    "a=[choice(1,2)]", "a={x:range(3)}", "a=int([choice(1,2)])",
    # sort and shuffle of lists and single values
    "a=sort([3,1,2])", "a=sort([c,a,b])", "a=sort([3,1,2],reverse=true)", "a=sort([3,1.5,true,2])", "a=sort([a,1])", "a=sort([[2,1],[1,9]])",
    "a=sort([])", "a=sort(list=[3,1,2],reverse=True)", "a=sort([3,1],reverse=1)", "a=sort([3,1],reverse=false)", "a=sort(5)", "a=sort(x)",
    "a=sort()", "a=sort({x:1})", "a=sort(null)", "a=sort([null,1])", "a=sort([1,2],reversed=true)", "a=sort(list=5)", "a=sort([1,1.0,true,0])",
    "a=sort([1,1.0,true,0],reverse=true)", "a=sort([[1],[1,2],[]])", "a=sort([b,B,a_,Z])", "a=sort([{x:1}])", "a=sort([{x:1},{y:2}])",
    "a=shuffle([1])", "a=shuffle([])", "a=shuffle(7)", "a=shuffle(x)", "a=shuffle({x:1})", "a=shuffle(null)", "a=shuffle()",
    "a=shuffle(list=[4])", "a=shuffle(list=4)",
    # sweeps are refused without -m
    "a=int(1,2)", "a=str(choice(1,2))", "a=sort(3,1)", "a=shuffle(1,2)", "a=choice(1)", "a=range(3)", "a=glob(*)", "a=tag(x,choice(1,2))",
    "a=interval(0,1)", "a=1,choice(2,3)",
])
