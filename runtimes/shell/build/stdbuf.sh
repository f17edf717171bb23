#!/bin/sh
# stdbuf, without its effect: coreutils' puts a library before the program's, and programs here have none. A program
# writes what it has when its buffer is full, and at its end.
usage() {
	cat <<-END
		Usage: stdbuf OPTION... COMMAND
		Run COMMAND as if without buffering operations for its standard streams: here they stay as they are.

		  -i, --input=MODE   adjust standard input stream buffering
		  -o, --output=MODE  adjust standard output stream buffering
		  -e, --error=MODE   adjust standard error stream buffering
		      --help         display this help and exit
		      --version      output version information and exit

		MODE is L, 0, or a size in bytes, which a unit may follow: KB 1000, K 1024, and so on.
	END
}
fail() {
	echo "stdbuf: $1" >&2
	exit "${2:-125}"
}
wrong() {
	echo "stdbuf: $1" >&2
	echo "Try 'stdbuf --help' for more information." >&2
	exit 125
}
mode() {
	case $2 in
	L) [ "$1" != i ] || wrong "line buffering stdin is meaningless" ;;
	*[!0-9KkMGTPEZYRQiB]* | [!0-9]* | '') fail "invalid mode '$2'" ;;
	esac
	set=1
}
set=
while :; do
	case $1 in
	-[ioe] | --input | --output | --error)
		[ $# -gt 1 ] || wrong "option requires an argument -- '${1#-}'"
		stream=${1#-}
		stream=${stream#-}
		mode "${stream%"${stream#?}"}" "$2"
		shift 2
		;;
	-[ioe]?*)
		stream=${1#-}
		mode "${stream%"${stream#?}"}" "${stream#?}"
		shift
		;;
	--input=* | --output=* | --error=*)
		stream=${1#--}
		mode "${stream%"${stream#?}"}" "${1#*=}"
		shift
		;;
	--version)
		echo 'stdbuf (GNU coreutils) 9.7'
		exit
		;;
	--help)
		usage
		exit
		;;
	--)
		shift
		break
		;;
	-?*) wrong "invalid option -- '${1#-}'" ;;
	*) break ;;
	esac
done
[ $# -gt 0 ] || wrong "missing operand"
[ -n "$set" ] || wrong "you must specify a buffering mode option"
command -v "$1" >/dev/null || fail "failed to run command '$1': No such file or directory" 127
exec "$@"
