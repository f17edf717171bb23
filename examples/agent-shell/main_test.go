package main

import (
	"context"
	"fmt"
	"os"
)

func Example() {
	if err := run(context.Background(), os.Stdout); err != nil {
		fmt.Println(err)
	}
	// Output:
	// $ mkdir -p app && cd app && printf 'total: %d\n' 41 > report.txt
	// $ pwd; grep -c total report.txt
	//   /home/user/app
	//   1
	// $ sed -i 's/41/42/' report.txt && cat report.txt
	//   total: 42
	// $ for i in 1 2 3; do echo "step $i"; done; cat missing.txt
	//   step 1
	//   step 2
	//   step 3
	// ! cat: missing.txt: No such file or directory
	// [status 1]
	// $ echo waiting; sleep 60
	//   waiting
	// [interrupted, status 130]
	// $ echo "still in ${PWD##*/}, the last command answered $?"
	//   still in app, the last command answered 130
}
