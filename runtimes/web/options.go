package web

import (
	"fmt"
	"strings"
)

// option is one of a program's.
type option struct {
	short byte // 0 for none
	long  string
	value bool // one follows
	set   func(value string) error
}

// parse takes a command line apart by the rules that curl and wget share: short options may be run together, the last
// of them with its value, and what is no option is an operand. Long ones may have their value after an =, if equals.
func parse(args []string, options []option, equals bool) (operands []string, err error) {
	find := func(match func(option) bool) *option {
		for i := range options {
			if match(options[i]) {
				return &options[i]
			}
		}
		return nil
	}
	next := func(o *option, name string) error {
		if !o.value {
			return o.set("")
		}
		if len(args) == 0 {
			return fmt.Errorf("option %s: requires parameter", name)
		}
		v := args[0]
		args = args[1:]
		return o.set(v)
	}
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		switch {
		case arg == "--":
			return append(operands, args...), nil
		case strings.HasPrefix(arg, "--"):
			name, v, has := arg[2:], "", false
			if equals {
				name, v, has = strings.Cut(name, "=")
			}
			o := find(func(o option) bool { return o.long == name })
			if o == nil {
				return nil, fmt.Errorf("option %s: is unknown, or not supported here", arg)
			}
			if has && o.value {
				err = o.set(v)
			} else {
				err = next(o, arg)
			}
		case len(arg) > 1 && arg[0] == '-':
			for i := 1; i < len(arg) && err == nil; i++ {
				o := find(func(o option) bool { return o.short == arg[i] })
				if o == nil {
					return nil, fmt.Errorf("option -%c: is unknown, or not supported here", arg[i])
				}
				if o.value && i+1 < len(arg) {
					err = o.set(arg[i+1:])
					break
				}
				err = next(o, "-"+string(arg[i]))
			}
		default:
			operands = append(operands, arg)
		}
		if err != nil {
			return nil, err
		}
	}
	return operands, nil
}

// flag makes an option that is set or not.
func flag(short byte, long string, to *bool) option {
	return option{short, long, false, func(string) error { *to = true; return nil }}
}

// text makes an option with a value, of which the last counts.
func text(short byte, long string, to *string) option {
	return option{short, long, true, func(v string) error { *to = v; return nil }}
}

// list makes an option that may be given again.
func list(short byte, long string, to *[]string) option {
	return option{short, long, true, func(v string) error { *to = append(*to, v); return nil }}
}

// ignored makes an option that changes nothing here.
func ignored(short byte, long string, value bool) option {
	return option{short, long, value, func(string) error { return nil }}
}
