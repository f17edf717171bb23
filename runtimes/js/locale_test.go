package js_test

import (
	"fmt"
	"strings"
	"testing"
)

// locale has expressions and what they are in Node 20, where there is no language but English. They are written down, for
// what other Nodes print differs with the data that they were built with.
var locale = []struct{ expression, want string }{
	{`(1234567.891).toLocaleString()`, `1,234,567.891`},
	{`(1.005).toLocaleString('en-US', {maximumFractionDigits: 2})`, `1.01`},
	{`(-1234.5).toLocaleString('en-US', {style: 'currency', currency: 'USD'})`, `-$1,234.50`},
	{`(-1234.5).toLocaleString('en-US', {style: 'currency', currency: 'USD', currencySign: 'accounting'})`, `($1,234.50)`},
	{`(1234.5).toLocaleString('de-DE', {style: 'currency', currency: 'JPY'})`, `¥1,235`},
	{`(0.256).toLocaleString(undefined, {style: 'percent', maximumFractionDigits: 1})`, `25.6%`},
	{`(999999).toLocaleString('en', {notation: 'compact'})`, `1M`},
	{`(1234567).toLocaleString('en', {notation: 'compact', compactDisplay: 'long'})`, `1.2 million`},
	{`(123456).toLocaleString('en', {notation: 'scientific'})`, `1.235E5`},
	{`(123456).toLocaleString('en', {notation: 'engineering'})`, `123.456E3`},
	{`(1234567).toLocaleString('en', {maximumSignificantDigits: 3})`, `1,230,000`},
	{`(5).toLocaleString('en', {minimumIntegerDigits: 2, minimumFractionDigits: 1})`, `05.0`},
	{`(3).toLocaleString('en', {style: 'unit', unit: 'day', unitDisplay: 'long'})`, `3 days`},
	{`(NaN).toLocaleString() + (-0).toLocaleString() + (1e21).toLocaleString()`, `NaN-01,000,000,000,000,000,000,000`},
	{`12345678901234567890n.toLocaleString()`, `12,345,678,901,234,567,890`},
	{`[1234, 5678.9].toLocaleString()`, `1,234,5,678.9`},
	{`JSON.stringify(new Intl.NumberFormat('en-US', {style: 'currency', currency: 'EUR'}).formatToParts(1234.5))`, `[{"type":"currency","value":"€"},{"type":"integer","value":"1"},{"type":"group","value":","},{"type":"integer","value":"234"},{"type":"decimal","value":"."},{"type":"fraction","value":"50"}]`},
	{`new Date(1709210096007).toLocaleString()`, `2/29/2024, 12:34:56 PM`},
	{`new Date(1709210096007).toLocaleDateString('en-US', {dateStyle: 'full'})`, `Thursday, February 29, 2024`},
	{`new Date(1709210096007).toLocaleString('en-US', {dateStyle: 'medium', timeStyle: 'short'})`, `Feb 29, 2024, 12:34 PM`},
	{`new Date(1709210096007).toLocaleString('en-US', {dateStyle: 'full', timeStyle: 'long'})`, `Thursday, February 29, 2024 at 12:34:56 PM UTC`},
	{`new Date(1709210096007).toLocaleDateString('en-US', {year: 'numeric', month: 'short', day: '2-digit', weekday: 'short'})`, `Thu, Feb 29, 2024`},
	{`new Date(1709210096007).toLocaleTimeString('en-US', {hour: '2-digit', minute: '2-digit', hour12: false})`, `12:34`},
	{`new Date(1709210096007).toLocaleTimeString('en-US', {timeZone: 'UTC', timeZoneName: 'short'})`, `12:34:56 PM UTC`},
	{`String(new Date(1709210096007))`, `Thu Feb 29 2024 12:34:56 GMT+0000 (Coordinated Universal Time)`},
	{`new Date(NaN).toLocaleString()`, `Invalid Date`},
	{`['résumé', 'Resume', 'resume', 'b10', 'b9', 'B', 'a', '_', '10', 'é'].sort((a, b) => a.localeCompare(b)).join()`, `_,10,a,B,b10,b9,é,resume,Resume,résumé`},
	{`['a10', 'a9', 'A2'].sort(new Intl.Collator('en', {numeric: true}).compare).join()`, `A2,a9,a10`},
	{`'a'.localeCompare('Á', 'en', {sensitivity: 'base'})`, `0`},
	{`[1, 2, 3, 11, 22].map((n) => new Intl.PluralRules('en', {type: 'ordinal'}).select(n)).join()`, `one,two,few,other,two`},
	{`new Intl.RelativeTimeFormat('en', {numeric: 'auto'}).format(-1, 'day')`, `yesterday`},
	{`new Intl.RelativeTimeFormat('en').format(3, 'weeks')`, `in 3 weeks`},
	{`new Intl.ListFormat('en', {type: 'disjunction'}).format(['a', 'b', 'c'])`, `a, b, or c`},
	{`Intl.DateTimeFormat().resolvedOptions().timeZone`, `UTC`},
	{`Intl.NumberFormat.supportedLocalesOf(['en-GB', 'de']).join()`, `en-GB`},
	{`(1).toLocaleString('en', {style: 'currency'})`, `TypeError: Currency code is required with currency style.`},
	{`(1).toLocaleString('en', {maximumFractionDigits: 101})`, `RangeError: maximumFractionDigits value is out of range.`},
	{`new Date(0).toLocaleString('en', {timeZone: 'Mars/Olympus'})`, `RangeError: Invalid time zone specified: Mars/Olympus`},
	{`['ceil', 'floor', 'expand', 'trunc', 'halfCeil', 'halfFloor', 'halfExpand', 'halfTrunc', 'halfEven'].map((roundingMode) => [-2.5, -0.004, 0.4, 0.5, 1.5, 2.5, 99.51].map((n) => n.toLocaleString('en', {roundingMode, maximumFractionDigits: 0})).join(' ')).join()`, `-2 -0 1 1 2 3 100,-3 -1 0 0 1 2 99,-3 -1 1 1 2 3 100,-2 -0 0 0 1 2 99,-2 -0 0 1 2 3 100,-3 -0 0 0 1 2 100,-3 -0 0 1 2 3 100,-2 -0 0 0 1 2 100,-2 -0 0 0 2 2 100`},
	{`['ceil', 'floor', 'halfEven', 'halfTrunc'].map((roundingMode) => [-1251, 1.25, 135, 999, 0.000125].map((n) => n.toLocaleString('en', {roundingMode, maximumSignificantDigits: 2, useGrouping: false})).join(' ')).join()`, `-1200 1.3 140 1000 0.00013,-1300 1.2 130 990 0.00012,-1300 1.2 140 1000 0.00012,-1300 1.2 130 1000 0.00012`},
	{`[3, 3.5, 1234.001].map((n) => n.toLocaleString('en', {style: 'currency', currency: 'USD', trailingZeroDisplay: 'stripIfInteger'})).join(' ')`, `$3 $3.50 $1,234`},
	{`(1).toLocaleString('en', {roundingMode: 'up'})`, `RangeError: Value up out of range for Number.prototype.toLocaleString options property roundingMode`},
	{`(1).toLocaleString('en', {roundingPriority: 'lessPrecision'})`, `RangeError: roundingPriority lessPrecision is not supported`},
	{`(1).toLocaleString('en', {roundingIncrement: 5})`, `RangeError: roundingIncrement 5 is not supported`},
	{`new Intl.DateTimeFormat('en-US').format('2024-01-01')`, `RangeError: Invalid time value`},
	{`new Intl.DateTimeFormat('en-US').format('0')`, `1/1/1970`},
}

func TestLocale(t *testing.T) {
	var program, want strings.Builder
	for _, l := range locale {
		fmt.Fprintf(&program, "try { console.log(String(%s)) } catch (e) { console.log(String(e)) }\n", l.expression)
		want.WriteString(l.want + "\n")
	}
	res := inSandbox(t, newEngine(t), "p.js", program.String())
	got, wants := strings.Split(res.Stdout, "\n"), strings.Split(want.String(), "\n")
	if len(got) != len(wants) {
		t.Fatalf("printed\n%s\nand to stderr\n%s", res.Stdout, res.Stderr)
	}
	for i, l := range locale {
		if got[i] != l.want {
			t.Errorf("%s: got %q, want %q", l.expression, got[i], l.want)
		}
	}
}
