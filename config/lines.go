package config

import "strings"

// lineFinder finds the line of a key in a YAML text by its indentation. It knows the block style only, which is how people
// write settings; for a path inside braces it finds the line of nothing.
type lineFinder struct {
	lines []yamlLine
}

type yamlLine struct {
	number int
	indent int
	key    string
}

func newLineFinder(text string) lineFinder {
	var f lineFinder
	for i, line := range strings.Split(text, "\n") {
		content := strings.TrimLeft(line, " ")
		if content = strings.TrimSpace(content); content == "" || content[0] == '#' || content == "---" {
			continue
		}
		name, _, _ := strings.Cut(content, ":")
		f.lines = append(f.lines, yamlLine{
			number: i + 1,
			indent: len(line) - len(strings.TrimLeft(line, " ")),
			key:    strings.Trim(strings.TrimSpace(name), `"'`),
		})
	}
	return f
}

// find gives the line of the last key of path, counted from 1; 0 when it is not found.
func (f lineFinder) find(path []string) int {
	block := f.lines
	for depth, name := range path {
		at := indexOfKey(block, name)
		if at < 0 {
			return 0
		}
		if depth == len(path)-1 {
			return block[at].number
		}
		block = below(block, at)
	}
	return 0
}

// indexOfKey looks among the keys of the block itself, those with the indentation of its first line.
func indexOfKey(block []yamlLine, name string) int {
	for i, line := range block {
		if line.indent == block[0].indent && line.key == name {
			return i
		}
	}
	return -1
}

// below gives the lines that are indented deeper than block[at] and follow it.
func below(block []yamlLine, at int) []yamlLine {
	end := at + 1
	for end < len(block) && block[end].indent > block[at].indent {
		end++
	}
	return block[at+1 : end]
}
