package embedded

import "sync"

// pending are collections that wait for a worker, each once. The zero value is empty.
type pending struct {
	mu    sync.Mutex
	order []*collection
	in    map[*collection]bool
}

func (p *pending) add(c *collection) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.in[c] {
		return
	}
	if p.in == nil {
		p.in = map[*collection]bool{}
	}
	p.in[c] = true
	p.order = append(p.order, c)
}

// next takes the collection that has waited longest, nil when none does.
func (p *pending) next() *collection {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.order) == 0 {
		return nil
	}
	c := p.order[0]
	p.order[0], p.order = nil, p.order[1:]
	delete(p.in, c)
	return c
}
