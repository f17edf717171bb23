package gitops

import "slices"

// mergeText merges two texts that came of one, and tells how many conflicts it marked, as git merge-file does with
// its default level of simplification: changes that both made alike are no conflict.
func mergeText(base, ours, theirs []string, ourName, theirName string) (merged []string, conflicts int) {
	a, b := diffLines(base, ours), diffLines(base, theirs)
	at, oursOff, theirsOff := 0, 0, 0
	for len(a) > 0 || len(b) > 0 {
		// A region is the changes of both sides that touch one another.
		lo := 1 << 62
		if len(a) > 0 {
			lo = a[0].a0
		}
		if len(b) > 0 {
			lo = min(lo, b[0].a0)
		}
		hi, na, nb := lo, 0, 0
		for grew := true; grew; {
			grew = false
			for na < len(a) && a[na].a0 <= hi {
				hi, na, grew = max(hi, a[na].a1), na+1, true
			}
			for nb < len(b) && b[nb].a0 <= hi {
				hi, nb, grew = max(hi, b[nb].a1), nb+1, true
			}
		}
		merged = append(merged, base[at:lo]...)
		o0, t0 := lo+oursOff, lo+theirsOff
		for _, r := range a[:na] {
			oursOff += (r.b1 - r.b0) - (r.a1 - r.a0)
		}
		for _, r := range b[:nb] {
			theirsOff += (r.b1 - r.b0) - (r.a1 - r.a0)
		}
		o, t := ours[o0:hi+oursOff], theirs[t0:hi+theirsOff]
		switch {
		case nb == 0 || slices.Equal(o, t):
			merged = append(merged, o...)
		case na == 0:
			merged = append(merged, t...)
		default:
			merged = append(merged, conflict(o, t, ourName, theirName, &conflicts)...)
		}
		at, a, b = hi, a[na:], b[nb:]
	}
	return append(merged, base[at:]...), conflicts
}

// conflict marks what two sides made of one piece; only what they made differently.
func conflict(ours, theirs []string, ourName, theirName string, count *int) []string {
	var out []string
	flush := func(o, t []string) {
		*count++
		out = append(out, "<<<<<<< "+ourName+"\n")
		out = append(out, ended(o)...)
		out = append(out, "=======\n")
		out = append(out, ended(t)...)
		out = append(out, ">>>>>>> "+theirName+"\n")
	}
	runs := joinNear(diffLines(ours, theirs))
	at := 0
	for _, r := range runs {
		out = append(out, ours[at:r.a0]...)
		flush(ours[r.a0:r.a1], theirs[r.b0:r.b1])
		at = r.a1
	}
	return append(out, ours[at:]...)
}

// joinNear joins conflicts with three equal lines or fewer between them: apart they would be no shorter.
func joinNear(runs []run) []run {
	var out []run
	for _, r := range runs {
		if n := len(out); n > 0 && r.a0-out[n-1].a1 <= 3 {
			out[n-1].a1, out[n-1].b1 = r.a1, r.b1
			continue
		}
		out = append(out, r)
	}
	return out
}

// ended gives the last line its newline: a marker follows.
func ended(lines []string) []string {
	if n := len(lines); n > 0 && lines[n-1] != "" && lines[n-1][len(lines[n-1])-1] != '\n' {
		lines = append(slices.Clone(lines[:n-1]), lines[n-1]+"\n")
	}
	return lines
}
