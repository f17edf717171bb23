printf 'banana\napple\ncherry\napple\n' > f
sort f | uniq -c | sort -rn | awk '{print $2,$1}'
cut -c1-3 f; tr a-z A-Z < f | head -1
nl f | tail -1
paste -sd+ f; fold -w4 f | head -2; tac f | head -1
wc -lwc f; expand <<< $'a\tb'; seq -s, 5; shuf -i1-5 | sort | tr -d '\n'; echo
join <(printf 'a 1\nb 2\n') <(printf 'a x\nb y\n'); split -l2 f s_; ls s_*; column -t f >/dev/null 2>&1; head -c5 f; echo; od -c <<< hi
