mapfile -t l < <(printf 'x\ny y\nz\n'); echo ${#l[@]} "${l[1]}"
read -ra w <<< 'p q r'; echo ${w[2]}
IFS= read -rd '' all < <(printf 'two\nlines\n'); printf '[%s]' "$all"; echo
read -n3 c <<< abcdef; echo $c; read -t 1 x <<< quick; echo $x; readarray -n2 -t two < <(seq 5); echo ${two[*]}
