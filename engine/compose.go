package engine

import (
	"maps"
	"slices"
)

// Compose makes one image of several: a sandbox of it has the programs, files and languages of all. Where two of them
// define the same language, variable or layer, by its path, the earlier one's is taken. Paths of programs must differ, or New
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
		layers := slices.Clone(im.Layers)
		for _, l := range all.Layers {
			if !slices.ContainsFunc(im.Layers, func(own Layer) bool { return own.Path == l.Path }) {
				layers = append(layers, l)
			}
		}
		all.Layers = layers
		all.Env = mergeEnv(all.Env, im.Env)
		maps.Copy(all.Langs, im.Langs)
	}
	return all
}
