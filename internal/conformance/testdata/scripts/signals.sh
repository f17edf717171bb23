trap 'echo got usr1' USR1
kill -USR1 $$
(trap '' TERM; kill -TERM $BASHPID; echo survived)
bash -c 'kill -TERM $$'; echo $?
trap - USR1; trap -p | wc -l
timeout 0.1 bash -c 'while :; do :; done'; echo $?
