printf 'Alpha\nbeta 42\ngamma\nALPHA x\n' > f; mkdir d; cp f d/g
grep -n a f; grep -ic alpha f; grep -v a f; grep -E '[0-9]+' -o f; grep -rl beta . | sort; grep -q zzz f; echo $?
grep -A1 beta f; grep -w x f; grep -F '[' f; echo $?; grep -e Al -e ga f; grep -c '' f; grep -x gamma f; grep --include='g' -r ALPHA d; grep -L beta f d/g; grep -m1 a f; egrep -h 'be|ga' f 2>/dev/null || grep -Eh 'be|ga' f
