"""An argparse program that calls the shell's tools and itself."""
import argparse, csv, json, os, pathlib, shlex, subprocess, sys, tempfile
CLI = '''
import argparse, csv, json, sys, pathlib
p = argparse.ArgumentParser(prog="report", description="Sum a column.")
p.add_argument("file", type=pathlib.Path, help="a CSV file")
p.add_argument("-c", "--column", default="amount", metavar="NAME")
p.add_argument("-v", "--verbose", action="count", default=0)
g = p.add_mutually_exclusive_group()
g.add_argument("--json", action="store_true"); g.add_argument("--text", action="store_true")
sub = p.parse_args()
with sub.file.open(newline="") as f: rows = list(csv.DictReader(f))
try: total = sum(float(r[sub.column]) for r in rows)
except KeyError as e: p.error(f"no such column: {e}")
print(json.dumps({"rows": len(rows), "total": total}) if sub.json else f"{len(rows)} rows, {total:.2f}")
if sub.verbose: print("verbose", sub.verbose, file=sys.stderr)
'''
d = pathlib.Path(tempfile.mkdtemp()); cli = d / "report.py"; cli.write_text(CLI); data = d / "data.csv"
with data.open("w", newline="") as f:
    w = csv.DictWriter(f, ["name", "amount"]); w.writeheader()
    w.writerows({"name": f'n"{i}, x', "amount": i * 1.5} for i in range(50))
def run(*args): return subprocess.run([sys.executable, cli, *map(str, args)], capture_output=True, text=True, env={**os.environ, "COLUMNS": "80"})
for args in [(data,), (data, "--json", "-vv"), (data, "--json", "--text"), (), ("--help",), (data, "-c", "nope"), ("missing.csv",)]:
    r = run(*args); print(r.returncode, r.stdout, r.stderr.replace(str(d), "D").splitlines()[-1:])
sh = lambda c: subprocess.run(c, shell=True, executable="/bin/bash", capture_output=True, text=True, cwd=d)
print(sh("tail -n +2 data.csv | sort -t, -k3 -rn | head -3; wc -l < data.csv").stdout)
print(sh(f"grep -c x data.csv && awk -F, 'NR>1 {{s += $NF}} END {{print s}}' data.csv | sed 's/^/sum /'").stdout)
print(sh("find . -name '*.py' -exec wc -l {} + | awk '{print $1}'; ls | sort; cat nothing").stdout)
print(sh("cat nothing").stderr, sh("exit 42").returncode, shlex.join(["a b", "c'd", "$x"]))
print(sh(f"{shlex.quote(sys.executable)} report.py data.csv --json | {shlex.quote(sys.executable)} -m json.tool --indent 2").stdout)
print(sh("xargs -n1 echo item <<< 'a b c'; tr a-z A-Z < data.csv | head -1; diff <(echo a) <(echo b)").stdout)
