for f in a.txt b.py c Makefile .hid; do case $f in *.txt) echo text;; *.py|*.sh) echo script;; [A-Z]*) echo cap;; .*) echo hidden;; *) echo other;; esac; done
shopt -s extglob nullglob
touch x1 x2 y1
echo x? @(x|y)1 !(x*) z*
