cleanup() { echo cleanup $?; rm -f tmpfile; }
trap cleanup EXIT
touch tmpfile
exit 7
