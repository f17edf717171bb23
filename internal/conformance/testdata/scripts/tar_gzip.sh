mkdir -p d/e; echo x > d/f; echo y > d/e/g; ln -s f d/l
tar czf a.tgz d
tar tzf a.tgz | sort
mkdir o; tar xzf a.tgz -C o
find o | sort; cat o/d/e/g; readlink o/d/l
gzip -c d/f | gunzip -c 2>/dev/null || gzip -c d/f | gzip -dc
tar cf - d | tar tf - | wc -l
