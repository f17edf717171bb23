package python_test

import (
	"context"
	"fmt"
	"log"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/runtimes/python"
)

func Example() {
	ctx := context.Background()
	eng, err := engine.New(engine.Config{Images: []engine.Image{python.Image()}})
	if err != nil {
		log.Fatal(err)
	}
	defer eng.Close()

	sb, err := eng.Create(ctx, engine.Spec{Image: "python"})
	if err != nil {
		log.Fatal(err)
	}
	defer sb.Close()

	res, err := sb.Eval(ctx, "python", "print(6*7)")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(res.Stdout)
	// Output: 42
}
