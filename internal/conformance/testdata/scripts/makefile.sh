cat > Makefile <<'E'
CC := echo cc
OBJS = a.o b.o
all: prog
prog: $(OBJS)
	$(CC) -o $@ $^
	@touch $@
%.o: %.c
	$(CC) -c $<
	@touch $@
clean:
	rm -f $(OBJS) prog
.PHONY: all clean
E
touch a.c b.c
make
make
make clean
make -n prog
make nosuch 2>/dev/null; echo $?
