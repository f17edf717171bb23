parse() { local OPTIND o v=0 n=; while getopts ':vn:' o; do case $o in v) v=1;; n) n=$OPTARG;; :) echo "need $OPTARG"; return 1;; \?) echo "bad $OPTARG"; return 1;; esac; done; shift $((OPTIND-1)); echo "v=$v n=$n rest=$*"; }
parse -v -n 3 a b; parse -n; parse -x; parse -vn5 -- -z
