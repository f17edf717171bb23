# The repositories that each row of oracle.txt begins with: r, a history with branches, tags, a merge, a rename and a file
# of each kind, and remote.git, its origin.
tick
git init -q -b main r
cd r
mkdir -p src docs
for i in $(seq 30); do echo "int line_$i;"; done >src/a.c
printf 'int main(void)\n{\n\treturn 0;\n}\n' >src/b.c
printf '# Title\n\nSome text\nabout it.\n' >docs/readme.md
printf 'all:\n\tcc -o main src/b.c\n' >Makefile
printf 'a\0b\0c\n' >bin.dat
echo spaced >'name with space.txt'
echo umlaut >'ünïcode.txt'
ln -s src/a.c link
printf '#!/bin/sh\necho run\n' >run.sh
chmod +x run.sh
git add .
git commit -q -m 'first: everything'
change() { sed "$1" "$2" >t && cat t >"$2" && rm t; }
tick; change '5s/.*/int changed_five;/' src/a.c; git commit -q -am 'second: line five'
git tag v1
tick; change 's/return 0/return 1/' src/b.c; git commit -q -am 'third: return one

With a body
of two lines.

Signed-off-by: Ann Other <ann@example.com>'
tick; echo '*.o' >.gitignore; git add .gitignore; git commit -q -m 'fourth: ignore objects'
git branch topic
git branch conflict
tick; change '20s/.*/int main_twenty;/' src/a.c; git commit -q -am 'fifth: line twenty'
tick; git tag -a -m 'version two' v2
git checkout -q topic
tick; echo topic >topic.txt; git add topic.txt; git commit -q -m 'topic: add file'
tick; echo more >>topic.txt; GIT_AUTHOR_NAME='Bea Else' GIT_AUTHOR_EMAIL=bea@example.com git commit -q -am 'topic: more'
git checkout -q conflict
tick; change '20s/.*/int conflict_twenty;/' src/a.c; git commit -q -am 'conflict: line twenty otherwise'
git checkout -q main
tick; git merge -q --no-ff -m 'Merge topic' topic
tick; git mv docs/readme.md docs/guide.md; echo 'A last line.' >>docs/guide.md; git commit -q -am 'rename the readme'
tick; git rm -q Makefile; git commit -q -m 'drop the makefile'
cd ..
git clone -q --bare r remote.git
git -C remote.git remote remove origin
cd r
git remote add origin ../remote.git
git fetch -q
git branch -q -u origin/main main
