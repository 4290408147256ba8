package query

import (
	"math"
	"slices"
	"strings"
)

// NumberPath says which number of a bucket counts; see BucketOrder.
type NumberPath struct {
	// By may name another pipeline of the same buckets too.
	By, Of string
}

// GapPolicy says what stands for a number that a bucket without documents, or without values, has not.
type GapPolicy string

// The policies for gaps.
const (
	SkipGaps   GapPolicy = "skip"
	InsertZero GapPolicy = "insert_zeros"
	KeepValues GapPolicy = "keep_values"
)

// Derivative gives each bucket of a histogram how much a number has grown since the bucket before it.
type Derivative struct {
	Path NumberPath
	Gap  GapPolicy
	// Unit is, in milliseconds, what growth is given for besides; 0 when it is not.
	Unit float64
}

// CumulativeSum gives each bucket of a histogram the sum of a number up to it.
type CumulativeSum struct {
	Path NumberPath
}

// BucketSort puts buckets in another order and leaves some out.
type BucketSort struct {
	Sort []BucketOrder // may be empty
	Gap  GapPolicy
	From int
	Size int
}

func isPipeline(a Aggregation) bool {
	switch a.Of.(type) {
	case *Derivative, *CumulativeSum, *BucketSort:
		return true
	}
	return false
}

// parsePath reads buckets_path. What it names is looked for when all aggregations beside it are read.
func (m *node) parsePath(to *NumberPath) error {
	if m.kind() == '[' && len(m.children) == 1 {
		m = m.children[0]
	}
	return m.setText(&to.By)
}

func (m *node) parseGap(to *GapPolicy) error {
	var word string
	err := m.setWord(&word, string(SkipGaps), string(InsertZero), string(KeepValues))
	*to = GapPolicy(word)
	return err
}

// derivativeUnits are what the units of the calendar are in milliseconds, on average.
var derivativeUnits = map[byte]float64{
	'y': 31556952e3, 'q': 7889238e3, 'M': 2629746e3, 'w': 604800e3, 'd': 86400e3, 'h': 3600e3, 'm': 60e3, 's': 1e3,
}

func parseDerivative(_ *parser, n *node, of *Aggregation) (any, error) {
	a := &Derivative{Gap: SkipGaps}
	for _, m := range n.children {
		var err error
		switch m.name {
		case "buckets_path":
			err = m.parsePath(&a.Path)
		case "gap_policy":
			err = m.parseGap(&a.Gap)
		case "unit":
			err = a.setUnit(m)
		default:
			err = refuseOption(m)
		}
		if err != nil {
			return nil, err
		}
	}
	return a, n.checkPipeline(of, a.Path)
}

func (a *Derivative) setUnit(m *node) error {
	text := Text(m.raw)
	if unit, ok := calendarUnits[text]; ok {
		a.Unit = derivativeUnits[unit]
		return nil
	}
	d, ok := parseDuration(text)
	if !ok || d.Milliseconds() == 0 {
		return m.fail("expected a unit such as \"day\" or \"12h\"")
	}
	a.Unit = float64(d.Milliseconds())
	return nil
}

func parseCumulativeSum(_ *parser, n *node, of *Aggregation) (any, error) {
	a := new(CumulativeSum)
	for _, m := range n.children {
		if m.name != "buckets_path" {
			return nil, refuseOption(m)
		}
		if err := m.parsePath(&a.Path); err != nil {
			return nil, err
		}
	}
	return a, n.checkPipeline(of, a.Path)
}

func (n *node) checkPipeline(of *Aggregation, path NumberPath) error {
	if path.By == "" {
		return n.fail("expected a buckets_path")
	}
	return of.single(n)
}

func parseBucketSort(_ *parser, n *node, of *Aggregation) (any, error) {
	a := &BucketSort{Gap: SkipGaps, Size: math.MaxInt32}
	for _, m := range n.children {
		var err error
		switch m.name {
		case "sort":
			err = a.setSort(m)
		case "from":
			err = m.setInt(&a.From, 0)
		case "size":
			err = m.setInt(&a.Size, 1)
		case "gap_policy":
			err = m.parseGap(&a.Gap)
		default:
			err = refuseOption(m)
		}
		if err != nil {
			return nil, err
		}
	}
	if len(a.Sort) == 0 && a.From == 0 && a.Size == math.MaxInt32 {
		return nil, n.fail("expected sort, from or size")
	}
	return a, of.single(n)
}

// setSort reads names, and objects such as {"name": {"order": "desc"}}.
func (a *BucketSort) setSort(n *node) error {
	keys, err := parseSort(n)
	if err != nil {
		return err
	}
	for _, k := range keys {
		if k.Missing != nil || k.MissingFirst || k.Mode != "" || k.UnmappedType != "" {
			return n.fail("%s: only its order can be given", k.Field)
		}
		a.Sort = append(a.Sort, BucketOrder{By: k.Field, Desc: k.Desc})
	}
	return nil
}

// takePipelines takes those that work on the buckets of a out of Subs, in the order in which they are computed: one that
// another one reads comes before it.
func (a *Aggregation) takePipelines(n *node) error {
	var pending []Aggregation
	var subs []Aggregation
	for _, sub := range a.Subs {
		if isPipeline(sub) {
			pending = append(pending, sub)
		} else {
			subs = append(subs, sub)
		}
	}
	if len(pending) == 0 {
		return nil
	}
	a.Subs = subs
	o := pipelineOrder{node: n, parent: a, pending: pending, state: make([]int, len(pending))}
	for i := range pending {
		if err := o.take(i); err != nil {
			return err
		}
	}
	return nil
}

// pipelineOrder puts pipelines behind those that they read.
type pipelineOrder struct {
	node    *node
	parent  *Aggregation
	pending []Aggregation
	state   []int // 0 is untouched, 1 begun, 2 taken
}

func (o *pipelineOrder) take(i int) error {
	switch o.state[i] {
	case 1:
		return o.node.fail("the aggregations %s reads itself", o.pending[i].Name)
	case 2:
		return nil
	}
	o.state[i] = 1
	p := &o.pending[i]
	if err := o.resolve(p); err != nil {
		return err
	}
	o.state[i] = 2
	o.parent.Pipelines = append(o.parent.Pipelines, *p)
	return nil
}

func (o *pipelineOrder) resolve(p *Aggregation) error {
	switch of := p.Of.(type) {
	case *Derivative:
		if err := o.wantHistogram(p); err != nil {
			return err
		}
		return o.find(p, &of.Path.By, &of.Path.Of)
	case *CumulativeSum:
		if err := o.wantHistogram(p); err != nil {
			return err
		}
		return o.find(p, &of.Path.By, &of.Path.Of)
	case *BucketSort:
		if o.parent.oneBucket() {
			return o.node.fail("the aggregation %s must stand in one with several buckets", p.Name)
		}
		for i := range of.Sort {
			if of.Sort[i].By == "_key" {
				continue
			}
			if err := o.find(p, &of.Sort[i].By, &of.Sort[i].Of); err != nil {
				return err
			}
		}
	}
	return nil
}

// wantHistogram refuses parents whose buckets do not follow each other.
func (o *pipelineOrder) wantHistogram(p *Aggregation) error {
	least := -1
	switch of := o.parent.Of.(type) {
	case *Histogram:
		least = of.MinDocCount
	case *DateHistogram:
		least = of.MinDocCount
	}
	if least < 0 {
		return o.node.fail("the aggregation %s must stand in a histogram or a date_histogram", p.Name)
	}
	if least > 0 {
		return o.node.fail("the aggregation %s needs the min_doc_count 0 of the histogram around it", p.Name)
	}
	return nil
}

// find looks for the number that a path names, in the aggregations below the parent and in its pipelines.
func (o *pipelineOrder) find(p *Aggregation, by, of *string) error {
	path := strings.TrimSpace(*by)
	if path == "_count" {
		return nil
	}
	name := strings.TrimSuffix(path, ".value")
	i := slices.IndexFunc(o.pending, func(a Aggregation) bool { return a.Name == name })
	if i >= 0 {
		if _, sorts := o.pending[i].Of.(*BucketSort); sorts {
			return o.node.fail("the aggregation %s cannot read %s, which computes nothing", p.Name, name)
		}
		*by, *of = name, ""
		return o.take(i)
	}
	found, number, ok := findNumber(path, o.parent.Subs)
	if !ok {
		return o.node.fail("the aggregation %s finds nothing at the path %s", p.Name, path)
	}
	*by, *of = found, number
	return nil
}
