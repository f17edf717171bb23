paste <(seq 3) <(seq 4 6)
comm -12 <(printf 'a\nb\nc\n') <(printf 'b\nc\nd\n')
echo to > >(cat)
wait; sort -m <(echo a; echo c) <(echo b)
