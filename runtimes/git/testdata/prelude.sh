export TZ=UTC LC_ALL=C.UTF-8 GIT_CONFIG_NOSYSTEM=1 GIT_EDITOR=: GIT_TERMINAL_PROMPT=0
export GIT_AUTHOR_NAME='A U Thor' GIT_AUTHOR_EMAIL=author@example.com GIT_COMMITTER_NAME='C O Mitter' GIT_COMMITTER_EMAIL=committer@example.com
umask 022
now=${NOW:-1112911993}
tick() { now=$((now + 60)); export GIT_AUTHOR_DATE="$now +0200" GIT_COMMITTER_DATE="$now +0200"; }
tick
# What a command answers but for 0 is part of the output.
trap 'echo "[$?]"' ERR
