package engine

// Part is one value that a cell has shown, in the representations that it has.
type Part struct {
	Display bool              // by display(…); otherwise it is the value of the last expression
	Data    map[string][]byte // by MIME type, "text/plain" among them; text is UTF-8
}

// Exception is what ended a cell early.
type Exception struct {
	Name      string   // "ZeroDivisionError"
	Value     string   // "division by zero"
	Traceback []string // lines as the interpreter prints them, the cell's own source lines among them
}
