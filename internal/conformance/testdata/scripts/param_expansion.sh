p=/usr/local/lib/file.tar.gz
echo ${p##*/} ${p%/*} ${p%%.*} ${p#*.}
echo ${p/local/share} ${p//\//:} ${#p}
v=hello; echo ${v^} ${v^^} ${v:1:3} ${v: -2} ${undefined:-default} ${v:+set}
x=; echo "[${x:-e}] [${x-e}]"
echo ${v@Q} ${v@U}
