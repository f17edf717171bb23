set -euo pipefail
f() { grep -q nothing /etc/passwd || echo none; }
f
false | cat || echo caught $?
(set +e; false; echo on)
true | false | true || echo last $?
