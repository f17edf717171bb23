printf '1\n2\n3\n' > a; printf '1\ntwo\n3\n4\n' > b
diff a b; echo $?
diff -u --label a --label b a b > p; cat p
patch -s a < p && cmp a b && echo equal
patch -R -s a < p; cat a
diff -rq . . ; echo $?
