// Several programs in one module, for each of which the C library would be most of its size: which of them it is, its name says.
#include <stdio.h>
#include <string.h>

#include "commands.h"

static const struct {
	const char *name;
	int (*main)(int, char **);
} commands[] = {
#include "commands.inc"
};

int main(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/'), *name = slash ? slash + 1 : argv[0];
	if (strcmp(name, "hd") == 0)
		name = "hexdump";
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
		if (strcmp(name, commands[i].name) == 0)
			return commands[i].main(argc, argv);
	fprintf(stderr, "%s: no such command\n", name);
	return 127;
}
