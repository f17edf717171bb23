package python_test

import (
	"strings"
	"testing"

	"github.com/belljar-dev/belljar/engine"
)

// makeWheel is Python that makes demo-1.0-py3-none-any.whl.
const makeWheel = `
import zipfile
with zipfile.ZipFile("demo-1.0-py3-none-any.whl", "w") as z:
    z.writestr("demo.py", "def main():\n    print('from demo')\n")
    z.writestr("demo-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n")
    z.writestr("demo-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    z.writestr("demo-1.0.dist-info/entry_points.txt", "[console_scripts]\ndemo = demo:main\n")
    z.writestr("demo-1.0.dist-info/RECORD", "demo.py,,\ndemo-1.0.dist-info/METADATA,,\ndemo-1.0.dist-info/WHEEL,,\ndemo-1.0.dist-info/entry_points.txt,,\ndemo-1.0.dist-info/RECORD,,\n")
`

// pip installs what is pure Python into the user's folder, which the next program finds, and only what has it may see it.
func TestPip(t *testing.T) {
	sb := sandbox(t, engine.Spec{})
	if res := eval(t, sb, "import demo"); !strings.Contains(res.Stderr, "ModuleNotFoundError: No module named 'demo'") {
		t.Fatalf("before it is installed: %+v", res)
	}
	eval(t, sb, makeWheel)
	for _, c := range []struct {
		args      []string
		want, err string // parts of the output, and of what goes to standard error
		exit      int
	}{
		{[]string{"pip", "--version"}, "pip 25.1.1 from /usr/lib/python3.13/site-packages/pip (python 3.13)", "", 0},
		{[]string{"pip", "install", "--no-index", "./demo-1.0-py3-none-any.whl"}, "Successfully installed demo-1.0", "", 0},
		{[]string{"python3", "-c", "import demo; demo.main()"}, "from demo\n", "", 0},
		{[]string{"python3", "-s", "-c", "import demo"}, "", "No module named 'demo'", 1},
		{[]string{"python3", "-I", "-c", "import demo"}, "", "No module named 'demo'", 1},
		{[]string{"/home/user/.local/bin/demo"}, "from demo\n", "", 0},
		{[]string{"python3", "-m", "pip", "show", "demo"}, "Location: /home/user/.local/lib/python3.13/site-packages", "", 0},
		{[]string{"pip3", "uninstall", "-y", "demo"}, "Successfully uninstalled demo-1.0", "", 0},
		{[]string{"python3", "-c", "import demo"}, "", "No module named 'demo'", 1},
		{[]string{"pip", "install", "--no-index", "nothing-like-it"}, "", "No matching distribution found for nothing-like-it", 1},
	} {
		res, err := sb.Run(t.Context(), engine.Command{Args: c.args})
		if err != nil || res.ExitCode != c.exit || !strings.Contains(res.Stdout, c.want) || !strings.Contains(res.Stderr, c.err) {
			t.Errorf("%q: %+v, %v", c.args, res, err)
		}
	}
}

// A home that isn't the image's has packages of its own.
func TestUserSite(t *testing.T) {
	sb := sandbox(t, engine.Spec{Env: []string{"HOME=/tmp/home"}})
	const name = "/tmp/home/.local/lib/python3.13/site-packages"
	if err := sb.Files().MkdirAll(name, 0o755); err != nil {
		t.Fatal(err)
	}
	for file, text := range map[string]string{"mine.py": "x = 5\n", "more.pth": "/tmp/home/more\n"} {
		if err := sb.Files().WriteFile(name+"/"+file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := sb.Files().MkdirAll("/tmp/home/more", 0o755); err != nil {
		t.Fatal(err)
	}
	res := eval(t, sb, "import site, mine, sys; print(site.getusersitepackages(), mine.x, [p for p in sys.path if 'home' in p])")
	if want := name + " 5 ['" + name + "', '/tmp/home/more']\n"; res.Stdout != want {
		t.Errorf("%+v, want %q", res, want)
	}
}

// A virtual environment has the base's library, and a pip of its own.
func TestVenv(t *testing.T) {
	sb := sandbox(t, engine.Spec{})
	eval(t, sb, makeWheel)
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"python3", "-m", "venv", "env"}, ""},
		{[]string{"env/bin/python", "-c", "import sys; print(sys.prefix, sys.base_prefix)"}, "/home/user/env /usr\n"},
		{[]string{"env/bin/pip", "install", "--no-index", "./demo-1.0-py3-none-any.whl"}, "Successfully installed demo-1.0"},
		{[]string{"env/bin/python", "-c", "import demo; print(demo.__file__)"}, "/home/user/env/lib/python3.13/site-packages/demo.py\n"},
		{[]string{"env/bin/demo"}, "from demo\n"},
	} {
		res, err := sb.Run(t.Context(), engine.Command{Args: c.args})
		if err != nil || res.ExitCode != 0 || !strings.Contains(res.Stdout, c.want) {
			t.Errorf("%q: %+v, %v", c.args, res, err)
		}
	}
	if res := eval(t, sb, "import demo"); res.ExitCode != 1 {
		t.Errorf("outside of it: %+v", res)
	}
}

// What can't be had is a MemoryError, as where sizes have 64 bits.
func TestTooLarge(t *testing.T) {
	sb := sandbox(t, engine.Spec{})
	for code, want := range map[string]string{
		"'a' * 10**12": "MemoryError", "b'a' * 10**12": "MemoryError", "[0] * 10**12": "MemoryError", "(0,) * 2**40": "MemoryError",
		"bytes(10**12)": "MemoryError", "bytearray(10**12)": "MemoryError", "'a' * 10**30": "OverflowError", "bytes(2**31)": "OverflowError",
		"len('' * 10**12)": "0", "len('a' * -10**12)": "0", "bytes(-10**12)": "ValueError", "'a' * 'b'": "TypeError",
	} {
		res := eval(t, sb, "try: print("+code+")\nexcept BaseException as e: print(type(e).__name__)")
		if res.Stdout != want+"\n" {
			t.Errorf("%s: %q, want %q", code, res.Stdout, want)
		}
	}
}

// What others write to a mapped file stays, but for the pages that the map's owner has written; what may not be written isn't mapped so.
func TestSharedMap(t *testing.T) {
	sb := sandbox(t, engine.Spec{})
	res := eval(t, sb, `
import mmap, os
open("f", "wb").write(b"a" * 8192)
with open("f", "r+b") as f, mmap.mmap(f.fileno(), 0) as m:
    m[:3] = b"xyz"
    with open("f", "r+b") as g:
        g.seek(5000); g.write(b"QQQ")
    m.flush()
with open("f", "rb") as f:
    d = f.read(); print(d[:4], d[5000:5004])
    try: mmap.mmap(f.fileno(), 0)
    except OSError as e: print(e.errno, type(e).__name__)
    print(mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ)[:4], mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_COPY)[:4])
print(type(OSError(108, "x")).__name__)
with open("f", "r+b") as f:
    m = mmap.mmap(f.fileno(), 0); m[0:2] = b"??" # written back at the program's end
`)
	if want := "b'xyza' b'QQQa'\n13 PermissionError\nb'xyza' b'xyza'\nBrokenPipeError\n"; res.Stdout != want {
		t.Errorf("%+v, want %q", res, want)
	}
	if b, err := sb.Files().ReadFile("/home/user/f"); err != nil || string(b[:3]) != "??z" {
		t.Errorf("after the program: %q, %v", b[:3], err)
	}
}
