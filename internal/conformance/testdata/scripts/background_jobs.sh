sleep 0.05 & p=$!
wait $p; echo $?
(exit 5) & wait $!; echo $?
for i in 3 1 2; do (echo job $i) & wait; done
for i in 1 2 3; do echo $i > job.$i & done; wait; cat job.*
kill -0 $p 2>/dev/null || echo gone
sleep 10 & kill $!; wait $! 2>/dev/null; echo $?
