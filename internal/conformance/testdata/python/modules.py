import subprocess, sys, os, pathlib
def m(*a, input=None, n=99):
    r = subprocess.run([sys.executable, "-m", *a], input=input, capture_output=True, text=True, env={**os.environ, "COLUMNS": "80"})
    print(a, r.returncode); print(r.stdout[:2000]); print("\n".join(r.stderr.splitlines()[-n:]).replace(sys.executable, "python3"))
pathlib.Path("test_x.py").write_text("import unittest\nclass T(unittest.TestCase):\n def test_ok(self): self.assertEqual(1, 1)\n @unittest.skip('why')\n def test_skip(self): pass\n def test_sub(self):\n  for i in range(2):\n   with self.subTest(i=i): pass\n")
pathlib.Path("bad.py").write_text("def f(:\n  pass\n"); pathlib.Path("good.py").write_text('"""Doc.\n\n>>> 1 + 1\n2\n"""\nx = 1\nprint(__name__)\n')
m("json.tool", input='{"b": [1, 2], "a": null}'); m("json.tool", "--sort-keys", "--compact", input='{"b": 1, "a": 2}'); m("json.tool", input="{bad}")
m("py_compile", "bad.py"); m("compileall", "-q", "good.py"); m("doctest", "good.py"); m("base64", "-e", "good.py")
m("calendar", "2024", "2"); m("textwrap"); m("nothing_here"); m("pytest"); m("numpy"); m("this")
m("tokenize", "-e", "good.py"); m("ast", "good.py"); m("dis", "good.py", n=2); m("zipfile", "-c", "z.zip", "good.py"); m("zipfile", "-t", "z.zip")
m("tarfile", "-c", "t.tar", "good.py"); m("tarfile", "-l", "t.tar"); m("gzip", "good.py"); m("uuid", "--help", n=1); m("timeit", "-n1", "-r1", "-q", "pass", n=1) if 0 else None
m("random", "--seed", "3", "--integer", "10") if 0 else None
m("trace", "--count", "-C", "cov", "good.py"); m("unittest", "-q", "nothing.T", n=1); m("inspect", "good", n=1); m("pyclbr", "good.py"); m("quopri", input="a=b\n"); m("ensurepip", "--version", n=1) if 0 else None
