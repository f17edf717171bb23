package eval

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
)

//go:embed report.html
var reportPage string

// reportData is what the page's script works on.
type reportData struct {
	Title    string         `json:"title"`
	Summary  Summary        `json:"summary"`
	Outcomes []Outcome      `json:"outcomes"`
	Tasks    []reportTask   `json:"tasks"`
	Samples  []reportSample `json:"samples"`
}

type reportTask struct {
	ID     string `json:"id"`
	Prompt string `json:"prompt"`
	Test   string `json:"test"`
}

type reportSample struct {
	Verdict
	Completion string `json:"completion"`
}

// WriteReport writes verdicts as one HTML page that needs nothing beside itself: the pass rates, a table of samples to
// filter and sort, and for each the candidate, the test and the output side by side. Nothing of a sample's is taken for
// HTML.
func WriteReport(w io.Writer, title string, tasks []Task, samples []Sample, verdicts []Verdict) error {
	if samples == nil {
		samples = Canonical(tasks, 1)
	}
	data := reportData{Title: title, Summary: Summarize(verdicts), Outcomes: Outcomes()}
	completions := map[resultKey]string{}
	for _, s := range samples {
		completions[resultKey{s.TaskID, s.Index}] = s.Completion
	}
	judged := map[string]bool{}
	for _, v := range verdicts {
		judged[v.TaskID] = true
		data.Samples = append(data.Samples, reportSample{v, completions[resultKey{v.TaskID, v.Index}]})
	}
	for _, t := range tasks {
		if judged[t.ID] {
			data.Tasks = append(data.Tasks, reportTask{t.ID, t.Prefix, t.Suffix})
		}
	}
	page, err := template.New("report").Parse(reportPage)
	if err == nil {
		err = page.Execute(w, data)
	}
	if err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}
