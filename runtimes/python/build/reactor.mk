# Links the reactor in CPython's build folder: everything but CPython's own main.o, which reactor.c includes.
# POSIX is the folder runtimes/posix, LIBPOSIX the library made of it.
include Makefile

REACTOR_OBJS = reactor.o wake.o finish.o heap.o immortal.o numbers.o process.o scan.o service.o session.o ssl_socket.o subprocess.o turns.o

# Modules that CPython's configuration leaves out for WASI.
POSIX_MODULES = fcntlmodule.o grpmodule.o mmapmodule.o pwdmodule.o resource.o termios.o

$(REACTOR_OBJS): %.o: $(HERE)/%.c $(wildcard $(HERE)/*.h) $(POSIX)/src/host.h
	$(CC) -c $(PY_CORE_CFLAGS) -I$(srcdir) -I$(POSIX)/src -o $@ $<

$(POSIX_MODULES): %.o: $(srcdir)/Modules/%.c
	$(CC) -c $(PY_BUILTIN_MODULE_CFLAGS) -o $@ $<

# OpenSSL's headers.
ssl_socket.o: PY_CORE_CFLAGS += $(MODULE__SSL_CFLAGS)

# Not to be recognised as the functions that they are.
scan.o: PY_CORE_CFLAGS += -msimd128 -fno-builtin

python-reactor.wasm: $(REACTOR_OBJS) $(POSIX_MODULES) $(LIBRARY_OBJS) $(LIBPOSIX)
	$(LINKCC) $(PY_CORE_LDFLAGS) -mexec-model=reactor -Wl,--export=__stack_pointer -Wl,--wrap=Py_Exit \
		-Wl,--wrap=__wasi_fd_read -Wl,--wrap=__wasi_poll_oneoff -Wl,--wrap=sysconf \
		-Wl,--strip-debug -o $@ $(REACTOR_OBJS) $(POSIX_MODULES) $(filter-out Modules/main.o,$(LIBRARY_OBJS)) \
		$(LIBS) $(MODLIBS) $(SYSLIBS)
