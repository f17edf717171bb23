#define N_TTY 0
