cat > app.ini <<E
[server]
host = localhost
port=80
[db]
port=5432
E
awk -F' *= *' '/^\[/{s=$0} s=="[db]" && $1=="port"{print $2}' app.ini
sed -i '/^\[server\]/,/^\[/ s/^port=.*/port=8080/' app.ini; cat app.ini
grep -oP '^port=\K\d+' app.ini 2>/dev/null || grep -o '[0-9]*$' app.ini
