import importlib, importlib.metadata, importlib.resources, importlib.util, os, pathlib, pkgutil, subprocess, sys, zipfile, types, zipimport, runpy
P = pathlib.Path
with zipfile.ZipFile("toy-1.2-py3-none-any.whl", "w") as z:
    z.writestr("toy/__init__.py", "from .core import f\n__version__ = '1.2'\n"); z.writestr("toy/core.py", "def f(x): return x * 2\n"); z.writestr("toy/__main__.py", "import sys; print('toy', sys.argv[1:])\n"); z.writestr("toy/data.txt", "resource\n")
    z.writestr("toy-1.2.dist-info/METADATA", "Metadata-Version: 2.1\nName: toy\nVersion: 1.2\nRequires-Dist: other>=1; extra == 'x'\n"); z.writestr("toy-1.2.dist-info/entry_points.txt", "[console_scripts]\ntoy = toy.core:f\n"); z.writestr("toy-1.2.dist-info/RECORD", "")
sys.path.insert(0, "toy-1.2-py3-none-any.whl"); import toy; print(toy.f(4), toy.__version__, type(toy.__loader__).__name__); del sys.path[0], sys.modules["toy"], sys.modules["toy.core"]
print(subprocess.run([sys.executable, "-m", "zipfile", "-e", "toy-1.2-py3-none-any.whl", "site"], capture_output=True, text=True).returncode, sorted(os.listdir("site")))
env = {**os.environ, "PYTHONPATH": os.path.abspath("site")}
for args in ["-m", "toy", "a"], ["-c", "import toy, importlib.metadata as m; print(m.version('toy'), m.requires('toy'), [e.value for e in m.entry_points(group='console_scripts') if e.name == 'toy'])"], ["-c", "import importlib.resources as r; print(r.files('toy').joinpath('data.txt').read_text())"]:
    r = subprocess.run([sys.executable, *args], env=env, capture_output=True, text=True); print(r.returncode, r.stdout, r.stderr[-200:])
r = subprocess.run([sys.executable, "-c", "import site, sys; print(site.ENABLE_USER_SITE is not None); import sysconfig; print(sorted(k for k in sysconfig.get_paths()))"], capture_output=True, text=True); print(r.stdout)
P("pkg/sub").mkdir(parents=True); P("pkg/__init__.py").write_text("x = 1\n"); P("pkg/sub/__init__.py").write_text("from .. import x\nfrom . import leaf\n"); P("pkg/sub/leaf.py").write_text("import pkg\ny = pkg.x + 1\n"); P("pkg/bad.py").write_text("import missing_thing\n"); P("ns/part").mkdir(parents=True); P("ns/part/m.py").write_text("z = 3\n")
sys.path.insert(0, "."); import pkg.sub; from ns.part import m; print(pkg.sub.leaf.y, m.z, sorted(i.name for i in pkgutil.walk_packages(["pkg"], "pkg.")), importlib.util.find_spec("pkg.sub.leaf").origin.endswith("leaf.py"))
P("pkg/__init__.py").write_text("x = 10  # changed\n"); importlib.invalidate_caches(); importlib.reload(pkg); print(pkg.x)
for name in "pkg.bad", "pkg.none", "pkg.sub.leaf.deeper", "":
    try: importlib.import_module(name)
    except Exception as e: print(type(e).__name__, e)
P("circ_a.py").write_text("import circ_b\nfrom circ_b import v\n"); P("circ_b.py").write_text("from circ_a import w\nv = 1\n")
try: import circ_a
except ImportError as e: print(str(e).split(" (")[0])
spec = importlib.util.spec_from_loader("dyn", loader=None); dyn = importlib.util.module_from_spec(spec); exec("def g(): return __name__", dyn.__dict__); print(dyn.g(), runpy.run_path("circ_b.py" if 0 else "ns/part/m.py")["z"])
P("conf.py").write_text("A = 1\n"); P("__pycache__").exists(); import conf; print(P("__pycache__").exists(), conf.__cached__.endswith(".pyc"), os.path.exists(conf.__cached__))
print(subprocess.run([sys.executable, "-c", "import conf; print(conf.A)"], capture_output=True, text=True).stdout, subprocess.run([sys.executable, "-m", "compileall", "-q", "pkg"], capture_output=True, text=True).returncode)
class Finder:
    def find_spec(self, name, path, target=None): return importlib.util.spec_from_loader(name, self) if name.startswith("virtual_") else None
    def create_module(self, spec): return None
    def exec_module(self, mod): mod.value = mod.__name__.upper()
sys.meta_path.append(Finder()); import virtual_x; print(virtual_x.value)
