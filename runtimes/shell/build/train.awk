# What gawk is used for, for profile.sh.

function fib(n) { return n < 2 ? n : fib(n - 1) + fib(n - 2) }

BEGIN {
	for (i = 0; i < 200000; i++) { s += i * 2; s %= 1000003 }
	fib(18)
	for (i = 0; i < 20000; i++) { list[i] = "k" i; text = text "x" }
	n = asort(list)
	for (i = 0; i < 5000; i++) { p = sprintf("%s %5d %.2f %-8s|", list[i], i, i / 3, "ab"); u = toupper(p); l += length(u) }
	FS = " "
}

NR <= 60000 { sum += $1; count[$2]++ }
NR <= 20000 && /word[3-6]/ { split($4, parts, /[,;]/); joined = parts[3] "-" parts[1]; seen[joined] += $3 }
NR <= 10000 { $2 = "changed"; gsub(/[a-c]/, "<&>"); sub(/,/, " "); print; print substr($0, index($0, "c"), 4) > "/dev/null" }
NR <= 10000 && match($0, /([0-9]+)\.([0-9])/, m) { t += m[1] * 10 + m[2] }
NR <= 5000 { if ($1 ~ "^1" && $1 !~ /5$/ || NF > 6) odd++; else even++; v = tolower($2); w = gensub(/(.)(.)/, "\\2\\1", "g", v) }
NR > 199990 { while (("echo " $1) | getline line > 0) got = got line; close("echo " $1) }

END {
	for (k in count) printf "%s %d\n", k, count[k]
	for (k in seen) if (!(k in count)) delete seen[k]
	print sum, t, odd, even, length(text), got, strftime("%Y", 0)
}
