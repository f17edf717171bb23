printf 'foo=1\nbar=2\nbaz=3\n' > c
sed -i 's/^bar=.*/bar=20/' c
sed -i.bak -e '/^baz/d' -e '1i # header' c
cat c c.bak
sed -n '2,3p' c
sed -E 's/([a-z]+)=([0-9]+)/\2:\1/' c
echo 'a b c' | sed 's/ /\n/g'
seq 10 | sed -n '/3/,/5/p;$='
