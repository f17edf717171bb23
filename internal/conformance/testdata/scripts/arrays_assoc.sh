declare -A count
for w in a b a c b a; do count[$w]=$(( ${count[$w]:-0} + 1 )); done
for k in $(printf '%s\n' "${!count[@]}" | sort); do echo "$k=${count[$k]}"; done
a=(one 'two words' three)
printf '<%s>' "${a[@]}"; echo
echo ${#a[@]} ${a[-1]} ${a[@]:1:2}
a+=(four); unset 'a[0]'; echo "${!a[@]}"
