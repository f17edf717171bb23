# What scripts spend their time with, for profile.sh: each part about as long as the others.

for i in {1..60000}; do ((n++)); done
for ((i = 0; i < 20000; i++)); do x=$((i * 7 % 13 + n / 3)) && ((x > 5 ? y++ : z--)); done
i=0
while [ $i -lt 8000 ]; do i=$((i + 1)); done
until [[ $i -le 0 ]]; do let i-=1; done

# Words, quotes and expansions.
line="one two  three four:five,six"
for i in {1..3000}; do
	set -- $line "$line" 'single' $i
	a=${line#* } b=${line##* } c=${line%:*} d=${line/two/2} e=${line//o/0} f=${#line} g=${line:4:3} h=${line^^} k=${nothing:-default}
	IFS=:, read -r p q r <<<"$line"
	printf -v text '%s-%05d-%x' "$1" "$i" "$i"
	[[ $line == *three* && $text != x* ]] && m=$n
	[ "$1" = one -a -n "$2" ] || echo "$1"
	case $text in one-*) : ;; *two) echo two ;; [a-z]) echo letter ;; esac
done
for i in {1..1500}; do [[ "key$i=value $i" =~ ^([a-z]+)([0-9]+)=(.*)$ ]] && m=${BASH_REMATCH[2]}; done

# Arrays and functions.
declare -A map
list=()
for i in {1..4000}; do list+=("item $i"); map[key$i]=$i; done
for item in "${list[@]}"; do last=${item#item }; done
for key in "${!map[@]}"; do ((sum += map[$key])); done
for ((i = 0; i < ${#list[@]}; i++)); do last=${list[i]}; done
fib() {
	local n=$1
	if ((n < 2)); then result=$n; return; fi
	fib $((n - 1))
	local left=$result
	fib $((n - 2))
	((result += left))
}
fib 14
swap() { local -n first=$1 second=$2; local t=$first; first=$second; second=$t; }
u=1 v=2
for i in {1..1500}; do swap u v; done
join() { local IFS=$1; shift; echo "$*"; }
for i in {1..1000}; do join , a b "c d" $i; done

# Lines, files, processes.
for i in {1..5000}; do echo "$i line $((i % 10))"; done >lines
while read -r number word rest; do [[ $rest == 7 ]] && ((found++)); done <lines
while IFS= read -r row; do rows+=("$row"); done < <(head -500 lines)
mapfile -t all <lines
for i in {1..300}; do x=$(echo sub $i); y=`echo "$x"`; done
for i in {1..100}; do echo $i | { read -r z; echo "$z"; }; done
for i in {1..60}; do /bin/true; (exit 3); ! false || echo no; done
for i in {1..300}; do
	cat <<-END >here
		text $i ${line%% *} $((i + 1))
	END
done 2>/dev/null
touch file-{a..z}-{1..4}
for i in {1..60}; do for file in file-[a-m]*; do [ -e "$file" ] && base=${file%-*}; done; done
for i in {1..400}; do eval "v$i=\$((i * 2))"; trap "echo $i" USR1; unset "v$i"; done
trap - USR1
set -euo pipefail
for i in {1..2000}; do [[ -n ${HOME:-} ]] || exit 1; done
rm -f file-* lines here
