// Apart from path.c, as programs bring a renameat2 of their own.
#include <string.h>

#include "host.h"

int renameat2(int dir, const char *from, int to_dir, const char *to, unsigned flags)
{
	return done(host_path_rename_flags(dir, from, strlen(from), to_dir, to, strlen(to), flags));
}
