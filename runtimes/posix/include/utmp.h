#ifndef _UTMP_H
#define _UTMP_H

int login_tty(int);

#endif
