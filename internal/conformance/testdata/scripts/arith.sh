echo $((2**10)) $((17%5)) $((-7/2)) $((0xff)) $((010)) $((1<<4|1)) $((3>2?7:8))
i=5; echo $((i++ + ++i)) $i
((i>6)) && echo big
let j=i*2; echo $j
for ((k=0,m=10;k<m;k+=3,m--)); do echo -n "$k,$m "; done; echo
printf '%d %x %o %e %5.2f|%-5s|%05d\n' 255 255 8 12345.678 3.14159 ab 42
