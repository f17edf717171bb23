"""What programs do, for the profile that the interpreter is compiled with.

Every run does the same: no clocks, no random numbers, no addresses in the order of anything. The work is a mix of what
small programs consist of: it is no benchmark, and no case in it is there for its own sake.
"""

import ast
import asyncio
import bisect
import collections
import copy
import csv
import dataclasses
import datetime
import decimal
import enum
import fractions
import functools
import heapq
import io
import itertools
import json
import math
import operator
import os
import pickle
import re
import statistics
import string
import struct
import sys
import textwrap
import tokenize

TEXT = " ".join(textwrap.dedent(str(m.__doc__)) for m in (ast, collections, csv, dataclasses, json, pickle, re, struct, textwrap)) * 4


@dataclasses.dataclass(order=True)
class Point:
    x: float
    y: float = 0.0
    tags: list = dataclasses.field(default_factory=list)

    def __add__(self, other):
        return Point(self.x + other.x, self.y + other.y)

    @property
    def length(self):
        return math.hypot(self.x, self.y)


class Node:
    __slots__ = ("key", "left", "right")

    def __init__(self, key):
        self.key, self.left, self.right = key, None, None

    def insert(self, key):
        node = self
        while True:
            side = "left" if key < node.key else "right"
            child = getattr(node, side)
            if child is None:
                setattr(node, side, Node(key))
                return
            node = child

    def __iter__(self):
        if self.left:
            yield from self.left
        yield self.key
        if self.right:
            yield from self.right


class Color(enum.Enum):
    RED = 1
    GREEN = 2


def numbers(count, seed=1):
    for _ in range(count):
        seed = (seed * 1103515245 + 12345) % 2**31
        yield seed


def arithmetic():
    total = 0
    for i in range(60_000):
        total += i * i % 7 - (i >> 3) ^ (i & 5)
        if total > 10**6:
            total //= 3
    x = 0.0
    for i in range(1, 40_000):
        x += math.sin(i) / i - x * 0.5 if i % 2 else -1.5 * x
    primes = [n for n in range(2, 3000) if all(n % d for d in range(2, int(n**0.5) + 1))]
    big = functools.reduce(operator.mul, primes[:200], 1)
    return total, x, pow(big, 65, 10**40 + 7), str(big), divmod(big, 10**50), fractions.Fraction(big, 3**40)


def recursion():
    def fib(n):
        return n if n < 2 else fib(n - 1) + fib(n - 2)

    @functools.lru_cache(maxsize=None)
    def ways(n, k):
        return 1 if n == 0 else 0 if n < 0 or k == 0 else ways(n - k, k) + ways(n, k - 1)

    def permute(items):
        if len(items) <= 1:
            yield items
        for i, item in enumerate(items):
            for rest in permute(items[:i] + items[i + 1 :]):
                yield [item, *rest]

    def hanoi(n, a, b, c):
        return 0 if n == 0 else hanoi(n - 1, a, c, b) + 1 + hanoi(n - 1, c, b, a)

    return fib(21), ways(150, 40), sum(p[0] for p in permute(list(range(7)))), hanoi(13, "a", "b", "c")


def strings():
    words = re.findall(r"\w+", TEXT)
    counts = collections.Counter(w.lower() for w in words)
    out = []
    for word, n in counts.most_common(300):
        out.append(f"{word:>12}|{n:<5d}|{n / len(words):.3%}|{word[::-1]!r}" + "%s-%05d" % (word.title(), n) + "{0} {k}".format(n, k=word))
    joined = "\n".join(out)
    vowels = sum(1 for ch in joined if ch in "aeiou")
    clean = "".join(ch for ch in joined if ch.isalnum() or ch.isspace())
    palindromes = [w for w in counts if len(w) > 2 and w == w[::-1]]
    table = str.maketrans(string.ascii_lowercase, string.ascii_lowercase[13:] + string.ascii_lowercase[:13])
    for line in joined.splitlines():
        left, _, right = line.partition("|")
        line.strip().split("|"), left.upper().replace(" ", "_"), right.find("%"), line.encode().decode(), line.startswith("the")
    return vowels, len(clean), palindromes, joined.translate(table).count("n"), textwrap.fill(TEXT[:3000], 60), ascii("ü" * 50 + TEXT[:50])


def regular():
    patterns = [r"(\w+)@(\w+)\.com", r"\b[A-Z][a-z]+\b", r"(?P<a>\d+)[-/](?P<b>\d+)", r"(a|b)*c", r"^\s*#.*$", r"'[^']*'|\"[^\"]*\""]
    found = 0
    for p in patterns:
        compiled = re.compile(p, re.M)
        found += sum(1 for _ in compiled.finditer(TEXT + " ann@mail.com 12-34 'x y' " * 50))
        compiled.sub(lambda m: m.group(0).upper(), TEXT[:2000])
    return found, re.split(r"[,.;]\s*", TEXT)[:5], re.match(r"(?:x+x+)+y", "x" * 14)


def containers():
    values = list(numbers(8000))
    squares = {v % 1000: v * v for v in values}
    groups = collections.defaultdict(list)
    for v in values:
        groups[v % 17].append(v)
    unique = {v % 997 for v in values} | {1, 2} - {3}
    values.sort(key=lambda v: (v % 10, -v))
    pairs = sorted(zip(values, reversed(values)), key=operator.itemgetter(1))
    heap = []
    for v in values[:2000]:
        heapq.heappush(heap, (v % 100, v))
    order = [heapq.heappop(heap) for _ in range(len(heap))]
    window = collections.deque(maxlen=5)
    sums = []
    for v in values[:5000]:
        window.append(v)
        sums.append(sum(window))
    matrix = [[i * j for j in range(30)] for i in range(30)]
    product = [[sum(a * b for a, b in zip(row, col)) for col in zip(*matrix)] for row in matrix]
    tree = Node(0)
    for v in values[:600]:
        tree.insert(v)
    flat = list(itertools.chain.from_iterable(itertools.islice(groups.values(), 5)))
    merged = {**squares, **dict(enumerate(flat))}
    for key in list(merged)[::3]:
        del merged[key]
    seen = []
    for v in values[:300]:
        if v % 50 not in seen:
            seen.append(v % 50)
        bisect.insort(sums, v)
    return len(unique), pairs[0], order[-1], max(sums), product[3][4], sum(tree), len(flat), min(merged.values()), copy.deepcopy(matrix)[2], seen


def grids():
    size = 40
    walls = {(x, y) for x in range(size) for y in range(size) if (x * 7 + y * 13) % 5 == 0}
    distance, queue = {(1, 1): 0}, collections.deque([(1, 1)])
    while queue:
        x, y = queue.popleft()
        for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            step = (x + dx, y + dy)
            if 0 <= step[0] < size and 0 <= step[1] < size and step not in walls and step not in distance:
                distance[step] = distance[x, y] + 1
                queue.append(step)
    a, b = TEXT[:160], TEXT[300:460]
    longest = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i, p in enumerate(a):
        for j, q in enumerate(b):
            longest[i + 1][j + 1] = longest[i][j] + 1 if p == q else max(longest[i][j + 1], longest[i + 1][j])
    return max(distance.values()), longest[-1][-1]


def objects():
    points = [Point(i % 13, i / 3) for i in range(3000)]
    total = functools.reduce(operator.add, points)
    lengths = sorted(p.length for p in points)
    best = max(points, key=lambda p: p.y)
    caught = 0
    for i in range(4000):
        try:
            if i % 3 == 0:
                raise ValueError(i)
            {}[i] if i % 3 == 1 else int("x")
        except (KeyError, ValueError) as error:
            caught += bool(error.args)
        finally:
            caught -= 0
        match points[i % 3000], i % 4:
            case Point(x=0.0), 0:
                caught += 2
            case [_, _] | (_, 3):
                caught += 1
            case _:
                pass
    return total, statistics.pstdev(lengths), best, caught, [c.name for c in Color], dataclasses.asdict(points[5]), repr(points[:20]), points[1] < points[2]


def formats():
    data = [{"id": i, "name": f"n{i}", "score": i / 7, "ok": i % 2 == 0, "none": None, "list": list(range(i % 9)), "t": "ü\n"} for i in range(700)]
    text = json.dumps(data, indent=1)
    again = json.loads(text)
    packed = pickle.loads(pickle.dumps((again, [Point(1, 2)], {1, 2, 3})))
    sheet = io.StringIO()
    csv.writer(sheet).writerows([d["id"], d["name"], d["score"]] for d in data)
    rows = list(csv.DictReader(io.StringIO(sheet.getvalue()), fieldnames=["id", "name", "score"]))
    binary = b"".join(struct.pack("<IdH", d["id"], d["score"], 7) for d in data)
    start = datetime.datetime(2024, 1, 31)
    days = [(start + datetime.timedelta(days=i)).strftime("%Y-%m-%d %A") for i in range(400)]
    parsed = [datetime.date.fromisoformat(d[:10]).isocalendar() for d in days]
    money = sum((decimal.Decimal(d["id"]) / 7 for d in data), decimal.Decimal(0)).quantize(decimal.Decimal("0.01"))
    return again == data, len(packed), rows[-1], sum(binary), parsed[-1], money


def generators():
    def chain(source, *stages):
        for stage in stages:
            source = stage(source)
        return source

    async def worker(queue, done):
        while (item := await queue.get()) is not None:
            done.append(item * 2)
            await asyncio.sleep(0)

    async def main():
        queue, done = asyncio.Queue(), []
        tasks = [asyncio.create_task(worker(queue, done)) for _ in range(3)]
        for i in range(400):
            await queue.put(i)
        for _ in tasks:
            await queue.put(None)
        await asyncio.gather(*tasks)
        return sum(done)

    piped = chain(numbers(5000), lambda s: (v for v in s if v % 3), lambda s: map(str, s), lambda s: itertools.takewhile(len, s))
    groups = {k: len(list(g)) for k, g in itertools.groupby(sorted(piped, key=len), key=len)}
    return groups, asyncio.run(main()), list(itertools.combinations(range(12), 3))[-1], list(itertools.product("ab", repeat=8))[9]


def compiling():
    done = 0
    for module in (ast, collections, dataclasses, datetime, json.decoder, pickle, re, tokenize, textwrap, string):
        with open(module.__file__, encoding="utf-8") as file:
            source = file.read()
        tree = ast.parse(source)
        done += sum(1 for _ in ast.walk(tree))
        compile(source, module.__file__, "exec")
        done += sum(1 for _ in tokenize.generate_tokens(io.StringIO(source).readline))
    for line in TEXT.splitlines()[:200]:
        exec(f"v = {line!r}; w = len(v) + {len(line)}", {})
    return done


def printing():
    out = io.StringIO()
    for i in range(3000):
        print(i, "text", [i, i / 2], {"k": i}, sep=", ", file=out)
    with open(os.devnull, "w", encoding="utf-8") as null:
        for line in out.getvalue().splitlines():
            null.write(line + "\n")
    return len(out.getvalue())


for part in (arithmetic, recursion, strings, regular, containers, grids, objects, formats, generators, compiling, printing) * 2:
    assert part() is not None
sys.stdout.write("trained\n")
