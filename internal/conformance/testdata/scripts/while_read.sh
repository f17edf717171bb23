printf 'a:1\nb:2\nc:3\n' > t
while IFS=: read -r k v; do echo "$v $k"; done < t
sum=0
while read -r n; do ((sum+=n)); done < <(seq 10)
echo $sum
printf 'last line without newline' | { read -r l; echo "[$l] $?"; }
