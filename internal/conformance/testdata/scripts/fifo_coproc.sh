mkfifo p; (for i in 1 2 3; do echo msg $i; done > p) & while read -r l; do echo got $l; done < p; wait
coproc C { while read -r x; do echo "co $x"; done; }
echo hi >&${C[1]}; read -r y <&${C[0]}; echo $y; eval "exec ${C[1]}>&-"; wait $C_PID 2>/dev/null; echo done
