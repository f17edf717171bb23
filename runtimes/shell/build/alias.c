// Commands that are another command with an option, which elsewhere are shell scripts, and which.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct {
	const char *name, *command, *option;
} aliases[] = {
	{"egrep", "grep", "-E"}, {"fgrep", "grep", "-F"}, {"rgrep", "grep", "-r"},
	{"gunzip", "gzip", "-d"}, {"uncompress", "gzip", "-d"}, {"zcat", "gzip", "-dc"}, {"red", "ed", "--restricted"},
};

static int executable(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

// print_found prints where PATH has name, the first place or all, and reports whether there was one.
static int print_found(const char *name, int all)
{
	if (strchr(name, '/')) {
		int found = executable(name);
		if (found)
			puts(name);
		return found;
	}
	const char *dir = getenv("PATH");
	int found = 0;
	while (dir && (all || !found)) {
		size_t len = strcspn(dir, ":");
		char *path;
		if (asprintf(&path, "%.*s/%s", len ? (int)len : 1, len ? dir : ".", name) < 0)
			return found;
		if (executable(path)) {
			puts(path);
			found = 1;
		}
		free(path);
		dir = dir[len] ? dir + len + 1 : NULL;
	}
	return found;
}

static int which(int argc, char **argv)
{
	int all = 0, silent = 0, missing = 0, option;
	while ((option = getopt(argc, argv, "as")) != -1)
		switch (option) {
		case 'a':
			all = 1;
			break;
		case 's':
			silent = 1;
			break;
		default:
			fputs("Usage: which [-as] args\n", stderr);
			return 2;
		}
	if (silent && freopen("/dev/null", "w", stdout) == NULL)
		return 2;
	for (int i = optind; i < argc; i++)
		missing |= !print_found(argv[i], all);
	return missing || optind == argc;
}

int main(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/'), *name = slash ? slash + 1 : argv[0];
	for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++) {
		if (strcmp(name, aliases[i].name) != 0)
			continue;
		char **args = calloc((size_t)argc + 2, sizeof *args);
		if (args == NULL)
			return 1;
		args[0] = (char *)aliases[i].command;
		args[1] = (char *)aliases[i].option;
		memcpy(args + 2, argv + 1, ((size_t)argc - 1) * sizeof *args);
		execvp(aliases[i].command, args);
		perror(aliases[i].command);
		return 127;
	}
	return which(argc, argv);
}
