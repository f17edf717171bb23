mkdir -p a/b c; pushd a >/dev/null; pushd b >/dev/null; dirs -p | wc -l; popd >/dev/null; basename $PWD; cd - >/dev/null; basename $PWD; cd ~+; 
shopt -s globstar; touch ../../a/f1 2>/dev/null || touch f1; echo **; echo {1..5..2} {a,b}{1,2} file{,.bak}
