// Users and groups, from /etc/passwd and /etc/group.
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host.h"

// A database is read line by line; what was returned last lives in its line.
struct database {
	const char *path;
	FILE *file;
	char *line;
	size_t room;
};

static struct database users = {.path = "/etc/passwd"}, groups = {.path = "/etc/group"};

static void rewind_database(struct database *db)
{
	if (db->file)
		fclose(db->file);
	db->file = NULL;
}

// next reads a line of count fields, and reports whether there was one.
static int next(struct database *db, char *field[], int count)
{
	if (db->file == NULL)
		db->file = fopen(db->path, "re");
	while (db->file && getline(&db->line, &db->room, db->file) > 0) {
		char *at = db->line;
		at[strcspn(at, "\n")] = '\0';
		int n = 0;
		while (n < count && at)
			field[n++] = strsep(&at, ":");
		if (n == count)
			return 1;
	}
	return 0;
}

void setpwent(void) { rewind_database(&users); }
void endpwent(void) { rewind_database(&users); }

struct passwd *getpwent(void)
{
	static struct passwd user;
	char *f[7];
	if (!next(&users, f, 7))
		return NULL;
	user = (struct passwd){f[0], f[1], (uid_t)strtoul(f[2], NULL, 10), (gid_t)strtoul(f[3], NULL, 10), f[4], f[5], f[6]};
	return &user;
}

static struct passwd *find_user(const char *name, uid_t uid)
{
	struct passwd *user;
	setpwent();
	while ((user = getpwent()) && (name ? strcmp(user->pw_name, name) != 0 : user->pw_uid != uid))
		;
	endpwent();
	return user;
}

struct passwd *getpwnam(const char *name) { return find_user(name, 0); }
struct passwd *getpwuid(uid_t uid) { return find_user(NULL, uid); }

void setgrent(void) { rewind_database(&groups); }
void endgrent(void) { rewind_database(&groups); }

struct group *getgrent(void)
{
	static struct group group;
	static char **members;
	char *f[4];
	if (!next(&groups, f, 4))
		return NULL;
	size_t count = 0;
	for (const char *s = f[3]; *s; s++)
		count += *s == ',';
	char **grown = reallocarray(members, count + 2, sizeof *grown);
	if (grown == NULL)
		return NULL;
	members = grown;
	count = 0;
	for (char *rest = f[3]; rest && *rest;)
		members[count++] = strsep(&rest, ",");
	members[count] = NULL;
	group = (struct group){f[0], f[1], (gid_t)strtoul(f[2], NULL, 10), members};
	return &group;
}

static struct group *find_group(const char *name, gid_t gid)
{
	struct group *group;
	setgrent();
	while ((group = getgrent()) && (name ? strcmp(group->gr_name, name) != 0 : group->gr_gid != gid))
		;
	endgrent();
	return group;
}

struct group *getgrnam(const char *name) { return find_group(name, 0); }
struct group *getgrgid(gid_t gid) { return find_group(NULL, gid); }

int getgrouplist(const char *user, gid_t own, gid_t *list, int *count)
{
	int found = 0, room = *count;
	if (found++ < room)
		list[0] = own;
	struct group *group;
	setgrent();
	while ((group = getgrent()))
		for (char **m = group->gr_mem; *m; m++)
			if (strcmp(*m, user) == 0 && group->gr_gid != own && found++ < room)
				list[found - 1] = group->gr_gid;
	endgrent();
	*count = found;
	return found > room ? -1 : found;
}

int initgroups(const char *user, gid_t gid) { return (void)user, (void)gid, done(EPERM); }

char *getlogin(void)
{
	struct passwd *user = getpwuid(getuid());
	return user ? user->pw_name : NULL;
}

int getlogin_r(char *buf, size_t size)
{
	char *name = getlogin();
	return name == NULL ? ENOENT : strlcpy(buf, name, size) < size ? 0 : ERANGE;
}

int gethostname(char *buf, size_t size)
{
	FILE *f = fopen("/etc/hostname", "re");
	char name[65] = "localhost";
	if (f) {
		if (fgets(name, sizeof name, f))
			name[strcspn(name, "\n")] = '\0';
		fclose(f);
	}
	return strlcpy(buf, name, size) < size ? 0 : done(ENAMETOOLONG);
}

int sethostname(const char *name, size_t len) { return (void)name, (void)len, done(EPERM); }
