x=5
cat <<-E
	indented $x
	E2
	E
cat <<'Q'
no $x `date`
Q
