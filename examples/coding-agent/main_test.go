package main

import (
	"bytes"
	"testing"
)

func TestRun(t *testing.T) {
	var out bytes.Buffer
	if err := run(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	const want = `the tests fail
the tests pass
diff --git a/median.py b/median.py
index 33cd5bd..dbb1fce 100644
--- a/median.py
+++ b/median.py
@@ -1,4 +1,7 @@
 def median(values):
     """The middle of the sorted values; of two, their mean."""
     values = sorted(values)
-    return values[len(values) // 2]
+    middle = len(values) // 2
+    if len(values) % 2:
+        return values[middle]
+    return (values[middle - 1] + values[middle]) / 2
pushed: median: take the mean of two, by Agent
`
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", &out, want)
	}
}
