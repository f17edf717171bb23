"""A readline without line editing, for programs that import it if they can.

Terminal input reaches the sandbox a line at a time, so there is nothing to
edit. History and completion settings are kept and have no other effect.
"""

backend = "readline"

# The library whose functions these are.
_READLINE_VERSION = _READLINE_RUNTIME_VERSION = 0x0802
_READLINE_LIBRARY_VERSION = "8.2"

_history = []
_length = -1
_completer = None
_delims = " \t\n`~!@#$%^&*()-=+[{]}\\|;:'\",<>/?"


def parse_and_bind(string): pass
def read_init_file(filename=None): pass
def redisplay(): pass
def insert_text(string): pass
def get_line_buffer(): return ""
def get_begidx(): return 0
def get_endidx(): return 0
def get_completion_type(): return 0
def set_startup_hook(function=None): pass
def set_pre_input_hook(function=None): pass
def set_completion_display_matches_hook(function=None): pass
def set_auto_history(enabled): pass


def get_completer():
    return _completer


def set_completer(function=None):
    global _completer
    _completer = function


def get_completer_delims():
    return _delims


def set_completer_delims(string):
    global _delims
    _delims = string


def add_history(line):
    _history.append(line)


def clear_history():
    _history.clear()


def get_current_history_length():
    return len(_history)


def get_history_item(index):
    return _history[index - 1] if 0 < index <= len(_history) else None


def remove_history_item(pos):
    if not 0 <= pos < len(_history):
        raise ValueError(f"No history item at position {pos}")
    del _history[pos]


def replace_history_item(pos, line):
    if not 0 <= pos < len(_history):
        raise ValueError(f"No history item at position {pos}")
    _history[pos] = line


def get_history_length():
    return _length


def set_history_length(length):
    global _length
    _length = length


def read_history_file(filename="~/.history"):
    import os
    with open(os.path.expanduser(filename), encoding="utf-8") as file:
        _history.extend(file.read().splitlines())


def write_history_file(filename="~/.history"):
    import os
    lines = _history if _length < 0 else _history[-_length:] if _length else []
    with open(os.path.expanduser(filename), "w", encoding="utf-8") as file:
        file.writelines(line + "\n" for line in lines)


def append_history_file(nelements, filename="~/.history"):
    import os
    with open(os.path.expanduser(filename), "a", encoding="utf-8") as file:
        file.writelines(line + "\n" for line in (_history[-nelements:] if nelements else []))
