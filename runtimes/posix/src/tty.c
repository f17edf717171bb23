// Terminals.
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>
#include <wasi/api.h>

#include "host.h"

int isatty(int fd)
{
	struct termios t;
	return host_tty_attr_get(fd, &t) == 0 ? 1 : (errno = ENOTTY, 0);
}

int __isatty(int fd) { return isatty(fd); }

int tcgetattr(int fd, struct termios *t) { return done(host_tty_attr_get(fd, t)); }
int tcsetattr(int fd, int when, const struct termios *t) { return done(BLOCKING(host_tty_attr_set(fd, (uint32_t)when, t))); }
int tcflush(int fd, int which) { return done(host_tty_flush(fd, (uint32_t)which)); }
int tcdrain(int fd) { return isatty(fd) ? 0 : -1; }
int tcflow(int fd, int action) { return action < 0 || action > 3 ? done(EINVAL) : isatty(fd) ? 0 : -1; }
int tcsendbreak(int fd, int duration) { return (void)duration, isatty(fd) ? 0 : -1; }

pid_t tcgetpgrp(int fd)
{
	uint32_t pgrp;
	int err = host_tty_pgrp_get(fd, &pgrp);
	return err ? done(err) : (pid_t)pgrp;
}

int tcsetpgrp(int fd, pid_t pgrp) { return done(BLOCKING(host_tty_pgrp_set(fd, pgrp))); }

pid_t tcgetsid(int fd) { return isatty(fd) ? getsid(0) : -1; }

speed_t cfgetospeed(const struct termios *t) { return t->c_cflag & CBAUD; }
speed_t cfgetispeed(const struct termios *t) { return t->c_cflag & CBAUD; }

int cfsetospeed(struct termios *t, speed_t speed)
{
	if (speed & ~(speed_t)CBAUD)
		return done(EINVAL);
	t->c_cflag = (t->c_cflag & ~(tcflag_t)CBAUD) | speed;
	return 0;
}

int cfsetispeed(struct termios *t, speed_t speed) { return speed ? cfsetospeed(t, speed) : 0; }

void cfmakeraw(struct termios *t)
{
	t->c_iflag &= ~(tcflag_t)(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
	t->c_oflag &= ~(tcflag_t)OPOST;
	t->c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
	t->c_cflag &= ~(tcflag_t)(CSIZE | PARENB);
	t->c_cflag |= CS8;
	t->c_cc[VMIN] = 1;
	t->c_cc[VTIME] = 0;
}

int ttyname_r(int fd, char *buf, size_t size)
{
	char link[32];
	if (!isatty(fd))
		return errno;
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t len = readlink(link, buf, size);
	if (len < 0 || *buf != '/')
		len = (ssize_t)strlcpy(buf, "/dev/tty", size);
	if ((size_t)len >= size)
		return ERANGE;
	buf[len] = '\0';
	return 0;
}

char *ttyname(int fd)
{
	static char name[64];
	int err = ttyname_r(fd, name, sizeof name);
	if (err)
		errno = err;
	return err ? NULL : name;
}

char *ctermid(char *buf)
{
	static char own[16];
	return strcpy(buf ? buf : own, "/dev/tty");
}

static int set_nonblock(int fd, int on)
{
	int flags = fcntl(fd, F_GETFL);
	return flags < 0 ? -1 : fcntl(fd, F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK);
}

int ioctl(int fd, int request, ...)
{
	va_list ap;
	va_start(ap, request);
	void *arg = va_arg(ap, void *);
	va_end(ap);
	uint64_t bytes;
	int err;
	switch (request) {
	case TIOCGWINSZ:
		return done(host_tty_size_get(fd, arg));
	case TIOCSWINSZ:
		return done(host_tty_size_set(fd, arg));
	case TIOCGPGRP:
		return (*(pid_t *)arg = tcgetpgrp(fd)) < 0 ? -1 : 0;
	case TIOCSPGRP:
		return tcsetpgrp(fd, *(pid_t *)arg);
	case FIONREAD:
		err = host_fd_bytes(fd, &bytes);
		if (err == 0)
			*(int *)arg = (int)bytes;
		return done(err);
	case FIONBIO:
		return set_nonblock(fd, *(int *)arg);
	case FIOCLEX:
		return fcntl(fd, F_SETFD, FD_CLOEXEC);
	case FIONCLEX:
		return fcntl(fd, F_SETFD, 0);
	default:
		return done(fcntl(fd, F_GETFD) < 0 ? EBADF : ENOTTY);
	}
}
