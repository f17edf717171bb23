mkdir -p src/a src/b
touch src/a/x.py src/a/y.txt src/b/z.py 'src/b/with space.py'
find src -name '*.py' | sort
find src -type f -name '*.py' -print0 | sort -z | xargs -0 -n1 echo file:
find src -name '*.txt' -delete
find . -type f | wc -l
find src -maxdepth 1 -mindepth 1 -type d | sort
find src -name '*.py' -exec basename {} .py \; | sort
