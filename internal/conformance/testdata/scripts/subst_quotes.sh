a='x  y'; echo $a; echo "$a"; echo '$a'
echo "$(echo "nested $(echo deep)")"
b=`echo back`; echo $b
echo $'tab\tq\'s'
set -- 'one two' three; echo $#; for x in "$@"; do echo "<$x>"; done
IFS=,; y=a,b,c; echo $y; set -- $y; echo $2
