# Links the reactor in CPython's build folder: everything but CPython's own main.o, which reactor.c includes.
include Makefile

REACTOR_OBJS = reactor.o wake.o finish.o heap.o immortal.o process.o scan.o service.o session.o interrupt.o

$(REACTOR_OBJS): %.o: $(HERE)/%.c $(wildcard $(HERE)/*.h)
	$(CC) -c $(PY_CORE_CFLAGS) -I$(srcdir) -o $@ $<

# Not to be recognised as the functions that they are.
scan.o: PY_CORE_CFLAGS += -msimd128 -fno-builtin

python-reactor.wasm: $(REACTOR_OBJS) $(LIBRARY_OBJS)
	$(LINKCC) $(PY_CORE_LDFLAGS) -mexec-model=reactor -Wl,--export=__stack_pointer -Wl,--wrap=Py_Exit \
		-Wl,--wrap=__wasi_fd_read -Wl,--wrap=__wasi_poll_oneoff \
		-Wl,--strip-debug -o $@ $(REACTOR_OBJS) $(filter-out Modules/main.o,$(LIBRARY_OBJS)) \
		$(LIBS) $(MODLIBS) $(SYSLIBS)
