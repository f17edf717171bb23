#!/bin/sh
# stdbuf, without its effect: coreutils' puts a library before the program's, and programs here have none. A program
# writes what it has when its buffer is full, and at its end.
usage() {
	echo "Usage: stdbuf OPTION... COMMAND" >&2
	exit 125
}
set=
while :; do
	case $1 in
	-[ioe] | --input | --output | --error) [ $# -gt 1 ] || usage; set=1; shift 2 ;;
	-[ioe]?* | --input=* | --output=* | --error=*) set=1; shift ;;
	--version) echo 'stdbuf (GNU coreutils) 9.7'; exit ;;
	--help) usage 2>&1 ;;
	--) shift; break ;;
	-*) usage ;;
	*) break ;;
	esac
done
[ $# -gt 0 ] && [ -n "$set" ] || usage
exec "$@"
