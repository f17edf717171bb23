#!/bin/sh
# locale: what the C library has is C and, under whatever name, C.UTF-8.
case ${1:-} in
-a | --all-locales) printf '%s\n' C C.UTF-8 POSIX ;;
-m | --charmaps) printf '%s\n' ANSI_X3.4-1968 UTF-8 ;;
charmap | -k)
	case ${LC_ALL:-${LC_CTYPE:-${LANG:-C}}} in
	C | POSIX) map=ANSI_X3.4-1968 ;;
	*) map=UTF-8 ;;
	esac
	[ "$1" = -k ] && echo "charmap=\"$map\"" || echo "$map"
	;;
'')
	echo "LANG=${LANG:-}"
	echo "LANGUAGE=${LANGUAGE:-}"
	for name in CTYPE NUMERIC TIME COLLATE MONETARY MESSAGES PAPER NAME ADDRESS TELEPHONE MEASUREMENT IDENTIFICATION; do
		eval "own=\${LC_$name:-}"
		# A value that follows from another stands in quotes.
		if [ -n "${LC_ALL:-}" ] || [ -z "$own" ]; then
			echo "LC_$name=\"${LC_ALL:-${LANG:-POSIX}}\""
		else
			echo "LC_$name=$own"
		fi
	done
	echo "LC_ALL=${LC_ALL:-}"
	;;
*)
	echo "locale: $1: not known here" >&2
	exit 1
	;;
esac
