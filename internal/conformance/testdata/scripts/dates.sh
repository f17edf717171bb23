TZ=UTC date -d @0 '+%F %T'
TZ=UTC date -d '2024-02-28 +2 days' +%F
TZ=UTC date -d '2024-01-31 12:00' +%s
TZ=UTC date -d 'last day' +%Y >/dev/null; echo $?
TZ=EST5EDT,M3.2.0,M11.1.0 date -d @1720000000 '+%H:%M %Z %z'
