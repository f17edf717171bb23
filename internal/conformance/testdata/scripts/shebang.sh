printf '#!/bin/sh\necho sh $# $1\n' > s; chmod +x s; ./s a b
printf '#!/usr/bin/env bash\necho ${BASH_VERSINFO[0]} $0\n' > e; chmod +x e; ./e
printf '#!/bin/sed -f\ns/a/b/\n' > f; chmod +x f; echo aaa | ./f 2>/dev/null || echo x
printf 'echo no magic\n' > n; chmod +x n; ./n
chmod -x n; ./n 2>/dev/null; echo $?; mkdir dd; ./dd 2>/dev/null; echo $?; PATH=.:$PATH e
