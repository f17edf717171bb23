printf '%s-%s\n' a b c d
printf '%q\n' "a b'c"
printf '%b' 'tab\there\n'
printf -v v '%03d' 7; echo $v
printf '%(%Y)T\n' 0
printf '%10.3s|\n' abcdef
printf '\x41\u00e9\n'
