package engine

import (
	"maps"
	"slices"
)

// Compose makes one image of several: a sandbox of it has the programs, files and languages of all. Where two of them
// define the same language or variable, the earlier one's is taken. Paths of programs and layers must differ, or New
// fails.
func Compose(name string, images ...Image) Image {
	all := Image{Name: name, Langs: map[string][]string{}}
	for _, im := range slices.Backward(images) {
		programs := slices.Clone(im.Programs)
		for i := range programs {
			if programs[i].Warm != nil && programs[i].world == nil {
				programs[i].world = &im
			}
		}
		all.Programs = append(programs, all.Programs...)
		all.Layers = append(slices.Clone(im.Layers), all.Layers...)
		all.Env = mergeEnv(all.Env, im.Env)
		maps.Copy(all.Langs, im.Langs)
	}
	return all
}
