umask 022; touch a; mkdir d; stat -c '%a %s %F' a d
chmod 640 a; chmod +x a; stat -c %A a
cp -p a b; cmp a b && echo same; mv b c; ls
ln a h; stat -c %h a; ln -s nowhere s; [ -L s ] && [ ! -e s ] && echo dangling
rm -rf d a; [ -e d ] || echo removed; mkdir -p x/y/z && rmdir -p x/y/z && ls
touch -d '2020-01-02 03:04:05 UTC' t; TZ=UTC stat -c %y t; [ t -ot h ] && echo older
mktemp -u XXXX | wc -c; realpath -m a/../b | sed 's/.*\///'; dd if=/dev/zero of=z bs=1k count=3 2>/dev/null; stat -c %s z; truncate -s 5 z; wc -c < z
