cat > d <<E
alice,30,ny
bob,25,sf
carol,41,ny
E
awk -F, '{n[$3]++; s[$3]+=$2} END {for (k in n) print k, n[k], s[k]/n[k]}' d | sort
awk -F, 'NR>1 && $2>26 {printf "%-10s|%5d\n", $1, $2}' d
awk 'BEGIN {x="a.b.c"; n=split(x,p,"."); print n, p[3]; print substr("hello",2,3), toupper("x"), length("four")}'
echo 'k1=v1;k2=v2' | awk -F'[=;]' '{print $2, $4}'
awk '{gsub(/[aeiou]/,"#"); print}' d
awk 'BEGIN{while (("echo piped" | getline l) > 0) print l; print "to sort" | "sort"}'
