echo out; echo err >&2
{ echo a; echo b >&2; } > f 2>&1; cat f
exec 3> g; echo three >&3; exec 3>&-; cat g
exec 4< g; read -u 4 l; echo $l; exec 4<&-
ls nosuch 2>/dev/null || echo no
echo x >> f; wc -l < f
cat <<< here
: > f; [ -s f ] || echo empty
echo clobber > h; set -o noclobber; echo y > h 2>/dev/null || echo refused; cat h
