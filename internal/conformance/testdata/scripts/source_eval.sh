echo 'v=sourced; sf() { echo in sf $1; return 4; }' > lib.sh
. ./lib.sh; echo $v; sf x; echo $?
eval 'echo evaluated $((1+1))'
n=v; echo ${!n}; declare -n r=v; r=byref; echo $v
source lib.sh && echo ok; type sf | head -1; unset -f sf; type sf >/dev/null 2>&1 || echo unset
