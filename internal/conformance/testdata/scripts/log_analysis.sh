for i in $(seq 1 50); do echo "2024-01-0$((i%3+1)) 10.0.0.$((i%4)) $([ $((i%5)) -eq 0 ] && echo ERROR || echo INFO) req=$i"; done > log
awk '$3=="ERROR"{e[$2]++} END{for(k in e) print e[k],k}' log | sort -k1,1nr -k2
cut -d' ' -f1 log | sort | uniq -c | awk '{print $1,$2}'
grep -c ERROR log; tail -n 2 log; sort -t= -k2,2nr log | head -1; awk '{print $2}' log | sort -u | paste -sd' '
