import collections, csv, dataclasses, datetime as dt, decimal, enum, fractions, functools, heapq, io, itertools, json, math, operator, pickle, random, re, sqlite3, statistics, string, struct, textwrap, typing, zoneinfo, configparser, tomllib, xml.etree.ElementTree as ET, html, html.parser, urllib.parse, base64, binascii, hashlib, hmac, secrets, uuid, copy, bisect, array, types, abc, contextlib, locale, pprint, graphlib, difflib, colorsys, ipaddress, email.message, email.parser, mimetypes, plistlib, codecs, unicodedata, calendar
rows = list(csv.DictReader(io.StringIO("id,name,price,when\n1,Ann,3.50,2024-01-31\n2,\"B, o\"\"b\",12,2024-02-29\n3,Ann,7.25,2023-12-01\n")))
db = sqlite3.connect(":memory:"); db.row_factory = sqlite3.Row
db.executescript("create table s (id integer primary key, name text not null, price real, at text); create index i on s(name); create view v as select name, sum(price) t from s group by name;")
with db: db.executemany("insert into s values (:id, :name, :price, :when)", rows)
print([tuple(r) for r in db.execute("select name, t, rank() over (order by t desc) from v order by t desc")], [dict(r) for r in db.execute("select * from s where at > ? order by at", ("2024",))])
print(db.execute("with recursive f(n, a, b) as (select 1, 0, 1 union all select n + 1, b, a + b from f where n < 10) select group_concat(a) from f").fetchone()[0], db.execute("select json_extract('{\"a\":[1,2]}', '$.a[1]'), upper('x'), date('2024-02-29', '+1 year'), 'abc' regexp 'b'" if 0 else "select json_extract('{\"a\":[1,2]}', '$.a[1]'), upper('x'), date('2024-02-29', '+1 year')").fetchone()[:])
try:
    with db: db.execute("insert into s values (1, 'dup', 0, '')")
except sqlite3.IntegrityError as e: print(e)
db.create_function("rev", 1, lambda s: s[::-1]); print(db.execute("select rev(name) from s").fetchall()[0][0]); print("\n".join(db.iterdump())[:120])
db.execute("create virtual table d using fts5(t)"); db.executemany("insert into d values (?)", [("the quick fox",), ("lazy dogs",)]); print(db.execute("select t from d where d match 'dog* OR quick' order by rank").fetchall()[0][0])
@dataclasses.dataclass(order=True, frozen=True)
class Sale: 
    price: decimal.Decimal; name: str = dataclasses.field(compare=False); tags: list[str] = dataclasses.field(default_factory=list, compare=False)
sales = sorted(Sale(decimal.Decimal(r["price"]), r["name"]) for r in rows); print(sales[0], dataclasses.asdict(sales[-1]), dataclasses.replace(sales[0], name="Z"))
try: sales[0].name = "x"
except dataclasses.FrozenInstanceError as e: print(e)
by = collections.defaultdict(list); [by[s.name].append(s.price) for s in sales]; print({k: (sum(v), statistics.mean(v)) for k, v in sorted(by.items())}, collections.Counter("mississippi").most_common(2))
class Color(enum.StrEnum): RED = enum.auto(); BLUE = "b"
class F(enum.Flag): A = 1; B = 2; C = A | B
print(list(Color), Color("b"), F.A | F.B, repr(F(3)), json.dumps({"c": Color.RED, "n": [1.0, None, True, 1e100]}, indent=None, sort_keys=True))
print(decimal.Decimal("1.10") + decimal.Decimal("2.205"), decimal.Decimal(2).sqrt(), (decimal.Decimal(1) / 7).quantize(decimal.Decimal("0.0001"), decimal.ROUND_HALF_EVEN), fractions.Fraction("0.125") + fractions.Fraction(1, 3), fractions.Fraction(math.pi).limit_denominator(1000), math.comb(40, 20), math.isqrt(10**40), round(2.675, 2), 0.1 + 0.2, f"{1234567.891:,.2f} {0.000012:g} {255:#x} {'x':>5}|")
z = zoneinfo.ZoneInfo("Europe/Berlin"); t = dt.datetime(2024, 3, 31, 1, 30, tzinfo=z); print(t.isoformat(), (t + dt.timedelta(hours=1)).astimezone(dt.UTC).isoformat(), dt.datetime.strptime("31/Dec/2023:23:59:59 +0100", "%d/%b/%Y:%H:%M:%S %z"), dt.date(2024, 2, 29).strftime("%A %j %U"), dt.timedelta(days=1.5), calendar.monthrange(2024, 2))
LOG = '127.0.0.1 - - [10/Oct/2000:13:55:36 -0700] "GET /a?b=c HTTP/1.0" 200 2326\n' * 2
print(re.findall(r'^(?P<ip>\S+) .*?\[(?P<at>[^]]+)\] "(?P<verb>[A-Z]+) (?P<path>\S+)[^"]*" (\d+) (\d+)$', LOG, re.M)[1], re.sub(r"(?<!\d)(\d{1,3})(?=(\d{3})+$)", r"\1,", "1234567"), re.split(r"[,;]\s*", "a, b;c"), re.fullmatch(r"(?i:abc)\b.*", "ABC d", re.S)[0], re.sub(r"\b(\w)(\w*)", lambda m: m[1].upper() + m[2], "the end of it"))
tok = re.compile(r"\s*(?:(\d+\.?\d*)|(.))")
def parse(s):
    toks = [(n, o) for n, o in tok.findall(s)] + [("", "")]
    def expr(p, i):
        n, o = toks[i]
        if o == "(": v, i = expr(0, i + 1); i += 1
        elif o == "-": v, i = expr(9, i + 1); v = -v
        else: v, i = float(n), i + 1
        while (b := {"+": 1, "-": 1, "*": 2, "/": 2, "^": 3}.get(toks[i][1], 0)) > p:
            op = toks[i][1]; r, i = expr(b - (op == "^"), i + 1); v = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "^": operator.pow}[op](v, r)
        return v, i
    return expr(0, 0)[0]
print(parse("2 * (3 + 4) ^ 2 - -6 / 4"))
match {"type": "point", "xy": [1, 2, 3]}:
    case {"type": "point", "xy": [x, *rest], **kw} if rest: print(x, rest, kw)
cp = configparser.ConfigParser(); cp.read_string("[a]\nx = 1\ny = %(x)s2\n[b]\nz: yes\n"); print(cp["a"].getint("y"), cp.getboolean("b", "z"), tomllib.loads('a = 1979-05-27\n[t]\nb = [1, 2.5, "x"]'))
root = ET.fromstring("<r><i k='1'>a</i><i k='2'/><n:x xmlns:n='u'>&amp;</n:x></r>"); print([i.get("k") for i in root.iter("i")], root.find("{u}x").text, ET.tostring(root, encoding="unicode")); ET.indent(root); print(ET.tostring(root).decode())
class H(html.parser.HTMLParser):
    links = []
    def handle_starttag(self, tag, attrs): self.links += [dict(attrs).get("href")] if tag == "a" else []
h = H(); h.feed("<p><a href='/x?a=1&amp;b'>t</a><A HREF=y>"); print(h.links, html.escape("<&'\">"), html.unescape("&eacute;&#x41;"))
u = urllib.parse.urlsplit("https://u:p@h.x:8080/p/a;b?q=1&q=2&e=#f"); print(u.hostname, u.port, urllib.parse.parse_qs(u.query, keep_blank_values=True), urllib.parse.urljoin("http://a/b/c", "../d?x"), urllib.parse.urlencode({"a": "ü &", "b": [1, 2]}, doseq=True), urllib.parse.quote("a b/ü"))
print(base64.b64encode(b"\xff\0data"), base64.urlsafe_b64decode("_wA="), binascii.crc32(b"x"), hashlib.md5(b"x").hexdigest(), hashlib.blake2b(b"x", digest_size=8).hexdigest(), hmac.new(b"k", b"m", "sha256").hexdigest()[:16], uuid.uuid5(uuid.NAMESPACE_DNS, "x"), hashlib.pbkdf2_hmac("sha1", b"p", b"s", 10).hex()[:10], hashlib.scrypt(b"p", salt=b"s", n=16, r=1, p=1).hex()[:10])
random.seed(42); print(random.random(), random.sample(range(100), 5), random.choices("ab", k=5), random.gauss(0, 1)); print(struct.pack(">IhB4s", 1, -2, 3, b"abc"), struct.unpack("<d", struct.pack("<d", 1.5)), array.array("H", [1, 2]).tobytes())
print(pickle.loads(pickle.dumps({"d": dt.date(2024, 1, 1), "s": {1, 2}, "c": Color.RED})), copy.deepcopy([[1], {"a": [2]}]), list(itertools.batched("abcdefg", 3)), list(itertools.pairwise(range(4))), functools.reduce(operator.mul, range(1, 20)), list(heapq.merge([1, 4], [2, 3])), bisect.bisect([1, 3, 5], 3))
pprint.pprint({"k" * 10: list(range(30)), "z": {"nested": ("t", b"b")}}, width=60); print(textwrap.fill("the quick brown fox jumps over the lazy dog " * 2, 30, initial_indent="* ", subsequent_indent="  ")); print(textwrap.dedent("  a\n    b\n"), string.Template("$a ${b}").substitute(a=1, b=2))
print(*graphlib.TopologicalSorter({"a": {"b", "c"}, "b": {"c"}}).static_order(), *difflib.unified_diff(["a\n", "b\n"], ["a\n", "c\n"], "x", "y", n=0), difflib.get_close_matches("appel", ["ape", "apple", "peach"]), ipaddress.ip_network("10.0.0.0/30").num_addresses, list(ipaddress.ip_network("fe80::/126").hosts())[0], ipaddress.ip_address("192.168.1.1").is_private)
m = email.message.EmailMessage(); m["Subject"] = "Grüße"; m["To"] = "a@b.c"; m.set_content("hello\n"); m.add_attachment(b"data", maintype="application", subtype="octet-stream", filename="f.bin"); p = email.parser.BytesParser(policy=email.policy.default).parsebytes(m.as_bytes()) if hasattr(email, "policy") else m; print(p["subject"], [x.get_content_type() for x in p.walk()], mimetypes.guess_type("x.tar.gz"), plistlib.loads(plistlib.dumps({"a": [1, b"x"]})))
print(unicodedata.normalize("NFD", "é").encode(), unicodedata.name("λ"), "ß".casefold(), "İ".lower().encode(), "straße".upper(), "٣".isdigit(), int("٣"), "a\u0301".isidentifier(), codecs.encode("hello", "rot13"), "naïve".encode("latin-1"), b"\xff".decode("utf-8", "backslashreplace"), "日本".encode("shift_jis"), "中".encode("gbk"))
try: {}["x"]
except KeyError as e:
    e.add_note("a note")
    try: raise ValueError("outer") from e
    except ValueError as v: import traceback; print("".join(traceback.format_exception(v)).replace(__file__, "F"))
print(sorted({"b": 1, "a": 2}.items(), key=lambda kv: -kv[1]), *zip("ab", range(2), strict=True), [*range(3)][::-1], {**{"a": 1}, "b": 2} | {"c": 3}, (lambda *a, k=1, **kw: (a, k, kw))(1, 2, z=3), f"{3.14159!r:>10}", f"{'nested ' + f'{1 + 1}'}", type("X", (), {"y": 1})().y, 10**50, -7 // 2, -7 % 3, divmod(7, -2), hex(2**64), 1_000, 0b101, True + True, "%s %05.1f %r" % ("a", 3.14159, "b"), b"%d" % 3)
