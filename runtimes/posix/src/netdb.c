// Names of hosts: numbers, and what /etc/hosts says.
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"

int h_errno;

// __belljar_hosts_file looks a name up in /etc/hosts.
int __belljar_hosts_file(const char *name, struct in_addr *addr)
{
	FILE *f = fopen("/etc/hosts", "re");
	char *line = NULL;
	size_t room = 0;
	int found = 0;
	while (f && !found && getline(&line, &room, f) > 0) {
		line[strcspn(line, "#\n")] = '\0';
		char *rest = line, *word, *number = NULL;
		while (!found && (word = strsep(&rest, " \t")) != NULL)
			if (*word == '\0')
				continue;
			else if (number == NULL)
				number = word;
			else if (strcmp(word, name) == 0)
				found = inet_pton(AF_INET, number, addr) == 1;
	}
	free(line);
	if (f)
		fclose(f);
	return found;
}

struct hostent *gethostbyname(const char *name)
{
	static struct in_addr addr;
	static char *aliases[1], *list[2] = {(char *)&addr};
	static char own[256];
	static struct hostent host = {own, aliases, AF_INET, sizeof addr, list};
	if (inet_pton(AF_INET, name, &addr) != 1 && !__belljar_hosts_file(name, &addr)) {
		struct addrinfo *found, hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
		if (getaddrinfo(name, NULL, &hints, &found) != 0) {
			h_errno = HOST_NOT_FOUND;
			return NULL;
		}
		addr = ((struct sockaddr_in *)found->ai_addr)->sin_addr;
		freeaddrinfo(found);
	}
	strlcpy(own, name, sizeof own);
	return &host;
}

const char *hstrerror(int err) { return err == HOST_NOT_FOUND ? "Unknown host" : "Unknown error"; }
