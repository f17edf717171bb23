// Files are not watched: these fail.
int inotify_init(void);
int inotify_add_watch(int, const char *, unsigned);
int inotify_rm_watch(int, int);

struct inotify_event {
	int wd;
	unsigned mask, cookie, len;
	char name[];
};

#define IN_MODIFY 2
