# What has come of a row, in each of its repositories.
trap - ERR
cd "$HOME"
for d in $(find . -name '*.git' | sort); do
	[ -f "$d/HEAD" ] || continue
	echo "-- $d $(<"$d/HEAD")"
	git --git-dir="$d" for-each-ref
	case $d in
	*/.git) git -C "$d/.." status --porcelain=2 --branch ;;
	esac
done 2>&1
