// A living shell: cells run one after the other in one bash, as lines do that are typed.
//
// The host calls belljar_cell for each. What to do crosses by the service "cell", and what comes of it by the service
// "part", in the form that runtimes/python/build/session.h describes.
//
// patches/bash-session.patch calls the functions below. In a bash that is no session's, and in a session's children, they
// answer 0.
#ifndef BELLJAR_SESSION_H
#define BELLJAR_SESSION_H

// session_begins says that main is to return once the shell is made, instead of reading commands.
int session_begins(void);

// session_lives says that this process is a session's own: what would end another shell ends the cell.
int session_lives(void);

// session_bore says that this process is a child of a session's, or one of its children.
int session_bore(void);

// session_hears says that a message of the parser is not to be printed: code is only being looked at.
int session_hears(const char *text);

#endif
