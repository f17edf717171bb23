package python_test

import (
	"testing"

	"github.com/belljar-dev/belljar/engine"
)

// The interpreter's loop changes ints that nobody else has. No program can see that: a variable's new value is another
// object than its old one, which is still there when the new one is made, and what others hold stays.
func TestIntsDoNotChange(t *testing.T) {
	const program = `
def counts():
    x, y = 1000, 10**6
    for i in range(300):
        before, old = id(x), id(y)
        x += 1
        y = y + x
        assert id(x) != before and id(y) != old, i

def holds():
    total, seen = 1000, []
    for i in range(300):
        seen.append(total)
        total += i + 1000
    for i, n in enumerate(seen):
        assert n == 1000 + sum(range(i)) + 1000 * i, i

def shares():
    a = b = 10**6
    a += 1
    b -= 1
    cell = 5000
    def inner():
        return cell
    kept = inner()
    cell += 1
    assert (a, b, kept, inner()) == (10**6 + 1, 10**6 - 1, 5000, 5001)

def signs():
    for a in (7, -7, 7000, -7000, 2**30 - 1, 1 - 2**30):
        for b in (2, -2, 2000, -2000, 2**30 - 1, 1 - 2**30):
            q, r = a // b, a % b
            assert q * b + r == a and (r == 0 or (r < 0) == (b < 0)) and abs(r) < abs(b), (a, b)
            assert (a & b) + (a | b) == a + b and a ^ b == (a | b) - (a & b), (a, b)

counts(); holds(); shares(); signs()
print("same")
`
	if res := eval(t, sandbox(t, engine.Spec{}), program); res.Stdout != "same\n" {
		t.Errorf("%q, %s", res.Stdout, res.Stderr)
	}
}
