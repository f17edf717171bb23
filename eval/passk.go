package eval

import (
	"math/rand/v2"
	"slices"
)

// Summary is what verdicts add up to.
type Summary struct {
	Samples int             `json:"samples"`
	Tasks   []TaskSummary   `json:"tasks"` // in the order of their first verdicts
	Counts  map[Outcome]int `json:"counts"`
	PassAt  []PassAt        `json:"pass_at"`
}

// TaskSummary counts one task's samples.
type TaskSummary struct {
	TaskID  string `json:"task_id"`
	Samples int    `json:"samples"`
	Passed  int    `json:"passed"`
}

// PassAt is the chance that at least one of K samples passes, the mean over all tasks, by the unbiased estimator of
// https://arxiv.org/abs/2107.03374. Low and High bound its 95 % confidence interval over the choice of tasks
// (percentile bootstrap).
type PassAt struct {
	K     int     `json:"k"`
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

// Summarize adds up verdicts. pass@k is given for those of ks that no task has fewer samples than; with no ks, for 1,
// 10 and 100.
func Summarize(verdicts []Verdict, ks ...int) Summary {
	if len(ks) == 0 {
		ks = []int{1, 10, 100}
	}
	s := Summary{Samples: len(verdicts), Tasks: []TaskSummary{}, Counts: map[Outcome]int{}, PassAt: []PassAt{}}
	at := map[string]int{}
	for _, v := range verdicts {
		i, ok := at[v.TaskID]
		if !ok {
			i = len(s.Tasks)
			at[v.TaskID] = i
			s.Tasks = append(s.Tasks, TaskSummary{TaskID: v.TaskID})
		}
		s.Counts[v.Outcome]++
		s.Tasks[i].Samples++
		if v.Outcome == Passed {
			s.Tasks[i].Passed++
		}
	}
	for _, k := range ks {
		if p, ok := passAt(s.Tasks, k); ok {
			s.PassAt = append(s.PassAt, p)
		}
	}
	return s
}

// resamples is how often the bootstrap draws.
const resamples = 2000

func passAt(tasks []TaskSummary, k int) (PassAt, bool) {
	if len(tasks) == 0 || k < 1 {
		return PassAt{}, false
	}
	chances := make([]float64, len(tasks))
	for i, t := range tasks {
		if t.Samples < k {
			return PassAt{}, false
		}
		chances[i] = chance(t.Samples, t.Passed, k)
	}
	random := rand.New(rand.NewPCG(uint64(k), uint64(len(tasks)))) // the same interval for the same verdicts
	means := make([]float64, resamples)
	for i := range means {
		for range chances {
			means[i] += chances[random.IntN(len(chances))]
		}
		means[i] /= float64(len(chances))
	}
	slices.Sort(means)
	return PassAt{K: k, Value: mean(chances), Low: means[resamples/40], High: means[resamples-1-resamples/40]}, true
}

// chance is 1 - C(n-c, k) / C(n, k): that k of n samples, c of which pass, hold one that passes.
func chance(n, c, k int) float64 {
	if n-c < k {
		return 1
	}
	miss := 1.0
	for i := n - c + 1; i <= n; i++ {
		miss *= 1 - float64(k)/float64(i)
	}
	return 1 - miss
}

func mean(list []float64) float64 {
	sum := 0.0
	for _, v := range list {
		sum += v
	}
	return sum / float64(len(list))
}
