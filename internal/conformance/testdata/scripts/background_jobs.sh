sleep 0.05 & p=$!
wait $p; echo $?
(exit 5) & wait $!; echo $?
for i in 3 1 2; do (sleep 0.0$i; echo $i) & done; wait
kill -0 $p 2>/dev/null || echo gone
sleep 10 & kill $!; wait $! 2>/dev/null; echo $?
