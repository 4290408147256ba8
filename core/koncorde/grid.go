package koncorde

import "math"

// grid finds the shapes that may hold a point. It has levels of ever smaller cells; each box around a shape is filed in
// the smallest cells that it touches at most four of.
type grid struct {
	size  int
	cells map[cell]*bag
	// boxes counts the boxes of each level: levels without any are not looked up.
	boxes [gridLevels]int
}

// gridLevels: the cells of the first level are 360 degrees wide, those of the last about 40 metres.
const gridLevels = 21

type cell struct{ level, x, y int }

func (g *grid) add(s shape, e *entry) {
	g.size++
	for _, b := range s.bounds() {
		level := levelOf(b)
		g.boxes[level]++
		forCells(b, level, func(c cell) {
			if g.cells == nil {
				g.cells = map[cell]*bag{}
			}
			if g.cells[c] == nil {
				g.cells[c] = &bag{}
			}
			g.cells[c].add(e)
		})
	}
}

func (g *grid) remove(s shape, e *entry) {
	g.size--
	for _, b := range s.bounds() {
		level := levelOf(b)
		g.boxes[level]--
		forCells(b, level, func(c cell) {
			cellBag := g.cells[c]
			if cellBag.remove(e); len(*cellBag) == 0 {
				delete(g.cells, c)
			}
		})
	}
}

// lookUp calls visit with what is filed near p; a shape with two boxes may come twice.
func (g *grid) lookUp(p point, visit func(bag)) {
	for level, n := range g.boxes {
		if n == 0 {
			continue
		}
		if b := g.cells[cellOf(p.lat, p.lon, level)]; b != nil {
			visit(*b)
		}
	}
}

func levelOf(b box) int {
	extent := math.Max(b.right-b.left, b.top-b.bottom)
	level := 0
	for level+1 < gridLevels && cellWidth(level+1) >= extent {
		level++
	}
	return level
}

func cellWidth(level int) float64 { return 360 / float64(int(1)<<level) }

func cellOf(lat, lon float64, level int) cell {
	width := cellWidth(level)
	return cell{level, int(math.Floor((lon + 180) / width)), int(math.Floor((lat + 90) / width))}
}

func forCells(b box, level int, visit func(cell)) {
	from, to := cellOf(b.bottom, b.left, level), cellOf(b.top, b.right, level)
	for x := from.x; x <= to.x; x++ {
		for y := from.y; y <= to.y; y++ {
			visit(cell{level, x, y})
		}
	}
}
