package esbuild

// maxWeight bounds what a source may make of the stack, in bytes. Go ends the program at 1,000,000,000, and since it
// doubles stacks, at 512 MiB in truth.
const maxWeight = 384 << 20

// weights are what a nested construct takes of esbuild's stack, in bytes, by the punctuation without which there is no
// such construct: measured for 46 of them, with every pass of esbuild switched on (TestWeights measures again).
var weights = [256]int32{
	'(': 2800, '[': 4000, '{': 5600, '<': 4000, '>': 3000, '=': 4600, '!': 4000, '~': 4000, '-': 4000, '+': 4000,
	'?': 4000, ':': 4000, '.': 4000, '&': 2400, '|': 2400, '*': 2400, '@': 4000, ';': 1600, ',': 1600, '^': 2400,
	'%': 2400, '/': 400, '#': 400, '$': 0,
}

// wordWeight is the same for the words that nest what stands after them.
const wordWeight = 4000

var nestingWords = map[string]bool{
	"async": true, "asserts": true, "await": true, "class": true, "delete": true, "do": true, "else": true, "extends": true,
	"for": true, "if": true, "import": true, "in": true, "infer": true, "instanceof": true, "is": true, "keyof": true,
	"new": true, "readonly": true, "return": true, "throw": true, "try": true, "typeof": true, "unique": true, "void": true,
	"while": true, "with": true, "yield": true, "as": true, "satisfies": true, "abstract": true, "function": true,
	"export": true, "declare": true, "namespace": true, "module": true, "default": true, "using": true, "accessor": true,
	"static": true, "get": true, "set": true, "of": true, "case": true, "const": true, "let": true, "var": true,
	"catch": true, "finally": true, "switch": true, "enum": true, "interface": true, "type": true, "debugger": true,
}

// weight answers the most bytes of stack that parsing a source can take, as if every construct in it lay within all
// those before it. It does not lex: what looks like a construct in a string counts too, and nothing can hide one.
func weight(source string) int64 {
	var total int64
	word := -1 // where the word that is being read began
	for i := 0; i <= len(source); i++ {
		c := byte(' ')
		if i < len(source) {
			c = source[i]
		}
		if c >= 'a' && c <= 'z' {
			if word < 0 {
				word = i
			}
			continue
		}
		if word >= 0 && i-word <= len("instanceof") && nestingWords[source[word:i]] {
			total += wordWeight
		}
		word = -1
		total += int64(weights[c])
	}
	return total
}
