// Local time: TZ, a file of /usr/share/zoneinfo or a rule of POSIX, or else /etc/localtime.
// The format of zone files is RFC 8536's, version 2 and later.
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define FOLDER "/usr/share/zoneinfo/"
#define FILE_MAX (256 << 10)
#define DAY 86400
#define NAME_MAX_LEN 15

// A day on which the clocks change, and the local second of it.
struct change {
	char form; // 'M' month.week.day, 'J' day without 29 February, 'N' day with it
	int month, week, day, at;
};

struct kind {
	int offset; // east of UTC, in seconds
	int dst;
	char name[NAME_MAX_LEN + 1];
};

static struct {
	char *tz;             // what TZ was; NULL: not looked at yet
	unsigned char *file;  // what the following point into
	const unsigned char *times, *indexes, *kinds, *names;
	unsigned time_count, kind_count, name_count;
	int rule;             // the following hold, after the last of times
	struct kind std, dst; // dst.name is empty if there is none
	struct change start, end;
} zone;

char *tzname[2] = {"UTC", "UTC"};
long timezone;
int daylight;

static int64_t big_endian(const unsigned char *p, int bytes)
{
	uint64_t v = 0;
	for (int i = 0; i < bytes; i++)
		v = v << 8 | p[i];
	return bytes == 4 ? (int32_t)v : (int64_t)v;
}

static int number(const char **s)
{
	int n = 0;
	while (**s >= '0' && **s <= '9' && n < 100000)
		n = n * 10 + *(*s)++ - '0';
	return n;
}

// duration reads [+-]h[h][:mm[:ss]].
static int duration(const char **s)
{
	int sign = 1, seconds;
	if (**s == '-' || **s == '+')
		sign = *(*s)++ == '-' ? -1 : 1;
	seconds = number(s) * 3600;
	if (**s == ':')
		++*s, seconds += number(s) * 60;
	if (**s == ':')
		++*s, seconds += number(s);
	return sign * seconds;
}

static int zone_name(const char **s, char *to)
{
	size_t len = 0;
	int quoted = **s == '<';
	*s += quoted;
	while (**s && (quoted ? **s != '>' : (**s | 32) >= 'a' && (**s | 32) <= 'z')) {
		if (len < NAME_MAX_LEN)
			to[len++] = **s;
		++*s;
	}
	to[len] = '\0';
	*s += quoted && **s == '>';
	return len >= 3;
}

static struct change change(const char **s)
{
	struct change c = {.form = 'N', .at = 2 * 3600};
	*s += **s == ',';
	if (**s == 'M') {
		++*s;
		c.form = 'M';
		c.month = number(s);
		*s += **s == '.';
		c.week = number(s);
		*s += **s == '.';
	} else if (**s == 'J') {
		++*s;
		c.form = 'J';
	}
	c.day = number(s);
	if (**s == '/')
		++*s, c.at = duration(s);
	return c;
}

// parse_rule reads a rule of POSIX: "CET-1CEST,M3.5.0,M10.5.0/3".
static int parse_rule(const char *s)
{
	if (!zone_name(&s, zone.std.name) || (*s != '-' && *s != '+' && (*s < '0' || *s > '9')))
		return 0;
	zone.std.offset = -duration(&s);
	zone.dst.name[0] = '\0';
	if (*s && zone_name(&s, zone.dst.name)) {
		zone.dst.dst = 1;
		zone.dst.offset = zone.std.offset + 3600;
		if (*s && *s != ',')
			zone.dst.offset = -duration(&s);
		const char *usual = ",M3.2.0,M11.1.0";
		if (*s == '\0')
			s = usual;
		zone.start = change(&s);
		zone.end = change(&s);
	}
	return zone.rule = 1;
}

// parse_file takes a file apart. The second block, of version 2, has 64-bit times.
static int parse_file(unsigned char *p, size_t size)
{
	const size_t header = 44;
	for (int block = 0; block < 2; block++) {
		if (size < header || memcmp(p, "TZif", 4) != 0 || p[4] < '2')
			return 0;
		uint32_t n[6];
		for (int i = 0; i < 6; i++)
			if ((n[i] = (uint32_t)big_endian(p + 20 + 4 * i, 4)) > FILE_MAX)
				return 0;
		// n: UT indicators, standard indicators, leap seconds, times, kinds, bytes of names
		size_t width = block ? 8 : 4;
		size_t body = n[3] * (width + 1) + n[4] * 6 + n[5] + n[2] * (width + 4) + n[1] + n[0];
		if (size - header < body)
			return 0;
		if (block == 1) {
			zone.times = p + header;
			zone.indexes = zone.times + n[3] * width;
			zone.kinds = zone.indexes + n[3];
			zone.names = zone.kinds + n[4] * 6;
			zone.time_count = n[3];
			zone.kind_count = n[4];
			zone.name_count = n[5];
			for (unsigned i = 0; i < n[3]; i++)
				if (zone.indexes[i] >= n[4])
					return 0;
		}
		p += header + body;
		size -= header + body;
	}
	char *end;
	if (zone.kind_count == 0 || size < 2 || *p != '\n' || !(end = memchr(p + 1, '\n', size - 1)))
		return 0;
	*end = '\0';
	zone.rule = 0;
	parse_rule((char *)p + 1);
	return 1;
}

static int load(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	unsigned char *buf = malloc(FILE_MAX);
	size_t size = 0;
	ssize_t n;
	while (buf && size < FILE_MAX && (n = read(fd, buf + size, FILE_MAX - size)) > 0)
		size += (size_t)n;
	close(fd);
	if (buf == NULL || !parse_file(buf, size)) {
		free(buf);
		return 0;
	}
	free(zone.file);
	zone.file = realloc(buf, size); // smaller, so in place
	return 1;
}

static struct kind kind_at(unsigned i)
{
	const unsigned char *k = zone.kinds + 6 * i;
	struct kind kind = {.offset = (int)big_endian(k, 4), .dst = k[4]};
	for (unsigned at = k[5], len = 0; at < zone.name_count && zone.names[at] && len < NAME_MAX_LEN; at++)
		kind.name[len++] = (char)zone.names[at];
	return kind;
}

static void use_utc(const char *name)
{
	zone.time_count = zone.kind_count = 0;
	zone.std = (struct kind){0};
	zone.dst = (struct kind){0};
	strcpy(zone.std.name, name);
	zone.rule = 1;
}

static void look(const char *tz)
{
	char path[PATH_MAX];
	zone.time_count = zone.kind_count = 0;
	if (tz == NULL) {
		if (!load("/etc/localtime"))
			use_utc("UTC");
		return;
	}
	const char *name = *tz == ':' ? tz + 1 : tz;
	snprintf(path, sizeof path, "%s%s", *name == '/' ? "" : FOLDER, name);
	if (*name && load(path))
		return;
	if (*name && parse_rule(tz))
		return;
	// As glibc does, a name that nobody knows is UTC's, up to what isn't a letter.
	char known[NAME_MAX_LEN + 1];
	use_utc(zone_name(&name, known) ? known : "UTC");
}

// kind_for finds what holds at t. Kinds' names must outlive the call: they are interned.
static const char *intern(const char *name)
{
	static struct interned {
		struct interned *next;
		char name[NAME_MAX_LEN + 1];
	} *all;
	for (struct interned *i = all; i; i = i->next)
		if (strcmp(i->name, name) == 0)
			return i->name;
	struct interned *made = malloc(sizeof *made);
	if (made == NULL)
		return "UTC";
	strcpy(made->name, name);
	made->next = all;
	all = made;
	return made->name;
}

static int leap(int64_t y) { return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0; }

// days counts the days from 1970 to the first of January of y.
static int64_t days(int64_t y)
{
	y--;
	return y * 365 + y / 4 - y / 100 + y / 400 - 719162;
}

static int64_t change_time(const struct change *c, int64_t year)
{
	static const int before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};
	int64_t first = days(year);
	int day = c->day;
	if (c->form == 'J')
		day = c->day - 1 + (leap(year) && c->day > 59);
	else if (c->form == 'M') {
		int m = c->month < 1 ? 1 : c->month > 12 ? 12 : c->month;
		int start = before[m - 1] + (m > 2 && leap(year)), length = before[m] - before[m - 1] + (m == 2 && leap(year));
		int weekday = (int)((first + start + 4) % 7 + 7) % 7;
		day = (c->day - weekday + 7) % 7 + 7 * (c->week - 1);
		while (day >= length)
			day -= 7;
		day += start;
	}
	return (first + day) * DAY + c->at;
}

// by_rule finds what holds at t by the rule. The year of t is within a second of the rule's, near enough.
static struct kind by_rule(int64_t t)
{
	if (zone.dst.name[0] == '\0')
		return zone.std;
	int64_t local = t + zone.std.offset, year = 1970 + local / 31556952;
	while (days(year) * DAY > local)
		year--;
	while (days(year + 1) * DAY <= local)
		year++;
	int64_t start = change_time(&zone.start, year) - zone.std.offset, end = change_time(&zone.end, year) - zone.dst.offset;
	int dst = start < end ? t >= start && t < end : t >= start || t < end;
	return dst ? zone.dst : zone.std;
}

static struct kind at_time(int64_t t)
{
	unsigned low = 0, high = zone.time_count;
	while (low < high) {
		unsigned mid = (low + high) / 2;
		if (big_endian(zone.times + 8 * mid, 8) <= t)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == zone.time_count && zone.rule)
		return by_rule(t);
	return kind_at(low ? zone.indexes[low - 1] : 0);
}

void tzset(void)
{
	const char *tz = getenv("TZ");
	if (zone.tz && strcmp(zone.tz, tz ? tz : "\n") == 0)
		return;
	free(zone.tz);
	zone.tz = strdup(tz ? tz : "\n");
	look(tz);
	time_t now = time(NULL);
	struct kind std = zone.rule ? zone.std : at_time(now), dst = zone.rule ? zone.dst : std;
	tzname[0] = (char *)intern(std.name);
	tzname[1] = (char *)intern(dst.name[0] ? dst.name : std.name);
	timezone = -std.offset;
	daylight = dst.name[0] != '\0' && zone.rule;
}

// What wasi-libc's localtime and mktime are made on, by musl's names.
const char __utc[] = "UTC";

void __secs_to_zone(long long t, int local, int *isdst, int *offset, long *other, const char **name)
{
	tzset();
	struct kind k = at_time(t);
	if (local) {
		// t is local: guess, and look again from there.
		k = at_time(t - k.offset);
		k = at_time(t - k.offset);
	}
	*isdst = k.dst;
	*offset = k.offset;
	if (other)
		*other = zone.rule ? (k.dst ? zone.std.offset : zone.dst.offset) : k.offset;
	*name = intern(k.name);
}

const char *__tm_to_tzname(const struct tm *tm)
{
	tzset();
	return tm->__tm_zone ? tm->__tm_zone : tzname[tm->tm_isdst > 0];
}

// glibc's name for the zone of gmtime.
struct tm *__gmtime_r(const time_t *restrict, struct tm *restrict);

struct tm *gmtime_r(const time_t *restrict t, struct tm *restrict tm)
{
	tm = __gmtime_r(t, tm);
	if (tm)
		tm->__tm_zone = "GMT";
	return tm;
}

struct tm *gmtime(const time_t *t)
{
	static struct tm tm;
	return gmtime_r(t, &tm);
}
