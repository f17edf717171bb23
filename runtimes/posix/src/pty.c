// Pseudo terminals.
#include <pty.h>
#include <string.h>
#include <unistd.h>
#include <utmp.h>

#include "host.h"

HOST(tty_open_pty) int host_tty_open_pty(uint32_t flags, uint32_t fds[2]);
HOST(tty_control) int host_tty_control(int fd);

int openpty(int *master, int *slave, char *name, const struct termios *attr, const struct winsize *size)
{
	uint32_t fds[2];
	int err = host_tty_open_pty(0, fds);
	if (err)
		return done(err);
	*master = (int)fds[0];
	*slave = (int)fds[1];
	if (name)
		strcpy(name, "/dev/tty");
	if (attr)
		tcsetattr(*slave, TCSANOW, attr);
	if (size)
		ioctl(*slave, TIOCSWINSZ, size);
	return 0;
}

int login_tty(int fd)
{
	setsid();
	int err = host_tty_control(fd);
	if (err)
		return done(err);
	for (int to = STDIN_FILENO; to <= STDERR_FILENO; to++)
		if (dup2(fd, to) < 0)
			return -1;
	return fd > STDERR_FILENO ? close(fd) : 0;
}
