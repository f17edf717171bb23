seq 8 | xargs -P4 -I{} sh -c 'echo {}' | sort -n | paste -sd,
seq 5 | xargs -n2 echo; printf 'a b\nc\n' | xargs -L1 echo line; echo 'x y' | xargs -I% echo '<%>'; xargs echo none < /dev/null; xargs -r echo none < /dev/null; printf '1\n0\n' | xargs -n1 sh -c 'exit $0' 2>/dev/null; echo $?
