mkdir z; echo 1 > z/a; echo 2 > z/b
zip -qr z.zip z; unzip -Z1 z.zip | sort; mkdir o; unzip -q z.zip -d o; cat o/z/*
bzip2 -k z/a; bzip2 -dc z/a.bz2; tar cjf t.tbz z; tar tjf t.tbz | wc -l
