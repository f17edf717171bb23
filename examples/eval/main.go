// Command eval judges the first 20 of HumanEval's solutions, and one that is wrong, each in a sandbox of its own.
//
//	go run ./examples/eval benchmarks/data/HumanEval.jsonl.gz
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/eval"
	"github.com/belljar-dev/belljar/runtimes/python"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: eval TASKS.jsonl")
	}
	if err := judge(context.Background(), os.Stdout, os.Args[1]); err != nil {
		log.Fatal(err)
	}
}

func judge(ctx context.Context, w io.Writer, name string) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	tasks, err := eval.ReadTasks(file, "python")
	if err != nil {
		return err
	}
	tasks = tasks[:min(20, len(tasks))]

	e, err := engine.New(engine.Config{Images: []engine.Image{python.Image()}})
	if err != nil {
		return err
	}
	defer e.Close()

	samples := eval.Canonical(tasks, 1)
	samples = append(samples, eval.Sample{TaskID: tasks[0].ID, Index: 1, Completion: "    return None\n"})
	var verdicts []eval.Verdict
	for v, err := range eval.Run(ctx, e, tasks, samples, eval.Options{}) {
		if err != nil {
			return err
		}
		if v.Outcome != eval.Passed {
			fmt.Fprintf(w, "%s, sample %d: %s: %s\n", v.TaskID, v.Index, v.Outcome, v.Reason)
		}
		verdicts = append(verdicts, v)
	}
	s := eval.Summarize(verdicts)
	fmt.Fprintf(w, "%d of %d samples passed\n", s.Counts[eval.Passed], s.Samples)
	return nil
}
