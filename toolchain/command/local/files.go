package local

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/gobwas/glob"
	"github.com/pulumi/pulumi-go-provider/infer/types"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/asset"
)

// assets are the files below dir that the patterns choose, by their path relative to dir.
func assets(dir string, patterns []string) (*map[string]types.AssetOrArchive, error) {
	files, err := pathAssets(dir, patterns)
	if err != nil {
		return nil, err
	}
	found := make(map[string]types.AssetOrArchive, len(files))
	for name, file := range files {
		found[name] = types.AssetOrArchive{Asset: file}
	}
	return &found, nil
}

// archive is the same as one archive.
func archive(dir string, patterns []string) (*resource.Archive, error) {
	files, err := pathAssets(dir, patterns)
	if err != nil {
		return nil, err
	}
	entries := make(map[string]any, len(files))
	for name, file := range files {
		entries[name] = file
	}
	return resource.NewAssetArchive(entries)
}

func pathAssets(dir string, patterns []string) (map[string]*asset.Asset, error) {
	names, err := match(dir, patterns)
	if err != nil {
		return nil, err
	}
	files := make(map[string]*asset.Asset, len(names))
	for _, name := range names {
		if files[name], err = resource.NewPathAsset(filepath.Join(dir, name)); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// match lists the files below dir for which the last pattern that matches is
// not one of exclusion, which starts with an exclamation mark.
func match(dir string, patterns []string) ([]string, error) {
	type rule struct {
		pattern glob.Glob
		include bool
	}
	rules := make([]rule, 0, len(patterns))
	for _, text := range patterns {
		positive, exclude := strings.CutPrefix(text, "!")
		pattern, err := glob.Compile(positive, '/')
		if err != nil {
			return nil, fmt.Errorf("pattern %q: %w", text, err)
		}
		rules = append(rules, rule{pattern, !exclude})
	}
	var names []string
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		relative, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		name, chosen := filepath.ToSlash(relative), false
		for _, r := range rules {
			if r.pattern.Match(name) {
				chosen = r.include
			}
		}
		if chosen {
			names = append(names, name)
		}
		return nil
	})
	return names, err
}
