f() { local x=in; g; echo $x; }
g() { x=changed; }
x=out; f; echo $x
fact() { (( $1 <= 1 )) && echo 1 || echo $(( $1 * $(fact $(($1-1))) )); }
fact 6
ret() { return 42; }; ret; echo $?
args() { echo $# "$*" "${@:2}"; shift; echo $1; }; args a b 'c d'
